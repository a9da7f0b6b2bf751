// What pages that start runs share: a POST with the page's token, and the dialog that asks before a run.
(function () {
  "use strict";

  var token = document.querySelector('meta[name="csrf-token"]').getAttribute("content");

  /** Posts, and gives what is answered. Fails with an Error whose message is for the person.
   * @param {string} url @param {BodyInit} body @param {{headers?: Record<string, string>, signal?: AbortSignal}} [options] */
  function post(url, body, options) {
    var headers = Object.assign({ "X-CSRF-Token": token }, (options && options.headers) || {});
    var sent = fetch(url, { method: "POST", body: body, headers: headers, signal: options && options.signal });
    return sent.then(
      function (response) {
        return response.text().then(function (text) {
          var answer = {};
          try {
            answer = JSON.parse(text);
          } catch (error) {
            answer = { error: text };
          }
          if (!response.ok) throw new Error(answer.error || "The server failed (" + response.status + ").");
          return answer;
        });
      },
      function (error) {
        if (error.name === "AbortError") throw error;
        throw new Error("The server cannot be reached. Is “ninjaone catalog serve” still running?");
      }
    );
  }

  /** Shows a question; gives what was agreed to, or null.
   * @param {string} html */
  function ask(html) {
    var dialog = /** @type {HTMLDialogElement} */ (document.getElementById("ask"));
    dialog.innerHTML = html;
    var yes = dialog.querySelector("[data-yes]");
    var typed = dialog.querySelector("input");
    return new Promise(function (resolve) {
      var answer = null;
      dialog.querySelector("form").addEventListener("submit", function (event) {
        event.preventDefault();
        answer = typed ? typed.value : yes.getAttribute("data-yes");
        dialog.close();
      });
      dialog.querySelector("[data-no]").addEventListener("click", function () { dialog.close(); });
      dialog.addEventListener("close", function () { resolve(answer); }, { once: true });
      dialog.showModal();
      (typed || yes).focus();
    });
  }

  /** Starts a run. The server asks where somebody has to agree, and looks at the answer itself.
   * Gives what it answers, or null if nobody agreed.
   * @param {string} url @param {() => FormData} makeBody @param {string} [agreed] */
  function begin(url, makeBody, agreed) {
    var body = makeBody();
    if (agreed !== undefined) body.set("confirmed", agreed);
    return post(url, body).then(function (answer) {
      if (!answer.ask) return answer;
      return ask(answer.ask).then(function (number) {
        return number === null ? null : begin(url, makeBody, number);
      });
    });
  }

  window.running = { post: post, begin: begin };
})();
