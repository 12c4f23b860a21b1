// The one way a panel is made. Its state is always one of: loading, ready, empty, error, refused, key.

import { forget, key, Refused } from "./api.js";
import { chart as drawChart } from "./chart.js";
import { el } from "./dom.js";
import { csv, png, save, standalone } from "./downloads.js";
import { provenance } from "./provenance.js";
import { plain } from "./words.js";

// Options:
//   into      where it goes
//   id        its anchor, and the start of the names of its files
//   title, lead (text or nodes), wide, level (of the heading, 2)
//   controls  nodes above the content, outside of what is redrawn
//   load      () => promise of the data
//   empty     data => why there is nothing to show, or ""
//   draw      (data, body) => puts nodes into the body
//   chart     data => {spec, label, height} or null;  picture  data => an <svg> element instead
//   table     data => {caption, columns: [{key, label, unit, show, numeric, header}], rows, open} or null
//   after     (data, body) => puts nodes below the table
//   note      data => text or nodes under it all
//   answer    data => answer_id, for the way back to the sources
// Returns {element, refresh, data}.
export function panel(options) {
  const { into, id, title, lead, level = 2 } = options;
  const heading = `${id}-title`;
  const status = el("div", { class: "state", role: "status", "aria-live": "polite" });
  const body = el("div", { class: "body" });
  const foot = el("div", { class: "foot" });
  const element = el("section", { class: `panel${options.wide ? " wide" : ""}`, id, "aria-labelledby": heading },
    el("header", {}, el(`h${level}`, { id: heading }, title), lead ? el("p", { class: "lead" }, lead) : null),
    options.controls ? el("div", { class: "controls" }, options.controls) : null, status, body, foot);
  into.append(element);
  const self = { element, data: null, refresh };
  let turn = 0;

  function show(state, ...nodes) {
    element.dataset.state = state;
    element.toggleAttribute("aria-busy", state === "loading");
    status.replaceChildren(...nodes);
    if (state !== "ready" && state !== "loading") {
      body.replaceChildren();
      foot.replaceChildren();
    }
  }

  async function refresh() {
    const mine = ++turn;
    const again = element.dataset.state === "ready";
    show("loading", el("p", { class: again ? "unseen" : "waiting" }, again ? "Loading again." : "Loading\u2026"));
    try {
      const data = await options.load();
      if (mine !== turn) return;
      self.data = data;
      // What a panel shows until the rest of its answer is there.
      element.toggleAttribute("data-partial", Boolean(data?.partial));
      const nothing = options.empty?.(data);
      if (nothing) show("empty", el("p", { class: "notice" }, nothing));
      else {
        ready(data);
        show("ready");
      }
    } catch (fault) {
      if (mine === turn) failed(fault);
    }
  }

  function ready(data) {
    body.replaceChildren();
    options.draw?.(data, body);
    const asked = options.chart?.(data);
    const drawn = asked ? drawChart(asked.spec, asked) : null;
    if (drawn) body.append(el("figure", {}, drawn.box));
    const picture = options.picture?.(data);
    if (picture) body.append(el("figure", {}, picture));
    const table = options.table?.(data);
    if (table && table.open !== "elsewhere") body.append(tableNode(table));
    options.after?.(data, body);
    const note = options.note?.(data);
    if (note) body.append(el("p", { class: "note" }, note));
    foot.replaceChildren(...footer(data, table, drawn ?? (picture ? pictureOf(picture) : null)));
  }

  function footer(data, table, drawing) {
    const name = `forecarbon-${id}`;
    const button = (word, made) => el("button", { type: "button", class: "quiet", "data-download": word.toLowerCase(), "aria-label": `Download ${title} as ${word}`, onclick: made }, word);
    const buttons = [
      table ? button("CSV", () => save(`${name}.csv`, "text/csv;charset=utf-8", csv(table))) : null,
      button("JSON", () => save(`${name}.json`, "application/json", JSON.stringify(data, null, 1))),
      drawing ? button("PNG", async () => {
        const made = await drawing.svg();
        save(`${name}.png`, "image/png", await png(standalone(made.text), made));
      }) : null,
      drawing ? button("SVG", async () => save(`${name}.svg`, "image/svg+xml", standalone((await drawing.svg()).text))) : null,
    ];
    const answer = options.answer?.(data);
    return [
      el("span", { class: "downloads" }, el("span", { class: "word" }, "Download"), buttons),
      answer ? el("button", { type: "button", class: "quiet", "data-provenance": answer, onclick: () => provenance(answer, title) }, "Where does this come from?") : null,
    ].filter(Boolean);
  }

  function failed(fault) {
    const refused = fault instanceof Refused;
    if (refused && fault.wantsKey) show("key", keyForm(fault));
    else if (refused && fault.ofTheQuestion) show("refused", refusal(fault));
    else show("error", broken(fault, again));
    if (!refused) console.warn(`${id}: ${fault.message}`);
  }

  function again() {
    forget();
    refresh();
  }

  document.addEventListener("forecarbon:key", again);
  refresh();
  return self;
}

