// One cluster: what it emitted, what is likely, whether it makes its targets, and why it moved.

import { address, get } from "./api.js";
import { chancePanel, budgetPanel } from "./targets.js";
import { driversPanel } from "./drivers.js";
import { el } from "./dom.js";
import { fan, fanRows, fanTable } from "./fan.js";
import { pastPanel } from "./past.js";
import { panel, refusal } from "./panel.js";
import { projectsPanel } from "./projects.js";
import { factsPanel } from "./facts.js";
import { sectorsPanel } from "./sectors.js";
import { start } from "./shell.js";
import { eventsPanel, whyPanel } from "./why.js";
import { between, country, million, mt, number, scope, sector, UNIT, year } from "./words.js";

const STEPS = 30;
const page = start();
const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const cluster = () => get(`/v1/clusters/${encodeURIComponent(id)}`);
const progress = () => get(address("/v1/insights/progress", { series: id }));

function hero(told) {
  const { facts } = told;
  document.getElementById("lead").prepend(`${country(facts.country)} \u00b7 `);
  if (told.status !== "served") actions.remove();
}

const actions = el("p", { class: "actions" }, el("a", { class: "button", href: `/scenarios?series=${id}` }, "What if? Build a scenario"), reports(id));
page.append(actions);

// Where the report of a cluster is.
function reports(name) {
  return ["pdf", "html"].map((format) => el("a", { class: "button", href: `/v1/reports/${name}?format=${format}` }, `Report as ${format.toUpperCase()}`));
}

function lastOf(past) {
  const last = past.at(-1);
  return last ? { ds: `${last.year}-01-01`, y: last.y * 1e6 } : null;
}

// Past and forecast in one scope: the registered one, or a published total over its bridge.
async function inScope(told, aims, wanted) {
  const own = told.scope;
  const goals = aims.targets.filter((one) => one.status === "measured" && one.scope === wanted).map((one) => ({
    year: one.target.target_year, level: million(one.level), base_year: one.base_year, base: one.base === null ? null : million(one.base),
    name: one.target.kind === "net-zero" ? "Net zero" : `${number(million(one.level))} ${UNIT}`,
  }));
  const figures = aims.figures.find((one) => one.scope === wanted);
  if (wanted === own) {
    const answer = await get(address("/v1/forecast", { clusters: id, levels: [80, 95], steps: STEPS }));
    const past = told.history.filter((one) => one.y !== null).map((one) => ({ year: year(one.ds), y: million(one.y) }));
    const published = aims.figures.filter((one) => one.published).flatMap((one) => one.rows.map((row) => ({ year: row.year, y: million(row.value), name: scope(one.scope) })));
    return { past, rows: fanRows(answer.forecasts[0], lastOf(past)), goals, published, breaks: told.breaks.map((one) => one.year), forecast: answer.forecasts[0] };
  }
  const past = figures.rows.map((row) => ({ year: row.year, y: million(row.value) }));
  const rows = figures.fan.map((row) => ({ ds: `${row.year}-01-01`, quantiles: Object.fromEntries(Object.entries(row).filter(([name]) => name.startsWith("q")).map(([name, value]) => [name.slice(1), value])) }));
  const forecast = { rows, made_by: told.made_by, cutoff: told.cutoff, bridge: told.bridges.find((one) => one.to_scope === wanted), informed_by: figures.informed_by };
  return { past, rows: fanRows(forecast, lastOf(past)), goals, published: [], breaks: [], forecast };
}

function scopesOf(told, aims) {
  const bridged = told.bridges.filter((one) => !one.code).map((one) => one.to_scope);
  const measured = aims.targets.find((one) => one.status === "measured" && one.target.kind !== "net-zero")?.scope;
  const all = [told.scope, ...bridged];
  return { all, first: all.includes(measured) ? measured : told.scope };
}

