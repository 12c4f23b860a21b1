// A map without a service: outlines of land from a file of this server, the clusters as links one can tab to.
// Equal Earth projection (Savric, Patterson, Jenny 2018), so that areas compare.

import { svg } from "./dom.js";
import { chanceCell, likelihood, pastWords, plain } from "./words.js";

const [A1, A2, A3, A4] = [1.340264, -0.081106, 0.000893, 0.003796];
const M = Math.sqrt(3) / 2;

export function project(lon, lat) {
  const t = Math.asin(M * Math.sin((lat * Math.PI) / 180));
  const t2 = t * t;
  const t6 = t2 ** 3;
  const x = ((lon * Math.PI) / 180) * Math.cos(t) / (M * (A1 + 3 * A2 * t2 + t6 * (7 * A3 + 9 * A4 * t2)));
  return [x * 100, -t * (A1 + A2 * t2 + t6 * (A3 + A4 * t2)) * 100];
}

// How a cluster stands: a word, a shape and a colour, so that none of them is needed alone.
export function standingOf(line) {
  if (line.status !== "served") return { id: "absent", word: "no figures", shape: "ring", colour: "var(--grey)" };
  const chance = line.target?.chance;
  if (line.target === undefined) return { id: "asked", word: "chance being worked out", shape: "dot", colour: "var(--grey)" };
  if (!chance || chance.p === null || chance.p === undefined) return { id: "unmeasured", word: withoutChance(line), shape: "square", colour: "var(--purple)" };
  const word = likelihood(chance.p);
  if (chance.p >= 0.66) return { id: "likely", word, shape: "up", colour: "var(--blue)" };
  if (chance.p > 0.33) return { id: "even", word, shape: "dot", colour: "var(--orange)" };
  return { id: "unlikely", word, shape: "down", colour: "var(--red)" };
}

// Why there is no chance to show: the target's own status, what was found of it, or that there is none.
function withoutChance({ target, refused }) {
  if (target?.chance.status === "past") return pastWords(target.year, target.level, target.chance.outcome);
  if (target) return `target of ${target.year} has no chance here: ${plain(target.chance.status)}`;
  return refused?.length ? `target cannot be measured: ${refused[0].found}` : "no target in the registry";
}

export const LEGEND = [
  { word: "target likely", shape: "up", colour: "var(--blue)", id: "likely" },
  { word: "as likely as not", shape: "dot", colour: "var(--orange)", id: "even" },
  { word: "target unlikely", shape: "down", colour: "var(--red)", id: "unlikely" },
  { word: "figures, but no chance: no target, one past its year, or one that cannot be measured", shape: "square", colour: "var(--purple)", id: "unmeasured" },
  { word: "no figures", shape: "ring", colour: "var(--grey)", id: "absent" },
];

export function mark(shape, colour, size) {
  const s = size;
  if (shape === "up") return svg("path", { d: `M0 ${-s * 1.15} L${s} ${s * 0.75} L${-s} ${s * 0.75} Z`, fill: colour });
  if (shape === "down") return svg("path", { d: `M0 ${s * 1.15} L${s} ${-s * 0.75} L${-s} ${-s * 0.75} Z`, fill: colour });
  if (shape === "square") return svg("rect", { x: -s * 0.8, y: -s * 0.8, width: s * 1.6, height: s * 1.6, fill: colour });
  if (shape === "ring") return svg("circle", { r: s * 0.72, fill: "var(--surface)", stroke: colour, "stroke-width": s * 0.35 });
  return svg("circle", { r: s * 0.9, fill: colour });
}

const WORLD = { x0: -130, x1: 158, y0: 68, y1: -47, whole: true };
const EUROPE = { x0: -11.5, x1: 15, y0: 59.5, y1: 35.5 };
// Widths of both in a wide window, and in a narrow one, where they stand one above the other.
const WIDE = [760, 330];
const NARROW = [380, 380];

