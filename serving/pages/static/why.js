// What moved emissions between two years: parts, unusual years, and what everybody had in common.

import { address, get } from "./api.js";
import { divergingBars, signed } from "./bars.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { million, mt, number, percent, sector, UNIT } from "./words.js";

const MOST = 12;

// Options: into, series, title, lead, start, end, names () => promise of Map(id -> name), years [first, last].
export function whyPanel({ into, series, title, lead, start, end, names }) {
  const from = yearBox("From", start);
  const to = yearBox("To", end);
  const again = () => self.refresh();
  from.input.addEventListener("change", again);
  to.input.addEventListener("change", again);
  const self = panel({
    into, id: "why", wide: true, title, lead, controls: [from.label, to.label],
    load: async () => {
      const asked = { series, start_year: from.input.value || null, end_year: to.input.value || null };
      const [told, known] = await Promise.all([get(address("/v1/insights/why", asked)), names?.() ?? new Map()]);
      from.input.value ||= told.start_year;
      to.input.value ||= told.end_year;
      return { ...told, names: Object.fromEntries(known) };
    },
    draw: (data, body) => body.append(...sentences(data)),
    chart: (data) => {
      const rows = partsOf(data).slice(0, MOST);
      return { label: rows.map((row) => `${row.name}: ${number(row.change)} ${UNIT}`).join(". "), height: 40 + rows.length * 24, spec: divergingBars(rows.map((row) => ({ ...row, said: signed(number(row.change), row.change) })), { title: "Change", tooltip: [{ field: "name", title: "Part" }, { field: "said", title: `Change, ${UNIT}` }] }) };
    },
    table: (data) => ({
      caption: `Change from ${data.start_year} to ${data.end_year} by part, ${UNIT}`,
      columns: [
        { key: "name", label: "Part", header: true },
        ...[["start", data.start_year], ["end", data.end_year], ["change", "Change"], ["scope_change", "of it change of scope"]].map(([key, label]) => ({ key, label: String(label), unit: UNIT, numeric: true, show: (value) => number(value) })),
        { key: "kind", label: "Kind" },
      ],
      rows: partsOf(data),
    }),
    note: (data) => splitNote(data),
    answer: (data) => data.answer_id,
  });
  return self;
}

function yearBox(word, value) {
  const input = el("input", { type: "number", min: 1990, max: 2050, step: 1, inputmode: "numeric", value: value ?? "" });
  return { input, label: el("label", {}, word, input) };
}

function nameOf(id, data) {
  return data.names[id] ?? (id.includes("/") ? sector(id) : id);
}

function partsOf(data) {
  return data.contributions.map((one) => ({
    name: nameOf(one.unique_id, data), kind: one.kind, start: million(one.start), end: million(one.end), change: million(one.change), scope_change: million(one.scope_change),
  })).sort((a, b) => Math.abs(b.change) - Math.abs(a.change));
}

function sentences(data) {
  const down = data.change < 0;
  const parts = partsOf(data);
  const same = parts.filter((one) => one.change < 0 === down && one.change !== 0).length;
  const told = [
    el("p", { class: "big" }, `From ${data.start_year} to ${data.end_year} emissions ${down ? "fell" : "rose"} from ${mt(data.start)} to ${mt(data.end)}: `, el("strong", {}, `${mt(data.change, { sign: true })} (${percent(data.percent)})`), "."),
    parts.length > 1 ? el("p", {}, `${same} of ${parts.length} ${data.kind === "initiative" ? "clusters" : "parts"} went the same way. ${parts[0].name} moved most (${number(parts[0].change)} ${UNIT})${parts[1] ? `, then ${parts[1].name} (${number(parts[1].change)} ${UNIT})` : ""}.`) : null,
    ...data.shocks.filter((one) => one.kind === "common-shock").map((one) => shock(one, data)),
    ...eventList(data),
  ];
  return told.filter(Boolean);
}

