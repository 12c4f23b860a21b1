// What a plan does, drawn: emissions with and without it, tonnes by lever and project, and plans side by side.

import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { chance, million, mt, number, pastWords, percent, plain, range, UNIT } from "./words.js";

const X = { field: "year", type: "quantitative", axis: { format: "d", title: null, tickMinStep: 1, tickCount: 8 }, scale: { zero: false, nice: false } };
const at = (field) => ({ field, type: "quantitative", axis: { title: UNIT, tickCount: 5 }, scale: { zero: true } });
const TONNES = ["captured", "direct", "elsewhere", "avoided"];
// A column whose rows hold Mt.
export const inMt = (label, key) => ({ key, label, unit: UNIT, numeric: true, show: (x) => (x === null ? "not known" : number(x)) });
const DASH = [[1, 0], [7, 3], [2, 2], [9, 3, 2, 3]];

export function points(change, key = "p") {
  return `${percent(100 * change[key], { places: 1 }).replace("%", "")} points`;
}

export function span(change) {
  return `${points(change)} (90% interval ${points(change, "p_low").replace(" points", "")} to ${points(change, "p_high").replace(" points", "")})`;
}

export const measured = (told) => told.targets.find((one) => one.status === "measured" && one.change) ?? null;

// What a planned delay does, in words that follow its sign; a chance whose change rounds away stays.
export function delayed({ name, delay, year }) {
  const late = `${name} ${delay.years} ${delay.years === 1 ? "year" : "years"} late: `;
  const shown = Math.round(1000 * delay.change.p);
  const more = mt(Math.abs(delay.more_up_to_year));
  const none = Number.parseFloat(number(Math.abs(million(delay.more_up_to_year)))) === 0;
  if (shown === 0 && none) return `${late}no effect on the chance (${chance(delay.after.p)}) nor on emissions up to ${year}.`;
  const moved = shown === 0 ? `the chance stays at ${chance(delay.after.p)}`
    : `the chance ${shown < 0 ? "falls" : "rises"} from ${chance(delay.before.p)} to ${chance(delay.after.p)}, ${span(delay.change)}`;
  return `${late}${moved}, and ${none ? "as much is" : `${more} ${delay.more_up_to_year > 0 ? "more" : "less"} are`} emitted up to ${year}.`;
}

// P(target) before and after in figures, and what each delay does, in sentences.
export function verdict(told) {
  const one = measured(told);
  const lines = told.sensitivity.filter((row) => row.delay).map((row) => el("p", { class: "delay" }, delayed(row)));
  if (!one) {
    const refused = told.targets.find((each) => each.status === "refused");
    const past = told.targets.find((each) => each.baseline?.status === "past");
    if (past) {
      const words = pastWords(past.target.target_year, past.level, past.baseline.outcome);
      return [el("p", { class: "notice" }, `There is no chance to move: the ${words}. The chart shows what the plan does to emissions.`), ...lines];
    }
    return [el("p", { class: "notice" }, refused ? `The target cannot be measured: ${refused.refusal.found}. What helps: ${refused.refusal.remedy}.` : "No target is ahead here: the chart shows what the plan does to emissions."), ...lines];
  }
  const goal = one.target;
  return [
    el("div", { class: "verdict" },
      big("Without the plan", one.baseline), el("span", { class: "arrow", "aria-hidden": "true" }, "\u2192"), big("With the plan", one.scenario),
      el("div", { class: "big" }, el("span", { class: "word" }, "Change"), el("strong", { id: "change" }, points(one.change)), el("span", { class: "small" }, `${points(one.change, "p_low").replace(" points", "")} to ${points(one.change, "p_high")}`))),
    el("p", {}, `Chance of being at ${mt(one.level)} or less in ${goal.target_year} (90% intervals). Expected shortfall: ${mt(one.expected_shortfall.baseline)} without, ${mt(one.expected_shortfall.scenario)} with the plan.`),
    ...lines,
  ];
}

function big(word, told) {
  return el("div", { class: "big" }, el("span", { class: "word" }, word), el("strong", { class: "p" }, chance(told.p)),
    el("span", { class: "small" }, `${percent(100 * told.p_low, { sign: false })} to ${percent(100 * told.p_high, { sign: false })}`));
}

