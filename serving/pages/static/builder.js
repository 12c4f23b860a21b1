// The form of the scenario page: cluster, target, registered projects and levers, each with what can be set.

import { el } from "./dom.js";
import { choice, slider, text, tick } from "./fields.js";
import { inUnit } from "./plan.js";
import { percent, plain, shortName } from "./words.js";

const FIRST = 2025;
const LAST = 2045;
const KINDS = [
  ["efficiency", "Efficiency and circularity"], ["electrification", "Electrification and renewable heat"],
  ["hydrogen", "Hydrogen"], ["ccus", "Carbon capture (CCUS)"],
];
// Technologies that the registry knows the lever of, as insights/scenario.py does.
const KNOWN = /CO2|CCS|hydrogen|ammonia|efficiency|waste heat|electric|N2O/;
const SHUT = { running: "It runs: the figures hold it already.", cancelled: "It was cancelled.", "not-selected": "It was not selected." };
const years = (n) => (n === 0 ? "as planned" : n === 1 ? "1 year" : `${n} years`);
const share = (x) => percent(100 * x, { sign: false, places: 0 });

// Options: plan (changed in place), clusters, cluster (of the plan), changed(), turned(series).
export function form({ plan, clusters, cluster, changed, turned }) {
  const put = (at, name) => (value) => {
    if (value === "" || value === null) delete at[name];
    else at[name] = value;
    changed();
  };
  return [
    el("fieldset", {}, el("legend", {}, "What and when"),
      text("Name of the plan", { field: "name", value: plan.name, set: put(plan, "name"), size: 26 }),
      choice("Cluster", {
        field: "series", value: plan.series, set: turned,
        options: clusters.filter((one) => one.status === "served").map((one) => [one.cluster_id, shortName(one.name)]),
      }),
      choice("Target", { field: "target", value: plan.target ?? "", set: put(plan, "target"), options: targets(cluster) }),
      text("Electricity, t CO\u2082e per MWh", {
        field: "grid", value: inUnit(plan.grid, "t/MWh") ?? plan.grid ?? "", mode: "decimal", size: 8,
        set: (value) => put(plan, "grid")(/^[\d.]+$/.test(value) ? `${value} t/MWh` : value),
        hint: "Left empty, what a plan brings back elsewhere is not known.",
      })),
    el("fieldset", {}, el("legend", {}, "Registered projects"),
      cluster.projects.length ? cluster.projects.map((one) => project(plan, one, put, changed)) : el("p", { class: "small" }, "The registry knows no project here. Add a lever below.")),
    levers(plan, put, changed),
  ];
}

function targets(cluster) {
  const own = (cluster.targets ?? []).filter((one) => one.in_force);
  return [["", "All targets in force"], ...own.map((one) => [one.target_id, `${one.target_year}: ${goal(one)}`])];
}

function goal(one) {
  if (one.kind === "percent") return `${one.value}% below ${one.base_year ?? "a base that is not stated"}`;
  if (one.kind === "level") return `${one.value} Mt`;
  if (one.kind === "reduction") return `a cut of ${one.value} Mt`;
  return plain(one.kind);
}

function project(plan, told, put, changed) {
  const shut = SHUT[told.stage];
  const box = el("div", { class: "settings" });
  const held = () => plan.projects.find((one) => one.project_id === told.project_id);
  const fill = () => box.replaceChildren(...(held() ? settings(plan, held(), told, put, changed) : []));
  const size = told.abatement_mt_per_yr ? `${told.abatement_mt_per_yr} Mt a year` : "size not known";
  const start = told.latest_start ?? told.first_announced_start;
  fill();
  return el("div", { class: "item", "data-project": told.project_id },
    tick(told.project, { checked: Boolean(held()), disabled: Boolean(shut), set: (on) => {
      if (on) plan.projects.push({ project_id: told.project_id });
      else plan.projects = plan.projects.filter((one) => one.project_id !== told.project_id);
      fill();
      changed();
    } }),
    el("p", { class: "small" }, shut ?? `${told.technology}, ${size}, ${start ? `from ${start}` : "start not known"}, ${plain(told.status)}.`), box);
}

function settings(plan, own, told, put, changed) {
  const at = `projects[${plan.projects.indexOf(own)}]`;
  const known = told.abatement_mt_per_yr;
  const rows = [
    slider("Later than planned", { field: `${at}.delay_years`, min: 0, max: 10, value: own.delay_years ?? 0, show: years, set: put(own, "delay_years") }),
    slider("Years to full strength", { field: `${at}.ramp_years`, min: 0, max: 15, value: own.ramp_years ?? 0, show: (n) => (n === 0 ? "at once" : years(n)), set: put(own, "ramp_years") }),
    known ? null : slider("Capacity", { field: `${at}.capacity`, min: 0, max: 10, step: 0.1, value: inUnit(own.capacity, "Mt/year") ?? 0, show: (x) => `${x} Mt a year`, set: (x) => put(own, "capacity")(`${x} Mt/year`) }),
    told.latest_start ?? told.first_announced_start ? null : slider("Start", { field: `${at}.start`, min: FIRST, max: LAST, value: own.start ?? 2030, set: put(own, "start") }),
    KNOWN.test(told.technology) ? null : choice("Kind of lever", { field: `${at}.kind`, value: own.kind ?? "", options: [["", "Choose one"], ...KINDS], set: put(own, "kind") }),
    ...risk(own, at, changed),
  ];
  if (!(told.latest_start ?? told.first_announced_start) && own.start === undefined) own.start = 2030;
  return rows.filter(Boolean);
}

