// Numbers and names as people read them. Tonnes come in, Mt CO2e go out.

export const UNIT = "Mt CO\u2082e";
const NONE = "\u2013";
const MINUS = "\u2212";

// Three figures that count: 394, 18.3, 1.51, 0.023.
export function number(value, figures = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return "0";
  const places = Math.max(0, Math.min(6, figures - 1 - Math.floor(Math.log10(size))));
  const text = size.toLocaleString("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
  return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? MINUS + text : text;
}

export function million(tonnes) {
  return tonnes === null || tonnes === undefined ? null : tonnes / 1e6;
}

export function mt(tonnes, { unit = true, sign = false, figures = 3 } = {}) {
  if (tonnes === null || tonnes === undefined) return NONE;
  const text = number(million(tonnes), figures);
  return (sign && tonnes > 0 ? "+" : "") + text + (unit ? `\u00a0${UNIT}` : "");
}

// "343 to 454 Mt CO2e", both ends to the same number of places.
export function range(low, high, options = {}) {
  if (low === null || low === undefined || high === null || high === undefined) return NONE;
  return `${mt(low, { ...options, unit: false })} to ${mt(high, options)}`;
}

// "between 343 and 454 Mt CO2e".
export function between(low, high, options = {}) {
  return `between ${range(low, high, options).replace(" to ", " and ")}`;
}

// A number as it was told, without places it never had: 55, 9.27, 30,000.
export function told(value) {
  return value === null || value === undefined ? NONE : value.toLocaleString("en-GB", { maximumFractionDigits: 3 });
}

// A change in percent, with its sign.
export function percent(value, { sign = true, places = 1 } = {}) {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value).toFixed(places);
  if (Number(size) === 0) return `${size}%`;
  return (value < 0 ? MINUS : sign ? "+" : "") + `${size}%`;
}

// A chance: "about 9%", "less than 1%", "more than 99%".
export function chance(p) {
  if (p === null || p === undefined) return NONE;
  if (p < 0.01) return "less than 1%";
  if (p > 0.99) return "more than 99%";
  return `about ${Math.round(p * 100)}%`;
}

// The same, short enough for a cell.
export function chanceCell(p) {
  return chance(p).replace("about ", "").replace("less than ", "< ").replace("more than ", "> ");
}

// Words for chances, as the IPCC uses them.
export function likelihood(p) {
  if (p === null || p === undefined) return "unknown";
  if (p >= 0.9) return "very likely";
  if (p >= 0.66) return "likely";
  if (p > 0.33) return "about as likely as not";
  if (p > 0.1) return "unlikely";
  return p > 0.01 ? "very unlikely" : "exceptionally unlikely";
}

export const LIKELIHOODS =
  "very likely: 90% or more; likely: 66 to 90%; about as likely as not: 33 to 66%; unlikely: 10 to 33%; " +
  "very unlikely: 1 to 10%; exceptionally unlikely: 1% or less";

// What came of a target whose year is past.
export function pastWords(year_, level, outcome) {
  if ((outcome?.value ?? null) === null) return `target year ${year_} is past: no figure of it is held`;
  return `target year ${year_} is past: ${mt(outcome.value)} were emitted against ${mt(level)}, so it was ${outcome.met ? "met" : "missed"}`;
}

export function year(ds) {
  return ds ? Number(String(ds).slice(0, 4)) : null;
}

export function day(stamp) {
  if (!stamp) return NONE;
  const found = new Date(stamp);
  return found.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}

const COUNTRIES = new Intl.DisplayNames(["en"], { type: "region" });

export function country(code) {
  try {
    return code ? COUNTRIES.of(code) : NONE;
  } catch {
    return code;
  }
}

const SCOPES = {
  "eu-ets": "EU ETS",
  "uk-ets": "UK ETS",
  "us-ghgrp": "US GHGRP",
  "rotterdam-co2-registered": "registered CO\u2082 of the port",
  "rotterdam-all-ghg": "all greenhouse gases of the port",
};

// What a count covers: "EU ETS + UK ETS".
export function scope(id) {
  return id ? id.split(" + ").map((one) => SCOPES[one] ?? one).join(" + ") : NONE;
}

// "iron-steel" -> "Iron and steel"; ids of series lose their cluster.
export function sector(id) {
  const word = String(id).split("/").slice(1).join(" / ") || String(id);
  const text = word.replaceAll("-", " ").replace("iron steel", "iron and steel").replace("cement lime", "cement and lime");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

// The words of a code: "scope-unlike" -> "scope unlike".
export function plain(code) {
  return String(code).replaceAll("-", " ");
}

const SHORT = { "Dunkerque Industrial Cluster (DKarbonation)": "Dunkerque" };

export function shortName(name) {
  return SHORT[name] ?? name.replace(/\s*\(.*\)$/, "");
}
