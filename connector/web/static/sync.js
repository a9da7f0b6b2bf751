// The pages of syncs: forms with `data-begin` are posted to this URL, and the page in the response is opened.
(function () {
  "use strict";

  var wrong = document.getElementById("e-run");

  /** @param {string} location */
  function open(place) {
    if (new URL(place, location.href).pathname === location.pathname) location.reload();
    else location.assign(place);
  }

  // The ticked items are stored for each plan in this browser tab, across filters and pages.

  var apply = document.getElementById("apply");
  var stored = apply && "ticks " + location.pathname + " " + apply.dataset.plan;
  var ticked = new Set(stored ? JSON.parse(sessionStorage.getItem(stored) || "[]") : []);

  function showTicks() {
    var button = apply.querySelector("[data-ticked]");
    button.disabled = ticked.size === 0;
    button.textContent = ticked.size ? "Apply " + ticked.size + " ticked" : "Apply the ticked items";
    sessionStorage.setItem(stored, JSON.stringify(Array.from(ticked)));
  }

  if (apply) {
    apply.querySelectorAll("[data-tick]").forEach(function (box) {
      box.checked = ticked.has(box.dataset.tick);
      box.addEventListener("change", function () {
        if (box.checked) ticked.add(box.dataset.tick);
        else ticked.delete(box.dataset.tick);
        showTicks();
      });
    });
    showTicks();
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
      if (form === apply) ticked.forEach(function (key) { data.append("item", key); });
      data.set("once", once);
      return data;
    }).then(
      function (answer) {
        if (!answer) return;
        if (form === apply) sessionStorage.removeItem(stored);
        open(answer.location);
      },
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
