// The "Try" page: requests are previewed by the server while the user types.
(function () {
  "use strict";

  var WAIT_MS = 200;
  var form = /** @type {HTMLFormElement} */ (document.getElementById("try"));
  var rows = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("rows"));
  var tried = document.getElementById("tried-rows");
  var status = document.getElementById("tried");
  var wrong = document.getElementById("e-run");
  var draft = form.elements.namedItem("draft").value;
  var once = crypto.randomUUID();
  var fromFile = false;

  /** The form's content. Rows from a file are already on the server. */
  function given() {
    var data = new FormData(form);
    if (fromFile) data.delete("rows");
    return data;
  }

  // Preview

  var waiting = 0;
  var asked = null;

  function soon() {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(preview, WAIT_MS);
  }

  /** Previews the form's content; an earlier preview that is still running is canceled. */
  function preview() {
    if (asked) asked.abort();
    var mine = new AbortController();
    asked = mine;
    window.running.post("preview", given(), { signal: mine.signal }).then(
      function (answer) { if (asked === mine) show(answer); },
      function (error) { if (asked === mine && error.name !== "AbortError") status.textContent = error.message; }
    );
  }

  function show(answer) {
    status.textContent = answer.status;
    if (answer.format) form.querySelector("[data-format]").textContent = ": " + answer.format;
    form.querySelectorAll("[data-error-of]").forEach(function (place) {
      if (place.dataset.errorOf !== "uploads") mark(place, answer.faults[place.dataset.errorOf] || "");
    });
    answer.rows.forEach(function (row, number) { showRow(tried.children[number], row, number); });
    while (tried.children.length > answer.rows.length) tried.lastElementChild.remove();
  }

  /** Shows a row. Unchanged parts are not replaced, which keeps focus and scroll position. */
  function showRow(element, row, number) {
    if (!element) {
      element = document.createElement("details");
      element.open = number === 0;
      tried.appendChild(element);
    }
    if (element.shown === row.html) return;
    element.shown = row.html;
    element.innerHTML = row.html;
    window.copyButtons(element);
  }

  /** Marks an input as invalid, or removes the mark. @param {HTMLElement} place @param {string} text */
  function mark(place, text) {
    if (place.textContent === text) return;
    place.textContent = text;
    var name = place.dataset.errorOf;
    var input = form.elements.namedItem("template." + name) || form.elements.namedItem(name);
    if (!input) return;
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    var folded = input.closest("details");
    if (text && folded) folded.open = true;
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.querySelectorAll("[data-choices-of]").forEach(function (choices) {
    choices.addEventListener("change", function () {
      if (choices.value) document.getElementById(choices.dataset.choicesOf).value = choices.value;
      choices.value = "";
    });
  });

  // Files

  /** @param {string} where @param {File} file */
  function send(where, file) {
    var headers = { "X-File-Name": encodeURIComponent(file.name), "Content-Type": "application/octet-stream" };
    return window.running.post(where + "?draft=" + draft, file, { headers: headers });
  }

  var fault = document.getElementById("e-file");
  var loading = 0;

  /** Sends a file of rows. The old preview is removed at once; an error stays until the next file.
   * @param {File} file */
  function takeRows(file) {
    var mine = ++loading;
    window.clearTimeout(waiting);
    if (asked) asked.abort();
    asked = null;
    tried.replaceChildren();
    fault.textContent = "";
    status.textContent = "Reading " + file.name + "…";
    send("rows", file).then(
      function (answer) {
        if (mine !== loading) return;
        fromFile = true;
        rows.hidden = true;
        form.querySelector("[data-file]").hidden = false;
        form.querySelector("[data-file-name]").textContent = file.name;
        map(answer);
        showMapping(answer.mapped, answer.unmapped);
        preview();
      },
      function (error) {
        if (mine !== loading) return;
        fault.textContent = file.name + ": " + error.message.replace(file.name + ": ", "");
        status.textContent = "The file was not read.";
      }
    );
  }

  /** Whether the fields that a template starts its expressions with are all columns of a file.
   * @param {string} template @param {string[]} columns */
  function fits(template, columns) {
    return (template.match(/{{-?\s*[A-Za-z_]\w*/g) || []).every(function (start) {
      return columns.indexOf(start.replace(/{{-?\s*/, "")) >= 0;
    });
  }

  /** Fills the inputs that nobody has changed: the template that the page came with if the file has its
   * fields, or else that of their column, or nothing. Without a file, the first template is restored.
   * @param {{columns: string[], templates: Record<string, string>}} [file] */
  function map(file) {
    form.querySelectorAll("textarea[name^='template.']").forEach(function (/** @type {HTMLTextAreaElement} */ field) {
      var before = field.dataset.mapped === undefined ? field.defaultValue : field.dataset.mapped;
      if (field.value !== before) return;
      var template = file && file.templates[field.name.slice("template.".length)];
      var kept = field.defaultValue && (!file || fits(field.defaultValue, file.columns));
      field.value = kept ? field.defaultValue : template || "";
      field.dataset.mapped = field.value;
      var folded = field.closest("details");
      if (template && folded) folded.open = true;
    });
  }

  /** Shows which columns were mapped. @param {string} mapped @param {string} unmapped */
  function showMapping(mapped, unmapped) {
    form.querySelector("[data-mapping]").hidden = !mapped && !unmapped;
    document.getElementById("mapped").textContent = mapped ? "Columns mapped to inputs: " + mapped + ". Change the templates below if needed." : "";
    document.getElementById("unmapped").textContent = unmapped ? "Columns that are not mapped: " + unmapped : "";
  }

  form.querySelector("[data-file-remove]").addEventListener("click", function () {
    loading++;
    fromFile = false;
    rows.hidden = false;
    form.querySelector("[data-file]").hidden = true;
    fault.textContent = "";
    map();
    showMapping("", "");
    rows.focus();
    preview();
  });

  var chosen = /** @type {HTMLInputElement} */ (document.getElementById("rows-file"));
  chosen.addEventListener("change", function () {
    if (chosen.files[0]) takeRows(chosen.files[0]);
    chosen.value = "";
  });
  var drop = form.querySelector("[data-drop]");
  ["dragenter", "dragover"].forEach(function (kind) {
    drop.addEventListener(kind, function (event) {
      event.preventDefault();
      drop.classList.add("over");
    });
  });
  ["dragleave", "drop"].forEach(function (kind) {
    drop.addEventListener(kind, function () { drop.classList.remove("over"); });
  });
  drop.addEventListener("drop", function (event) {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    takeRows(event.dataTransfer.files[0]);
  });

  var uploads = /** @type {HTMLInputElement | null} */ (document.getElementById("uploads"));
  if (uploads) uploads.addEventListener("change", function () {
    var names = form.querySelector("[data-uploads]");
    var problem = form.querySelector('[data-error-of="uploads"]');
    problem.textContent = "";
    Promise.all(Array.prototype.map.call(uploads.files, function (file) {
      return send("upload", file).then(function (kept) {
        var known = names.textContent === "none yet" ? [] : names.textContent.split(", ");
        if (known.indexOf(kept.name) < 0) known.push(kept.name);
        names.textContent = known.join(", ");
      });
    })).then(preview, function (error) { problem.textContent = error.message; });
    uploads.value = "";
  });

  // Running and saving

  var connection = /** @type {HTMLSelectElement} */ (form.elements.namedItem("connection"));
  var run = /** @type {HTMLButtonElement} */ (form.querySelector("[data-run]"));
  function nameRun() {
    run.textContent = connection.value ? "Run on " + connection.value : "Run in the sandbox";
  }
  connection.addEventListener("change", nameRun);

  /** Runs an operation once, even if the button is pressed again in the meantime.
   * @param {HTMLButtonElement} button @param {() => Promise<any>} what */
  function once_at_a_time(button, what) {
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    wrong.textContent = "";
    what().then(
      function (answer) { if (answer) location.assign(answer.location); },
      function (error) { wrong.textContent = error.message; }
    ).then(function () { button.removeAttribute("aria-disabled"); });
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    once_at_a_time(run, function () {
      return window.running.begin("run", function () {
        var data = given();
        data.set("once", once);
        return data;
      }).then(function (answer) {
        if (answer) once = crypto.randomUUID();
        return answer;
      });
    });
  });
  var save = /** @type {HTMLButtonElement} */ (form.querySelector("[data-save]"));
  save.addEventListener("click", function () {
    once_at_a_time(save, function () { return window.running.post("job", given()); });
  });

  // If the browser restores the page, fields keep their values, but a chosen file is lost.
  window.addEventListener("pageshow", function () { nameRun(); preview(); });
})();
