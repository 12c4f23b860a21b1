// A scenario as the page holds it: the very table that POST /v1/scenarios takes, and its ways out: address, TOML.

export const VERSION = 1;
export const MOST_COMPARED = 4;

export function fresh(series) {
  return { version: VERSION, name: "My plan", series, projects: [], levers: [] };
}

// docs/examples/porthos-two-years-late.toml, which a test holds this to.
export const EXAMPLES = {
  "porthos-two-years-late": {
    version: 1,
    name: "Porthos two years late",
    series: "nl-rotterdam",
    target: "nl-rotterdam-2030-percent",
    grid: "0.159 t/MWh",
    stores: [{ name: "P18, North Sea", capacity: "2.5 Mt/year" }],
    projects: [{ project_id: "nl-rotterdam-porthos", delay_years: 2, ramp_years: 1, store: "P18, North Sea" }],
  },
};

// What is sent: without empty lists, and without fields nobody has filled in.
export function tableOf(plan) {
  const whole = {};
  for (const [name, value] of Object.entries(plan)) {
    if (value === "" || value === null || value === undefined) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    whole[name] = Array.isArray(value) && typeof value[0] === "object" ? value.map(tableOf) : value;
  }
  return whole;
}

export function linkOf(plan) {
  return `${location.origin}/scenarios#plan=${encodeURIComponent(JSON.stringify(tableOf(plan)))}`;
}

// The plan an address holds; null where it holds none that can be read.
export function ofHash(hash) {
  const text = new URLSearchParams(hash.replace(/^#/, "")).get("plan");
  if (!text) return null;
  try {
    const told = JSON.parse(text);
    if (told === null || typeof told !== "object" || typeof told.series !== "string") return null;
    const list = (value) => (Array.isArray(value) ? value.filter((one) => one !== null && typeof one === "object") : []);
    return { ...told, projects: list(told.projects), levers: list(told.levers) };
  } catch {
    return null;
  }
}

// "2.5 Mt/year" -> 2.5; null where it is told in another unit, which then stays as it is.
export function inUnit(text, unit) {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(.*?)\s*$/.exec(text ?? "");
  return found && found[2] === unit ? Number(found[1]) : null;
}

function value(of) {
  if (typeof of === "string") return JSON.stringify(of);
  if (Array.isArray(of)) return `[${of.map(value).join(", ")}]`;
  if (of !== null && typeof of === "object") return `{ ${Object.entries(of).map(([name, one]) => `${name} = ${value(one)}`).join(", ")} }`;
  return String(of);
}

// The file that `forecarbon scenario FILE.toml` reads.
export function tomlOf(plan) {
  const table = tableOf(plan);
  const lists = Object.entries(table).filter(([, one]) => Array.isArray(one) && typeof one[0] === "object");
  const plain = Object.entries(table).filter(([name]) => !lists.some(([other]) => other === name));
  const lines = ["# Made by Forecarbon's scenario page; run it with: forecarbon scenario FILE.toml"];
  lines.push(...plain.map(([name, one]) => `${name} = ${value(one)}`));
  for (const [name, rows] of lists) {
    for (const row of rows) lines.push("", `[[${name}]]`, ...Object.entries(row).map(([key, one]) => `${key} = ${value(one)}`));
  }
  return `${lines.join("\n")}\n`;
}

// A name for files: letters, digits and hyphens.
export function slug(name) {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "plan";
}
