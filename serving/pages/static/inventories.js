// The inventories a reader keeps here: what they are, and how to have one deleted.

import { fresh, post } from "./api.js";
import { el } from "./dom.js";
import { panel, refusal } from "./panel.js";
import { day, scope } from "./words.js";

// `removed` is told the id of one that is gone.
export function inventories(page, removed) {
  const said = el("p", { class: "said", role: "status", tabindex: "-1" });
  const self = panel({
    into: page, id: "kept", title: "Inventories you keep here", wide: true, controls: [said],
    lead: "Your claims, apart from public records. No other key reads them, and you can have each deleted with its figures.",
    load: () => fresh("/v1/inventories"),
    empty: (data) => (data.count ? "" : "None is kept. One that you keep above stands here."),
    table: (data) => ({
      caption: "Inventories, newest first", open: true, rows: data.inventories,
      columns: [
        { key: "name", label: "Name", header: true },
        { key: "", label: "Removal", file: false, show: (_, row) => el("button", { type: "button", class: "quiet", "aria-label": `Remove ${row.name}, ${row.id}`, onclick: () => question(row, gone) }, "Remove\u2026") },
        { key: "at", label: "Kept since", show: (x) => day(x) }, { key: "figures", label: "Figures", numeric: true },
        { key: "cadence", label: "By" }, { key: "scope", label: "Counts", show: (x) => scope(x) }, { key: "id", label: "Id", show: (x) => el("code", {}, x) },
      ],
    }),
    note: () => "Backups that were made before still hold what is removed, until they are thrown away. The audit keeps that it was there.",
  });

  async function gone(row) {
    removed(row.id);
    await self.refresh();
    said.textContent = `${row.name} was removed, with its ${row.figures} figures.`;
    said.focus();
  }

  return self;
}

// Asks first: what is removed cannot be had back. The answer that keeps it has the focus.
function question(row, gone) {
  const told = el("div", { "aria-live": "polite" });
  const no = el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Keep it");
  const yes = el("button", { type: "button", class: "grave", onclick: remove }, "Remove it");
  const dialog = el("dialog", { class: "sources ask", role: "alertdialog", "aria-labelledby": "ask-title", "aria-describedby": "ask-text" },
    el("h2", { id: "ask-title" }, `Remove ${row.name}?`),
    el("p", { id: "ask-text" }, `Its ${row.figures} figures, kept since ${day(row.at)}, are deleted from this service. They cannot be had back from it; your file stays with you.`),
    told, el("div", { class: "actions" }, no, yes));

  async function remove() {
    yes.disabled = true;
    told.replaceChildren(el("p", { class: "small" }, "Removing\u2026"));
    try {
      await post("/v1/inventories/removed", { id: row.id });
      dialog.close();
      await gone(row);
    } catch (fault) {
      yes.disabled = false;
      told.replaceChildren(fault.code ? refusal(fault) : el("p", { class: "notice error" }, `It was not removed: ${fault.message}. Try again.`));
    }
  }

  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
