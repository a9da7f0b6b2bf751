// Shared by pages that start runs: a POST with the CSRF token, and the confirmation dialog.
(function () {
  "use strict";

  var token = document.querySelector('meta[name="csrf-token"]').getAttribute("content");

  /** Posts, and returns the response as JSON. Rejects with an Error whose message is for the user.
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

  /** Shows the confirmation dialog; returns the confirmed value, or null.
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

  /** Starts a run. The server requests a confirmation where one is required, and checks it.
   * Returns the response, or null if the user did not confirm.
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
