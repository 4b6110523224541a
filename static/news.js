// The count of what waits stands before the page's title, so that a tab in the background tells it.
"use strict";
(() => {
  const title = document.title;
  const write = () => {
    const waiting = document.getElementById("news")?.dataset.waiting;
    document.title = waiting && waiting !== "0" ? `(${waiting}) ${title}` : title;
  };
  write();
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.elt?.id === "news" || event.target.id === "news") write(); });
})();