function shock(one, data) {
  const { evidence } = one;
  const way = one.codes.includes("down") ? "fell" : "rose";
  const over = evidence.over === "clusters" ? "clusters" : "countries and states";
  const share = Math.round(evidence.share_same_way_beyond_usual * 100);
  return el("p", {}, el("strong", {}, `${one.year} was a common shock. `),
    `In ${share}% of ${evidence.n} ${over} emissions ${way} by more than is usual (median ${percent(evidence.median_change_percent)}), so what happened in ${one.year} is not to be put down to ${data.kind === "initiative" ? "the clusters" : "this place"} alone`,
    data.kind === "initiative" ? `; ${Math.round(evidence.clusters.share_same_way * 100)}% of the ${evidence.clusters.n} clusters went along` : "",
    one.year === 2020 && way === "fell" ? ". It was the first year of the COVID-19 pandemic; how much of the fall that explains is not measured here." : ".");
}

const KINDS = { "level-shift": "a lasting shift of level", "unusual-change": "an unusual change", restatement: "a restatement", "common-shock": "a common shock" };

function eventList(data) {
  if (!data.events.length) return [];
  const line = (one) => el("li", {}, el("b", {}, String(one.year)), ` ${nameOf(one.unique_id, data)}: ${KINDS[one.kind] ?? one.kind}${one.percent === null ? "" : ` of ${percent(one.percent)}`}${one.change === null ? "" : ` (${mt(one.change, { sign: true })})`}${one.cause ? `; ${causeOf(one.cause)}` : ""}`);
  return [el("h3", {}, "Unusual years in between"), el("ul", {}, data.events.map(line))];
}

function causeOf(cause) {
  return typeof cause === "string" ? cause : Object.values(cause).filter((one) => typeof one === "string").join(", ");
}

function splitNote(data) {
  if (data.split?.possible) return "";
  return `Whether this is a real cut or lost output, emissions alone do not tell: ${(data.split?.missing ?? []).join("; ")} would be needed. ${data.scope.breaks.length ? "A change of scope lies in between; what it did is told apart." : ""}`;
}

// Unusual years of a whole history: outside the band of the year before, lasting shifts, restatements, breaks of scope.
export function eventsPanel({ into, series, told, names }) {
  const known = told.history.filter((one) => one.y !== null).map((one) => Number(one.ds.slice(0, 4)));
  return panel({
    into, id: "unusual", wide: true, title: "Unusual years",
    lead: "Changes outside the band that could be drawn the year before, lasting shifts of level, restatements, and changes of what is counted.",
    load: async () => {
      const [data, known_] = await Promise.all([get(address("/v1/insights/why", { series, start_year: known[0], end_year: known.at(-1) })), names()]);
      return { ...data, names: Object.fromEntries(known_) };
    },
    empty: (data) => (rowsOfEvents(data).length ? "" : `Between ${data.start_year} and ${data.end_year} nothing was out of the ordinary.`),
    table: (data) => ({
      caption: `${data.start_year} to ${data.end_year}`, open: true,
      columns: [
        { key: "year", label: "Year", header: true }, { key: "name", label: "Where" }, { key: "kind", label: "What" },
        { key: "percent", label: "In percent", numeric: true, show: (value) => percent(value) }, { key: "change", label: "Change", unit: UNIT, numeric: true, show: (value) => number(value) },
        { key: "cause", label: "Told by the figures" },
      ],
      rows: rowsOfEvents(data),
    }),
    answer: (data) => data.answer_id,
  });
}

function rowsOfEvents(data) {
  const titles = Object.fromEntries(data.scope.breaks.map((one) => [one.year, one.title]));
  const own = data.events.map((one) => ({
    year: one.year, name: one.unique_id === data.unique_id ? data.name : nameOf(one.unique_id, data), kind: one.kind === "scope-break" ? "change of what is counted" : (KINDS[one.kind] ?? one.kind).replace(/^an? /, ""),
    percent: one.percent, change: one.change === null ? null : million(one.change), cause: one.kind === "scope-break" ? titles[one.year] ?? "" : one.cause ? causeOf(one.cause) : "",
  }));
  const shared = data.shocks.map((one) => ({ year: one.year, name: "Most countries and states", kind: "common shock", percent: one.evidence.median_change_percent, change: null, cause: `${Math.round(one.evidence.share_same_way_beyond_usual * 100)}% of ${one.evidence.n} moved the same way beyond what is usual` }));
  return [...own, ...shared].sort((a, b) => a.year - b.year);
}
