// Targets: how likely, by when, how far off, and what may still be emitted on the way.

import { narrow, nameAxis } from "./bars.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { links } from "./provenance.js";
import { chance, chanceCell, day, likelihood, LIKELIHOODS, million, mt, number, pastWords, percent, plain, range, scope, told as plainly, UNIT } from "./words.js";

// What a target asks, in a few words.
export function aimOf(target) {
  const by = `by ${target.target_year}`;
  if (target.kind === "net-zero") return `Net zero ${by}`;
  if (target.kind === "percent") return `${plainly(target.value)}% less than in ${target.base_year ?? "a base year it does not name"} ${by}`;
  if (target.kind === "level") return `${plainly(target.value)} Mt ${by}`;
  if (target.kind === "reduction") return `${plainly(target.value)} Mt less ${by}`;
  return `${plain(target.kind)} of ${plainly(target.value)} ${by}`;
}

export function chancePanel({ into, progress, name }) {
  return panel({
    into, id: "chance", wide: true, title: `Will ${name} make it?`,
    lead: "The chance of each target in force, as such chances came true of past targets, if nothing happens that the figures do not show yet.",
    load: progress,
    empty: (data) => (data.targets.length ? "" : `The registry holds no target of ${name}. One of your own can be measured with POST /v1/insights/progress.`),
    draw: (data, body) => body.append(...data.targets.map((one) => one.status === "measured" ? measured(one) : refused(one)), inSentences(data)),
    table: (data) => tableOf(data),
    note: (data) => `Likelihood in words: ${LIKELIHOODS}. Figures as known at ${day(data.as_of)}.`,
    answer: (data) => data.answer_id,
  });
}

function measured(one) {
  if (one.chance.status === "past") return past(one);
  const { chance: p, needed, crossing, on_track: track } = one;
  const facts = [
    ["To be left", `${mt(one.level)}${one.target.kind === "net-zero" ? ", before what sinks balance, which is not counted" : ""}`],
    ["Newest figure", `${mt(one.latest.value)} in ${one.latest.year} (${scope(one.scope)})`],
    track ? ["Against the straight path", `${mt(Math.abs(track.gap))} ${track.gap > 0 ? "above" : "below"} it in ${track.year} (${percent(track.gap_percent)})`] : null,
    ["Must fall a year", `${mt(needed.linear)}${needed.achieved === null ? "" : `; since ${needed.achieved_from} it fell ${mt(needed.achieved)} a year`}`],
    p.emissions ? [`Forecast for ${p.year}`, `median ${mt(p.emissions["q0.5"])}, 80% band ${range(p.emissions["q0.1"], p.emissions["q0.9"])}`] : null,
    ["First below the target", crossingWords(crossing.median_first_year, crossing.not_before_horizon, crossing.horizon)],
    ["Below it for good", crossingWords(crossing.median_lasting_year, crossing.not_lasting_by_horizon, crossing.horizon)],
  ].filter(Boolean);
  return el("article", { class: "aim" },
    el("div", { class: "odds" },
      el("p", { class: "figure", "data-chance": p.p ?? "" }, p.p === null ? "\u2013" : chance(p.p)),
      el("p", {}, el("strong", {}, likelihood(p.p)), p.p_low === undefined ? "" : `, between ${chanceCell(p.p_low)} and ${chanceCell(p.p_high)} with 90% confidence`),
      meter(p)),
    el("div", {}, el("h3", {}, aimOf(one.target)), el("dl", { class: "facts" }, facts.map(([word, value]) => [el("dt", {}, word), el("dd", {}, value)])),
      el("p", { class: "small" }, notesOf(one), "Source: ", ...links(one.target.source.split(" | ")[0]))));
}

function meter(p) {
  if (p.p === null || p.p_low === undefined) return null;
  const bar = el("div", { class: "meter", "aria-hidden": "true" });
  const span = el("i");
  const dot = el("b");
  span.style.left = `${p.p_low * 100}%`;
  span.style.width = `${Math.max(0.5, (p.p_high - p.p_low) * 100)}%`;
  dot.style.left = `${p.p * 100}%`;
  bar.append(span, dot);
  return el("div", {}, bar, el("div", { class: "ends", "aria-hidden": "true" }, el("span", {}, "0%"), el("span", {}, "50%"), el("span", {}, "100%")));
}

function crossingWords(year, never, horizon) {
  const rest = `${chance(never)} of the futures are not by ${horizon}`;
  return year === null ? `not before ${horizon} in the middle of the futures; ${rest}` : `${year} in the middle of the futures; ${rest}`;
}

const NOTES = {
  "scope-not-stated": "The target does not say what it counts; the registered emissions are taken.",
  "net-zero-leaves-a-rest": "Net zero is read as zero of every part: a rest that sinks balance is not known here.",
};

function notesOf(one) {
  const told = one.notes.map((note) => NOTES[note] ?? `${plain(note)}.`);
  if (one.informed_by.length) told.push(`Published totals of ${one.informed_by.join(" and ")} are taken into account.`);
  if (one.tellings > 1) told.push(`Told in ${one.tellings} ways that agree within their rounding.`);
  return `${told.join(" ")} `;
}

// A target whose year is past has no chance any more, but an outcome.
function past(one) {
  const words = pastWords(one.target.target_year, one.level, one.chance.outcome);
  return el("article", { class: "aim none" }, el("div", {}, el("h3", {}, aimOf(one.target)),
    el("p", { class: "past" }, `${words[0].toUpperCase()}${words.slice(1)} (${scope(one.scope)}).`),
    el("p", { class: "small" }, notesOf(one), "Source: ", ...links(one.target.source.split(" | ")[0]))));
}

