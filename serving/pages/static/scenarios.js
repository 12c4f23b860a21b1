// The scenario builder: a plan beside the forecast, shared by its address, saved, compared, taken away as a file.

import { address, forget, get, post, Refused } from "./api.js";
import { form } from "./builder.js";
import { el } from "./dom.js";
import { save as download } from "./downloads.js";
import { blame, clear } from "./fields.js";
import { emissionsChart, emissionsTable, inMt, measured, measuresChart, measuresTable, sideChart, span, verdict } from "./outcome.js";
import { panel, refusal } from "./panel.js";
import { EXAMPLES, fresh, linkOf, MOST_COMPARED, ofHash, slug, tableOf, tomlOf } from "./plan.js";
import { start } from "./shell.js";
import { chance, day, million, mt, plain, year } from "./words.js";

const WAIT = 120; // ms after the last move before it is asked
const USUAL = "nl-rotterdam";
const SAVED = "/v1/scenarios/saved";

const page = start();
const asked = new URLSearchParams(location.search);
const state = { plan: first(), saved: null, beside: [], cluster: null };
let turn = 0;
let answer = Promise.resolve(null);
const columns = el("div", { class: "builder" });
const left = el("div", {});
const right = el("div", {});
columns.append(left, right);
page.append(columns);

function first() {
  const example = EXAMPLES[asked.get("example")];
  if (example) return { levers: [], ...structuredClone(example) };
  return ofHash(location.hash) ?? fresh(asked.get("series") || USUAL);
}

// Asked a moment after the last move; a question that another has overtaken is never sent.
function ask(wait) {
  const mine = ++turn;
  answer = new Promise((done) => {
    setTimeout(done, wait);
  }).then(() => (mine === turn ? post("/v1/scenarios", tableOf(state.plan)) : new Promise(() => {})));
  answer.then(() => clear(builder.element), (fault) => blame(builder.element, fault));
}

function changed(wait = WAIT) {
  ask(wait);
  history.replaceState(null, "", linkOf(state.plan).slice(location.origin.length));
  live.dataset.state = "busy";
  result.refresh();
  parts.refresh();
}

function turned(series) {
  state.plan = { ...fresh(series), name: state.plan.name };
  state.saved = null;
  builder.refresh();
  changed(0);
}

function take(plan, saved = null) {
  state.plan = { levers: [], projects: [], ...structuredClone(plan) };
  state.saved = saved;
  builder.refresh();
  changed(0);
}

const told = el("div", { class: "told", role: "status", "aria-live": "polite" });

const live = el("p", { class: "live", "aria-hidden": "true" });

const builder = panel({
  into: left, id: "plan", title: "The plan", lead: "Move anything: the answer beside it follows.",
  load: async () => {
    const [all, cluster] = await Promise.all([get("/v1/clusters"), get(`/v1/clusters/${encodeURIComponent(state.plan.series)}`)]);
    state.cluster = cluster;
    return { clusters: all.clusters, cluster };
  },
  draw: (data, body) => {
    body.append(el("form", { class: "plan", onsubmit: (event) => event.preventDefault() }, form({ plan: state.plan, ...data, changed, turned })), live, actions());
  },
});

function actions() {
  const button = (word, run) => el("button", { type: "button", onclick: run }, word);
  return el("div", { class: "actions" },
    button("Keep beside", keepBeside), button("Save", () => keep(false)), button("Copy link", copy),
    button("TOML file", () => download(`${slug(state.plan.name)}.toml`, "application/toml", tomlOf(state.plan))),
    button("JSON file", () => download(`${slug(state.plan.name)}.json`, "application/json", JSON.stringify(tableOf(state.plan), null, 1))), told);
}

async function copy() {
  const link = linkOf(state.plan);
  try {
    await navigator.clipboard.writeText(link);
    told.replaceChildren("The link is copied: whoever opens it sees this plan.");
  } catch {
    const field = el("input", { type: "text", value: link, readonly: true, "aria-label": "Link to this plan" });
    told.replaceChildren("Copy this link: ", field);
    field.select();
  }
}

async function keep(anew) {
  const base = state.saved && !anew ? { id: state.saved.id, builds_on: state.saved.version } : {};
  try {
    const kept = await post(SAVED, { scenario: tableOf(state.plan), ...base });
    state.saved = { id: kept.id, version: kept.newest };
    told.replaceChildren(`Saved as version ${kept.newest}.`);
    forget();
    list.refresh();
  } catch (fault) {
    const clash = fault instanceof Refused && ["scenario-moved-on", "unknown-scenario"].includes(fault.code);
    told.replaceChildren(fault instanceof Refused ? refusal(fault) : "It could not be saved: is the service running?",
      clash ? el("button", { type: "button", onclick: () => keep(true) }, "Save as a new scenario") : "");
  }
}

function keepBeside() {
  if (state.beside.length >= MOST_COMPARED) {
    told.replaceChildren(`Up to ${MOST_COMPARED} stand side by side: take one out first.`);
    return;
  }
  state.beside.push(tableOf(structuredClone(state.plan)));
  told.replaceChildren(`${state.plan.name} stands beside now (${state.beside.length} of ${MOST_COMPARED}).`);
  beside.refresh();
}

ask(0);

