// What the initiative claims, and what stands behind it: side by side, never added up.

import { get } from "./api.js";
import { narrow, nameAxis } from "./bars.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { links } from "./provenance.js";
import { panel } from "./panel.js";
import { million, mt, number, percent, UNIT } from "./words.js";

function rowsOf(data) {
  const { claimed, targets, forecast } = data;
  const fall = forecast.fall;
  return [
    { what: "Claimed by the initiative", value: claimed.reduction_potential_mt, kind: "claim", counts: "potential cuts as reported; an inventory of nothing" },
    { what: "Claimed by single clusters", value: claimed.by_cluster_sum_mt, kind: "claim", counts: `${claimed.by_cluster.length} claims, some of them capacities` },
    { what: `Asked for by targets up to ${data.year}`, value: million(targets.cut), kind: "target", counts: `of ${targets.clusters.length} ${targets.clusters.length === 1 ? "cluster" : "clusters"} whose target can be measured` },
    { what: `Forecast fall by ${data.year}`, value: million(fall["q0.5"]), low: million(fall["q0.1"]), high: million(fall["q0.9"]), kind: "forecast", counts: `median of ${forecast.clusters} clusters with figures; below zero is a rise` },
  ];
}

export function claims(into) {
  return panel({
    into, id: "claims", wide: true, title: "832 Mt claimed: what stands behind it?",
    lead: "Four numbers that count different things. They stand side by side and are never added.",
    load: () => get("/v1/insights/initiative"),
    draw(data, body) {
      const share = data.share_of_claim;
      const [claimed] = rowsOf(data);
      document.getElementById("claims-title").textContent = `${number(claimed.value)} Mt claimed: what stands behind it?`;
      body.append(el("p", {}, `The initiative reports ${number(claimed.value)} ${UNIT} of potential cuts. Targets that can be measured ask for `,
        el("strong", {}, `${percent(share.asked_by_targets * 100, { sign: false })} of it`), ` by ${data.year}. The forecast, without further projects, lies between ${moved(data.forecast.fall["q0.1"])} and ${moved(data.forecast.fall["q0.9"])} in 80 of 100 futures.`));
    },
    chart: (data) => ({
      label: rowsOf(data).map((row) => `${row.what}: ${number(row.value)} ${UNIT}`).join(". "), height: 190,
      spec: bars(rowsOf(data)),
    }),
    table: (data) => ({
      caption: `Claim, targets and forecast side by side`, open: true,
      columns: [
        { key: "what", label: "What", header: true }, { key: "value", label: "Cut", unit: UNIT, numeric: true, show: (value) => number(value) },
        { key: "low", label: "80% from", unit: UNIT, numeric: true, show: (value) => number(value) }, { key: "high", label: "80% to", unit: UNIT, numeric: true, show: (value) => number(value) },
        { key: "counts", label: "What it counts" },
      ],
      rows: rowsOf(data),
    }),
    note: (data) => [`Reported in ${data.claimed.date}: `, ...links(data.claimed.source), `Clusters with figures: ${data.inventories.clusters} of ${data.inventories.of}, together ${mt(data.inventories.newest_sum)} in their newest years. Targets that cannot be measured: ${data.targets.refused.length}.`],
    answer: (data) => data.answer_id,
  });
}

function moved(fall) {
  return `a ${fall < 0 ? "rise" : "fall"} of ${mt(Math.abs(fall))}`;
}

function bars(rows) {
  const y = nameAxis("what");
  const tooltip = [{ field: "what", title: "What" }, { field: "said", title: `Cut, ${UNIT}` }, { field: "counts", title: "Counts" }];
  const values = rows.map((row) => ({ ...row, said: row.low === undefined ? number(row.value) : `${number(row.value)} (${number(row.low)} to ${number(row.high)})` }));
  const colour = { field: "kind", type: "nominal", legend: null, scale: { domain: ["claim", "target", "forecast"], range: ["var(--grey)", COLOUR.target, COLOUR.ahead] } };
  return {
    data: { values },
    encoding: { y, tooltip },
    layer: [
      { mark: { type: "bar", height: 20 }, encoding: { x: { field: "value", type: "quantitative", axis: { title: `Cut, ${UNIT}`, grid: true, tickCount: narrow() ? 3 : 6 } }, color: colour } },
      { transform: [{ filter: "isValid(datum.low)" }], mark: { type: "rule", strokeWidth: 3, color: COLOUR.ahead }, encoding: { x: { field: "low", type: "quantitative" }, x2: { field: "high" } } },
      { mark: { type: "text", align: "left", dx: 8 }, encoding: { x: { field: "edge", type: "quantitative" }, text: { field: "said" } }, transform: [{ calculate: "max(datum.value, isValid(datum.high) ? datum.high : datum.value)", as: "edge" }, { filter: "datum.edge < 500" }] },
      { mark: { type: "text", align: "right", dx: -8, color: "var(--surface)", fontWeight: "bold" }, encoding: { x: { field: "value", type: "quantitative" }, text: { field: "said" } }, transform: [{ filter: "datum.value >= 500" }] },
    ],
  };
}