// What the API said no with, in its own words.
export function refusal(fault) {
  return el("div", { class: "notice refused" },
    el("p", {}, el("strong", {}, "This cannot be answered"), ` (${plain(fault.code)}).`),
    el("dl", {},
      el("dt", {}, "Found"), el("dd", {}, fault.found),
      fault.expected ? [el("dt", {}, "Expected"), el("dd", {}, fault.expected)] : null,
      fault.offenders.length > 1 ? [el("dt", {}, "Which"), el("dd", {}, fault.offenders.join(", ") + (fault.more ? ` and ${fault.more} more` : ""))] : null,
      fault.remedy ? [el("dt", {}, "What helps"), el("dd", {}, fault.remedy)] : null));
}

function broken(fault, again) {
  const told = fault instanceof Refused;
  return el("div", { class: "notice error" },
    el("p", {}, el("strong", {}, told ? "The service could not answer" : "The service could not be reached"), told ? ` (${fault.status}, ${plain(fault.code)}).` : "."),
    told ? el("p", {}, fault.found, fault.remedy ? `. What helps: ${fault.remedy}` : "", ".") : el("p", {}, "Is it running, and is the network up?"),
    told && fault.requestId ? el("p", { class: "small" }, `Request ${fault.requestId}`) : null,
    el("button", { type: "button", onclick: again }, "Try again"));
}

let forms = 0;

function keyForm(fault) {
  const id = `key-${++forms}`;
  const input = el("input", { id, name: "key", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
  const form = el("form", { class: "notice key" },
    el("p", {}, el("strong", {}, fault.status === 401 ? "This service asks for a key." : "This key may not read this."), ` ${fault.remedy}`),
    el("p", {}, el("label", { for: id }, "Key"), " ", input, " ", el("button", { type: "submit" }, "Use this key")),
    el("p", { class: "small" }, "It is kept until this window is closed, and sent to this service alone."));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    key(input.value.trim());
    document.dispatchEvent(new Event("forecarbon:key"));
  });
  return form;
}

function pictureOf(node) {
  return {
    svg() {
      const box = node.viewBox.baseVal;
      const copy = node.cloneNode(true);
      copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
      copy.setAttribute("width", box.width);
      copy.setAttribute("height", box.height);
      return { text: new XMLSerializer().serializeToString(copy), width: box.width, height: box.height };
    },
  };
}

// A table, folded away behind its chart unless `open`.
export function tableNode(table) {
  const head = table.columns.map((one) => el("th", { scope: "col", class: one.numeric ? "number" : null }, one.label, one.unit ? el("span", { class: "unit" }, ` ${one.unit}`) : null));
  const rows = table.rows.map((row) => el("tr", {}, table.columns.map((one) => {
    const shown = one.show ? one.show(row[one.key], row) : row[one.key] ?? "\u2013";
    return el(one.header ? "th" : "td", { scope: one.header ? "row" : null, class: one.numeric ? "number" : null }, shown);
  })));
  const whole = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": table.caption },
    el("table", {}, el("caption", {}, table.caption), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
  return table.open ? whole : el("details", { class: "figures" }, el("summary", {}, "Figures as a table"), whole);
}
