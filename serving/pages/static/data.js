// The data: sources and terms, vintages, restatements, quality by cluster, and an inventory of the reader's own.

import { get } from "./api.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { start } from "./shell.js";
import { upload } from "./upload.js";
import { day, million, number, percent, scope, sector, shortName, UNIT, year } from "./words.js";

const page = start();
const sources = () => get("/v1/sources");
const web = (text) => (/^https?:\/\//.test(text ?? "") ? text : null);

panel({
  into: page, id: "sources", title: "Sources", wide: true, lead: "Every figure behind the served model is from one of these.", load: sources,
  empty: (data) => (data.sources.length ? "" : "The served model keeps no figures with their vintages."),
  table: (data) => ({
    caption: "Sources, with what was read of them", open: true, rows: data.sources,
    columns: [
      { key: "title", label: "Source", header: true, show: (x, row) => (web(row.url) ? el("a", { href: row.url, rel: "noreferrer" }, x ?? row.source_id) : x ?? row.source_id) },
      { key: "publisher", label: "Publisher" }, { key: "licence", label: "Terms" }, { key: "evidence", label: "Terms were" }, { key: "grade", label: "Figures are" },
      { key: "scope", label: "Counts", show: (x) => scope(x) }, { key: "series", label: "Series", numeric: true }, { key: "figures", label: "Figures", numeric: true, show: (x) => x.toLocaleString("en-GB") },
      { key: "last", label: "Newest period", numeric: true, show: (x) => year(x) }, { key: "last_known_at", label: "Known at", show: (x) => day(x) },
    ],
  }),
});

const two = el("div", { class: "panels" });
page.append(two);

panel({
  into: two, id: "vintages", title: "What became known when", load: sources, lead: "Figures by the day they became known: a forecast of a past day may use no later ones.",
  empty: (data) => (data.vintages.length ? "" : "No vintages are kept."),
  chart: (data) => ({
    label: "Figures by the day they became known and source", height: 260,
    spec: {
      data: { values: data.vintages.map((one) => ({ ...one, said: one.figures.toLocaleString("en-GB") })) }, mark: { type: "bar", width: 8 },
      encoding: {
        x: { field: "known_at", type: "temporal", axis: { title: null } }, y: { field: "figures", type: "quantitative", axis: { title: "Figures" }, stack: "zero" },
        color: { field: "source_id", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null } },
        tooltip: [{ field: "known_at", title: "Known at" }, { field: "source_id", title: "Source" }, { field: "said", title: "Figures" }],
      },
    },
  }),
  table: (data) => ({
    caption: "Vintages, newest first", rows: data.vintages,
    columns: [{ key: "known_at", label: "Known at", header: true, show: (x) => day(x) }, { key: "source_id", label: "Source" }, { key: "figures", label: "Figures", numeric: true }, { key: "newest", label: "Newest period", numeric: true, show: (x) => year(x) }],
  }),
});

panel({
  into: two, id: "restated", title: "What was changed since", load: sources, lead: "Figures that a later vintage replaced. The earlier ones are kept: a past forecast stands on what was known then.",
  empty: (data) => (data.restated.count ? "" : "No figure behind this model was ever restated: each is known in one vintage."),
  table: (data) => ({
    caption: `The newest ${data.restated.rows.length} of ${data.restated.count}`, open: true, rows: data.restated.rows.map((one) => ({ ...one, before: million(one.before), value: million(one.value) })),
    columns: [
      { key: "unique_id", label: "Series", header: true, show: (x) => `${x.split("/")[0]}: ${sector(x)}` }, { key: "ds", label: "Of", numeric: true, show: (x) => year(x) }, { key: "known_at", label: "Known at", show: (x) => day(x) },
      { key: "before", label: "Before", unit: UNIT, numeric: true, show: (x) => number(x) }, { key: "value", label: "Now", unit: UNIT, numeric: true, show: (x) => number(x) },
    ],
  }),
});

upload(page);

// One row a cluster, those with a forecast first.
function quality(one) {
  return { ...one.quality, cluster_id: one.cluster_id, name: shortName(one.name), scope: one.scope ?? "", cutoff: one.cutoff ?? "", reason: one.reason ?? "", remedy: one.remedy ?? "" };
}

const part = (x) => (x === null || x === undefined ? "\u2013" : percent(100 * x, { sign: false, places: 0 }));
const cluster = { key: "name", label: "Cluster", header: true, show: (x, row) => el("a", { href: `/clusters/${row.cluster_id}` }, x) };

panel({
  into: page, id: "quality", title: "Quality by cluster", wide: true, lead: "How much of each cluster with a forecast is known, and how well.",
  load: () => get("/v1/clusters"),
  empty: (data) => (data.clusters.some((one) => one.status === "served") ? "" : "No cluster has figures here."),
  table: (data) => ({
    caption: "Clusters with figures", open: true, rows: data.clusters.filter((one) => one.status === "served").map(quality),
    columns: [
      cluster, { key: "scope", label: "Counts", show: (x) => scope(x) }, { key: "source_grade", label: "Figures are" }, { key: "cutoff", label: "Newest year", numeric: true, show: (x) => year(x) },
      { key: "periods", label: "Years", numeric: true }, { key: "completeness", label: "Complete", numeric: true, show: part }, { key: "share_imputed", label: "Filled in", numeric: true, show: part },
      { key: "contributors", label: "Sites", numeric: true }, { key: "breaks", label: "Breaks of scope", numeric: true },
      { key: "agreement", label: "Beside a published total", numeric: true, show: part },
    ],
  }),
  note: () => "Complete: figures there of those that should be. Filled in: figures no source gives. Beside a published total: how near the sum of plants comes to it, where somebody published one.",
});

panel({
  into: page, id: "absent", title: "Clusters without a forecast", wide: true, lead: "What is missing, and what would help.",
  load: () => get("/v1/clusters"),
  empty: (data) => (data.clusters.some((one) => one.status !== "served") ? "" : "Every cluster has figures."),
  table: (data) => ({
    caption: "Clusters without figures", open: true, rows: data.clusters.filter((one) => one.status !== "served").map(quality),
    columns: [cluster, { key: "reason", label: "Why" }, { key: "remedy", label: "What helps" }],
  }),
});
