// The models: who forecasts now, how they were judged, how bands and chances came true, and who served when.

import { get } from "./api.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { start } from "./shell.js";
import { day, number, percent, plain } from "./words.js";

const page = start();
const grid = el("div", { class: "panels" });
page.append(grid);

const share = (x) => (x === null || x === undefined ? "\u2013" : percent(100 * x, { sign: false }));
const line = (name, value) => [el("dt", {}, name), el("dd", {}, value)];

panel({
  into: grid, id: "champion", title: "The champion", load: () => get("/v1/models/current"),
  draw: (data, body) => body.append(
    el("p", {}, data.verdict?.sentence ?? "No verdict is kept of it."),
    data.degraded ? el("p", { class: "notice" }, data.degraded) : "",
    el("dl", { class: "facts" },
      line("Version", el("code", {}, data.model_version)), line("Recipe", plain(data.recipe)), line("Figures known at", day(data.as_of)),
      line("Made", day(data.created_at)), line("Code", el("code", {}, String(data.git_commit).slice(0, 12))), line("Figures", el("code", {}, String(data.data_hash).slice(0, 12))),
      line("Serves", Object.entries(data.series).map(([kind, n]) => `${n} ${kind}`).join(", ")), line("Ahead", `${data.steps} periods by ${data.paths} joint paths`))),
  table: (data) => ({
    caption: "What the gate asked before it let it serve", open: true, rows: data.verdict?.rules ?? [],
    columns: [
      { key: "name", label: "Rule", header: true, show: (x) => plain(x) }, { key: "passed", label: "Result", show: (x) => (x ? el("span", { class: "good" }, "passed") : el("strong", {}, "failed")) },
      { key: "why", label: "Found" },
    ],
  }),
});

panel({
  into: grid, id: "retrains", title: "Retrains", lead: "Every time it was asked whether another model is better.", load: () => get("/v1/retrains"),
  empty: (data) => (data.count ? "" : "No retrain is on record in this store."),
  draw: (data, body) => body.append(el("p", {}, "Runs, figures and pictures of each: ", data.tracking.url
    ? el("a", { href: data.tracking.url }, "MLflow") : [el("code", {}, data.tracking.command), " opens MLflow over this store."])),
  table: (data) => ({
    caption: `The newest ${data.retrains.length} of ${data.count}`, open: true, rows: data.retrains.map((one) => ({ ...one, passed: one.verdict?.rules ? `${one.verdict.rules.filter((each) => each.passed).length} of ${one.verdict.rules.length}` : "not kept" })),
    columns: [
      { key: "at", label: "When", header: true, show: (x) => day(x) }, { key: "action", label: "What" }, { key: "decision", label: "Verdict" },
      { key: "passed", label: "Rules passed" }, { key: "who", label: "By" }, { key: "model_version", label: "Serves after it", show: (x) => el("code", {}, x || "\u2013") },
    ],
  }),
});

const METRICS = [["sql", "", "Scaled quantile loss"], ["mase", "", "MASE"], ["coverage", "80", "80% band held"], ["coverage", "95", "95% band held"]];

function scoreRows(data) {
  const rows = new Map();
  for (const one of data.scores) {
    const metric = METRICS.find(([name, param]) => name === one.metric && param === one.param);
    if (!metric || one.value === null) continue;
    const key = `${one.kind} ${one.forecaster}`;
    if (!rows.has(key)) rows.set(key, { kind: one.kind, forecaster: one.forecaster });
    const row = rows.get(key);
    row[metric[0] + metric[1]] = one.value;
    row.n = Math.max(row.n ?? 0, one.n);
  }
  return [...rows.values()].sort((a, b) => a.kind.localeCompare(b.kind) || (a.sql ?? 9) - (b.sql ?? 9));
}

