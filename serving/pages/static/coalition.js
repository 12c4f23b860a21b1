// The coalition: all clusters together, where each stands, and why emissions moved.

import { address, get } from "./api.js";
import { narrow } from "./bars.js";
import { claims } from "./claims.js";
import { el, svg } from "./dom.js";
import { fan, fanRows, fanTable } from "./fan.js";
import { LEGEND, map, mark } from "./map.js";
import { panel } from "./panel.js";
import { portfolio } from "./portfolio.js";
import { start } from "./shell.js";
import { standingsTable } from "./standings.js";
import { whyPanel } from "./why.js";
import { between, chance, mt, range, scope, UNIT, year } from "./words.js";

const SLOW = 250;
const page = start();

const QUESTIONS = [
  { href: "/clusters/gb-humber#chance", ask: "Will Humber make it?", say: "The chance of its target, and what the forecast rests on" },
  { href: "/scenarios?example=porthos-two-years-late", ask: "What would CCS two years late do?", say: "Porthos in Rotterdam delayed: emissions and chance beside the baseline" },
  { href: "#why", ask: "Why did emissions fall in 2020?", say: "Which clusters moved, and what everybody had in common" },
];

page.append(el("nav", { class: "questions", "aria-label": "Questions people ask" }, QUESTIONS.map((one) =>
  el("a", { href: one.href }, el("b", {}, one.ask), el("span", {}, one.say)))));

const figures = el("div", { class: "panels" });
page.append(figures);

async function together() {
  const [told, whole] = await Promise.all([
    get(address("/v1/forecast", { series: "initiative", levels: [80, 95], steps: 18 })),
    get("/v1/insights/initiative"),
  ]);
  const why = await get(address("/v1/insights/why", { series: "initiative" })).catch(() => null);
  return { forecast: told.forecasts[0], initiative: whole, history: await historyOf(), why };
}

// The past of all together: the sum of what the clusters' pages show, which the API holds as a series of its own.
async function historyOf() {
  const told = await get(address("/v1/insights/progress", { series: "initiative" }));
  return told.figures[0].rows.map((row) => ({ year: row.year, y: row.value / 1e6 }));
}

function lastOf(data) {
  const last = data.history.at(-1);
  return { ds: `${last.year}-01-01`, y: last.y * 1e6 };
}

panel({
  into: figures, id: "total", wide: true, title: "All clusters with figures, together",
  lead: "Emissions so far and what is likely from here. The line is the median: as many futures lie above it as below.",
  load: together,
  draw: (data, body) => body.append(headline(data)),
  chart: (data) => {
    const breaks = data.why?.scope?.breaks ?? [];
    return {
      label: `Fan chart. ${headlineText(data)}`, height: 340,
      spec: fan({ past: data.history, rows: fanRows(data.forecast, lastOf(data)), breaks: breaks.map((one) => one.year ?? year(one.ds)).filter(Boolean) }),
    };
  },
  table: (data) => fanTable(`All clusters with figures together, ${UNIT} a year`, data.history, fanRows(data.forecast)),
  note: (data) => `Counted: ${scope(data.forecast.scope)}, the plants inside the clusters' boundaries. The newest year that all of them have is ${year(data.forecast.cutoff)}. The forecast assumes no project or policy that has not shown in the figures yet; the scenario page lays such things over it.`,
  answer: (data) => data.initiative.answer_id,
});

function in2030(data) {
  return data.forecast.rows.find((row) => year(row.ds) === 2030);
}

function headlineText(data) {
  const last = data.history.at(-1);
  const row = in2030(data);
  const ahead = row ? ` In 2030 the median is ${mt(row.quantiles["0.5"])}, 80% band ${range(row.quantiles["0.1"], row.quantiles["0.9"])}.` : "";
  return `${mt(last.y * 1e6)} in ${last.year}.${ahead}`;
}

function headline(data) {
  const { inventories, forecast } = data.initiative;
  const last = data.history.at(-1);
  const row = in2030(data);
  const p = forecast.chance_of_any_fall;
  const one = (value, words) => el("div", {}, el("dd", {}, value), el("dt", {}, words));
  return el("dl", { class: "key" },
    one(mt(last.y * 1e6), `emitted in ${last.year} by the ${inventories.clusters} of ${inventories.of} clusters that have public figures`),
    row ? one(mt(row.quantiles["0.5"]), `median for 2030; 80 in 100 futures lie ${between(row.quantiles["0.1"], row.quantiles["0.9"])}`) : null,
    one(chance(p), `chance that they emit less in ${forecast.year} than in their newest figures at all`));
}

claims(figures);

// Standings take a second when a model is new: until then the table shows what is known without them.
function standings(again) {
  return async () => {
    const full = get("/v1/insights/standings");
    const soon = await Promise.race([full, new Promise((done) => setTimeout(() => done(null), SLOW))]);
    if (soon) return soon;
    full.then(again, again);
    return { ...(await get("/v1/clusters")), partial: true };
  };
}

const land = fetch(document.documentElement.dataset.land).then((reply) => reply.json());

const place = panel({
  into: figures, id: "map", wide: true, title: "Where they are, and where they stand",
  lead: "Shape and colour tell how likely the nearest target in force is to be met. Every mark leads to the page of its cluster.",
  load: () => Promise.all([standings(() => place.refresh())(), land]).then(([told, outline]) => ({ ...told, outline })),
  draw: (data, body) => body.append(legend(data)),
  picture: (data) => map(data.outline, data.clusters, { title: "Map of the clusters", narrow: narrow() }),
  note: (data) => {
    const without = data.clusters.filter((line) => line.lat === null);
    return without.length ? `Not on the map, for no place is published: ${without.map((line) => line.name).join("; ")}.` : "";
  },
  table: (data) => ({
    caption: "Where the clusters are", open: "elsewhere",
    columns: [{ key: "cluster_id", label: "Id" }, { key: "name", label: "Cluster" }, { key: "country", label: "Country" }, { key: "lat", label: "Latitude" }, { key: "lon", label: "Longitude" }, { key: "status", label: "Status" }],
    rows: data.clusters,
  }),
});

function legend() {
  return el("ul", { class: "legend" }, LEGEND.map((one) =>
    el("li", {}, svg("svg", { viewBox: "-9 -9 18 18", width: 16, height: 16, "aria-hidden": "true" }, mark(one.shape, one.colour, 7)), ` ${one.word}`)));
}

standingsTable(figures, standings);

portfolio(figures);

whyPanel({
  into: figures, series: "initiative", title: "Why did emissions move?", start: 2019, end: 2020,
  lead: "What each cluster did to the total between two years, and whether others did the same.",
  names: async () => new Map((await get("/v1/clusters")).clusters.map((one) => [one.cluster_id, one.name])),
});

