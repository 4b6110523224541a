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
  if (input) {
    subject = document.createElement("div");
    subject.className = "line";
    subject.contentEditable = "true";
    subject.setAttribute("role", "textbox");
    subject.setAttribute("aria-label", "Subject");
    subject.textContent = input.value;
    chips.toChips(subject);
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
    });
    subject.addEventListener("drop", (event) => event.preventDefault());
    form.querySelector("label[for=id_subject]")?.addEventListener("click", () => subject.focus());
  }
  const put = (line, node) => {
    const now = getSelection();
    const range = now.rangeCount && line.contains(now.anchorNode) ? now.getRangeAt(0) : subjectAt;
    if (range) { range.deleteContents(); range.insertNode(node); } else line.append(node);
    const after = document.createRange();
    after.setStartAfter(node);
    after.collapse(true);
    line.focus();
    now.removeAllRanges();
    now.addRange(after);
    line.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };

  // --- fields
  let last = "body";
  let typedSlash = false;
  const menu = form.querySelector("[data-fields]");
  subject?.addEventListener("focus", () => { last = "subject"; });
  (paper || area).addEventListener("focus", () => { last = "body"; });
  const insert = (name) => {
    const fallback = name === "first_name" ? "there" : "";
    if (last === "subject" && subject) { put(subject, chips.make(name, fallback)); return; }
    if (!editor) { area.focus(); area.setRangeText(chips.liquid(name, fallback), area.selectionStart, area.selectionEnd, "end"); area.dispatchEvent(new Event("input", { bubbles: true })); return; }
    editor.focus();
    editor.insertElement(chips.make(name, fallback));
    announce(area, chips.html(paper));
  };
  menu?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-field]");
    if (!button) return;
    typedSlash = false;
    menu.open = false;
    insert(button.dataset.field);
  });
  menu?.addEventListener("keydown", (event) => {
    const all = [...menu.querySelectorAll("[data-field]")];
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown") { event.preventDefault(); all[Math.min(at + 1, all.length - 1)].focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); all[Math.max(at - 1, 0)].focus(); }
    if (event.key === "Escape" && typedSlash) {
      event.stopPropagation();
      typedSlash = false;
      menu.open = false;
      if (last === "subject") put(subject, document.createTextNode("/"));
      else if (editor) { editor.focus(); editor.insertPlainText("/"); }
    }
  });
  // A slash at the beginning of a word opens the menu; Esc there leaves the slash.
  const slash = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || !menu) return;
    const now = getSelection();
    const before = now.anchorNode?.nodeType === Node.TEXT_NODE ? now.anchorNode.data.slice(0, now.anchorOffset) : "";
    if (/[^\s\u200b]$/.test(before)) return;
    event.preventDefault();
    typedSlash = true;
    menu.open = true;
    menu.querySelector("[data-field]")?.focus();
  };
  paper?.addEventListener("keydown", slash);
  subject?.addEventListener("keydown", slash);

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
