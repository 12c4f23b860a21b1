// The way back from an answer: it is made again from the figures it rests on, and those are listed.

import { get } from "./api.js";
import { el } from "./dom.js";
import { refusal } from "./panel.js";
import { save } from "./downloads.js";
import { day, mt, scope, year } from "./words.js";

export async function provenance(answerId, title) {
  const content = el("div", { "aria-live": "polite" }, el("p", { class: "waiting" }, "Making the answer again\u2026"));
  const close = el("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "Close");
  const dialog = el("dialog", { class: "sources", "aria-labelledby": "sources-title" }, el("div", { class: "head" }, el("h2", { id: "sources-title" }, `Where does this come from? ${title}`), close), content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  try {
    const told = await get(`/v1/provenance/${answerId}`);
    content.replaceChildren(...report(told, answerId));
  } catch (fault) {
    content.replaceChildren(fault.code ? refusal(fault) : el("p", { class: "notice error" }, fault.message));
  }
}

function report(told, answerId) {
  const figures = told.figures.map((one) => one.what === "published" ? published(one) : registered(one));
  return [
    el("p", { class: told.same ? "good" : "notice error" }, told.same
      ? "Made again just now from the same model and figures: the same numbers came out."
      : "Made again just now, and the numbers are not the same: tell whoever runs this service."),
    el("p", { class: "small" }, `Model ${told.model_version}, figures as known at ${day(told.as_of)}. Digest of the data ${told.data_hash.slice(0, 12)}, commit ${told.git_commit.slice(0, 12)}. Answer `, el("code", {}, answerId)),
    section("Figures it rests on", figures, "This answer is a sum or a comparison: ask the pages of its clusters for their figures."),
    section("From one scope to another", told.bridges.map(bridge), ""),
    section("Factors", told.factors.map((one) => el("li", {}, `${one.key.replaceAll("_", " ")}: ${one.value} ${one.unit}. `, el("span", { class: "small" }, `${one.source_detail} (${one.evidence})`))), ""),
    el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => save("forecarbon-provenance.json", "application/json", JSON.stringify(told, null, 1)) }, "Download all of it as JSON")),
  ].filter(Boolean);
}

function section(title, items, nothing) {
  if (!items.length && !nothing) return null;
  return [el("h3", {}, title), items.length ? el("ul", {}, items) : el("p", {}, nothing)].flat().reduce((box, node) => (box.append(node), box), el("div"));
}

function registered(one) {
  const publishers = (one.publishers ?? []).map((each) => `${each.title} (${each.publisher}, ${each.terms})`).join("; ");
  const parts = (one.parts ?? []).map((each) => el("li", {}, `${each.unique_id}: ${mt(each.value)}`));
  return el("li", {}, el("strong", {}, `${year(one.ds)}: ${mt(one.value)}`), ` ${scope(one.scope)}, ${one.grade ?? "grade unknown"}, known since ${day(one.known_at)}. `,
    el("span", { class: "small" }, publishers),
    parts.length ? el("details", {}, el("summary", {}, `${parts.length} parts it is the sum of`), el("ul", {}, parts)) : null);
}

function published(one) {
  return el("li", {}, el("strong", {}, `${one.year}: ${mt(one.value_mt * 1e6)}`), ` published total, ${one.gas_scope}, ${one.evidence}. ${one.note ?? ""} `, ...links(one.source));
}

// Addresses of sources, which leave this machine only when they are followed.
export function links(text) {
  return String(text ?? "").split(" | ").filter(Boolean).flatMap((one) => [/^https?:\/\//.test(one)
    ? el("a", { href: one, rel: "noreferrer noopener", target: "_blank" }, new URL(one).hostname.replace(/^www\./, ""))
    : one, " "]);
}

function bridge(one) {
  if (one.code) return el("li", {}, `To ${scope(one.to_scope)}: none (${one.found}).`);
  if (one.ratio_low === null) return el("li", {}, `${scope(one.from_scope)} to ${scope(one.to_scope)}: times ${one.ratio.toFixed(3)}, from ${one.years.length} ${one.years.length === 1 ? "year" : "years"} in both: too few to read a forecast over it.`);
  return el("li", {}, `${scope(one.from_scope)} to ${scope(one.to_scope)}: times ${one.ratio.toFixed(3)} (${one.level}% band ${one.ratio_low.toFixed(3)} to ${one.ratio_high.toFixed(3)}), from ${one.years.length} years in both.`);
}
