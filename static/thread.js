// A thread opens at its newest mail. Later parts that come by themselves never move what is being read.
"use strict";
(() => {
  const pane = document.querySelector(".thr");
  if (pane && document.getElementById("thread-mails") && !location.hash) pane.scrollTop = pane.scrollHeight;
  // A menu that holds a field leads into it.
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches("details[data-menu]")) event.target.querySelector("[data-first]")?.focus();
  }, true);
  for (const field of document.querySelectorAll("input[data-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;

  // While the answer has text in it, colleagues are told that somebody writes; never what.
  const field = document.querySelector("[data-writing]");
  if (!field) return;
  const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
  let told = 0;
  const tell = (writes) => {
    told = writes ? Date.now() : 0;
    const body = new URLSearchParams(writes ? { writes: "yes" } : {});
    fetch(field.dataset.writing, { method: "POST", body, headers: { "X-CSRFToken": token() }, keepalive: true }).catch(() => {});
  };
  const look = () => {
    const writes = field.value.trim() !== "";
    if (writes && Date.now() - told >= 10_000) tell(true);
    if (!writes && told) tell(false);
  };
  field.addEventListener("input", look);
  setInterval(() => { if (!document.hidden) look(); }, 10_000);
  window.addEventListener("pagehide", () => { if (told && !field.form.dataset.sent) tell(false); });
})();
