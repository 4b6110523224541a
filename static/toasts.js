// Toasts: what was done, with Undo; they go after 8 s, not while hovered or focused.
// A response may add one: HX-Trigger: {"toast": {"text": "Paused", "undo": "/w/x/…/"}}; `url` leads somewhere.
// A script may add one whose Undo calls `back`, for what has not left this page.
"use strict";
(() => {
  const region = document.getElementById("toasts");
  const floor = document.getElementById("floor");
  const live = (toast) => {
    let timer;
    const go = () => { timer = setTimeout(() => toast.remove(), 8000); };
    const stay = () => clearTimeout(timer);
    toast.addEventListener("mouseenter", stay);
    toast.addEventListener("mouseleave", go);
    toast.addEventListener("focusin", stay);
    toast.addEventListener("focusout", go);
    go();
  };
  const token = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRFToken"] || "";
  const make = (tag, attributes, text) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  };
  const add = ({ text, undo, url, back }) => {
    const toast = make("div", { class: "toast-x", "data-toast": "" });
    toast.append(make("span", { class: "grow" }, text));
    if (undo) {
      const form = make("form", { method: "post", action: undo });
      form.append(make("input", { type: "hidden", name: "csrfmiddlewaretoken", value: token() }));
      const button = make("button", { class: "btn btn-quiet btn-sm", "data-key": "z" }, "Undo ");
      button.append(make("kbd", {}, "Z"));
      form.append(button);
      toast.append(form);
    } else if (back) {
      const button = make("button", { class: "btn btn-quiet btn-sm", type: "button", "data-key": "z", "data-act": "Undo" }, "Undo ");
      button.append(make("kbd", {}, "Z"));
      button.addEventListener("click", () => { toast.remove(); back(); });
      toast.append(button);
    } else if (url) {
      toast.append(make("a", { class: "btn btn-quiet btn-sm", href: url }, "Open"));
    } else {
      toast.append(make("button", { class: "btn btn-quiet btn-sm", type: "button", "data-toast-close": "" }, "Close"));
    }
    // Z takes the first that it finds: of several such acts that is the last one.
    if (back) region.prepend(toast); else region.append(toast);
    live(toast);
  };
  for (const toast of region.querySelectorAll("[data-toast]")) live(toast);
  document.addEventListener("toast", (event) => add(event.detail));
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-toast-close]");
    if (close) close.closest("[data-toast]").remove();
  });
  // No answer is not a toast: it stays until the next request is answered.
  const say = (words) => {
    floor.replaceChildren(make("div", { class: "note b" }, words));
  };
  document.addEventListener("htmx:sendError", () => say("The server could not be reached. Nothing was changed on this screen."));
  document.addEventListener("htmx:timeout", () => say("The server did not answer in time. Load the page again to see what is so."));
  document.addEventListener("htmx:responseError", (event) => {
    const code = event.detail.xhr.status;
    if (code === 403) say("Your role here does not allow that, or you have signed out elsewhere.");
    else if (code === 404) say("This is no longer there. Load the page again to see what is so.");
    else say(`The server answered ${code}. Load the page again to see what is so.`);
  });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) floor.replaceChildren(); });
})();
