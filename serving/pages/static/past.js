// How good past forecasts were here: what was said at past cutoffs beside what came true, and the scores.

import { address, get } from "./api.js";
import { narrow } from "./bars.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { million, number, percent, UNIT, year } from "./words.js";

export function pastPanel({ into, series }) {
  return panel({
    into, id: "past", wide: true, title: "How good were past forecasts here?",
    lead: "The same way of forecasting, fitted again at past dates on what was known then. Bands are what it said; dots are what came true.",
    load: () => get(address("/v1/evidence", { series })),
    empty: (data) => (data.judged || data.fans.length ? "" : data.sentence),
    draw: (data, body) => body.append(...sentences(data)),
    chart: (data) => data.fans.length ? { label: `What was said at ${data.fans.length} past dates, beside what came true. ${data.sentence}`, height: 170 * Math.ceil(data.fans.length / columnsNow()), spec: spec(data) } : null,
    table: (data) => ({
      caption: `Past forecasts and what came true, ${UNIT}`,
      columns: [
        { key: "issued", label: "Issued", header: true }, { key: "year", label: "For" },
        ...[["median", "Median"], ["low", "80% from"], ["high", "80% to"], ["y", "Came true"]].map(([key, label]) => ({ key, label, unit: UNIT, numeric: true, show: (value) => number(value) })),
        { key: "inside", label: "Inside the 80% band" },
      ],
      rows: rowsOf(data),
    }),
    note: (data) => data.fans.length ? "The figures that came true count what was counted when the forecast was made; where that has changed since, there are none." : "The served model keeps no past fans; a retrain will.",
  });
}

function sentences(data) {
  const { scores, baseline_scores: base, skill } = data;
  if (!scores) return [el("p", {}, data.sentence)];
  const better = skill?.mase === null || skill?.mase === undefined ? "" : skill.mase >= 0
    ? `That is ${percent(skill.mase * 100, { sign: false, places: 0 })} closer than taking the newest figure again (${data.baseline}).`
    : `That is ${percent(-skill.mase * 100, { sign: false, places: 0 })} further off than taking the newest figure again (${data.baseline}): here the model has not helped so far.`;
  const held = scores.coverage_80 === null ? "" : `Of ${scores.n} forecasts from ${scores.folds} past dates, ${percent(scores.coverage_80 * 100, { sign: false, places: 0 })} came true inside the 80% band (${base ? `${percent(base.coverage_80 * 100, { sign: false, places: 0 })} for ${data.baseline}; ` : ""}80% would be right). `;
  return [el("p", { class: "big" }, held), el("p", {}, `The typical miss of the median was ${number(scores.mase)} times the usual change from one year to the next. `, better)];
}

function rowsOf(data) {
  return data.fans.flatMap((fan) => fan.rows.map((row) => {
    const y = million(row.y);
    const [low, high] = [million(row.quantiles["0.1"]), million(row.quantiles["0.9"])];
    return { issued: fan.issued, year: year(row.ds), median: million(row.quantiles["0.5"]), low, high, low95: million(row.quantiles["0.025"]), high95: million(row.quantiles["0.975"]), y, inside: y === null ? "not known" : y >= low && y <= high ? "yes" : "no" };
  }));
}

function columnsNow() {
  return narrow() ? 2 : 4;
}

function spec(data) {
  const rows = rowsOf(data).map((row) => ({ ...row, said: `Said in ${row.issued.slice(0, 4)}` }));
  const x = { field: "year", type: "quantitative", axis: { format: "d", title: null, tickCount: 4, tickMinStep: 1 }, scale: { zero: false, nice: false } };
  const y = (field) => ({ field, type: "quantitative", axis: { title: null, tickCount: 4 }, scale: { zero: true } });
  const tooltip = [{ field: "year", title: "Year" }, { field: "median", title: "Median", format: ".3f" }, { field: "low", title: "80% from", format: ".3f" }, { field: "high", title: "80% to", format: ".3f" }, { field: "y", title: "Came true", format: ".3f" }];
  const columns = columnsNow();
  const room = document.getElementById("past").clientWidth - 60;
  return {
    width: undefined, height: undefined, autosize: undefined,
    data: { values: rows },
    facet: { field: "said", type: "ordinal", title: null, header: { labelFontSize: 12, labelFontWeight: "bold", labelAnchor: "start" } },
    columns,
    spacing: { row: 14, column: 14 },
    spec: {
      width: Math.max(110, Math.floor(room / columns) - 58), height: 110,
      layer: [
        { mark: { type: "area", color: COLOUR.ahead, opacity: 0.16 }, encoding: { x, y: y("low95"), y2: { field: "high95" } } },
        { mark: { type: "area", color: COLOUR.ahead, opacity: 0.28 }, encoding: { x, y: y("low"), y2: { field: "high" } } },
        { mark: { type: "line", color: COLOUR.ahead, strokeWidth: 1.6 }, encoding: { x, y: y("median") } },
        { transform: [{ filter: "isValid(datum.y)" }], mark: { type: "point", filled: true, size: 34, color: COLOUR.past, opacity: 1 }, encoding: { x, y: y("y"), tooltip } },
      ],
    },
  };
}
