// Pages of runs: while a run is in progress, the page is loaded every second and its live parts are replaced.
(function () {
  "use strict";

  var EVERY_MS = 1000;
  var SHARE = 4; // if loading takes long, as for a large file, wait four times as long in between
  var wrong = document.getElementById("e-run");

  function isLive() {
    return document.getElementById("live").dataset.state === "live";
  }

  // Ids of the details that the user has opened or closed. The others are as the server says: open after a failure.
  var chosen = new Set();
  document.addEventListener("click", function (event) {
    var summary = /** @type {Element} */ (event.target).closest("summary");
    if (summary) chosen.add(summary.parentElement.id);
  });

  /** Replaces a part of the page if it has changed; the user's open details and the focus are kept.
   * @param {Element} old @param {Element} fresh */
  function replace(old, fresh) {
    if (old.innerHTML === fresh.innerHTML) return;
    var focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    fresh.querySelectorAll("details[id]").forEach(function (details) {
      var before = document.getElementById(details.id);
      if (before && chosen.has(details.id)) details.open = before.open;
    });
    old.replaceChildren.apply(old, Array.prototype.slice.call(fresh.childNodes));
    var again = focused && document.getElementById(focused);
    if (again) again.focus();
    wire(old);
  }

  function look() {
    var began = performance.now();
    fetch(location.href).then(function (response) {
      if (!response.ok) throw new Error(String(response.status));
      return response.text();
    }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, "text/html");
      document.querySelectorAll("[data-live]").forEach(function (old) {
        var part = fresh.getElementById(old.id);
        if (!part) return;
        if (part.dataset.state) old.dataset.state = part.dataset.state;
        replace(old, document.importNode(part, true));
      });
      if (wrong) wrong.textContent = "";
    }).catch(function () {
      if (wrong) wrong.textContent = "The server cannot be reached. The run continues without it.";
    }).then(function () {
      if (isLive()) window.setTimeout(look, Math.max(EVERY_MS, SHARE * (performance.now() - began)));
    });
  }

  /** @param {ParentNode} part */
  function wire(part) {
    part.querySelectorAll("[data-post]").forEach(function (button) {
      var once = crypto.randomUUID();
      button.addEventListener("click", function () {
        if (button.getAttribute("aria-disabled")) return;
        button.setAttribute("aria-disabled", "true");
        window.running.begin(button.dataset.post, function () {
          var data = new FormData();
          data.set("once", once);
          return data;
        }).then(
          function (answer) { if (answer) location.assign(answer.location); },
          function (error) { wrong.textContent = error.message; }
        ).then(function () { button.removeAttribute("aria-disabled"); });
      });
    });
  }

  wire(document);
  if (isLive()) window.setTimeout(look, EVERY_MS);
})();
