// The composer's editor: Squire over the text, one line of chips over the subject, and the field menu for both.
// The form's own textarea and input hold the stored Liquid at all times, so autosave and the Save button see the
// same, and without this script they are simply fields.
"use strict";
(() => {
  const form = document.querySelector("form[data-editor]");
  const { chips } = window.outreach || {};
  if (!form || !chips) return;
  const area = form.querySelector("textarea[name=body]");
  const rich = form.hasAttribute("data-rich") && window.Squire && window.DOMPurify;
  const TAGS = ["p", "br", "div", "b", "strong", "i", "em", "u", "s", "a", "ul", "ol", "li", "blockquote", "h3", "h4"];
  const announce = (field, value) => {
    if (field.value === value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const count = () => {
    const text = (editor ? editor.getRoot().textContent : area.value).trim();
    const links = (area.value.match(/<a\s|https?:\/\//g) || []).length;
    const words = text ? text.split(/\s+/).length : 0;
    for (const place of form.parentElement.querySelectorAll("[data-words]")) place.textContent = `${words} ${words === 1 ? "word" : "words"}, ${links} ${links === 1 ? "link" : "links"}`;
  };

  // --- the text
  let editor = null;
  let paper = null;
  if (rich) {
    paper = document.createElement("div");
    paper.className = "rich";
    paper.setAttribute("role", "textbox");
    paper.setAttribute("aria-multiline", "true");
    paper.setAttribute("aria-label", "Text of the mail");
    area.before(paper);
    area.hidden = true;
    editor = new window.Squire(paper, {
      blockTag: "P",
      willCutCopy: (html) => {
        const box = document.createElement("div");
        box.append(window.DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true }));
        return chips.html(box);
      },
      sanitizeToDOMFragment: (html) => document.importNode(window.DOMPurify.sanitize(html, { ALLOWED_TAGS: TAGS, ALLOWED_ATTR: ["href"], RETURN_DOM_FRAGMENT: true }), true),
    });
    editor.setHTML(area.value);
    chips.toChips(paper);
    editor.addEventListener("willPaste", (event) => chips.toChips(event.detail.fragment));
    editor.addEventListener("input", () => { announce(area, chips.html(paper)); count(); });
    const pressed = () => {
      const is = { bold: editor.hasFormat("B"), italic: editor.hasFormat("I"), link: editor.hasFormat("A"), list: editor.hasFormat("UL") };
      for (const button of form.querySelectorAll("[data-do]")) button.setAttribute("aria-pressed", String(is[button.dataset.do]));
    };
    editor.addEventListener("pathChange", pressed);
    editor.addEventListener("select", pressed);
    for (const part of form.querySelectorAll("[data-rich-only]")) part.hidden = false;
  } else {
    area.addEventListener("input", count);
  }
  count();

  const acts = {
    bold: () => (editor.hasFormat("B") ? editor.removeBold() : editor.bold()),
    italic: () => (editor.hasFormat("I") ? editor.removeItalic() : editor.italic()),
    list: () => (editor.hasFormat("UL") ? editor.removeList() : editor.makeUnorderedList()),
    link: () => askLink(),
  };
  form.addEventListener("mousedown", (event) => { if (event.target.closest("[data-do], [data-field]")) event.preventDefault(); });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && editor) acts[button.dataset.do]();
  });

  // --- a link
  const linkDialog = document.getElementById("link-dialog");
  const linkField = document.getElementById("link-url");
  const linkWrong = document.getElementById("link-wrong");
  // A whole address, or one without its beginning; "" for what no mail may carry as a link.
  const addressOf = (typed) => {
    const whole = /^(https?:\/\/|mailto:)/i.test(typed) ? typed : `https://${typed}`;
    if (!/^(https?:\/\/[^\s/.:]+(\.[^\s/.:]+)+([:/?#]\S*)?|mailto:\S+@\S+)$/i.test(whole)) return "";
    return whole;
  };
  let selection = null;
  const askLink = () => {
    selection = editor.getSelection();
    const start = selection.startContainer;
    const link = (start instanceof Element ? start : start.parentElement)?.closest("a");
    linkField.value = link ? link.getAttribute("href") : "";
    linkWrong.textContent = "";
    linkField.removeAttribute("aria-invalid");
    linkDialog.querySelector("[data-unlink]").hidden = !link;
    window.outreach.openDialog(linkDialog);
    linkField.focus();
  };
  const restored = (act) => { if (selection) editor.setSelection(selection); act(); editor.focus(); };
  linkDialog?.addEventListener("submit", (event) => {
    const address = addressOf(linkField.value.trim());
    linkField.setAttribute("aria-invalid", String(!address));
    if (address) { restored(() => editor.makeLink(address)); return; }
    event.preventDefault();
    linkWrong.textContent = "Type an address such as site.example/page.";
    linkField.focus();
  });
  linkDialog?.querySelector("[data-unlink]")?.addEventListener("click", () => { linkDialog.close(); restored(() => editor.removeLink()); });

  // --- the subject: one line with chips over the form's own input
  const input = form.querySelector("input[name=subject]");
  let subject = null;
  let subjectAt = null;
  // Behind a chip at the end no caret can stand, and what is typed there is lost: a sign without width follows it.
  const room = () => {
    const tail = [...subject.childNodes].filter((node) => node.nodeType !== Node.TEXT_NODE || node.data).pop();
    if (tail instanceof Element) subject.append("\u200b");
  };
  if (input) {
    subject = document.createElement("div");
    subject.className = "line";
    subject.contentEditable = "true";
    subject.setAttribute("role", "textbox");
    subject.setAttribute("aria-label", "Subject");
    subject.textContent = input.value;
    chips.toChips(subject);
    room();
    input.after(subject);
    input.hidden = true;
    const keep = () => { const now = getSelection(); if (now.rangeCount && subject.contains(now.anchorNode)) subjectAt = now.getRangeAt(0).cloneRange(); };
    subject.addEventListener("input", () => { announce(input, chips.text(subject).replace(/\s+/g, " ").trim()); keep(); });
    subject.addEventListener("keyup", keep);
    subject.addEventListener("mouseup", keep);
    subject.addEventListener("blur", keep);
    subject.addEventListener("beforeinput", (event) => { if (event.inputType === "insertParagraph" || event.inputType === "insertLineBreak" || event.inputType.startsWith("format")) event.preventDefault(); });
    subject.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); (paper || area).focus(); } });
    subject.addEventListener("paste", (event) => {
      event.preventDefault();
      put(subject, document.createTextNode(event.clipboardData.getData("text/plain").replace(/\s+/g, " ")));
      chips.toChips(subject);
      room();
    });
    subject.addEventListener("drop", (event) => event.preventDefault());
    form.querySelector("label[for=id_subject]")?.addEventListener("click", () => subject.focus());
  }
  const put = (line, node) => {
    const now = getSelection();
    const range = now.rangeCount && line.contains(now.anchorNode) ? now.getRangeAt(0) : subjectAt;
    if (range) { range.deleteContents(); range.insertNode(node); } else line.append(node);
    room();
    const after = document.createRange();
    const next = node.nextSibling?.data === "" ? node.nextSibling.nextSibling : node.nextSibling;
    if (next?.data?.startsWith("\u200b")) after.setStart(next, 1); else after.setStartAfter(node);
    after.collapse(true);
    line.focus();
    now.removeAllRanges();
    now.addRange(after);
    line.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };

  // --- fields
  let last = "body";
  // What opened the menu from the keyboard, "/" or "{{", and what was typed since; null when a press opened it.
  let typed = null;
  const menu = form.querySelector("[data-fields]");
  const offered = () => [...menu.querySelectorAll("[data-field]")];
  const shown = () => offered().filter((button) => !button.hidden);
  const nobody = menu?.querySelector("[data-no-field]");
  subject?.addEventListener("focus", () => { last = "subject"; });
  (paper || area).addEventListener("focus", () => { last = "body"; });
  const place = (text) => {
    if (last === "subject" && subject) put(subject, document.createTextNode(text));
    else if (editor) { editor.focus(); editor.insertPlainText(text); } else {
      area.focus();
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };
  const insert = (name) => {
    const fallback = name === "first_name" ? "there" : "";
    if (last === "subject" && subject) { put(subject, chips.make(name, fallback)); return; }
    if (!editor) { place(chips.liquid(name, fallback)); return; }
    editor.focus();
    editor.insertElement(chips.make(name, fallback));
    announce(area, chips.html(paper));
  };
  // Several wordings of what is marked, or of nothing yet; spinning.py makes the choice.
  const choice = form.querySelector("[data-choice]");
  if (choice) choice.hidden = false;
  choice?.addEventListener("mousedown", (event) => event.preventDefault());
  choice?.addEventListener("click", () => {
    let marked = "";
    if (last === "subject" && subject) {
      const now = getSelection();
      if (now.rangeCount && subject.contains(now.anchorNode)) { const part = document.createElement("div"); part.append(now.getRangeAt(0).cloneContents()); marked = chips.text(part); }
    } else if (editor) {
      const part = document.createElement("div");
      part.append(editor.getSelection().cloneContents());
      if (part.querySelector("p, li")) return;
      marked = chips.text(part);
    } else marked = area.value.slice(area.selectionStart, area.selectionEnd);
    place(`{${marked.trim() || "Hello"}|another wording}`);
    if (last === "subject" && subject) { chips.toChips(subject); room(); } else if (editor) { chips.toChips(paper); announce(area, chips.html(paper)); }
  });
  // The fields whose words begin with what was typed; all of them at first.
  const narrow = () => {
    const asked = (typed?.letters || "").replace(/}+$/, "").trim().toLowerCase();
    for (const button of offered()) {
      const words = `${button.dataset.label} ${button.dataset.field}`.toLowerCase();
      button.hidden = !(` ${words.replace(/_/g, " ")}`.includes(` ${asked}`) || button.dataset.field.toLowerCase().startsWith(asked));
    }
    if (nobody) nobody.hidden = shown().length > 0;
    (shown()[0] || menu.querySelector("summary")).focus();
  };
  const open = (mark) => {
    typed = { mark, letters: "" };
    menu.open = true;
    narrow();
  };
  const shut = () => { typed = null; menu.open = false; for (const button of offered()) button.hidden = false; if (nobody) nobody.hidden = true; };
  const leave = () => { const { mark, letters } = typed; shut(); place(mark + letters); };
  menu?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-field]");
    if (!button) return;
    shut();
    insert(button.dataset.field);
  });
  menu?.addEventListener("toggle", () => { if (!menu.open && typed) shut(); });
  menu?.addEventListener("keydown", (event) => {
    const all = shown();
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown") { event.preventDefault(); all[Math.min(at + 1, all.length - 1)]?.focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); all[Math.max(at - 1, 0)]?.focus(); }
    if (!typed || event.metaKey || event.ctrlKey && !event.altKey) return;
    const { mark, letters } = typed;
    const keep = () => { event.preventDefault(); event.stopPropagation(); };
    if (event.key === "Escape") { keep(); leave(); return; }
    if (event.key === "Backspace") {
      keep();
      if (letters) { typed.letters = letters.slice(0, -1); narrow(); } else { shut(); place(mark.slice(0, -1)); }
      return;
    }
    if (event.key === "Enter" && !all.length) { keep(); leave(); return; }
    if (event.key.length !== 1) return;
    keep();
    typed.letters += event.key;
    const whole = typed.letters.match(/^\s*(\w+)\s*}}$/);
    if (mark === "{{" && whole && offered().some((button) => button.dataset.field === whole[1])) { shut(); insert(whole[1]); return; }
    // A filter is written as text, and so is what the slash was never meant for.
    if (typed.letters.endsWith("}}") || event.key === "|" || mark === "/" && typed.letters === " ") leave(); else narrow();
  });
  // A slash at the beginning of a word, or a second brace, opens the menu; Esc there leaves what was typed.
  const opening = (event, before) => {
    if (event.metaKey || !menu) return;
    if (event.key === "/" && !event.ctrlKey && !event.altKey && !/[^\s\u200b]$/.test(before)) { event.preventDefault(); open("/"); }
    if (event.key === "{" && /(^|[^{]){$/.test(before)) { event.preventDefault(); takeBrace(); open("{{"); }
  };
  const takeBrace = () => {
    if (last === "body" && !editor) { area.setRangeText("", area.selectionStart - 1, area.selectionStart, "end"); return; }
    const now = getSelection();
    const range = document.createRange();
    range.setStart(now.anchorNode, now.anchorOffset - 1);
    range.setEnd(now.anchorNode, now.anchorOffset);
    range.deleteContents();
    if (last === "subject") subjectAt = range.cloneRange(); else editor.setSelection(range);
  };
  const beforeCaret = () => {
    const now = getSelection();
    return now.anchorNode?.nodeType === Node.TEXT_NODE ? now.anchorNode.data.slice(0, now.anchorOffset) : "";
  };
  for (const line of [paper, subject]) line?.addEventListener("keydown", (event) => opening(event, beforeCaret()));
  if (!editor) area.addEventListener("keydown", (event) => opening(event, area.value.slice(0, area.selectionStart)));

  // --- for the library (static/library.js), which puts whole texts and pieces of them in
  let entered = false;
  (paper || area).addEventListener("focus", () => { entered = true; });
  const rewrite = (body) => {
    if (editor) {
      editor.setHTML(body);
      chips.toChips(paper);
    }
    announce(area, editor ? chips.html(paper) : body);
    count();
    entered = false;
  };
  // `subject` null leaves the one that is there.
  const write = ({ subject: line, body }) => {
    if (subject && line !== null) {
      subject.textContent = line;
      chips.toChips(subject);
      room();
      announce(input, chips.text(subject).replace(/\s+/g, " ").trim());
    }
    rewrite(body);
  };
  // Where the cursor stands; at the end where it has not been in the text yet.
  const add = (piece) => {
    const fresh = !entered;
    if (editor) {
      editor.focus();
      if (fresh) editor.moveCursorToEnd();
      editor.insertHTML(piece, true);
      announce(area, chips.html(paper));
      return;
    }
    area.focus();
    if (fresh) area.setSelectionRange(area.value.length, area.value.length);
    area.setRangeText(piece, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const words = () => ({ subject: input ? input.value : null, body: area.value });
  const isBlank = () => !(input?.value.trim() || (paper ? chips.text(paper) : area.value).trim());
  window.outreach.editor = { words, write, add, isBlank, plain: !editor };

  // --- a chip's fallback
  const chipDialog = document.getElementById("field-dialog");
  const chipField = document.getElementById("field-fallback");
  let chosen = null;
  const stored = () => {
    if (!chosen) return;
    if (subject?.contains(chosen) || !chosen.isConnected && last === "subject") announce(input, chips.text(subject).replace(/\s+/g, " ").trim());
    else if (paper) announce(area, chips.html(paper));
  };
  form.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip[data-field]");
    if (!chip || !chipDialog) return;
    chosen = chip;
    last = subject?.contains(chip) ? "subject" : "body";
    chipField.value = chip.dataset.fallback || "";
    document.getElementById("field-h").textContent = chip.firstChild.textContent.trim();
    window.outreach.openDialog(chipDialog);
    chipField.focus();
  });
  chipDialog?.addEventListener("submit", () => {
    const typed = chipField.value.trim();
    if (typed) chosen.dataset.fallback = typed; else delete chosen.dataset.fallback;
    chips.draw(chosen);
    stored();
  });
  chipDialog?.querySelector("[data-remove-chip]")?.addEventListener("click", () => { chosen.remove(); stored(); chipDialog.close(); });
})();