const result = panel({
  into: right, id: "result", title: "What it does", lead: "The forecast with and without the plan, on the same futures.",
  load: () => answer,
  draw: (data, body) => {
    body.append(...verdict(data));
    const one = measured(data);
    live.replaceChildren(one ? `Chance of the target: ${chance(one.baseline.p)} \u2192 ${chance(one.scenario.p)}` : "");
    live.dataset.state = "";
  },
  chart: (data) => emissionsChart(data, pastOf(data)),
  table: emissionsTable,
  note: (data) => noteOf(data),
  answer: (data) => data.answer_id,
});

// Figures of the past are drawn only where they count what the forecast counts.
function pastOf(data) {
  const cluster = state.cluster;
  if (!cluster || cluster.cluster_id !== data.unique_id || cluster.scope !== data.scope) return [];
  return cluster.history.filter((row) => row.y !== null && year(row.ds) < data.emissions[0].year).map((row) => ({ year: year(row.ds), y: million(row.y) }));
}

const NOTES = {
  "weak-priors": "What may go wrong with projects is taken from the registry's few counts.",
  "the-trend-may-hold-plans": "The forecast's trend may hold a part of the plan already.",
  "reference-factors-stand-in": "What was left out is taken from reference factors.",
  "recalibrated-on-forecasts-without-plans": "Chances were calibrated on past forecasts without plans.",
  "project-of-another-cluster": "A project stands in another cluster.",
  "costs-not-discounted": "Costs are not discounted; the present value is told beside them.",
};

function noteOf(data) {
  return data.notes.map((code) => NOTES[code] ?? plain(code)).join(" ");
}

const parts = panel({
  into: right, id: "parts", title: "Lever by lever, project by project",
  // Why the plan is refused is said once, beside the field and above.
  load: () => answer.catch((fault) => {
    if (fault instanceof Refused && fault.ofTheQuestion && !fault.wantsKey) return null;
    throw fault;
  }),
  empty: (data) => (!data ? "Nothing can be told until the plan can be answered." : data.measures.length ? "" : "The plan is empty: tick a project or add a lever."),
  chart: measuresChart, table: measuresTable,
  note: (data) => `Together ${mt(data.totals.in_year.direct)} off the path in ${data.year}; alone they would take ${mt(data.totals.in_year.alone)}. ${data.totals.cost.present_value === null ? "" : `Discounted at ${100 * data.discount.rate}% a year.`}`,
});

const beside = panel({
  into: page, id: "beside", title: "Side by side", wide: true, lead: `Up to ${MOST_COMPARED} plans, kept here until the window is closed.`,
  load: () => (state.beside.length ? post("/v1/scenarios/compare", { scenarios: state.beside }) : Promise.resolve(null)),
  empty: (data) => (data ? "" : "Nothing stands here yet. \u201cKeep beside\u201d puts the plan as it is now here; then change it and keep it again."),
  chart: sideChart,
  table: (data) => ({
    caption: "Plans side by side", open: true,
    columns: [
      { key: "name", label: "Plan", header: true }, { key: "series", label: "Of" },
      { key: "p", label: "Chance with it", numeric: true, show: (x) => chance(x) }, { key: "said", label: "Change of the chance" },
      inMt("Off the path", "direct"), { key: "at", label: "In", numeric: true },
      { key: "k", label: "Take out", show: (k) => el("button", { type: "button", class: "quiet", "aria-label": `Take plan ${k + 1} out`, onclick: () => {
        state.beside.splice(k, 1);
        beside.refresh();
      } }, "Take out") },
    ],
    rows: data.scenarios.map((one, k) => ({
      name: one.name, series: one.series_name, p: measured(one)?.scenario.p ?? null, said: measured(one) ? span(measured(one).change) : "\u2013",
      direct: million(one.totals.in_year.direct), at: one.year, k,
    })),
  }),
  note: (data) => data.differences.flatMap((step) => step.places.slice(0, 4).map((one) => `${step.from} \u2192 ${step.to}: ${one.place} ${one.one ?? "\u2013"} \u2192 ${one.other ?? "\u2013"}`)).join("; "),
  answer: (data) => data.answer_id,
});

const list = panel({
  into: page, id: "saved", title: "Saved scenarios", wide: true, load: () => get(SAVED),
  empty: (data) => (data.count ? "" : "None is saved yet."),
  table: (data) => ({
    caption: "Yours, newest first", open: true, rows: data.scenarios,
    columns: [
      { key: "name", label: "Name", header: true, show: (name, row) => el("a", { href: address("/scenarios", { saved: row.id }) }, name) }, { key: "series", label: "Of" },
      { key: "newest", label: "Version", numeric: true }, { key: "owner", label: "Owner" }, { key: "changed_at", label: "Saved", show: (at) => day(at) },
      { key: "id", label: "Remove", show: (id, row) => el("button", { type: "button", class: "quiet", "aria-label": `Remove ${row.name}`, onclick: async () => {
        await post("/v1/scenarios/removed", { id, builds_on: row.newest }).catch((fault) => told.replaceChildren(fault.message));
        forget();
        list.refresh();
      } }, "Remove") },
    ],
  }),
});

if (asked.get("saved")) {
  get(address(`${SAVED}/${encodeURIComponent(asked.get("saved"))}`, { version: asked.get("version") }))
    // What was shown is what a further version builds on: one that nobody here has seen is not written over.
    .then((kept) => take(kept.scenario, { id: kept.id, version: kept.version }))
    .catch((fault) => told.replaceChildren(fault instanceof Refused ? refusal(fault) : fault.message));
}
window.addEventListener("hashchange", () => {
  const plan = ofHash(location.hash);
  if (plan && JSON.stringify(tableOf(plan)) !== JSON.stringify(tableOf(state.plan))) take(plan);
});
