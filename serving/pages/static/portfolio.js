// All plans of all clusters together: what they avoid as a share of what is claimed, and which projects are not in.

import { get } from "./api.js";
import { narrow } from "./bars.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { panel, tableNode } from "./panel.js";
import { chance, million, mt, number, percent, plain, range, told, UNIT } from "./words.js";

const share = (value) => percent(100 * value, { sign: false, places: Math.abs(value) < 0.1 ? 2 : 1 });

export function portfolio(into) {
  return panel({
    into, id: "portfolio", wide: true, title: "What would all known plans avoid?",
    lead: "The projects of the registry that have a size, a start and a kind, each with its risk of coming late, smaller or not at all, laid over the forecasts and added path by path.",
    load: () => get("/v1/insights/portfolio"),
    empty: (data) => (data.measures.length ? "" : `No project of the registry can be laid over a forecast: ${data.left_out.length} are left out.`),
    draw: (data, body) => body.append(...inWords(data)),
    chart: (data) => ({
      label: `Share of the claimed ${number(data.claim.reduction_potential_mt)} Mt that plans avoid, by year: ${at(data).year} ${share(at(data).share_of_claim["q0.5"])}, 80% band ${share(at(data).share_of_claim["q0.1"])} to ${share(at(data).share_of_claim["q0.9"])}`,
      height: 260, spec: spec(data),
    }),
    table: (data) => ({ caption: "Avoided by year, and as a share of the claim", columns: COLUMNS, rows: data.years.map(flat) }),
    after: (data, body) => body.append(leftOut(data)),
    note: (data) => `The claim counts ${data.claim.counts}; nothing is added to it, and nobody says by when it is to be reached. ${data.correlation.from === "weak-default" ? `That the luck of projects of one kind goes together by ${told(data.correlation.value)} is a weak default of ours. ` : ""}Chances of delay and of ending are weak priors of the registry where a project tells none. With scenarios of your own: POST /v1/insights/portfolio, or forecarbon portfolio FILE.`,
    answer: (data) => data.answer_id,
  });
}

const COLUMNS = [
  { key: "year", label: "Year", header: true },
  ...[["mid", "Avoided"], ["low", "80% from"], ["high", "80% to"]].map(([key, label]) => ({ key, label, unit: UNIT, numeric: true, show: (x) => number(x) })),
  ...[["part", "Of the claim"], ["part_low", "80% from"], ["part_high", "80% to"]].map(([key, label]) => ({ key, label, unit: "%", numeric: true, show: (x) => share(x / 100) })),
  ...[["left", "Emitted with them"], ["left_low", "80% from"], ["left_high", "80% to"]].map(([key, label]) => ({ key, label, unit: UNIT, numeric: true, show: (x) => number(x) })),
];

function flat(row) {
  const [mid, low, high] = ["q0.5", "q0.1", "q0.9"].map((q) => million(row.abated[q]));
  const [part, part_low, part_high] = ["q0.5", "q0.1", "q0.9"].map((q) => 100 * row.share_of_claim[q]);
  const [left, left_low, left_high] = ["q0.5", "q0.1", "q0.9"].map((q) => million(row.planned[q]));
  return { year: row.year, mid, low, high, part, part_low, part_high, left, left_low, left_high };
}

function at(data) {
  return data.years.find((row) => row.year === data.year);
}

function inWords(data) {
  const { abated, share_of_claim: part, year } = at(data);
  const least = data.claim.passes[0];
  const passed = least.by_year.find((row) => row.year === year).plans;
  return [
    el("p", { class: "big" }, `In ${year} the ${data.measures.length} projects that can be laid avoid `, el("strong", {}, mt(abated["q0.5"])), ` (80% band ${range(abated["q0.1"], abated["q0.9"])}): `,
      el("strong", {}, share(part["q0.5"])), ` of the claimed ${number(data.claim.reduction_potential_mt)} Mt a year. The chance that they avoid ${percent(100 * least.share, { sign: false, places: 0 })} of it is ${chance(passed)}.`),
    measures(data),
  ];
}

function measures(data) {
  return tableNode({
    caption: `Projects that are in, ${data.year}`, open: true, rows: data.measures,
    columns: [
      { key: "name", label: "Project", header: true }, { key: "cluster_id", label: "Cluster", show: (x) => el("a", { href: `/clusters/${x}` }, nameOf(x, data)) }, { key: "kind", label: "Kind", show: (x) => (x === "ccus" ? "CCUS" : plain(x)) },
      { key: "planned_start", label: "Planned start", numeric: true }, { key: "direct", label: "Avoids", unit: UNIT, numeric: true, show: (x) => [number(million(x["q0.5"])), el("span", { class: "small block" }, range(x["q0.1"], x["q0.9"], { unit: false }))] },
    ],
  });
}

// By reason, the most frequent first: a list of names says more than as many lines of one reason.
function leftOut(data) {
  const groups = Map.groupBy(data.left_out, (one) => one.reason);
  const rows = [...groups].sort((a, b) => b[1].length - a[1].length);
  if (!rows.length) return el("p", {}, "Every project of the registry is in.");
  return el("details", { class: "left-out", open: true }, el("summary", {}, `${data.left_out.length} projects had to be left out, and why`),
    el("dl", { class: "facts reasons" }, rows.map(([reason, all]) => [
      el("dt", {}, `${reason[0].toUpperCase()}${reason.slice(1)} (${all.length})`),
      el("dd", {}, all.map((one, k) => [k ? "; " : "", one.project, el("span", { class: "small" }, ` ${one.cluster_id}${one.abatement_mt_per_yr ? `, ${told(one.abatement_mt_per_yr)} Mt a year` : ""}`)])),
    ])));
}

function nameOf(id, data) {
  return data.clusters.find((one) => one.cluster_id === id)?.name ?? id;
}

function spec(data) {
  const values = data.years.map((row) => ({ ...flat(row), said: share(row.share_of_claim["q0.5"]), span: `${share(row.share_of_claim["q0.1"])} to ${share(row.share_of_claim["q0.9"])}`, tonnes: `${mt(row.abated["q0.5"])} (${range(row.abated["q0.1"], row.abated["q0.9"])})` }));
  const x = { field: "year", type: "quantitative", axis: { format: "d", title: null, tickMinStep: 1, tickCount: narrow() ? 5 : 10 }, scale: { zero: false, nice: false } };
  const y = (field) => ({ field, type: "quantitative", axis: { title: `Share of the claimed ${number(data.claim.reduction_potential_mt)} Mt a year, %`, tickCount: 5 }, scale: { zero: true } });
  const end = values.at(-1);
  const words = [{ year: end.year, part: end.part, text: "median", dy: -8 }, { year: end.year, part: end.part_high, text: "80% band", dy: -8 }];
  return {
    data: { values },
    layer: [
      { mark: { type: "area", opacity: 0.25, color: COLOUR.ahead }, encoding: { x, y: y("part_low"), y2: { field: "part_high" } } },
      { mark: { type: "line", strokeWidth: 2.4, color: COLOUR.ahead }, encoding: { x, y: y("part") } },
      { data: { values: words }, mark: { type: "text", align: "right", dx: -4, dy: { expr: "datum.dy" }, fontSize: 11, color: "var(--muted)" }, encoding: { x, y: y("part"), text: { field: "text" } } },
      { mark: { type: "bar", opacity: 0, size: 16 }, encoding: { x, y: y("part_high"), tooltip: [{ field: "year", title: "Year" }, { field: "said", title: "Median" }, { field: "span", title: "80% band" }, { field: "tonnes", title: "Avoided" }] } },
    ],
  };
}
