// The fan chart: what was, what is likely, what is aimed at. Everything in it is in Mt CO2e.

import { COLOUR } from "./chart.js";
import { million, number, UNIT, year } from "./words.js";

// Rows of /v1/forecast as plain numbers, with the last figure before them so that fan and past meet.
export function fanRows(forecast, last) {
  const rows = forecast.rows.map((row) => ({
    year: year(row.ds), mean: million(row.mean ?? null), median: million(row.quantiles["0.5"]),
    low80: million(row.quantiles["0.1"]), high80: million(row.quantiles["0.9"]),
    low95: million(row.quantiles["0.025"]), high95: million(row.quantiles["0.975"]),
  }));
  if (!last) return rows;
  const y = million(last.y);
  return [{ year: year(last.ds), mean: y, median: y, low80: y, high80: y, low95: y, high95: y }, ...rows];
}

const X = { field: "year", type: "quantitative", axis: { format: "d", title: null, tickMinStep: 1, tickCount: 8 }, scale: { zero: false, nice: false } };

function at(field, more = {}) {
  return { field, type: "quantitative", axis: { title: UNIT, tickCount: 5 }, scale: { zero: true, nice: true }, ...more };
}

const SHADES = ["95 in 100 futures", "80 in 100 futures"];

function band(rows, low, high, name, opacity) {
  return {
    data: { values: rows.map((row) => ({ ...row, kind: name })) },
    mark: { type: "area", color: COLOUR.ahead, opacity, interpolate: "linear" },
    encoding: { x: X, y: at(low), y2: { field: high } },
  };
}

// The past in stretches: a line goes neither over years without a figure nor over a break of scope.
function stretches(past, breaks) {
  let stretch = 0;
  return past.map((one, k) => {
    if (k > 0 && (one.year - past[k - 1].year > 1 || breaks.includes(one.year))) stretch += 1;
    return { ...one, stretch };
  });
}

// Options: past [{year, y}], rows (as fanRows), targets [{year, level, base_year, base, name}], published [{year, y, name}],
// breaks [years]. Lines are told apart by dash and by a word beside them, not by colour alone.
export function fan({ past, rows, targets = [], published = [], breaks = [], height = 340 }) {
  const label = (one) => `${number(one)} ${UNIT}`;
  const ahead = rows.map((row) => ({
    ...row, said: label(row.median), span80: `${number(row.low80)} to ${label(row.high80)}`, span95: `${number(row.low95)} to ${label(row.high95)}`,
  }));
  const end = rows.at(-1);
  const words = [
    ...(end ? [{ year: end.year, y: end.median, text: "median", side: "right", dy: -7 }, { year: end.year, y: end.high80, text: "80% band", side: "right", dy: 12 }, { year: end.year, y: end.high95, text: "95% band", side: "right", dy: 12 }] : []),
  ];
  const layer = [
    band(rows, "low95", "high95", SHADES[0], 0.16),
    band(rows, "low80", "high80", SHADES[1], 0.28),
    ...(breaks.length ? [{
      data: { values: breaks.map((one) => ({ year: one - 0.5, text: `Scope changes in ${one}` })) },
      mark: { type: "rule", strokeDash: [2, 3], color: "var(--muted)" },
      encoding: { x: X, tooltip: [{ field: "text", title: "Break" }] },
    }] : []),
    {
      data: { values: ahead }, mark: { type: "line", color: COLOUR.ahead, strokeWidth: 2.4 },
      encoding: { x: X, y: at("median") },
    },
    {
      data: { values: stretches(past, breaks).map((one) => ({ ...one, said: label(one.y) })) },
      mark: { type: "line", color: COLOUR.past, strokeWidth: 2.4, point: { color: COLOUR.past, size: 26, filled: true } },
      encoding: { x: X, y: at("y"), detail: { field: "stretch" }, tooltip: [{ field: "year", title: "Year" }, { field: "said", title: "Emissions" }] },
    },
    ...goals(targets),
    ...totals(published),
    {
      data: { values: ahead }, mark: { type: "bar", opacity: 0, size: 16 },
      encoding: { x: X, y: at("high95"), tooltip: [{ field: "year", title: "Year" }, { field: "said", title: "Median" }, { field: "span80", title: "80% band" }, { field: "span95", title: "95% band" }] },
    },
    ...["right"].map((side) => ({
      data: { values: words.filter((one) => one.side === side) },
      mark: { type: "text", align: side, dx: -4, dy: { expr: "datum.dy" }, fontSize: 11, color: "var(--muted)" },
      encoding: { x: X, y: at("y"), text: { field: "text" } },
    })),
  ];
  return { height, layer };
}

function goals(targets) {
  return targets.flatMap((one) => {
    const path = one.base_year && one.base !== null ? [{ year: one.base_year, y: one.base }, { year: one.year, y: one.level }] : [];
    const tip = [{ field: "name", title: "Target" }, { field: "year", title: "Year" }, { field: "said", title: "To be left" }];
    return [
      ...(path.length ? [{ data: { values: path }, mark: { type: "line", color: COLOUR.target, strokeDash: [6, 4], strokeWidth: 1.8, clip: true }, encoding: { x: X, y: at("y") } }] : []),
      {
        data: { values: [{ year: one.year, y: one.level, name: one.name, said: `${number(one.level)} ${UNIT}`, text: `target ${one.year}` }] },
        layer: [
          { mark: { type: "point", shape: "diamond", filled: true, size: 150, color: COLOUR.target, opacity: 1 }, encoding: { x: X, y: at("y"), tooltip: tip } },
          { mark: { type: "text", dy: -13, align: one.late ? "right" : "center", dx: one.late ? 6 : 0, fontSize: 11, color: COLOUR.target }, encoding: { x: X, y: at("y"), text: { field: "text" } } },
        ],
      },
    ];
  });
}

function totals(published) {
  if (!published.length) return [];
  return [{
    data: { values: published.map((one) => ({ ...one, said: `${number(one.y)} ${UNIT}` })) },
    mark: { type: "point", shape: "square", filled: false, size: 55, strokeWidth: 1.8, color: COLOUR.other, opacity: 1 },
    encoding: { x: X, y: at("y"), tooltip: [{ field: "name", title: "Published" }, { field: "year", title: "Year" }, { field: "said", title: "Total" }] },
  }];
}

// The table behind a fan.
export function fanTable(caption, past, rows) {
  const known = past.map((one) => ({ year: one.year, what: "figure", value: one.y }));
  const ahead = rows.filter((row) => !past.some((one) => one.year === row.year)).map((row) => ({ ...row, what: "forecast", value: row.median }));
  const show = (value) => number(value);
  const column = (key, label) => ({ key, label, unit: UNIT, numeric: true, show });
  return {
    caption,
    columns: [
      { key: "year", label: "Year", header: true }, { key: "what", label: "What" }, column("value", "Figure or median"),
      column("low80", "80% from"), column("high80", "80% to"), column("low95", "95% from"), column("high95", "95% to"),
    ],
    rows: [...known, ...ahead],
  };
}
