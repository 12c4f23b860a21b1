// An inventory of the reader's own: looked at row by row before anything is kept, then kept and forecast.

import { address, key, Refused } from "./api.js";
import { COLOUR } from "./chart.js";
import { el } from "./dom.js";
import { choice, text } from "./fields.js";
import { inventories } from "./inventories.js";
import { panel } from "./panel.js";
import { million, mt, number, plain, UNIT, year } from "./words.js";

const MOST = 2_000_000;
const said = { unit: "", gas: "", decimal: "" };
let file = null;

async function send(path, query) {
  const headers = { "content-type": "application/octet-stream" };
  if (key()) headers["x-api-key"] = key();
  const reply = await fetch(address(path, query), { method: "POST", headers, body: file });
  const body = await reply.json();
  if (!reply.ok) throw new Refused(reply.status, body);
  return body;
}

const name = () => file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "own";

export function upload(page) {
  let wanted = null;
  const input = el("input", { type: "file", id: "file", accept: ".csv,.xlsx,.parquet", onchange: () => take(input.files[0]) });
  const turned = (field) => (value) => {
    said[field] = value;
    if (file) look();
  };
  const controls = [
    el("div", { class: "field" }, el("label", { for: "file" }, "Your file: CSV, XLSX or Parquet, up to 2 MB"), input),
    choice("Unit", { field: "unit", value: "", set: turned("unit"), options: ["", "t", "kt", "Mt", "tCO2e", "ktCO2e", "MtCO2e"].map((one) => [one, one || "as the file says"]) }),
    choice("Gas", { field: "gas", value: "", set: turned("gas"), options: ["", "CO2", "CO2e", "CH4", "N2O"].map((one) => [one, one || "as the file says"]) }),
    text("Decimal mark", { field: "decimal", value: "", size: 3, set: turned("decimal") }),
  ];

  const checked = panel({
    into: page, id: "own", title: "An inventory of your own", wide: true, controls,
    lead: "A row a site and year with a figure, or a column a year. It is looked at here first; nothing is kept before you say so.",
    load: async () => {
      if (!file) return null;
      if (file.size > MOST) throw new Refused(413, { error: { code: "body-too-large", found: `${file.name}, ${file.size} bytes`, expected: `at most ${MOST} bytes`, remedy: "split the file, or use `forecarbon ingest upload --file FILE`" } });
      return send("/v1/inventories/check", { ...said, name: name() });
    },
    empty: (data) => (data ? "" : "No file is chosen yet. Without one at hand, try docs/example-history.csv with the unit tCO2e."),
    draw: (data, body) => body.append(...verdict(data)),
    chart: (data) => (data.series.length ? seriesChart(data.series) : null),
    table: (data) => (data.complaints.length ? complaints(data) : seriesTable(data)),
    note: (data) => data.notes.map((one) => one.text).join("; "),
  });

  const kept = panel({
    into: page, id: "forecast", title: "Its forecast", wide: true,
    load: async () => {
      if (!wanted) return null;
      const told = await send("/v1/inventories", { ...said, name: name(), steps: 8, keep_good: wanted === "good" ? "true" : null });
      list.refresh();
      return told;
    },
    empty: (data) => (data ? "" : "Keep the file above, and its forecast stands here."),
    draw: (data, body) => body.append(el("p", {}, "Kept as your claim ", el("code", {}, data.inventory.id), `, apart from public records: ${data.inventory.figures} figures. Forecast by ${plain(data.forecasts[0].made_by)}.`)),
    chart: (data) => forecastChart(data),
    table: (data) => ({
      caption: "Forecasts",
      columns: [{ key: "site", label: "Site", header: true }, { key: "ds", label: "From" }, ...[["0.5", "Median"], ["0.1", "10%"], ["0.9", "90%"]].map(([q, label]) => ({ key: q, label, unit: UNIT, numeric: true, show: (x) => number(x) }))],
      rows: data.forecasts.flatMap((one) => one.rows.map((row) => ({ site: one.unique_id, ds: row.ds, ...Object.fromEntries(Object.entries(row.quantiles).map(([q, x]) => [q, million(x)])) }))),
    }),
  });
  // What is removed has no forecast here any more.
  const list = inventories(page, (id) => {
    if (kept.data?.inventory.id === id) look();
  });

  function take(chosen) {
    file = chosen ?? null;
    look();
  }

  function look() {
    wanted = null;
    checked.refresh();
    kept.refresh();
  }

  function verdict(data) {
    const keep = (how, word) => el("button", { type: "button", onclick: () => {
      wanted = how;
      kept.refresh();
      kept.element.scrollIntoView({ block: "start" });
    } }, word);
    const count = `${data.series.length + data.more_series} sites by ${data.cadence ?? "no period"}, ${data.rows_read} rows read, ${data.scope}.`;
    if (data.good) return [el("p", { class: "good" }, `Every row can be read: ${count}`), el("p", {}, keep("all", "Keep it and forecast it"))];
    const bad = el("p", { class: "notice refused" }, el("strong", {}, `${data.rows_bad} of ${data.rows_read} rows are at fault. `), "Correct them in your file and choose it again",
      data.series.length ? ", or keep the good rows alone." : ".");
    return data.series.length ? [bad, el("p", {}, keep("good", "Keep the good rows and forecast them"))] : [bad];
  }

  return checked;
}