const WEAK = "weak";

function risk(own, at, changed) {
  const box = el("div", {});
  const state = () => (own.risk === undefined ? WEAK : own.risk.certain ? "certain" : "own");
  const set = (made) => {
    if (made === undefined) delete own.risk;
    else own.risk = made;
    changed();
  };
  const fill = () => box.replaceChildren(...(state() === "own" ? chances(own, at, changed) : []));
  fill();
  return [
    choice("What may go wrong", {
      field: `${at}.risk`, value: state(),
      options: [[WEAK, "The registry's weak priors"], ["own", "My own chances"], ["certain", "Nothing: it is certain"]],
      set: (kind) => {
        set(kind === WEAK ? undefined : kind === "certain" ? { certain: true } : { cancel: 0.1, slip_chances: [0.7, 0.3], delivery: [0.9, 0.9, 0.9] });
        fill();
      },
    }), box,
  ];
}

function chances(own, at, changed) {
  const told = (name, value) => {
    own.risk[name] = value;
    changed();
  };
  const round = (x) => Math.round(x * 100) / 100;
  return [
    slider("Chance of never being built", { field: `${at}.risk.cancel`, min: 0, max: 1, step: 0.01, value: own.risk.cancel ?? 0, show: share, set: (x) => told("cancel", x) }),
    slider("Chance of a further year late", { field: `${at}.risk.slip_chances`, min: 0, max: 1, step: 0.01, value: round(1 - (own.risk.slip_chances?.[0] ?? 1)), show: share, set: (x) => told("slip_chances", [round(1 - x), x]) }),
    slider("Delivers of its capacity", { field: `${at}.risk.delivery`, min: 0, max: 1, step: 0.01, value: own.risk.delivery?.[1] ?? 1, show: share, set: (x) => told("delivery", [x, x, x]) }),
  ];
}

function levers(plan, put, changed) {
  const list = el("div", {});
  const fill = () => list.replaceChildren(...plan.levers.map((one, k) => lever(one, k)));
  const lever = (own, k) => {
    const at = `levers[${k}]`;
    return el("div", { class: "item", "data-lever": String(k) },
      el("div", { class: "head" }, el("strong", {}, own.name), el("button", { type: "button", class: "quiet", "aria-label": `Take ${own.name} out`, onclick: () => {
        plan.levers.splice(k, 1);
        fill();
        changed();
      } }, "Take out")),
      text("Name", { field: `${at}.name`, value: own.name, set: put(own, "name") }),
      choice("Kind", { field: `${at}.kind`, value: own.kind, options: KINDS, set: put(own, "kind") }),
      slider("Capacity", { field: `${at}.capacity`, min: 0, max: 10, step: 0.1, value: inUnit(own.capacity, "Mt/year") ?? 1, show: (x) => `${x} Mt a year`, set: (x) => put(own, "capacity")(`${x} Mt/year`) }),
      slider("Reaches of what is left", { field: `${at}.share`, min: 0, max: 1, step: 0.01, value: own.share ?? 1, show: share, set: put(own, "share") }),
      slider("Start", { field: `${at}.start`, min: FIRST, max: LAST, value: own.start, set: put(own, "start") }),
      slider("Years to full strength", { field: `${at}.ramp_years`, min: 0, max: 15, value: own.ramp_years ?? 0, show: (n) => (n === 0 ? "at once" : years(n)), set: put(own, "ramp_years") }),
      text("Cost, EUR a tonne", {
        field: `${at}.cost`, value: inUnit(own.cost, "EUR/t") ?? own.cost ?? "", mode: "decimal", size: 8,
        set: (value) => put(own, "cost")(/^[\d.]+$/.test(value) ? `${value} EUR/t` : value),
      }));
  };
  fill();
  const add = el("button", { type: "button", onclick: () => {
    const names = new Set(plan.levers.map((one) => one.name));
    let n = plan.levers.length + 1;
    while (names.has(`Lever ${n}`)) n += 1;
    plan.levers.push({ name: `Lever ${n}`, kind: "efficiency", capacity: "1 Mt/year", start: 2028, ramp_years: 2 });
    fill();
    changed();
    list.lastElementChild.querySelector("select").focus();
  } }, "Add a lever");
  return el("fieldset", {}, el("legend", {}, "Levers"),
    el("p", { class: "small" }, "Applied in order (efficiency, electrification, hydrogen, capture), each on what is left."), list, add);
}

