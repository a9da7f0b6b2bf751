// The pages of syncs: forms with `data-begin` are posted there, and the page that answers is opened.
(function () {
  "use strict";

  var wrong = document.getElementById("e-run");

  /** @param {string} location */
  function open(place) {
    if (new URL(place, location.href).pathname === location.pathname) location.reload();
    else location.assign(place);
  }

  /** @param {HTMLFormElement} form @param {HTMLElement | null} button */
  function send(form, button) {
    if (form.getAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    wrong.textContent = "";
    var once = crypto.randomUUID();
    window.running.begin(form.dataset.begin, function () {
      var data = new FormData(form);
      if (button && button.name) data.append(button.name, button.value);
      data.set("once", once);
      return data;
    }).then(
      function (answer) { if (answer) open(answer.location); },
      function (error) { wrong.textContent = error.message; }
    ).then(function () { form.removeAttribute("aria-busy"); });
  }

  document.addEventListener("submit", function (event) {
    var form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.dataset.begin) return;
    event.preventDefault();
    send(form, event.submitter);
  });
})();