function frame(view, width) {
  const mid = view.whole ? 0 : (view.y0 + view.y1) / 2;
  const left = project(view.x0, mid)[0];
  const right = project(view.x1, mid)[0];
  const top = project(0, view.y0)[1];
  const bottom = project(0, view.y1)[1];
  const scale = width / (right - left);
  return { width, height: (bottom - top) * scale, at: ([lon, lat]) => {
    const [x, y] = project(lon, lat);
    return [(x - left) * scale, (y - top) * scale];
  } };
}

function outline(rings, to) {
  return rings.map((ring) => {
    let path = "";
    for (let k = 0; k < ring.length; k += 2) {
      const [x, y] = to.at([ring[k], ring[k + 1]]);
      path += `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    }
    return `${path}Z`;
  }).join("");
}

const GAP = 24;

// The map of `lines`: the world, and Europe beside it where most clusters lie close together.
export function map(land, lines, { title, narrow = false }) {
  const [world, europe] = [WORLD, EUROPE].map((view, k) => frame(view, (narrow ? NARROW : WIDE)[k]));
  const height = Math.max(world.height, narrow ? 0 : europe.height);
  const size = narrow ? [world.width, world.height + GAP + europe.height] : [world.width + GAP + europe.width, height];
  const place = narrow ? [0, world.height + GAP] : [world.width + GAP, (height - europe.height) / 2];
  const placed = lines.filter((line) => line.lat !== null && line.lon !== null);
  const inEurope = placed.filter((line) => line.lon > EUROPE.x0 && line.lon < EUROPE.x1 && line.lat < EUROPE.y0 && line.lat > EUROPE.y1);
  const others = placed.filter((line) => !inEurope.includes(line));
  const [ex, ey, ew, eh] = box(world);
  return svg("svg", { class: "map", viewBox: `0 0 ${size[0].toFixed(0)} ${size[1].toFixed(0)}`, role: "group", "aria-label": title },
    svg("defs", {}, clip("clip-world", world.width, world.height), clip("clip-europe", europe.width, europe.height)),
    svg("g", { transform: `translate(0 ${narrow ? 0 : ((height - world.height) / 2).toFixed(1)})` },
      svg("path", { d: outline(land.rings, world), fill: "var(--land)", "clip-path": "url(#clip-world)" }),
      svg("rect", { x: ex, y: ey, width: ew, height: eh, fill: "none", stroke: "var(--muted)", "stroke-dasharray": "3 3" }),
      others.map((line) => link(line, world, narrow ? 5 : 6.5))),
    svg("g", { transform: `translate(${place[0]} ${place[1].toFixed(1)})` },
      svg("path", { d: outline(land.rings, europe), fill: "var(--land)", "clip-path": "url(#clip-europe)" }),
      svg("rect", { x: 0.5, y: 0.5, width: europe.width - 1, height: europe.height - 1, fill: "none", stroke: "var(--muted)", "stroke-dasharray": "3 3" }),
      inEurope.map((line) => link(line, europe, 7))));
}

function clip(id, width, height) {
  return svg("clipPath", { id }, svg("rect", { width, height }));
}

function box(world) {
  const [x0, y0] = world.at([EUROPE.x0, EUROPE.y0]);
  const [x1, y1] = world.at([EUROPE.x1, EUROPE.y1]);
  return [x0, y0, x1 - x0, y1 - y0].map((one) => one.toFixed(1));
}

function link(line, view, size) {
  const standing = standingOf(line);
  const [x, y] = view.at([line.lon, line.lat]);
  const chance = line.target?.chance?.p;
  const said = `${line.name}: ${standing.word}${chance === undefined || chance === null ? "" : ` (${chanceCell(chance)} to meet its ${line.target.year} target)`}`;
  return svg("a", { href: `/clusters/${line.cluster_id}`, "aria-label": said, class: "place", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    svg("title", {}, said), svg("circle", { r: 13, fill: "transparent" }), halo(standing, size), mark(standing.shape, standing.colour, size));
}

function halo(standing, size) {
  return svg("circle", { r: size * 1.5, fill: "var(--surface)", opacity: standing.shape === "ring" ? 0 : 0.65 });
}
