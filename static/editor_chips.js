// Liquid fields as chips. `{{ first_name | default: "there" }}` in the stored text is one chip on the screen, which
// the caret steps over; what is more than a field with a fallback (filters, conditions) stays text.
"use strict";
(() => {
  const FIELD = /\{\{\s*([A-Za-z_]\w*)\s*(?:\|\s*default:\s*(?:"([^"]*)"|'([^']*)'|“([^”]*)”)\s*)?\}\}/g;
  const known = () => new Map([...document.querySelectorAll("[data-fields] [data-field]")].map((button) => [button.dataset.field, button.dataset]));
  // "links:Their links to you": there is such a field, and the menu does not offer it here.
  const unoffered = () => new Map((document.querySelector("[data-unoffered]")?.dataset.unoffered || "").split("|").filter(Boolean).map((entry) => entry.split(":")).map(([name, label]) => [name, { label, blank: 0 }]));

  const draw = (chip) => {
    const field = known().get(chip.dataset.field) || unoffered().get(chip.dataset.field);
    // Outside a campaign nobody can say which fields of one's own there are.
    const own = !field && document.querySelector("[data-any-field]");
    const label = field ? field.label : chip.dataset.field;
    const fallback = chip.dataset.fallback || "";
    const blank = field ? Number(field.blank) : 0;
    chip.classList.toggle("w", (!field && !own) || (!fallback && blank > 0));
    chip.replaceChildren(label);
    const note = document.createElement("i");
    if (!field && !own) note.textContent = "no such field";
    else if (fallback) note.textContent = `or “${fallback}”`;
    else if (blank) note.textContent = `no fallback, ${blank} blank`;
    if (note.textContent) chip.append(" ", note);
    chip.title = "Press to change what stands here when it is blank";
    return chip;
  };
  const make = (name, fallback) => {
    const chip = document.createElement("span");
    chip.className = "chip";
    chip.contentEditable = "false";
    chip.dataset.field = name;
    if (fallback) chip.dataset.fallback = fallback;
    return draw(chip);
  };
  const liquid = (name, fallback) => (fallback ? `{{ ${name} | default: "${fallback.replace(/["“”{}%]/g, "'")}" }}` : `{{ ${name} }}`);

  const toChips = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      if (text.data.search(FIELD) < 0 || text.parentElement?.closest(".chip")) continue;
      const parts = document.createDocumentFragment();
      let from = 0;
      for (const match of text.data.matchAll(FIELD)) {
        parts.append(text.data.slice(from, match.index), make(match[1], match[2] ?? match[3] ?? match[4] ?? ""));
        from = match.index + match[0].length;
      }
      parts.append(text.data.slice(from));
      text.replaceWith(parts);
    }
  };
  // A copy with its chips written out; the element on the screen is not touched.
  const written = (root) => {
    const copy = root.cloneNode(true);
    for (const chip of copy.querySelectorAll(".chip")) chip.replaceWith(liquid(chip.dataset.field, chip.dataset.fallback || ""));
    for (const element of copy.querySelectorAll("[class], [dir]")) { element.removeAttribute("class"); element.removeAttribute("dir"); }
    copy.normalize();
    return copy;
  };
  const clean = (text) => text.replace(/\u200b/g, "");
  window.outreach = Object.assign(window.outreach || {}, {
    chips: { make, draw, liquid, toChips, html: (root) => clean(written(root).innerHTML).replace(/&nbsp;/g, " ").replace(/([^>])<br><\/p>/g, "$1</p>"), text: (root) => clean(written(root).textContent).replace(/\u00a0/g, " ") },
  });
})();
