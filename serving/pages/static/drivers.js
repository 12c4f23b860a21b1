// How the model came to its number: what each member pulls the forecast by. Not what causes emissions.

import { address, get } from "./api.js";
import { divergingBars, signed } from "./bars.js";
import { panel } from "./panel.js";
import { million, mt, number, plain, UNIT, year } from "./words.js";

const MEMBERS = { naive: "The newest figure again", trend: "Trend", arima: "ARIMA", boosted: "Learnt from all series (boosted trees)", level: "Mean of recent years" };

export function driversPanel({ into, series }) {
  return panel({
    into, id: "drivers", wide: true, title: "How the model came to its number",
    lead: "It starts from the newest figure; each member pulls the forecast of the next year up or down. This tells how the model thinks, not what causes emissions.",
    load: () => get(address("/v1/insights/drivers", { series, step: 1 })),
    chart: (data) => {
      const rows = rowsOf(data);
      return { label: rows.map((row) => `${row.name}: ${row.said} ${UNIT}`).join(". "), height: 30 + rows.length * 22, spec: divergingBars(rows, { title: "Pull on the forecast", tooltip: [{ field: "group", title: "Part" }, { field: "name", title: "What" }, { field: "said", title: `Pull, ${UNIT}` }] }) };
    },
    table: (data) => ({
      caption: `What pulls the forecast of ${year(data.ds)}, ${UNIT}`,
      columns: [{ key: "group", label: "Part" }, { key: "name", label: "What", header: true }, { key: "change", label: "Pull", unit: UNIT, numeric: true, show: (value) => number(value) }],
      rows: rowsOf(data),
    }),
    note: (data) => `From ${mt(data.anchor)} the members lead to ${mt(data.centre)} for ${year(data.ds)}; after the paths are drawn and bounded below, the served mean is ${mt(data.served_mean)}.`,
    answer: (data) => data.answer_id,
  });
}

function rowsOf(data) {
  const members = data.members.filter((one) => one.member !== "naive").map((one) => ({ group: "Members", name: MEMBERS[one.member] ?? plain(one.member), change: million(one.contribution) }));
  const groups = (data.booster?.groups ?? []).map((one) => ({ group: "Inside the boosted trees", name: `Trees: ${plain(one.group)}`, change: million(one.contribution) }));
  return [...members, ...groups].filter((row) => row.change !== 0)
    .map((row) => ({ ...row, said: signed(number(row.change), row.change), faint: row.group !== "Members" }));
}
