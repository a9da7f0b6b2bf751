// Before anything is painted: scripts run here, and the theme is the one that was chosen last.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("script");
  try {
    var chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch (error) {
    // No storage here: the system's own theme it is.
  }
})();
