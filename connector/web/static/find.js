// The list of actions: search as you type, filters, keyboard control, and a URL for every view.
(function () {
  "use strict";

  var form = /** @type {HTMLFormElement} */ (document.getElementById("find"));
  var search = /** @type {HTMLInputElement} */ (document.getElementById("q"));
  var found = document.getElementById("found");
  var results = document.getElementById("results");
  var areas = document.getElementById("areas");
  var sections = Array.prototype.slice.call(areas.querySelectorAll("section"));
  var areaLinks = Array.prototype.slice.call(document.querySelectorAll("[data-area-link]"));
  /** The filters of this page. The filter by service exists only if the catalog has several services. */
  var FILTERS = ["service", "effect", "area", "paging", "host"].filter(function (name) {
    return name in form.elements;
  });

  /** Splits names such as `/v2/organizations`, `customFields` and `device_id` into words.
   * @param {string} text */
  function words(text) {
    return text.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  }

  /** One entry per action; `home` is the list of its area. */
  var entries = [];
  sections.forEach(function (section) {
    Array.prototype.forEach.call(section.querySelectorAll("li"), function (item) {
      var link = item.querySelector("a");
      var name = link.getAttribute("href").replace(/^.*\/|\.html$/g, "");
      entries.push({
        id: entries.length,
        item: item,
        home: item.parentNode,
        effect: item.className,
        area: section.dataset.area,
        service: section.dataset.service,
        paging: "paged" in item.dataset ? "yes" : "no",
        host: (item.dataset.hosts || "").split(" "),
        name: name,
        title: link.textContent,
        summary: item.querySelector("p").textContent,
        path: item.querySelector("small").textContent,
        texts: item.querySelectorAll("a, p, code, small"),
        areaTitle: section.querySelector("h2").firstChild.textContent,
        inputs: window.catalogWords[name] || ""
      });
    });
  });

  var engine = new window.MiniSearch({
    fields: ["title", "name", "summary", "path", "inputs", "areaTitle"],
    tokenize: words,
    processTerm: function (term) { return term; },
    searchOptions: {
      boost: { title: 6, name: 6, summary: 2, path: 2 },
      prefix: true,
      fuzzy: function (term) { return term.length < 4 ? false : term.length < 7 ? 1 : 2; },
      weights: { fuzzy: 0.2, prefix: 0.6 }
    }
  });
  engine.addAll(entries);

  /** @returns {Record<string, string>} The search text and filters that are set. */
  function criteria() {
    var given = {};
    if (search.value.trim()) given.q = search.value.trim();
    FILTERS.forEach(function (name) {
      if (form.elements[name].value) given[name] = form.elements[name].value;
    });
    return given;
  }

  function passes(entry, given) {
    return FILTERS.every(function (name) {
      var value = given[name];
      return !value || entry[name] === value || (name === "host" && entry.host.indexOf(value) >= 0);
    });
  }

  /** Finds the actions with all words, or with the words joined ("anti virus"), or else with any of them.
   * @param {string} text */
  function look(text) {
    var tries = [[text, "AND"], [text.replace(/\s+/g, ""), "AND"], [text, "OR"]];
    for (var i = 0; i < tries.length; i++) {
      var hits = engine.search(tries[i][0], { combineWith: tries[i][1] });
      if (hits.length) return hits;
    }
    return [];
  }

  /** Shows one list by relevance if there is a search text, else all actions by area. */
  function show() {
    var given = criteria();
    var terms = new Set();
    var shown = entries.filter(function (entry) { return passes(entry, given); });
    if (given.q) {
      var rank = new Map();
      look(given.q).forEach(function (hit, at) {
        rank.set(hit.id, at);
        hit.terms.forEach(terms.add, terms);
      });
      shown = shown.filter(function (entry) { return rank.has(entry.id); });
      shown.sort(function (one, other) { return rank.get(one.id) - rank.get(other.id); });
      results.replaceChildren.apply(results, shown.map(function (entry) { return entry.item; }));
    } else {
      entries.forEach(function (entry) {
        entry.item.hidden = true;
        entry.home.appendChild(entry.item);
      });
    }
    shown.forEach(function (entry) { entry.item.hidden = false; });
    mark(shown, terms);
    results.hidden = !given.q;
    areas.hidden = Boolean(given.q);
    countAreas(shown);
    found.textContent = shown.length === 1 ? "1 action" : (shown.length || "No") + " actions";
    remember(given);
  }

  /** Highlights the matching words, if the browser supports the CSS Custom Highlight API.
   * @param {Array<{texts: NodeListOf<HTMLElement>}>} shown @param {Set<string>} terms */
  function mark(shown, terms) {
    if (!window.CSS || !CSS.highlights) return;
    var found = new Highlight();
    var word = /[\p{L}\p{N}]+/gu;
    shown.forEach(function (entry) {
      if (!terms.size) return;
      entry.texts.forEach(function (element) {
        var text = element.firstChild;
        if (!text) return;
        for (var match of text.data.matchAll(word)) {
          if (!words(match[0]).some(function (one) { return terms.has(one); })) continue;
          var range = new Range();
          range.setStart(text, match.index);
          range.setEnd(text, match.index + match[0].length);
          found.add(range);
        }
      });
    });
    CSS.highlights.set("found", found);
  }

  /** @param {Array<{area: string}>} shown */
  function countAreas(shown) {
    var counts = {};
    shown.forEach(function (entry) { counts[entry.area] = (counts[entry.area] || 0) + 1; });
    sections.forEach(function (section) {
      var count = counts[section.dataset.area] || 0;
      section.hidden = !count;
      section.querySelector(".count").textContent = String(count);
    });
    var chosen = form.elements.area.value;
    areaLinks.forEach(function (link) {
      var name = link.dataset.areaLink;
      link.querySelector(".count").textContent = String(name ? counts[name] || 0 : chosen ? "" : shown.length);
      if (name === chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  function remember(given) {
    var query = new URLSearchParams(given).toString();
    var address = location.pathname + (query ? "?" + query : "") + (query ? "" : location.hash);
    try {
      history.replaceState(null, "", address);
    } catch (error) {
      // Some browsers do not allow this for file:// addresses.
    }
  }

  function restore() {
    var given = new URLSearchParams(location.search);
    search.value = given.get("q") || "";
    FILTERS.forEach(function (name) { form.elements[name].value = given.get(name) || ""; });
    show();
  }

  function links() {
    return Array.prototype.filter.call(document.querySelectorAll(".cards a"), function (link) {
      return link.offsetParent !== null;
    });
  }

  /** @param {number} step */
  function move(step) {
    var all = links();
    var at = all.indexOf(document.activeElement);
    if (at < 0 && step < 0) return;
    if (at + step < 0) search.focus();
    else if (all[at + step]) all[at + step].focus();
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    var at = /** @type {HTMLElement} */ (event.target);
    var isField = at !== search && at.matches("select, textarea, input");
    var inList = at === search || Boolean(at.closest(".cards"));
    if (event.key === "/" && at !== search && !isField) search.select();
    else if (event.key === "ArrowDown" && inList) move(1);
    else if (event.key === "ArrowUp" && inList) move(-1);
    else if (event.key === "Enter" && at === search) (links()[0] || search).click();
    else if (event.key === "Escape") { form.reset(); show(); search.focus(); return; }
    else return;
    event.preventDefault();
  });
  areaLinks.forEach(function (link) {
    link.addEventListener("click", function (event) {
      form.elements.area.value = link.dataset.areaLink;
      event.preventDefault();
      window.scrollTo(0, 0);
      show();
    });
  });
  form.addEventListener("input", show);
  form.addEventListener("reset", function () { window.setTimeout(show); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  window.addEventListener("popstate", restore);
  restore();
  if (location.hash === "#q") search.focus();
  performance.mark("usable");
})();
