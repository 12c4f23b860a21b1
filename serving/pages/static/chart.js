// Charts by Vega-Lite, which comes from this server and is fetched when the first chart comes near the window.
// Colours are the style sheet's variables, so that a chart follows the theme and the printer without being drawn anew.

import { el } from "./dom.js";

const INK = "var(--ink)";
const MUTED = "var(--muted)";
const LINE = "var(--line)";
const FONT = "-apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, system-ui, sans-serif";

// By meaning; told apart by dash, shape or place too.
export const COLOUR = {
  past: "var(--past)",
  ahead: "var(--blue)",
  target: "var(--green)",
  other: "var(--purple)",
  up: "var(--red)",
  down: "var(--blue)",
  sectors: ["var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)", "var(--s6)", "var(--s7)", "var(--s8)"],
};

const CONFIG = {
  aria: false,
  background: null,
  font: FONT,
  view: { stroke: null },
  padding: 4,
  axis: {
    labelColor: MUTED, titleColor: MUTED, domainColor: LINE, tickColor: LINE, gridColor: LINE,
    labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelPadding: 6, titlePadding: 8, grid: false,
  },
  axisY: { grid: true, domain: false, ticks: false },
  axisX: { tickSize: 4 },
  legend: {
    labelColor: INK, titleColor: MUTED, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
    orient: "top", direction: "horizontal", symbolSize: 90, columnPadding: 16, labelLimit: 260,
  },
  text: { color: INK, fontSize: 12 },
  rule: { color: MUTED },
  header: { labelColor: INK, titleColor: MUTED },
};

let library = null;

function load() {
  library ??= import(document.documentElement.dataset.charts).then(() => window.vegaEmbed);
  library.catch(() => {
    library = null;
  });
  return library;
}

function near(node) {
  return new Promise((done) => {
    const watch = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) {
        watch.disconnect();
        done();
      }
    }, { rootMargin: "600px" });
    watch.observe(node);
  });
}

// A box for a chart, at once of its height; drawn when it comes near. `label` says in words what it shows.
export function chart(spec, { label, height }) {
  // To those who hear the page the box is one picture with a label; its figures are in the table.
  const canvas = el("div", { class: "canvas", "aria-hidden": "true" });
  const box = el("div", { class: "chart", role: "img", "aria-label": label }, canvas);
  box.style.minHeight = `${height + 60}px`;
  let view = null;
  const draw = async () => {
    if (view) return view;
    const embed = await load();
    const made = await embed(canvas, { width: "container", height, autosize: { type: "fit-x", contains: "padding" }, ...spec }, {
      mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false, config: CONFIG,
      tooltip: tooltip(box),
    });
    view = made.view;
    box.style.minHeight = "";
    box.dataset.drawn = "yes";
    return view;
  };
  box.drawn = near(box).then(draw).catch((fault) => {
    box.style.minHeight = "";
    box.replaceWith(el("p", { class: "notice", role: "status" }, `The chart could not be drawn (${fault.message}). Its figures are in the table.`));
  });
  return {
    box,
    async svg() {
      const text = await (await draw()).toSVG();
      const [, width, tall] = /width="([\d.]+)" height="([\d.]+)"/.exec(text) ?? [0, 800, 400];
      return { text, width: Number(width), height: Number(tall) };
    },
  };
}

let shown = null;

function tooltip(box) {
  return (_, event, item, value) => {
    shown?.remove();
    shown = null;
    if (value === null || value === undefined || value === "") return;
    const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
    shown = el("div", { class: "tip", "aria-hidden": "true" }, rows.map(([name, one]) =>
      el("div", {}, name ? el("span", {}, `${name} `) : null, el("b", {}, String(one)))));
    document.body.append(shown);
    const left = Math.min(event.clientX + 14, window.innerWidth - shown.offsetWidth - 8);
    shown.style.left = `${Math.max(8, left)}px`;
    shown.style.top = `${Math.max(8, event.clientY - shown.offsetHeight - 12)}px`;
    box.addEventListener("mouseleave", () => shown?.remove(), { once: true });
  };
}
