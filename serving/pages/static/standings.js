// All clusters in one table: sort, filter, search. A cluster without figures says why.

import { el, svg } from "./dom.js";
import { mark, standingOf } from "./map.js";
import { panel } from "./panel.js";
import { chanceCell, country, LIKELIHOODS, million, number, percent, UNIT, year } from "./words.js";

const MT = { unit: UNIT, numeric: true };

// A line of the table as plain values; null where there is none.
function flat(line) {
  const target = line.target ?? null;
  const standing = standingOf(line);
  return {
    line, cluster_id: line.cluster_id, name: line.name, country: country(line.country), standing: standing.word,
    latest: line.latest ? million(line.latest.y) : null, latest_year: line.latest ? year(line.latest.ds) : null,
    target_year: target?.year ?? null, target_level: target ? million(target.level) : null,
    chance: target?.chance.p ?? null, chance_low: target?.chance.p_low ?? null, chance_high: target?.chance.p_high ?? null,
    gap: target?.gap === undefined || target?.gap === null ? null : million(target.gap),
    trend: line.trend?.percent_a_year ?? null,
    outlook: line.outlook ? million(line.outlook.median) : null, outlook_low: line.outlook ? million(line.outlook.low) : null, outlook_high: line.outlook ? million(line.outlook.high) : null,
    grade: line.quality?.source_grade ?? null, reason: line.reason ?? line.refused?.[0]?.found ?? null,
  };
}

const COLUMNS = [
  { key: "name", label: "Cluster", header: true, show: nameCell },
  { key: "chance", label: "Chance of its nearest target", show: chanceOf },
  { key: "gap", label: "Above its path", ...MT, show: (value) => (value === null ? "\u2013" : number(value)) },
  { key: "trend", label: "Trend a year", numeric: true, show: (value) => percent(value) },
  { key: "latest", label: "Newest figure", ...MT, show: (value, row) => (value === null ? "\u2013" : [number(value), el("span", { class: "small" }, ` ${row.latest_year}`)]) },
  { key: "outlook", label: "2030, median and 80% band", ...MT, show: outlookCell },
  { key: "grade", label: "Data", show: (value) => value ?? "\u2013" },
];

const FILES = [
  ...["cluster_id", "name", "country", "standing", "target_year"].map((key) => ({ key, label: key })),
  { key: "target_level", label: "target_level", unit: UNIT }, ...["chance", "chance_low", "chance_high"].map((key) => ({ key, label: key })),
  { key: "gap", label: "gap", unit: UNIT }, { key: "trend", label: "trend", unit: "% a year" }, { key: "latest", label: "latest", unit: UNIT }, { key: "latest_year", label: "latest_year" },
  ...["outlook", "outlook_low", "outlook_high"].map((key) => ({ key, label: key.replace("outlook", "median_2030").replace("median_2030_", "80_percent_band_"), unit: UNIT })),
  { key: "grade", label: "grade" }, { key: "reason", label: "reason" },
];

function nameCell(name, row) {
  return [el("a", { href: `/clusters/${row.cluster_id}` }, name), el("span", { class: "small block" }, row.country)];
}

function sign(line) {
  const { shape, colour } = standingOf(line);
  return svg("svg", { viewBox: "-9 -9 18 18", width: 14, height: 14, "aria-hidden": "true", class: "sign" }, mark(shape, colour, 7));
}

function chanceOf(p, row) {
  const { line } = row;
  if (line.target === undefined) return el("span", { class: "small" }, "\u2026");
  if (p === null) return [sign(line), el("span", { class: "small" }, ` ${row.standing}`)];
  const span = row.chance_low === null ? "" : ` (${chanceCell(row.chance_low)} to ${chanceCell(row.chance_high)})`;
  return [sign(line), el("b", {}, ` ${chanceCell(p)}`), el("span", { class: "small" }, span),
    el("span", { class: "small block" }, `${line.target.kind === "net-zero" ? "net zero" : `${number(row.target_level)} ${UNIT}`} by ${row.target_year}: ${row.standing}`)];
}

