// Small acts on forms: data-autosubmit, data-guard (keeps typed text from being lost), data-copy, data-count,
// data-check-all, and a button that cannot be pressed twice.
"use strict";
(() => {
  const changed = new Set();
  // The browser's zone, which the server cannot know.
  for (const field of document.querySelectorAll("input[data-browser-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (event.target.matches("[data-autosubmit]") && form) form.requestSubmit();
    if (event.target.matches("[data-check-all]")) {
      for (const box of document.querySelectorAll(event.target.dataset.checkAll)) box.checked = event.target.checked;
      document.dispatchEvent(new CustomEvent("outreach:selected"));
    }
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (form) changed.add(form);
    const counter = event.target.dataset?.count && document.querySelector(event.target.dataset.count);
    if (counter) counter.textContent = String(event.target.value.length);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    changed.delete(form);
    if (form.hasAttribute("hx-post") || form.target === "_blank" || form.getAttribute("method")?.toLowerCase() !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    // After this task, so that the pressed button's own name and value still go along.
    setTimeout(() => {
      if (event.defaultPrevented) return;
      form.dataset.sent = "yes";
      setTimeout(() => { delete form.dataset.sent; }, 5000);
    }, 0);
  });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) changed.delete(event.target); });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
  window.addEventListener("beforeunload", (event) => {
    for (const form of changed) if (form.isConnected) { event.preventDefault(); return; }
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = button.dataset.copy.startsWith("#") ? document.querySelector(button.dataset.copy) : null;
    try {
      await navigator.clipboard.writeText(source ? source.value || source.textContent : button.dataset.copy);
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: "Copied" } }));
    } catch {
      if (source?.select) source.select();
    }
  });
})();
