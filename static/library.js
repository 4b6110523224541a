// The library beside the editor: a kept text is put into the step, a snippet where the cursor stands, and the text
// of the step is kept. What was there before comes back by Undo, and Undo by itself once more.
"use strict";
(() => {
  const { editor } = window.outreach || {};
  const menu = document.querySelector("[data-library]");
  const replace = document.getElementById("replace-dialog");
  if (!editor || !menu) return;
  menu.hidden = false;
  const place = editor.place || "the step";
  const summary = menu.querySelector("summary");
  const entries = [...menu.querySelectorAll(".pop button")];
  menu.addEventListener("click", (event) => { if (event.target.closest(".pop button")) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    menu.open = true;
    const at = entries.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    entries[Math.max(0, Math.min(at, entries.length - 1))].focus();
  });

  const put = (next, told) => {
    const before = editor.words();
    editor.write(next);
    const back = () => put(before, `${place.replace("the", "The")} is as it was before`);
    document.dispatchEvent(new CustomEvent("toast", { detail: { text: told, back } }));
  };
  // What was chosen is put in when its dialog has closed and has given the focus back.
  let chosen = null;
  const use = () => {
    const text = chosen;
    chosen = null;
    put({ subject: text.subject || null, body: text.body }, `“${text.name}” is in ${place}`);
    summary.focus();
  };
  const picked = () => {
    if (!chosen) { summary.focus(); return; }
    if (chosen.kind === "snippet") { editor.add(chosen.body); chosen = null; return; }
    if (editor.isBlank()) { use(); return; }
    replace.querySelector("[data-replace-name]").textContent = `“${chosen.name}”`;
    replace.returnValue = "";
    window.outreach.openDialog(replace, summary);
  };
  document.addEventListener("close", (event) => {
    if (event.target.id === "library-pick") picked();
    if (event.target.id === "library-keep") summary.focus();
    if (event.target === replace && replace.returnValue === "replace") use();
    if (event.target === replace) chosen = null;
  }, true);

  // --- the list of texts
  const options = (dialog) => [...dialog.querySelectorAll("[role=option]")];
  const mark = (dialog, index) => {
    const all = options(dialog);
    all.forEach((option, place) => { option.classList.toggle("on", place === index); option.setAttribute("aria-selected", String(place === index)); });
    dialog.querySelector("input").setAttribute("aria-activedescendant", all[index]?.id || "");
    all[index]?.scrollIntoView({ block: "nearest" });
  };
  const take = async (dialog, option) => {
    if (!option || dialog.dataset.taking) return;
    dialog.dataset.taking = "yes";
    try {
      const answer = await fetch(option.dataset.words, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      chosen = { ...(await answer.json()), kind: dialog.dataset.kind };
      dialog.close();
    } catch {
      delete dialog.dataset.taking;
      dialog.querySelector("#library-wrong").textContent = "This text could not be fetched. Somebody may have deleted it. Load the page again to see what is so.";
    }
  };
  // A form that came back with a reason in it: the cursor goes there.
  document.addEventListener("htmx:afterSettle", () => document.querySelector("#library-keep [aria-invalid=true]")?.focus());
  // What was typed last has its answer still to come; Enter then waits for it.
  let asking = false;
  let wanted = false;
  document.addEventListener("htmx:afterSwap", (event) => {
    const dialog = document.getElementById("library-pick");
    if (event.target.id === "library-options") {
      asking = false;
      mark(dialog, 0);
      if (wanted) { wanted = false; take(dialog, options(dialog)[0]); }
      return;
    }
    if (event.target.id !== "dialog-slot") return;
    const keep = document.getElementById("library-keep");
    if (keep) {
      const { subject, body } = editor.words();
      keep.querySelector("[name=subject]").value = subject || "";
      keep.querySelector("[name=body]").value = body;
      keep.querySelector("[name=plain]").value = editor.plain ? "on" : "";
      keep.querySelector("[name=name]").focus();
    }
    if (!dialog) return;
    asking = wanted = false;
    mark(dialog, 0);
    const field = dialog.querySelector("input");
    field.addEventListener("input", () => { asking = true; });
    field.addEventListener("keydown", (pressed) => {
      const all = options(dialog);
      const at = all.findIndex((option) => option.classList.contains("on"));
      if (pressed.key === "ArrowDown" || pressed.key === "ArrowUp") {
        pressed.preventDefault();
        if (all.length) mark(dialog, (at + (pressed.key === "ArrowDown" ? 1 : all.length - 1)) % all.length);
      }
      if (pressed.key !== "Enter") return;
      pressed.preventDefault();
      if (asking) wanted = true; else take(dialog, all[at]);
    });
    dialog.addEventListener("click", (pressed) => { const option = pressed.target.closest("[role=option]"); if (option) take(dialog, option); });
  });
})();