function outlookCell(value, row) {
  return value === null ? "\u2013" : [number(value), el("span", { class: "small block" }, `${number(row.outlook_low)} to ${number(row.outlook_high)}`)];
}

const FILTERS = {
  all: ["All clusters", () => true],
  figures: ["With figures", (row) => row.line.status === "served"],
  target: ["With a chance of a target", (row) => row.chance !== null],
  none: ["Without figures", (row) => row.line.status !== "served"],
};

export function standingsTable(into, standings) {
  const state = { text: "", filter: "all", by: "latest", down: true };
  const search = el("input", { type: "search", id: "find", autocomplete: "off", placeholder: "Name, country or id", oninput: () => change({ text: search.value }) });
  const filter = el("select", { id: "filter", onchange: () => change({ filter: filter.value }) }, Object.entries(FILTERS).map(([id, [word]]) => el("option", { value: id }, word)));
  const count = el("p", { class: "small count", role: "status", "aria-live": "polite" });
  let rows = [];
  let body = null;
  const heads = COLUMNS.map((one) => headOf(one, () => change({ by: one.key, down: state.by === one.key ? !state.down : one.key !== "name" })));

  function change(what) {
    Object.assign(state, what);
    fill();
  }

  function fill() {
    const wanted = state.text.trim().toLowerCase();
    const shown = rows.filter(FILTERS[state.filter][1])
      .filter((row) => [row.name, row.country, row.cluster_id].some((text) => text.toLowerCase().includes(wanted)))
      .sort((a, b) => compare(a, b, state));
    body.replaceChildren(...shown.map(lineOf));
    count.textContent = `${shown.length} of ${rows.length} clusters`;
    COLUMNS.forEach((one, k) => {
      if (one.key === state.by) heads[k].setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else heads[k].removeAttribute("aria-sort");
    });
  }

  const self = panel({
    into, id: "clusters", wide: true, title: "Every cluster",
    lead: "The target in force that falls due first, the chance of meeting it as such chances came true in the past, and what the figures are worth.",
    controls: [el("label", {}, "Find", search), el("label", {}, "Show", filter), count],
    load: () => standings(() => self.refresh())(),
    draw(data, into_) {
      rows = data.clusters.map(flat);
      body = el("tbody");
      into_.append(el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of all clusters" },
        el("table", { class: "standings" }, el("caption", { class: "unseen" }, "All clusters of the initiative"), el("thead", {}, el("tr", {}, heads)), body)));
      fill();
    },
    table: (data) => ({ caption: "All clusters", open: "elsewhere", columns: FILES, rows: data.clusters.map(flat) }),
    note: () => `Likelihood in words: ${LIKELIHOODS}. Ranges of chances are 90% intervals. Trend: mean yearly change over the last ten years of figures. Data: who vouches for the figures; verified means by an accredited verifier, reported by the operator alone.`,
    answer: (data) => data.answer_id,
  });
  return self;
}

function headOf(column, press) {
  return el("th", { scope: "col", class: column.numeric ? "number" : null },
    el("button", { type: "button", class: "sort", onclick: press }, column.label, column.unit ? el("span", { class: "unit" }, ` ${column.unit}`) : null));
}

function compare(a, b, { by, down }) {
  const [x, y] = [a[by], b[by]];
  if (x === null || y === null) return (x === null) - (y === null) || a.name.localeCompare(b.name);
  const order = typeof x === "string" ? x.localeCompare(y) : x - y;
  return (down ? -order : order) || a.name.localeCompare(b.name);
}

function lineOf(row) {
  const first = el("th", { scope: "row" }, nameCell(row.name, row));
  if (row.line.status !== "served") {
    return el("tr", { "data-cluster": row.cluster_id }, first,
      el("td", { colspan: COLUMNS.length - 1 }, sign(row.line), el("span", { class: "small" }, ` No figures: ${row.line.reason}.`)));
  }
  return el("tr", { "data-cluster": row.cluster_id }, first, COLUMNS.slice(1).map((one) => el("td", { class: one.numeric ? "number" : null }, one.show(row[one.key], row))));
}
