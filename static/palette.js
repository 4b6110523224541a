// The palette (Ctrl K): acts of this page before places. It presses the same buttons and links that a hand would,
// so it can do nothing that the page does not offer, and uses the same words.
"use strict";
(() => {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const field = palette.querySelector("input");
  const box = document.getElementById("palette-list");
  let entries = [];
  let at = 0;

  const words = (element) => {
    if (element.dataset.act) return element.dataset.act;
    if (element.getAttribute("aria-label")) return element.getAttribute("aria-label");
    const copy = element.cloneNode(true);
    for (const extra of copy.querySelectorAll("kbd, .n, .vh, .logo, svg")) extra.remove();
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const able = (element) => !element.disabled && element.getAttribute("aria-disabled") !== "true";
  const take = (selector, kind) => [...document.querySelectorAll(selector)].filter(able).map((element) => ({
    kind, element, label: words(element), icon: element.querySelector("svg use")?.getAttribute("href"),
    keys: element.dataset.go ? ["G", element.dataset.go.toUpperCase()] : element.dataset.key ? [element.dataset.key.toUpperCase()] : [],
  })).filter((entry) => entry.label);
  const gather = () => {
    const acts = take("main .phead .acts a, main .phead .acts button, main .note .acts a, main .note .acts button, [data-act]", "Do");
    const places = take(".side .nav-a a, .side .menu .pop a:not([aria-current]), main [data-list] a[data-row-link]", "Go to");
    const seen = new Set();
    return [...acts, ...places].filter((entry) => {
      const key = entry.kind + entry.label;
      return seen.has(key) ? false : seen.add(key);
    });
  };
  const svg = (href) => {
    const space = "http://www.w3.org/2000/svg";
    const picture = document.createElementNS(space, "svg");
    picture.setAttribute("class", "i");
    picture.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(space, "use");
    use.setAttribute("href", href);
    picture.append(use);
    return picture;
  };
  const marked = (label, asked) => {
    const span = document.createElement("span");
    span.className = "cut";
    const from = asked ? label.toLowerCase().indexOf(asked) : -1;
    if (from < 0) { span.textContent = label; return span; }
    const bold = document.createElement("b");
    bold.textContent = label.slice(from, from + asked.length);
    span.append(label.slice(0, from), bold, label.slice(from + asked.length));
    return span;
  };
  const draw = () => {
    const asked = field.value.trim().toLowerCase();
    const parts = asked.split(/\s+/);
    const fits = entries.filter((entry) => parts.every((part) => entry.label.toLowerCase().includes(part))).slice(0, 12);
    at = Math.min(at, Math.max(0, fits.length - 1));
    box.replaceChildren();
    let kind = "";
    let index = 0;
    let group = box;
    for (const entry of fits) {
      if (entry.kind !== kind) {
        kind = entry.kind;
        group = document.createElement("div");
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", kind);
        const cap = document.createElement("div");
        cap.className = "cap";
        cap.setAttribute("aria-hidden", "true");
        cap.textContent = kind;
        group.append(cap);
        box.append(group);
      }
      const row = document.createElement("div");
      row.className = "li" + (index === at ? " on" : "");
      row.id = `palette-${index}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(index === at));
      if (entry.icon) row.append(svg(entry.icon));
      row.append(marked(entry.label, asked));
      const keys = document.createElement("span");
      keys.className = "keys";
      for (const key of entry.keys) { const cap = document.createElement("kbd"); cap.textContent = key; keys.append(cap); }
      row.append(keys);
      row.addEventListener("click", () => run(entry));
      group.append(row);
      entry.index = index++;
    }
    if (!fits.length) {
      const none = document.createElement("p");
      none.className = "none";
      none.textContent = "Nothing on this page or in the menu has these words.";
      box.append(none);
    }
    field.setAttribute("aria-activedescendant", fits.length ? `palette-${at}` : "");
    return fits;
  };
  const run = (entry) => {
    palette.close();
    entry.element.click();
  };
  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    entries = gather();
    field.value = "";
    at = 0;
    draw();
    palette.showModal();
    field.focus();
  };
  window.outreach = Object.assign(window.outreach || {}, { openPalette: open });
  for (const button of document.querySelectorAll("[data-palette]")) button.addEventListener("click", open);
  field.addEventListener("input", () => { at = 0; draw(); });
  field.addEventListener("keydown", (event) => {
    const count = box.querySelectorAll(".li").length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (count) at = (at + (event.key === "ArrowDown" ? 1 : count - 1)) % count;
      draw();
      box.querySelector(".on")?.scrollIntoView({ block: "nearest" });
    }
    if (event.key === "Enter") { event.preventDefault(); const chosen = draw()[at]; if (chosen) run(chosen); }
  });
})();