function complaints(data) {
  return {
    caption: `What is wrong, ${data.row_word} by ${data.row_word}${data.more_complaints ? `; ${data.more_complaints} more are not shown` : ""}`, open: true, rows: data.complaints,
    columns: [{ key: "row", label: data.row_word === "line" ? "Line" : "Row", header: true, numeric: true }, { key: "code", label: "Complaint", show: (x) => plain(x) }, { key: "text", label: "What was found" }],
  };
}

function seriesTable(data) {
  return {
    caption: "What the file would give", open: true, rows: data.series.map((one) => ({ ...one, newest: million(one.newest) })),
    columns: [
      { key: "unique_id", label: "Site", header: true }, { key: "first", label: "From" }, { key: "last", label: "To" }, { key: "figures", label: "Figures", numeric: true },
      { key: "newest", label: "Newest", unit: UNIT, numeric: true, show: (x) => number(x) },
    ],
  };
}

const X = { field: "at", type: "temporal", axis: { title: null } };
const Y = { field: "y", type: "quantitative", axis: { title: UNIT } };

function lines(series) {
  return series.slice(0, 8).flatMap((one) => one.history.filter((row) => row.y !== null).map((row) => ({ at: row.ds, year: year(row.ds), site: one.unique_id.split(":").at(-1), y: million(row.y), said: mt(row.y) })));
}

const site = { field: "site", type: "nominal", scale: { range: COLOUR.sectors }, legend: { title: null, symbolOpacity: 1 } };
const tooltip = [{ field: "site", title: "Site" }, { field: "year", title: "Year" }, { field: "said", title: "" }];

function seriesChart(series) {
  return {
    label: `Figures of the first ${Math.min(8, series.length)} sites of the file`, height: 240,
    spec: { data: { values: lines(series) }, mark: { type: "line", point: { filled: true, size: 26 } }, encoding: { x: X, y: Y, color: site, strokeDash: { field: "site", type: "nominal", legend: { title: null } }, tooltip } },
  };
}

function forecastChart(data) {
  const past = lines(data.checked.series);
  const ahead = data.forecasts.slice(0, 8).flatMap((one) => {
    const name = one.unique_id.split(":").at(-1);
    const last = past.filter((row) => row.site === name).at(-1);
    // Begins at the last figure, so that fan and past meet.
    return [...(last ? [{ ...last, low: last.y, high: last.y }] : []), ...one.rows.map((row) => ({
      at: row.ds, year: year(row.ds), site: name, y: million(row.quantiles["0.5"]), low: million(row.quantiles["0.1"]), high: million(row.quantiles["0.9"]), said: mt(row.quantiles["0.5"]),
    }))];
  });
  return {
    label: "Your figures and their forecast: medians and 80% bands of the first sites", height: 280,
    spec: {
      layer: [
        { data: { values: ahead }, mark: { type: "area", opacity: 0.2 }, encoding: { x: X, y: { ...Y, field: "low" }, y2: { field: "high" }, color: site } },
        { data: { values: ahead }, mark: { type: "line", strokeDash: [5, 3], strokeWidth: 2 }, encoding: { x: X, y: Y, color: site, tooltip } },
        { data: { values: past }, mark: { type: "line", strokeWidth: 2 }, encoding: { x: X, y: Y, color: site, tooltip } },
      ],
    },
  };
}
