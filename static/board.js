// A board: cards are dragged onto a column, or moved by Shift and an arrow. Both send the card's own form
// (templates/outreach/_board_cards.html), which works without this file too. The focus stays with the card.
"use strict";
(() => {
  const stages = () => [...document.querySelectorAll("[data-board] [data-stage]")];
  let moved = "";
  const send = (card, stage) => {
    const button = card.querySelector(`form button[name=to][value="${CSS.escape(stage)}"]`);
    if (!button) return;
    moved = card.dataset.card;
    // htmx sends the button that was pressed, which a submitted form would not name.
    button.click();
  };
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.("[data-card][draggable=true]");
    if (!card) return;
    dragged = card;
    card.classList.add("away");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.card);
  });
  const over = (stage) => { for (const each of stages()) each.classList.toggle("over", each === stage); };
  document.addEventListener("dragover", (event) => {
    const stage = event.target.closest?.("[data-stage]");
    if (!dragged || !stage) return;
    event.preventDefault();
    over(stage);
  });
  document.addEventListener("drop", (event) => {
    const stage = event.target.closest?.("[data-stage]");
    if (!dragged || !stage) return;
    event.preventDefault();
    send(dragged, stage.dataset.stage);
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("away");
    dragged = null;
    over(null);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const card = event.target.closest?.("[data-card]");
    if (!card || event.target.closest("details[open]")) return;
    event.preventDefault();
    const all = stages();
    const here = all.indexOf(card.closest("[data-stage]"));
    const there = all[here + (event.key === "ArrowRight" ? 1 : -1)];
    if (there && !moved) send(card, there.dataset.stage);
  });
  // In an open menu the arrows go through its stages; before keys.js, whose arrows go through the cards.
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("[data-card] details[open]");
    if (!menu || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    event.preventDefault();
    const all = [...menu.querySelectorAll(".pop button")];
    const at = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    all[Math.min(all.length - 1, Math.max(0, at))].focus();
  }, true);
  // M and Enter mean the card that has the focus.
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest?.("[data-card]");
    if (!card) return;
    for (const each of document.querySelectorAll("[data-card].cursor")) each.classList.toggle("cursor", each === card);
    card.classList.add("cursor");
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!moved || !document.getElementById("board")) return;
    const card = document.getElementById(`card-${moved}`);
    moved = "";
    card?.querySelector("a")?.focus();
    card?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  document.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.successful) moved = ""; });
})();
