// Light or dark: what this person chose here, else what the system says. Runs before the first paint, so nothing flashes.
"use strict";
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try { return localStorage.getItem("theme") || "system"; } catch { return "system"; }
  };
  const paint = () => {
    const theme = chosen();
    document.documentElement.dataset.bsTheme = theme === "system" ? (system.matches ? "dark" : "light") : theme;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
      button.classList.toggle("on", button.dataset.themeChoice === theme);
    }
  };
  paint();
  system.addEventListener("change", paint);
  document.addEventListener("DOMContentLoaded", paint);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    try {
      if (button.dataset.themeChoice === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", button.dataset.themeChoice);
    } catch { /* storage is shut off: the choice lasts for this page */ }
    paint();
  });
})();
