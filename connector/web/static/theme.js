// Runs before the first paint: marks the page as scripted, and applies the stored theme.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("script");
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (error) {
    // No storage: the theme of the system applies.
  }
})();