panel({
  into: page, id: "scores", title: "Champion, challengers and the baseline", wide: true,
  lead: "The same past cutoffs, each fitted again on what was known then. Lower loss is better; naive says that nothing changes.",
  load: () => get("/v1/models/current"),
  empty: (data) => (data.scores?.length ? "" : "No scores are kept of this model."),
  chart: (data) => ({
    label: "Scaled quantile loss by kind of series and forecaster, lower is better", height: 260,
    spec: {
      data: { values: scoreRows(data).filter((row) => row.sql !== undefined).map((row) => ({ ...row, said: number(row.sql), mine: row.forecaster === data.recipe ? "serves" : "does not serve" })) },
      mark: { type: "point", size: 110, filled: true, opacity: 0.9 },
      encoding: {
        y: { field: "kind", type: "nominal", axis: { title: null, grid: true } },
        x: { field: "sql", type: "quantitative", axis: { title: "Scaled quantile loss", grid: true, tickCount: 8 }, scale: { zero: false } },
        color: { field: "forecaster", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null } },
        shape: { field: "forecaster", type: "nominal", legend: { title: null } },
        tooltip: [{ field: "forecaster", title: "" }, { field: "kind", title: "Kind" }, { field: "said", title: "Loss" }, { field: "mine", title: "" }],
      },
    },
  }),
  table: (data) => ({
    caption: "Scores in naive scales; coverage beside what was promised", rows: scoreRows(data),
    columns: [
      { key: "kind", label: "Kind", header: true }, { key: "forecaster", label: "Forecaster", show: (x) => (x === data.recipe ? el("strong", {}, x) : x) },
      { key: "sql", label: "Scaled quantile loss", numeric: true, show: (x) => number(x) }, { key: "mase", label: "MASE", numeric: true, show: (x) => number(x) },
      { key: "coverage80", label: "80% band held", numeric: true, show: share }, { key: "coverage95", label: "95% band held", numeric: true, show: share },
      { key: "n", label: "Forecasts", numeric: true },
    ],
  }),
});

const two = el("div", { class: "panels" });
page.append(two);

panel({
  into: two, id: "bands", title: "Did bands hold?", lead: "Share of actual figures inside the band, by years ahead. Solid: the 80% band; dashed: the 95% band. On its dotted line a band keeps its word; below it, it is too narrow.",
  load: () => get("/v1/models/reliability"),
  empty: (data) => (data.rows.length ? "" : "The model keeps no backtest."),
  chart: (data) => {
    const rows = data.rows.filter((row) => row.role === "challenger" && row.step > 0).flatMap((row) => [80, 95].map((level) => ({
      step: row.step, kind: row.kind, band: `${level}% band`, held: row[`coverage_${level}`], n: row.n, said: share(row[`coverage_${level}`]),
    }))).filter((row) => row.held !== null);
    return {
      label: "Share of actuals inside the 80% and 95% bands by years ahead and kind of series", height: 280,
      spec: {
        data: { values: rows },
        layer: [
          { data: { values: [{ y: 0.8 }, { y: 0.95 }] }, mark: { type: "rule", strokeDash: [2, 3] }, encoding: { y: { field: "y", type: "quantitative" } } },
          {
            mark: { type: "line", point: { size: 34, filled: true } },
            encoding: {
              x: { field: "step", type: "quantitative", axis: { title: "Years ahead", tickMinStep: 1, format: "d" } },
              y: { field: "held", type: "quantitative", axis: { title: "Inside the band", format: "%" }, scale: { zero: false } },
              color: { field: "kind", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null } },
              strokeDash: { field: "band", type: "nominal", scale: { range: [[1, 0], [5, 3]] }, legend: null },
              tooltip: [{ field: "kind", title: "Kind" }, { field: "band", title: "" }, { field: "step", title: "Years ahead" }, { field: "said", title: "Held" }, { field: "n", title: "Forecasts" }],
            },
          },
        ],
      },
    };
  },
  table: (data) => ({
    caption: "By role, kind and years ahead (0: all together)", rows: data.rows,
    columns: [
      { key: "role", label: "Role", header: true }, { key: "kind", label: "Kind" }, { key: "step", label: "Years ahead", numeric: true }, { key: "n", label: "Forecasts", numeric: true },
      { key: "coverage_80", label: "80% band held", numeric: true, show: share }, { key: "coverage_95", label: "95% band held", numeric: true, show: share },
      { key: "sql", label: "Scaled quantile loss", numeric: true, show: (x) => number(x) },
    ],
  }),
  note: (data) => `Judged at ${data.issued.length} past cutoffs. Years far ahead have few forecasts behind them.`,
});

