// What the library (static/library.js) writes into on the page of the removal requests: plain fields, of which a text
// goes into the one that was written in last, the request at first. Its subject goes with the request alone.
"use strict";
(() => {
  const form = document.querySelector("form[data-request-text]");
  if (!form) return;
  const subject = form.querySelector("[name=subject]");
  const areas = [...form.querySelectorAll("textarea")];
  let [area] = areas;
  for (const each of areas) each.addEventListener("focus", () => { area = each; });
  const set = (field, value) => {
    if (field.value === value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const words = () => ({ into: area, subject: area === areas[0] ? subject.value : null, body: area.value });
  // `into`: where it came from, when Undo brings it back.
  const write = ({ into = area, subject: line, body }) => {
    area = into;
    if (line !== null && into === areas[0]) set(subject, line);
    set(into, body);
  };
  const add = (piece) => {
    area.focus();
    area.setRangeText(piece, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  window.outreach = Object.assign(window.outreach || {}, { editor: { words, write, add, isBlank: () => !area.value.trim(), plain: true, place: "the field" } });
})();
