// Keys (design/README.md). Single keys rest in fields and while they are switched off in Settings (WCAG 2.1.4).
// data-key="p" on a button or link lets that key press it, on a field go into it; data-go="h" on a link of the sidebar is G then H.
// data-keys-wait on a part that htmx fetches: its keys wait while it is under way, for its buttons are about to be others.
"use strict";
(() => {
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  for (const key of document.querySelectorAll("[data-mod-k]")) key.textContent = mac ? "⌘K" : "Ctrl K";
  let goes = 0;
  const writing = (element) => element.isContentEditable || element.matches("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select");
  const seen = (element) => element && !element.disabled && element.getAttribute("aria-disabled") !== "true" && element.offsetParent !== null;
  const press = (key) => {
    const scope = document.querySelector("dialog[open]") || document;
    const offers = [...scope.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(seen);
    // Of the acts that each row of a list offers, a key means the one in the row under the cursor.
    const target = offers.find((offer) => offer.closest(".cursor")) || offers.find((offer) => !offer.closest("[data-list]"));
    // A field cannot be pressed: its key leads into it.
    if (target) target.matches("input, textarea") ? target.focus() : target.click();
    // At once, and not with the event of its opening, which comes later: the next key may be there before it.
    if (target?.matches("details[open] > summary")) target.parentElement.querySelector("[data-first]")?.focus();
    return Boolean(target);
  };
  const coming = new Map();
  const waiting = [];
  const waits = (key) => [...coming.values()].some((part) => part.querySelector(`[data-key="${CSS.escape(key)}"]`));
  const goOn = () => { while (waiting.length && !waits(waiting[0])) press(waiting.shift()); };
  document.addEventListener("htmx:beforeSend", ({ detail }) => {
    if (!detail.target.matches("[data-keys-wait]")) return;
    coming.set(detail.xhr, detail.target);
    // The new buttons stand by then; and it comes after an error too.
    detail.xhr.addEventListener("loadend", () => { coming.delete(detail.xhr); goOn(); });
  });
  const search = () => {
    const field = [...document.querySelectorAll("[data-search], main input[type=search]")].find(seen);
    if (field) { field.focus(); field.select?.(); }
    return Boolean(field);
  };
  const list = window.outreach?.list;
  const single = (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (goes && Date.now() - goes < 1500) {
      goes = 0;
      const place = document.querySelector(`.side [data-go="${CSS.escape(key)}"]`);
      if (place) { place.click(); return true; }
    }
    if (document.querySelector("dialog[open]")) return press(key);
    if (key === "g") { goes = Date.now(); return true; }
    if (key === "?") { window.outreach.openDialog(document.getElementById("all-keys")); return true; }
    if (key === "/") return search();
    // A key that is held down does not run ahead of the page.
    if (waits(key)) { if (!event.repeat) waiting.push(key); return true; }
    if (press(key)) return true;
    if (key === "j" || key === "ArrowDown") return list.move(1);
    if (key === "k" || key === "ArrowUp") return list.move(-1);
    if (key === "o") return list.openCurrent();
    if (key === "x") return list.select(event.shiftKey);
    return false;
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const at = event.target instanceof Element ? event.target : document.body;
    if ((event.metaKey || event.ctrlKey) && !event.altKey) {
      if (event.key.toLowerCase() === "k") { event.preventDefault(); window.outreach.openPalette(); }
      if (event.key === "Enter") {
        const scope = document.querySelector("dialog[open]") || document;
        const target = [...scope.querySelectorAll("[data-key-mod=Enter]")].find(seen);
        if (target) { event.preventDefault(); target.click(); }
      }
      return;
    }
    if (event.altKey || writing(at)) {
      if (event.key === "Escape" && at.matches("[data-search], input[type=search]")) at.blur();
      return;
    }
    if (event.key === "Enter" && at === document.body) { if (list.openCurrent()) event.preventDefault(); return; }
    if (event.key === "Escape" && !document.querySelector("dialog[open], details[data-menu][open]")) {
      const up = document.querySelector("[data-up]");
      if (up) up.click();
      return;
    }
    // Arrows scroll and Enter presses where something else has the focus.
    if (event.key.startsWith("Arrow") && !at.closest("[data-list]")) return;
    if (document.body.dataset.singleKeys === "off" && !event.key.startsWith("Arrow")) return;
    if (single(event)) event.preventDefault();
  });
})();
