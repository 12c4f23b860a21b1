// What the registry and the figures are worth: sources, grade, gaps, and what is known of the cluster itself.

import { address, get } from "./api.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { links } from "./provenance.js";
import { country, million, mt, number, percent, scope, sector, UNIT, year } from "./words.js";

export function factsPanel({ into, told }) {
  const { facts } = told;
  return panel({
    into, id: "data", wide: true, title: "What this rests on",
    lead: "The figures, who vouches for them, and what the registry says of the cluster.",
    load: async () => told,
    draw: (data, body) => body.append(data.status === "served" ? quality(data) : el("p", {}, `No series: ${data.reason}. What helps: ${data.remedy}.`), about(facts), rows(data)),
    table: (data) => data.series.length === 0 ? registry(facts) : {
      caption: `Sectors, ${UNIT}`, open: true,
      columns: [
        { key: "name", label: "Sector", header: true }, { key: "latest", label: "Newest figure", unit: UNIT, numeric: true, show: (value) => number(value) }, { key: "year", label: "Year" },
        { key: "plants", label: "Plants", numeric: true }, { key: "grade", label: "Grade" }, { key: "source", label: "Source", show: (value) => scope(value) },
      ],
      rows: data.series.map((one) => ({ name: sector(one.unique_id), latest: one.latest ? million(one.latest.y) : null, year: one.latest ? year(one.latest.ds) : "", plants: one.quality?.contributors ?? null, grade: one.quality?.source_grade ?? "", source: one.quality?.source ?? "" })),
    },
    note: () => ["Registry: ", ...links(facts.source)],
  });
}

// What the registry says, for a file, where there are no sectors to list.
function registry(facts) {
  return {
    caption: "The registry", open: "elsewhere", columns: [{ key: "field", label: "field" }, { key: "value", label: "value" }],
    rows: Object.entries(facts).map(([field, value]) => ({ field, value })),
  };
}

function pairs(list) {
  return el("dl", { class: "facts" }, list.filter(Boolean).map(([word, value]) => [el("dt", {}, word), el("dd", {}, value)]));
}

function quality(data) {
  const told = data.quality;
  if (!told) return el("p", {}, "Nothing is known of the quality of these figures.");
  return pairs([
    ["Source", `${scope(told.source)}, ${told.source_grade}`],
    ["Plants counted", String(told.contributors)],
    ["Years", `${told.periods}, to ${year(data.cutoff)}; the newest figure is ${number(told.age_days / 365.25, 2)} years old`],
    ["Complete", percent(told.completeness * 100, { sign: false, places: 0 }) + (told.share_imputed > 0 ? `; ${percent(told.share_imputed * 100, { sign: false })} filled in` : "; nothing filled in")],
    told.agreement === null ? null : ["Agrees with", `${told.agreement_with} to ${percent(told.agreement * 100, { sign: false })} in ${told.agreement_years} years`],
    ["Forecast by", data.made_by],
  ]);
}

function about(facts) {
  return pairs([
    ["Country", country(facts.country)],
    ["Joined", facts.joined ? `${facts.joined}${facts.joined_note ? ` (${facts.joined_note})` : ""}` : "not known"],
    facts.baseline_mt ? ["Own baseline", `${facts.baseline_bound === "lower" ? "more than " : ""}${mt(facts.baseline_mt * 1e6)}${facts.baseline_year ? ` in ${facts.baseline_year}` : ""}: ${facts.baseline_scope}`] : null,
    facts.jobs ? ["Jobs", `${facts.jobs.toLocaleString("en-GB")} ${facts.jobs_note}`] : null,
    facts.notes ? ["Notes", facts.notes] : null,
    ["Membership", `${facts.membership_evidence}; confidence ${facts.confidence}`],
  ]);
}

// One figure a row: where it is from, on request.
function rows(data) {
  const place = el("div", { "aria-live": "polite" });
  const years = data.history.filter((one) => one.y !== null).map((one) => one.ds);
  if (!years.length) return el("div");
  const choice = el("select", { id: "figure" }, [...years].reverse().map((ds) => el("option", { value: ds }, String(year(ds)))));
  const ask = async () => {
    const told = await get(address("/v1/lineage", { series: data.cluster_id, ds: choice.value }));
    place.replaceChildren(lineage(told));
  };
  return el("div", { class: "source-rows" }, el("p", {}, el("label", {}, "Where is the figure of a year from? ", choice), " ", el("button", { type: "button", onclick: ask }, "Show")), place);
}

function lineage(told) {
  const publishers = (told.publishers ?? []).map((one) => `${one.title} (${one.publisher}, ${one.terms})`).join("; ");
  return el("div", { class: "notice" },
    el("p", {}, el("strong", {}, `${year(told.ds)}: ${mt(told.value)}`), `, ${scope(told.scope)}, ${told.grade ?? "grade unknown"}, known since ${String(told.known_at ?? "").slice(0, 10) || "an unknown day"}. ${publishers}`),
    told.parts?.length ? el("ul", {}, told.parts.map((one) => el("li", {}, `${sector(one.unique_id)}: ${mt(one.value)} (${scope(one.source)})`))) : null,
    told.earlier?.length ? el("p", {}, `Told differently before: ${told.earlier.map((one) => `${mt(one.value)} until ${String(one.known_at).slice(0, 10)}`).join("; ")}.`) : null);
}
