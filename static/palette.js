// The palette (Ctrl K): acts of this page before places. It presses the same buttons and links that a hand would,
// so it can do nothing that the page does not offer, and uses the same words. Behind them stands what the words find
// in the workspace, which the server is asked for while one types.
"use strict";
(() => {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const field = palette.querySelector("input");
  const box = document.getElementById("palette-list");
  let entries = [];
  let found = [];
  let pending = 0;
  let asking = null;
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
    const here = entries.filter((entry) => parts.every((part) => entry.label.toLowerCase().includes(part))).slice(0, 12);
    const fits = [...here, ...found];
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
      if (entry.detail) {
        const detail = document.createElement("span");
        detail.className = "dim fs12 cut";
        detail.textContent = entry.detail;
        row.append(detail);
      }
      const keys = document.createElement("span");
      keys.className = "keys";
      for (const key of entry.keys) { const cap = document.createElement("kbd"); cap.textContent = key; keys.append(cap); }
      row.append(keys);
      row.addEventListener("click", () => run(entry));
      group.append(row);
      entry.index = index++;
    }
    if (!fits.length && !pending && !asking) {
      const none = document.createElement("p");
      none.className = "none";
      none.textContent = "Nothing here has these words. A person is found by the whole address.";
      box.append(none);
    }
    field.setAttribute("aria-activedescendant", fits.length ? `palette-${at}` : "");
    return fits;
  };
  const run = (entry) => {
    palette.close();
    if (entry.url) location.href = entry.url; else entry.element.click();
  };
  const sheet = palette.querySelector("svg use").getAttribute("href").replace(/#.*/, "#");
  // What came too late for the words that stand there now is thrown away.
  const ask = async () => {
    pending = 0;
    const mine = asking = new AbortController();
    const words = field.value.trim();
    try {
      const answer = await fetch(`${palette.dataset.find}?q=${encodeURIComponent(words)}`, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (asking !== mine) return;
      found = answer.ok ? (await answer.json()).found.map((hit) => ({ ...hit, kind: "Found", icon: sheet + hit.icon, keys: [] })) : [];
    } catch { if (asking !== mine) return; found = []; }
    asking = null;
    draw();
  };
  const forget = () => { clearTimeout(pending); pending = 0; asking?.abort(); asking = null; };
  const look = () => {
    forget();
    if (field.value.trim().length < 2 || !palette.dataset.find) { found = []; return; }
    pending = setTimeout(ask, 150);
  };
  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    entries = gather();
    forget();
    found = [];
    field.value = "";
    at = 0;
    draw();
    palette.showModal();
    field.focus();
  };
  window.outreach = Object.assign(window.outreach || {}, { openPalette: open });
  for (const button of document.querySelectorAll("[data-palette]")) button.addEventListener("click", open);
  field.addEventListener("input", () => { at = 0; look(); draw(); });
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
