// A thread opens at its newest mail. Later parts that come by themselves never move what is being read.
"use strict";
(() => {
  const pane = document.querySelector(".thr");
  if (pane && document.getElementById("thread-mails") && !location.hash) pane.scrollTop = pane.scrollHeight;
})();
