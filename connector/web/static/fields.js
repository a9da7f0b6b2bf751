// The page of a sync's fields: templates are tried on the sample by the server while the user types.
(function () {
  "use strict";

  var WAIT_MS = 200;
  var form = /** @type {HTMLFormElement} */ (document.getElementById("fields"));
  var rows = document.getElementById("tried-rows");
  var text = document.getElementById("tried-text");
  var status = document.getElementById("tried");
  var waiting = 0;
  var asked = null;

  function preview() {
    if (!form.dataset.ready) return;
    if (asked) asked.abort();
    var mine = new AbortController();
    asked = mine;
    window.running.post(form.dataset.preview, new FormData(form), { signal: mine.signal }).then(
      function (answer) { if (asked === mine) show(answer); },
      function (error) { if (asked === mine && error.name !== "AbortError") status.textContent = error.message; }
    );
  }

  function show(answer) {
    status.textContent = answer.status;
    form.querySelectorAll("[data-field]").forEach(function (field) {
      var key = field.querySelector('[name="key"]').value.trim();
      var template = field.querySelector('[name="template"]');
      var used = key !== "" && template.value.trim() !== "";
      var fault = (used && answer.faults[key]) || "";
      field.querySelector("[data-fault]").textContent = fault;
      field.querySelector("[data-note]").textContent = (used && answer.notes[key]) || "";
      if (fault) template.setAttribute("aria-invalid", "true");
      else template.removeAttribute("aria-invalid");
    });
    answer.rows.forEach(function (html, number) {
      var row = rows.children[number];
      if (!row) {
        row = document.createElement("details");
        row.open = number === 0;
        rows.appendChild(row);
      }
      if (row.shown !== html) row.innerHTML = row.shown = html;
    });
    while (rows.children.length > answer.rows.length) rows.lastElementChild.remove();
    if (text.shown !== answer.text) {
      text.innerHTML = text.shown = answer.text;
      window.copyButtons(text);
    }
  }

  function soon() {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(preview, WAIT_MS);
  }

  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  window.addEventListener("pageshow", preview);

  // After devices have been read, the page is reloaded to show the names of fields.
  if (document.getElementById("live").dataset.state === "live") {
    new MutationObserver(function () {
      var live = document.getElementById("live");
      if (live.dataset.state === "still" && live.querySelector("[data-sample]")) location.reload();
    }).observe(document.getElementById("live"), { attributes: true, childList: true });
  }
})();
