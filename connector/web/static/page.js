// On every page: the theme switch, copy buttons and tabs. Pages are readable without it.
(function () {
  "use strict";

  /** @param {string} name @param {string | null} [value] Without a value, returns the stored one. */
  function stored(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(name);
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch (error) {
      // Nothing is stored if the browser allows no storage.
    }
    return null;
  }

  function themeSwitch() {
    var themes = ["auto", "light", "dark"];
    var root = document.documentElement;
    var button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    function show() {
      button.lastElementChild.textContent = root.dataset.theme || "auto";
      button.setAttribute("aria-label", "Theme: " + (root.dataset.theme || "auto"));
    }
    button.addEventListener("click", function () {
      var next = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % themes.length];
      if (next === "auto") delete root.dataset.theme;
      else root.dataset.theme = next;
      stored("theme", next === "auto" ? null : next);
      show();
    });
    show();
  }

  /** @param {string} text */
  function copy(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    // An export on a plain http:// host: only the older API is available.
    var area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.appendChild(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  /** Adds a copy button to every `figure.code`. Call it again for added content.
   * @param {ParentNode} part */
  function copyButtons(part) {
    part.querySelectorAll("figure.code").forEach(function (figure) {
      var code = figure.querySelector("code");
      if (!code || figure.querySelector("button.copy")) return;
      var caption = figure.querySelector("figcaption");
      var button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy: " + (caption ? caption.textContent : "code"));
      button.addEventListener("click", function () {
        copy(code.textContent || "").then(
          function () { say(button, "Copied"); },
          function () { say(button, "Not copied"); }
        );
      });
      (caption || figure).appendChild(button);
    });
  }

  /** @param {HTMLElement} button @param {string} text */
  function say(button, text) {
    button.textContent = text;
    var status = document.getElementById("status");
    if (status) status.textContent = text;
    window.setTimeout(function () { button.textContent = "Copy"; }, 1500);
  }

  /** @param {string} hash The URL fragment of the selected tab. */
  function address(hash) {
    try {
      history.replaceState(null, "", hash);
    } catch (error) {
      // Some browsers do not allow this for file:// addresses.
    }
  }

  /** Turns the sections of a `[data-tabs]` into tabs, titled by their headings; the choice is stored.
   * @param {HTMLElement} group */
  function tabs(group) {
    var panels = Array.prototype.slice.call(group.children);
    var list = document.createElement("div");
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", group.dataset.tabs || "");
    list.className = "tabs";
    var buttons = panels.map(function (panel) {
      var heading = panel.querySelector("h2,h3,h4");
      var button = document.createElement("button");
      button.type = "button";
      button.setAttribute("role", "tab");
      button.id = "tab-" + panel.id;
      button.setAttribute("aria-controls", panel.id);
      button.textContent = heading.textContent;
      button.dataset.choice = heading.textContent;
      heading.hidden = true;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", button.id);
      button.addEventListener("click", function () { choose(button, true); });
      list.appendChild(button);
      return button;
    });
    function choose(chosen, remember) {
      buttons.forEach(function (button, number) {
        var is = button === chosen;
        button.setAttribute("aria-selected", String(is));
        button.tabIndex = is ? 0 : -1;
        panels[number].hidden = !is;
      });
      list.scrollLeft = chosen.offsetLeft - list.offsetLeft - 40;
      if (!remember) return;
      stored("tab:" + group.dataset.tabs, chosen.dataset.choice);
      address("#" + chosen.getAttribute("aria-controls"));
    }
    list.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowLeft: -1, Home: -buttons.length, End: buttons.length }[event.key];
      if (!step) return;
      var at = buttons.indexOf(document.activeElement) + step;
      if (Math.abs(step) === 1) at = (at + buttons.length) % buttons.length;
      at = Math.max(0, Math.min(buttons.length - 1, at));
      buttons[at].focus();
      choose(buttons[at], true);
      event.preventDefault();
    });
    group.prepend(list);
    var last = stored("tab:" + group.dataset.tabs);
    var named = buttons.filter(function (b) { return "#" + b.getAttribute("aria-controls") === location.hash; })[0];
    var known = buttons.filter(function (b) { return b.dataset.choice === last; })[0];
    choose(named || known || buttons[0], false);
    var folded = named && group.closest("details");
    if (folded) folded.open = true;
  }

  /** On a page without a search field, the key `/` opens the first page, which has one. */
  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || document.getElementById("q")) return;
    if (/** @type {HTMLElement} */ (event.target).matches("input, select, textarea")) return;
    event.preventDefault();
    location.href = document.querySelector("a.brand").getAttribute("href") + "#q";
  });
  themeSwitch();
  copyButtons(document);
  document.querySelectorAll("[data-tabs]").forEach(tabs);
  window.copyButtons = copyButtons;
})();