panel({
  into: two, id: "chances", title: "Did chances keep their word?", lead: "Of targets that had a chance of 30%, about 30 in 100 should have been met. On the dotted line they were.",
  load: () => get("/v1/insights/calibration"),
  empty: (data) => (data.scores?.length ? "" : "The model keeps no replay of past targets."),
  chart: (data) => {
    const rows = data.scores.flatMap((one) => one.bins.map((bin) => ({ ...bin, kind: one.kind, said: `${share(bin.p)} said, ${share(bin.observed)} met` })));
    return {
      label: "Share of past made-up targets that were met by the chance said, by kind of series", height: 280,
      spec: {
        layer: [
          { data: { values: [{ p: 0, o: 0 }, { p: 1, o: 1 }] }, mark: { type: "line", strokeDash: [2, 3], color: "var(--muted)" }, encoding: { x: { field: "p", type: "quantitative" }, y: { field: "o", type: "quantitative" } } },
          {
            data: { values: rows }, mark: { type: "line", point: { size: 34, filled: true } },
            encoding: {
              x: { field: "p", type: "quantitative", axis: { title: "Chance said", format: "%" }, scale: { domain: [0, 1] } },
              y: { field: "observed", type: "quantitative", axis: { title: "Met", format: "%" }, scale: { domain: [0, 1] } },
              color: { field: "kind", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null } },
              strokeDash: { field: "kind", type: "nominal", legend: { title: null } },
              tooltip: [{ field: "kind", title: "Kind" }, { field: "said", title: "" }, { field: "n", title: "Targets" }],
            },
          },
        ],
      },
    };
  },
  table: (data) => ({
    caption: "Scores of chances; the lower the Brier score the better", rows: data.scores, open: true,
    columns: [
      { key: "kind", label: "Kind", header: true }, { key: "n", label: "Targets", numeric: true, show: (x) => x.toLocaleString("en-GB") },
      { key: "brier", label: "Brier score", numeric: true, show: (x) => number(x) }, { key: "brier_naive", label: "of naive", numeric: true, show: (x) => number(x) },
      { key: "reliability_slope", label: "Reliability slope", numeric: true, show: (x) => number(x) }, { key: "base_rate", label: "Met in all", numeric: true, show: share },
    ],
  }),
});

panel({
  into: page, id: "promotions", title: "Who served when", wide: true, load: () => get("/v1/promotions"),
  empty: (data) => (data.count ? "" : "No model was ever let serve by this store."),
  chart: (data) => (data.promotions.length < 2 ? null : {
    label: "Promotions and roll-backs in time", height: 70,
    spec: {
      data: { values: data.promotions.map((one) => ({ at: one.at, what: plain(one.decision), version: one.to_version, day: day(one.at) })) },
      mark: { type: "point", filled: true, size: 130 },
      encoding: {
        x: { field: "at", type: "temporal", axis: { title: null } },
        color: { field: "what", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null } }, shape: { field: "what", type: "nominal", legend: { title: null } },
        tooltip: [{ field: "day", title: "When" }, { field: "what", title: "What" }, { field: "version", title: "Version" }],
      },
    },
  }),
  table: (data) => ({
    caption: `The newest ${data.promotions.length} of ${data.count}`, open: true, rows: data.promotions,
    columns: [
      { key: "at", label: "When", header: true, show: (x) => day(x) }, { key: "decision", label: "What", show: (x) => plain(x) }, { key: "to_version", label: "Serves after it", show: (x) => el("code", {}, x) },
      { key: "from_version", label: "Before", show: (x) => (x ? el("code", {}, x) : "nothing") }, { key: "who", label: "By" }, { key: "sentence", label: "Why" },
    ],
  }),
});
