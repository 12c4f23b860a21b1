// Sectors stacked: what each emitted, and the mean of what it is likely to emit. Means add up; quantiles do not.

import { address, get } from "./api.js";
import { narrow } from "./bars.js";
import { COLOUR } from "./chart.js";
import { panel } from "./panel.js";
import { million, number, sector, UNIT, year } from "./words.js";

const MOST = 7;
const UNTIL = 2040;

export function sectorsPanel({ into, told }) {
  const ids = told.series.filter((one) => one.status === "served").map((one) => one.unique_id);
  return panel({
    into, id: "sectors", wide: true, title: "By sector",
    lead: "Figures up to the dashed line, means of the forecast after it.",
    load: async () => ids.length ? get(address("/v1/forecast", { series: ids, levels: 80, steps: 30 })) : { forecasts: [] },
    empty: (data) => (data.forecasts.length ? "" : "No sector of this cluster has a series of its own."),
    chart: (data) => {
      const rows = stacked(told, data);
      return { label: `Stacked areas of ${ids.length} sectors. ${latestWords(told)}`, height: 320, spec: spec(rows, told) };
    },
    table: (data) => table(stacked(told, data)),
    note: () => [`${latestWords(told)} `, told.breaks.length ? `What is counted changes at the dotted lines (${told.breaks.map((one) => one.year).join(", ")}). ` : "", told.absent_series.length ? `Not counted any more: ${told.absent_series.map((one) => `${sector(one.unique_id)} (${one.reason.split(":")[0]})`).join("; ")}.` : ""].join(""),
  });
}

function latestWords(told) {
  return told.series.filter((one) => one.latest).sort((a, b) => b.latest.y - a.latest.y)
    .map((one) => `${sector(one.unique_id)} ${number(million(one.latest.y))}`).join(", ") + ` ${UNIT} in the newest year.`;
}

// Rows {year, sector, y, what, order}; beyond the seven largest, the others are one.
function stacked(told, data) {
  const largest = [...told.series].filter((one) => one.latest).sort((a, b) => b.latest.y - a.latest.y);
  const shown = new Map(largest.map((one, k) => [one.unique_id, k < MOST || largest.length === MOST + 1 ? { word: sector(one.unique_id), order: k } : { word: "Others", order: MOST }]));
  const sums = new Map();
  const add = (id, when, y, what) => {
    const place = shown.get(id);
    if (!place || y === null || when > UNTIL) return;
    const key = `${place.word}|${when}|${what}`;
    const row = sums.get(key) ?? { year: when, sector: place.word, y: 0, what, order: place.order };
    row.y += million(y);
    sums.set(key, row);
  };
  for (const one of told.series) for (const row of one.history ?? []) add(one.unique_id, year(row.ds), row.y, "figure");
  for (const one of data.forecasts) for (const row of one.rows) add(one.unique_id, year(row.ds), row.mean, "forecast");
  return [...sums.values()].sort((a, b) => a.order - b.order || a.year - b.year);
}

function spec(rows, told) {
  const cut = year(told.cutoff);
  // The forecast begins where the figures end.
  const joint = rows.filter((row) => row.what === "figure" && row.year === year(told.cutoff)).map((row) => ({ ...row, what: "forecast" }));
  const breaks = told.breaks.map((one) => ({ year: one.year - 0.5 }));
  const words = [...new Map(rows.map((row) => [row.sector, row.order])).entries()].sort((a, b) => a[1] - b[1]).map(([word]) => word);
  const colour = { field: "sector", type: "nominal", sort: words, title: null, scale: { domain: words, range: COLOUR.sectors }, legend: { columns: narrow() ? 2 : 5 } };
  const area = (what, opacity) => ({
    transform: [{ filter: `datum.what === '${what}'` }], mark: { type: "area", opacity, line: false, stroke: "var(--surface)", strokeWidth: 0.8 },
    encoding: {
      x: { field: "year", type: "quantitative", axis: { format: "d", title: null, tickCount: 8, tickMinStep: 1 }, scale: { zero: false, nice: false } },
      y: { field: "y", type: "quantitative", stack: "zero", axis: { title: UNIT, tickCount: 5 } }, color: colour, order: { field: "order" },
      tooltip: [{ field: "sector", title: "Sector" }, { field: "year", title: "Year" }, { field: "y", title: UNIT, format: ".3f" }, { field: "what", title: "What" }],
    },
  });
  return {
    data: { values: [...rows, ...joint] },
    layer: [area("figure", 0.95), area("forecast", 0.55), rule([{ year: cut }], "var(--ink)", [4, 3]), rule(breaks, "var(--muted)", [2, 3])],
  };
}

function rule(values, color, strokeDash) {
  return { data: { values }, mark: { type: "rule", color, strokeDash }, encoding: { x: { field: "year", type: "quantitative" } } };
}

function table(rows) {
  const words = [...new Set(rows.map((row) => row.sector))];
  const years = [...new Set(rows.map((row) => row.year))].sort();
  return {
    caption: `Emissions by sector, ${UNIT} a year; forecasts are means`,
    columns: [{ key: "year", label: "Year", header: true }, { key: "what", label: "What" }, ...words.map((word) => ({ key: word, label: word, unit: UNIT, numeric: true, show: (value) => number(value) }))],
    rows: years.map((when) => {
      const mine = rows.filter((row) => row.year === when);
      return { year: when, what: mine[0].what, ...Object.fromEntries(mine.map((row) => [row.sector, row.y])) };
    }),
  };
}
