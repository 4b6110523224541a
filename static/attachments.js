// How much of the chosen files is uploaded: a bar beside the button while it takes.
"use strict";
(() => {
  const bar = (event) => event.target.closest?.("#answer-files")?.querySelector(".attach-bar");
  document.addEventListener("htmx:xhr:progress", (event) => {
    const shown = bar(event);
    if (!shown || !event.detail.lengthComputable) return;
    shown.hidden = false;
    shown.value = (event.detail.loaded / event.detail.total) * 100;
  });
})();
