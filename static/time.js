// Writes <time data-time> in the reader's own zone. The same rules as accounts/templatetags/ui.py.
"use strict";
(() => {
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (number) => String(number).padStart(2, "0");
  const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;
  const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate());
  const date = (at, now) => `${at.getDate()} ${months[at.getMonth()]}` + (at.getFullYear() === now.getFullYear() ? "" : ` ${at.getFullYear()}`);
  const forms = {
    when(at, now) {
      if (+midnight(at) === +midnight(now)) return clock(at);
      return Math.abs(now - at) < 7 * 864e5 ? `${at.getDate()} ${months[at.getMonth()]} ${clock(at)}` : date(at, now);
    },
    ago(at, now) {
      const seconds = (now - at) / 1000;
      if (seconds < 60) return "now";
      if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
      const days = Math.round((midnight(now) - midnight(at)) / 864e5);
      if (days === 0) return `${Math.floor(seconds / 3600)} h`;
      if (days < 7) return days === 1 ? "yesterday" : `${days} days`;
      return date(at, now);
    },
    exact: (at) => `${at.getDate()} ${months[at.getMonth()]} ${at.getFullYear()} ${clock(at)}:${two(at.getSeconds())}`,
    instant: (at) => `${clock(at)}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`,
  };
  const write = (root) => {
    const now = new Date();
    for (const time of root.querySelectorAll("time[data-time]")) {
      const at = new Date(time.dateTime);
      const form = forms[time.dataset.time];
      if (Number.isNaN(+at) || !form) continue;
      time.textContent = form(at, now);
      time.title = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    }
  };
  write(document);
  document.addEventListener("htmx:load", (event) => write(event.target));
  setInterval(() => write(document), 30_000);
})();
