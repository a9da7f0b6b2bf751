// Runs before the first paint: marks the page as scripted, and applies the stored theme. The page is "ready" once the
// deferred scripts listen: a form sent before would load the page again and do nothing.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("script");
  document.addEventListener("DOMContentLoaded", function () { root.classList.add("ready"); });
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (error) {
    // No storage: the theme of the system applies.
  }
})();