function refused(one) {
  return el("article", { class: "aim none" }, el("div", {}, el("h3", {}, aimOf(one.target)),
    el("p", {}, el("strong", {}, "Not measured: "), `${one.refusal.found}. `, one.refusal.remedy ? `What helps: ${one.refusal.remedy}.` : "")));
}

function inSentences(data) {
  return el("details", {}, el("summary", {}, "All of it in sentences"), el("ul", { class: "brief" }, data.brief.map((one) => el("li", {}, one.text))));
}

function tableOf(data) {
  const mega = { unit: UNIT, numeric: true, show: (value) => number(value) };
  const share = { numeric: true, show: (value) => (value === null || value === undefined ? "\u2013" : chanceCell(value)) };
  return {
    caption: "Targets and their chances",
    columns: [
      { key: "aim", label: "Target", header: true }, { key: "status", label: "Status" }, { key: "scope", label: "Counted as", show: (value) => scope(value) },
      { key: "level", label: "To be left", ...mega }, { key: "p", label: "Chance", ...share }, { key: "low", label: "from", ...share }, { key: "high", label: "to", ...share },
      { key: "gap", label: "Above the path", ...mega }, { key: "needed", label: "Must fall a year", ...mega }, { key: "achieved", label: "Fell a year", ...mega },
    ],
    rows: data.targets.map((one) => ({
      aim: aimOf(one.target), status: one.chance?.status === "past" ? "past" : one.status, scope: one.scope ?? "", level: million(one.level ?? null), p: one.chance?.p ?? null, low: one.chance?.p_low ?? null, high: one.chance?.p_high ?? null,
      gap: million(one.on_track?.gap ?? null), needed: million(one.needed?.linear ?? null), achieved: million(one.needed?.achieved ?? null),
    })),
  };
}

export function budgetPanel({ into, progress }) {
  const budgets = (data) => data.targets.filter((one) => one.status === "measured" && one.budget);
  return panel({
    into, id: "budget", wide: true, title: "What may still be emitted",
    lead: "The carbon budget: all that the straight path to the target allows between now and then, beside what is forecast.",
    load: progress,
    empty: (data) => (budgets(data).length ? "" : "A budget needs a target with a base year that can be measured: there is a straight path only between two levels. Of this cluster's targets none has both."),
    draw: (data, body) => body.append(...budgets(data).map((one) => el("p", { class: "big" },
      `From ${one.budget.from_year} to ${one.budget.to_year} the path allows ${mt(one.budget.allowed)} in all. The forecast spends ${mt(one.budget.spent["q0.5"])} (80% band ${range(one.budget.spent["q0.1"], one.budget.spent["q0.9"])}): `,
      el("strong", {}, `${mt(one.budget.overshoot["q0.5"], { sign: true })}`), `. The chance that it spends more than allowed is ${chance(one.budget.chance_over)}.`))),
    chart: (data) => {
      const rows = rowsOf(budgets(data));
      return { label: rows.map((row) => `${row.what}: ${number(row.value)} ${UNIT}`).join(". "), height: 50 + rows.length * 34, spec: budgetSpec(rows) };
    },
    table: (data) => ({
      caption: "Budget and forecast", columns: [
        { key: "what", label: "What", header: true },
        ...[["value", "Sum"], ["low", "80% from"], ["high", "80% to"]].map(([key, label]) => ({ key, label, unit: UNIT, numeric: true, show: (value) => number(value) })),
      ],
      rows: rowsOf(budgets(data)),
    }),
    answer: (data) => data.answer_id,
  });
}

function rowsOf(targets) {
  return targets.flatMap((one) => {
    const { budget } = one;
    const span = `${budget.from_year} to ${budget.to_year}`;
    return [
      { what: `Allowed, ${span}`, kind: "allowed", value: million(budget.allowed), low: null, high: null },
      { what: `Forecast, ${span}`, kind: "forecast", value: million(budget.spent["q0.5"]), low: million(budget.spent["q0.1"]), high: million(budget.spent["q0.9"]) },
    ];
  });
}

function budgetSpec(rows) {
  const values = rows.map((row) => ({ ...row, edge: row.high ?? row.value, said: row.low === null ? number(row.value) : `${number(row.value)} (${number(row.low)} to ${number(row.high)})` }));
  return {
    data: { values },
    encoding: {
      y: nameAxis("what"),
      tooltip: [{ field: "what", title: "What" }, { field: "said", title: `Sum, ${UNIT}` }],
    },
    layer: [
      { mark: { type: "bar", height: 18 }, encoding: { x: { field: "value", type: "quantitative", axis: { title: UNIT, grid: true, tickCount: narrow() ? 3 : 6 }, scale: { domainMax: (narrow() ? 1.9 : 1.25) * Math.max(...values.map((row) => row.edge)) } }, color: { field: "kind", type: "nominal", legend: null, scale: { domain: ["allowed", "forecast"], range: [COLOUR.target, COLOUR.ahead] } } } },
      { transform: [{ filter: "isValid(datum.low)" }], mark: { type: "rule", strokeWidth: 2, color: "var(--ink)" }, encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" } } },
      { mark: { type: "text", align: "left", dx: 7, fontSize: 11 }, encoding: { x: { field: "edge", type: "quantitative" }, text: { field: "said" } } },
    ],
  };
}
