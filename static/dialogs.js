// Dialogs and menus. data-dialog="#id" opens; data-close, Esc and the veil close; focus starts on Cancel and returns.
// A <dialog data-open> that htmx puts into #dialog-slot opens by itself and leaves the page when it closes.
"use strict";
(() => {
  let opener = null;
  const open = (dialog, from) => {
    if (!dialog || dialog.open) return;
    opener = from || document.activeElement;
    dialog.showModal();
    const first = dialog.querySelector("[autofocus], [data-close]:not(.btn-icon)") || dialog.querySelector("[data-close], button, input");
    if (first) first.focus();
  };
  window.outreach = Object.assign(window.outreach || {}, { openDialog: open });

  document.addEventListener("click", (event) => {
    const trigger = event.target.closest("[data-dialog]");
    if (trigger) {
      const dialog = document.querySelector(trigger.dataset.dialog);
      if (dialog) { event.preventDefault(); open(dialog, trigger); }
      return;
    }
    const close = event.target.closest("[data-close]");
    if (close && close.closest("dialog")) { event.preventDefault(); close.closest("dialog").close(); return; }
    // A press on the veil arrives with the dialog itself as its target, outside the dialog's box.
    if (event.target instanceof HTMLDialogElement && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && event.detail > 0) event.target.close();
    }
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("close", (event) => {
    if (!(event.target instanceof HTMLDialogElement)) return;
    if (opener && opener.isConnected) opener.focus();
    if (event.target.closest("#dialog-slot")) event.target.remove();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
      // Esc did its work here: it must not also lead a page up.
      event.preventDefault();
    }
  });
  // A menu that opens near the edge of its pane is brought into sight whole.
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches("details[data-menu]")) event.target.querySelector(".pop")?.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "dialog-slot") open(event.target.querySelector("dialog[data-open]"), event.detail.requestConfig?.elt);
  });
  // An htmx form inside a dialog that was answered well closes it.
  document.addEventListener("htmx:afterRequest", (event) => {
    const dialog = event.target.closest?.("dialog[open]");
    if (dialog && event.detail.successful && event.target.matches("form[data-closes]")) dialog.close();
  });
  open(document.querySelector("dialog[data-open]"));
})();
