// Horizontal bars with their numbers beside them, and axes that leave room for names on a narrow window.

import { UNIT } from "./words.js";

export function narrow() {
  return window.innerWidth < 640;
}

// The axis of names.
export function nameAxis(field) {
  return {
    field, type: "nominal", sort: null,
    axis: { title: null, labelLimit: narrow() ? 130 : 260, domain: false, ticks: false, grid: false, labelColor: "var(--ink)" },
  };
}

// Bars that go down (blue, to the left) or up (red, to the right) from zero. Rows: {name, change, said, faint}.
export function divergingBars(rows, { title, tooltip }) {
  const x = { field: "change", type: "quantitative", axis: { title: `${title}, ${UNIT}`, grid: true, tickCount: narrow() ? 3 : 6 }, scale: { padding: narrow() ? 46 : 60, nice: false } };
  return {
    data: { values: rows.map((row) => ({ ...row, way: row.change < 0 ? "down" : "up" })) },
    encoding: { y: nameAxis("name"), tooltip },
    layer: [
      {
        mark: { type: "bar", height: 13 },
        encoding: {
          x, color: { field: "way", type: "nominal", legend: null, scale: { domain: ["down", "up"], range: ["var(--blue)", "var(--red)"] } },
          opacity: { condition: { test: "datum.faint", value: 0.55 }, value: 1 },
        },
      },
      { mark: { type: "rule", color: "var(--muted)" }, encoding: { x: { datum: 0 }, y: null } },
      {
        mark: { type: "text", fontSize: 11, align: { expr: "datum.change < 0 ? 'right' : 'left'" }, dx: { expr: "datum.change < 0 ? -5 : 5" } },
        encoding: { x, text: { field: "said" } },
      },
    ],
  };
}

// A number with its sign, as it stands beside a bar whose axis names the unit.
export function signed(text, value) {
  return value > 0 ? `+${text}` : text;
}