async function fanPanel(told, into) {
  const aims = await progress().catch(() => ({ targets: [], figures: [], answer_id: null }));
  const { all, first } = scopesOf(told, aims);
  const choice = el("select", { id: "scope", onchange: () => self.refresh() }, all.map((one) => el("option", { value: one, selected: one === first }, one === told.scope ? `${scope(one)}: as registered` : scope(one))));
  const horizon = el("select", { id: "until", onchange: () => self.refresh() }, ["2035", "2040", "2050"].map((one) => el("option", { value: one, selected: one === "2040" }, one)));
  const self = panel({
    into, id: "forecast", wide: true, title: "What was, and what is likely",
    lead: "The line ahead is the median; the bands hold 80 and 95 of 100 futures. Diamonds are targets, dashes the straight path to them.",
    controls: [all.length > 1 ? el("label", {}, "Counted as", choice) : null, el("label", {}, "Until", horizon)].filter(Boolean),
    load: async () => ({ ...(await inScope(told, aims, choice.value)), scope: choice.value, until: Number(horizon.value) }),
    draw: (data, body) => body.append(el("p", { class: "big" }, sentence(data, told))),
    chart: (data) => {
      const rows = data.rows.filter((row) => row.year <= data.until);
      const targets = data.goals.filter((one) => one.year <= data.until).map((one) => ({ ...one, late: one.year > data.until - 4 }));
      return { label: `Fan chart. ${sentence(data, told)}`, height: 360, spec: fan({ past: data.past, rows, targets, published: data.published, breaks: data.breaks }) };
    },
    table: (data) => fanTable(`${told.facts.name}, ${scope(data.scope)}, ${UNIT} a year`, data.past, data.rows),
    note: (data) => fanNote(data, told),
    answer: () => aims.answer_id,
  });
}

function sentence(data, told) {
  const last = data.past.at(-1);
  const row = data.forecast.rows.find((one) => year(one.ds) === 2030);
  const so = last ? `${told.facts.name} emitted ${number(last.y)} ${UNIT} in ${last.year}.` : "";
  return row ? `${so} In 80 of 100 futures it emits ${between(row.quantiles["0.1"], row.quantiles["0.9"])} in 2030, the median is ${mt(row.quantiles["0.5"])}.` : so;
}

function fanNote(data, told) {
  const bridge = data.forecast.bridge;
  const parts = [`Counted: ${scope(data.scope)}. Made by ${data.forecast.made_by} from figures to ${year(data.forecast.cutoff)}.`];
  if (bridge) parts.push(`Read over a bridge: registered figures times ${number(bridge.ratio)} (${number(bridge.ratio_low)} to ${number(bridge.ratio_high)}), from ${bridge.years.length} years that both counts have; the bands hold its spread.`);
  if (data.forecast.informed_by?.length) parts.push(`Published totals of ${data.forecast.informed_by.join(" and ")} are taken into account: futures that missed them count less.`);
  if (data.breaks.length) parts.push(`Dotted lines: what is counted changes in ${data.breaks.join(" and ")}; figures on the two sides are not one series.`);
  if (data.published.length) parts.push("Squares: totals published by others, which count something else and are not joined.");
  return parts.join(" ");
}

function names(told) {
  return async () => new Map(told.series.map((one) => [one.unique_id, sector(one.unique_id)]));
}

async function build() {
  const first = chancePanel({ into: page, progress, name: document.getElementById("heading").textContent });
  const told = await cluster().catch((fault) => {
    actions.remove();
    first.element.remove();
    throw fault;
  });
  hero(told);
  if (told.status === "served") {
    const [ahead, place] = [el("div"), el("div")];
    page.append(ahead, place);
    fanPanel(told, ahead);
    sectorsPanel({ into: place, told });
    budgetPanel({ into: place, progress });
    whyPanel({ into: place, series: id, title: "Why did emissions move?", lead: "What each sector did to the total between two years, and whether others did the same.", names: names(told) });
    eventsPanel({ into: place, series: id, told, names: names(told) });
    projectsPanel({ into: place, told });
    pastPanel({ into: place, series: id });
    driversPanel({ into: place, series: id });
    factsPanel({ into: place, told });
  } else {
    projectsPanel({ into: page, told });
    factsPanel({ into: page, told });
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

build().catch((fault) => {
  if (fault.wantsKey || !fault.found || !fault.ofTheQuestion) panel({ into: page, id: "cluster", title: "Cluster", load: cluster, draw: () => location.reload() });
  else page.append(el("section", { class: "panel", "data-state": "refused" }, refusal(fault), el("p", {}, el("a", { href: "/#clusters" }, "To all clusters"))));
});
