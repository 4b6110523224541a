// Lists with a cursor: [data-list] holds rows (tr, a, li or [data-row]). J K and arrows move, Enter opens, X selects.
// A press anywhere on a row with data-href (or whose first link has data-row-link) opens it; links and fields stay what they are.
"use strict";
(() => {
  const rows = () => {
    const list = document.querySelector("[data-list]");
    if (!list) return [];
    const named = list.querySelectorAll("[data-row]");
    const found = named.length ? named : list.querySelectorAll("tbody > tr:not(.grp), :scope > a, :scope > li");
    return [...found].filter((row) => row.offsetParent !== null);
  };
  const cursor = (all) => all.findIndex((row) => row.classList.contains("cursor"));
  const link = (row) => (row.matches("a[href]") ? row : row.querySelector("a[data-row-link]") || row.querySelector("a[href]"));
  const put = (all, index) => {
    for (const row of all) row.classList.toggle("cursor", row === all[index]);
    all[index].scrollIntoView({ block: "nearest" });
    const to = link(all[index]);
    if (to) to.focus({ preventScroll: true });
  };
  const move = (by) => {
    const all = rows();
    if (!all.length) return false;
    const here = cursor(all);
    put(all, here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + by)));
    return true;
  };
  const open = (row) => {
    if (!row) return false;
    const to = link(row);
    if (row.dataset.href) location.assign(row.dataset.href);
    else if (to) to.click();
    return Boolean(to || row.dataset.href);
  };
  let anchor = -1;
  const select = (range) => {
    const all = rows();
    const here = cursor(all);
    const box = all[here]?.querySelector("input[type=checkbox]");
    if (!box) return false;
    const want = range && anchor >= 0 ? true : !box.checked;
    const [from, to] = range && anchor >= 0 ? [Math.min(anchor, here), Math.max(anchor, here)] : [here, here];
    for (const row of all.slice(from, to + 1)) {
      const each = row.querySelector("input[type=checkbox]");
      if (each && each.checked !== want) { each.checked = want; each.dispatchEvent(new Event("change", { bubbles: true })); }
    }
    anchor = here;
    return true;
  };
  window.outreach = Object.assign(window.outreach || {}, { list: { move, select, openCurrent: () => { const all = rows(); return open(all[cursor(all)]); } } });

  const paint = () => {
    for (const box of document.querySelectorAll("[data-list] tr input[type=checkbox]")) box.closest("tr").classList.toggle("sel", box.checked);
    const count = document.querySelectorAll(":is([data-list] tbody, tbody[data-list]) input[type=checkbox]:checked").length;
    for (const place of document.querySelectorAll("[data-selected-count]")) place.textContent = String(count);
    for (const bar of document.querySelectorAll("[data-selected-bar]")) bar.hidden = count === 0;
  };
  document.addEventListener("change", (event) => { if (event.target.matches("[data-list] input[type=checkbox]")) paint(); });
  document.addEventListener("outreach:selected", paint);
  document.addEventListener("htmx:afterSwap", paint);
  // Rows that were fetched again: htmx gives the focus back to the link, and the cursor goes where it is.
  document.addEventListener("htmx:afterSettle", () => {
    const all = rows();
    const here = all.find((row) => row.contains(document.activeElement));
    if (here && cursor(all) < 0) here.classList.add("cursor");
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-list] tr, [data-row]");
    if (!row || event.target.closest("a, button, input, select, label, summary, form, dialog") || String(getSelection())) return;
    const to = row.dataset.href ? null : row.querySelector("a[data-row-link]");
    if (to) to.click();
    else if (row.dataset.href) location.assign(row.dataset.href);
  });
})();
