import { address, get } from "./api.js";
import { panel } from "./panel.js";
import { start } from "./shell.js";
import { COLOUR } from "./chart.js";

const page = start();
panel({
  into: page, id: "total", title: "All clusters with figures together", load: () => get(address("/v1/forecast", { series: "initiative", levels: [80, 95], steps: 20 })),
  chart: (data) => ({ label: "x", height: 300, spec: { data: { values: data.forecasts[0].rows }, mark: { type: "line", color: COLOUR.ahead, tooltip: true }, encoding: { x: { field: "ds", type: "temporal" }, y: { field: "mean", type: "quantitative" } } } }),
  table: (data) => ({ caption: "t", columns: [{ key: "ds", label: "Year", header: true }, { key: "mean", label: "Mean", unit: "t", numeric: true }], rows: data.forecasts[0].rows }),
});
