// Projects on a timeline: when each was to start when it was announced, and when it is to start now.

import { nameAxis } from "./bars.js";
import { el } from "./dom.js";
import { panel } from "./panel.js";
import { links } from "./provenance.js";
import { told } from "./words.js";

export function projectsPanel({ into, told: cluster }) {
  return panel({
    into, id: "projects", wide: true, title: "Projects, and how they slip",
    lead: "From the start that was first announced (circle) to the one that stands now (diamond). What a project would do to emissions is for a scenario: the forecast does not assume any.",
    load: async () => cluster.projects,
    empty: (rows) => (rows.length ? "" : "The registry holds no project of this cluster."),
    draw: (rows, body) => {
      const slipped = rows.filter((one) => one.slip_years > 0);
      if (slipped.length) body.append(el("p", {}, slipped.map((one) => `${one.project} has slipped by ${told(one.slip_years)} ${one.slip_years === 1 ? "year" : "years"}.`).join(" ")));
    },
    chart: (rows) => {
      const dated = datedOf(rows);
      return dated.length ? { label: dated.map((one) => one.said).join(" "), height: 40 + dated.length * 34, spec: spec(dated) } : null;
    },
    table: (rows) => ({
      caption: "Projects of the registry", open: true,
      columns: [
        { key: "project", label: "Project", header: true }, { key: "technology", label: "What" }, { key: "status", label: "Status" },
        { key: "first_announced_start", label: "First start" }, { key: "latest_start_text", label: "Start now", show: (value, row) => value || row.latest_start || "\u2013" },
        { key: "slip_years", label: "Slip", unit: "years", numeric: true, show: (value) => (value === null ? "\u2013" : told(value)) },
        { key: "abatement_mt_per_yr", label: "Abates", unit: "Mt a year", numeric: true, show: (value) => told(value) },
        { key: "source", label: "Source", show: (value) => links(String(value).split(" | ")[0]) },
      ],
      rows,
    }),
  });
}

function datedOf(rows) {
  return rows.filter((one) => one.first_announced_start || one.latest_start).map((one) => {
    const first = one.first_announced_start ?? one.latest_start;
    const last = one.latest_start ?? first;
    const slip = last - first;
    return { name: one.project, first, last, slip, said: `${one.project}: ${first === last ? `start ${first}` : `first ${first}, now ${last}`}${slip > 0 ? `, ${slip} ${slip === 1 ? "year" : "years"} later` : ""}.` };
  }).sort((a, b) => a.first - b.first);
}

function spec(rows) {
  const years = rows.flatMap((row) => [row.first, row.last]);
  const x = (field) => ({ field, type: "quantitative", axis: { format: "d", title: null, tickMinStep: 1, grid: true }, scale: { zero: false, nice: false, domain: [Math.min(...years) - 1, Math.max(...years) + 2] } });
  return {
    data: { values: rows },
    encoding: {
      y: nameAxis("name"),
      tooltip: [{ field: "name", title: "Project" }, { field: "first", title: "First announced start" }, { field: "last", title: "Start now" }, { field: "slip", title: "Years later" }],
    },
    layer: [
      { mark: { type: "rule", strokeWidth: 3, color: "var(--orange)" }, encoding: { x: x("first"), x2: { field: "last" } } },
      { mark: { type: "point", shape: "circle", size: 80, filled: false, strokeWidth: 2, color: "var(--muted)", opacity: 1 }, encoding: { x: x("first") } },
      { mark: { type: "point", shape: "diamond", size: 110, filled: true, color: "var(--blue)", opacity: 1 }, encoding: { x: x("last") } },
      { transform: [{ calculate: "datum.slip > 0 ? '+' + datum.slip + (datum.slip == 1 ? ' year' : ' years') : ''", as: "word" }], mark: { type: "text", align: "left", dx: 10, fontSize: 11 }, encoding: { x: x("last"), text: { field: "word" } } },
    ],
  };
}