export function emissionsChart(told, past) {
  const rows = told.emissions.flatMap((row) => ["baseline", "scenario"].map((who) => ({
    year: row.year, who: who === "baseline" ? "without the plan" : "with the plan",
    low: million(row[who]["q0.1"]), mid: million(row[who]["q0.5"]), high: million(row[who]["q0.9"]),
    said: `${mt(row[who]["q0.5"])} (${range(row[who]["q0.1"], row[who]["q0.9"])})`,
  })));
  const goals = told.targets.filter((one) => one.level !== undefined && one.target.target_year <= rows.at(-1).year)
    .map((one) => ({ year: one.target.target_year, level: million(one.level), text: "target" }));
  const scale = { domain: ["without the plan", "with the plan"], range: ["var(--grey)", COLOUR.ahead] };
  const layer = [
    { data: { values: rows }, mark: { type: "area", opacity: 0.2 }, encoding: { x: X, y: at("low"), y2: { field: "high" }, color: { field: "who", type: "nominal", scale, legend: { title: null, symbolOpacity: 1 } } } },
    {
      data: { values: rows }, mark: { type: "line", strokeWidth: 2.4 },
      encoding: { x: X, y: at("mid"), color: { field: "who", type: "nominal", scale }, strokeDash: { condition: { test: "datum.who === 'with the plan'", value: [1, 0] }, value: [6, 4] } },
    },
    ...(goals.length ? [{ data: { values: goals }, mark: { type: "point", shape: "diamond", size: 110, filled: true, color: COLOUR.target }, encoding: { x: X, y: at("level") } },
    { data: { values: goals }, mark: { type: "text", dx: 10, align: "left", color: COLOUR.target }, encoding: { x: X, y: at("level"), text: { field: "text" } } }] : []),
    ...(past.length ? [{ data: { values: past }, mark: { type: "line", color: COLOUR.past, strokeWidth: 2.2 }, encoding: { x: X, y: at("y") } }] : []),
    { data: { values: rows }, mark: { type: "bar", opacity: 0, size: 14 }, encoding: { x: X, y: { ...at("high"), stack: null }, tooltip: [{ field: "year", title: "Year" }, { field: "who", title: "" }, { field: "said", title: "Median" }] } },
  ];
  return { label: `Emissions of ${told.series_name} with and without the plan, medians and 80% bands, and targets`, height: 320, spec: { layer } };
}

export function emissionsTable(told) {
  const columns = [{ key: "year", label: "Year", header: true }];
  for (const [who, word] of [["baseline", "Without"], ["scenario", "With"]]) {
    for (const [q, name] of [["q0.5", "median"], ["q0.1", "10%"], ["q0.9", "90%"]]) columns.push(inMt(`${word}, ${name}`, `${who} ${q}`));
  }
  const rows = told.emissions.map((row) => ({ year: row.year, ...Object.fromEntries(["baseline", "scenario"].flatMap((who) => Object.entries(row[who]).map(([q, x]) => [`${who} ${q}`, million(x)]))) }));
  return { caption: `Emissions of ${told.series_name} by year, ${told.scope}`, columns, rows };
}

export function measuresChart(told) {
  const rows = told.measures.flatMap((one) => one.by_year.map((row) => ({ year: row.year, name: one.name, y: million(row.direct), said: mt(row.direct) })));
  return {
    label: "Mean tonnes off the path by year and measure", height: 240,
    spec: {
      data: { values: rows }, mark: { type: "bar" },
      encoding: {
        x: { field: "year", type: "ordinal", axis: { title: null, labelAngle: 0, values: rows.map((row) => row.year).filter((one) => one % 5 === 0) }, scale: { paddingInner: 0.2 } }, y: { ...at("y"), stack: "zero" },
        color: { field: "name", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null } },
        tooltip: [{ field: "year", title: "Year" }, { field: "name", title: "" }, { field: "said", title: "Off the path" }],
      },
    },
  };
}

export function measuresTable(told) {
  const money = told.currency ?? "";
  const rows = told.measures.map((one) => ({
    name: one.name, kind: one.kind, start: one.planned_start, ...Object.fromEntries(TONNES.map((key) => [key, million(one.in_year[key])])), flags: one.flags.map(plain).join(", "),
    per: one.cost.per_tonne_avoided ?? one.cost.per_tonne, cost: one.cost.up_to_year, now: one.cost.present_value,
    lost: told.sensitivity.find((row) => row.name === one.name)?.adds.p ?? null,
  }));
  const cash = (label, key) => ({ key, label, unit: money, numeric: true, show: (x) => (x === null ? "\u2013" : number(x)) });
  return {
    caption: `In ${told.year}, means of all futures; costs up to ${told.year}`, open: true, rows,
    columns: [
      { key: "name", label: "Lever or project", header: true }, inMt("Captured", "captured"), inMt("Off the path", "direct"), inMt("Back elsewhere", "elsewhere"), inMt("Avoided", "avoided"),
      { key: "lost", label: "Adds to chance", unit: "points", numeric: true, show: (x) => (x === null ? "\u2013" : percent(100 * x, { places: 1 }).replace("%", "")) },
      cash("A tonne avoided", "per"), cash("Cost", "cost"), cash("Present value", "now"), { key: "kind", label: "Kind" }, { key: "start", label: "Start", numeric: true }, { key: "flags", label: "Mind" },
    ],
  };
}

export function sideChart(told) {
  const rows = told.scenarios.flatMap((one) => one.emissions.map((row) => ({ year: row.year, name: one.name, y: million(row.scenario["q0.5"]), said: mt(row.scenario["q0.5"]) })));
  const names = [...new Set(rows.map((row) => row.name))];
  const scale = { domain: names, range: COLOUR.sectors.slice(0, names.length) };
  return {
    label: `Median emissions of ${names.join(", ")}`, height: 260,
    spec: {
      data: { values: rows }, mark: { type: "line", strokeWidth: 2.4, point: { size: 20, filled: true } },
      encoding: {
        x: X, y: at("y"), color: { field: "name", type: "nominal", scale, legend: { title: null } },
        strokeDash: { field: "name", type: "nominal", scale: { domain: names, range: DASH.slice(0, names.length) }, legend: { title: null } },
        tooltip: [{ field: "year", title: "Year" }, { field: "name", title: "" }, { field: "said", title: "Median" }],
      },
    },
  };
}
