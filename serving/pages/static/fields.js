// Fields of a form: a label, what is set, what it stands at, and under it what the API said no with.

import { el } from "./dom.js";

let count = 0;

function row(label, field, input, more = [], hint = "") {
  const id = `field-${++count}`;
  input.id = id;
  if (field) input.dataset.field = field;
  const note = el("span", { class: "fault", id: `${id}-fault`, hidden: true });
  const told = hint ? el("span", { class: "hint", id: `${id}-hint` }, hint) : null;
  if (told) input.setAttribute("aria-describedby", told.id);
  return el("div", { class: "field" }, el("label", { for: id }, label), el("span", { class: "set" }, input, more), told, note);
}

// A slider; `show` says its value in words, which are there as it is moved.
export function slider(label, { field, min, max, step = 1, value, show = String, set, hint }) {
  const told = el("output", {}, show(value));
  const input = el("input", { type: "range", min, max, step, value, "aria-valuetext": show(value), oninput: () => {
    const now = Number(input.value);
    told.textContent = show(now);
    input.setAttribute("aria-valuetext", show(now));
    set(now);
  } });
  input.value = value;
  return row(label, field, input, [told], hint);
}

export function choice(label, { field, options, value, set, hint }) {
  const input = el("select", { onchange: () => set(input.value) },
    options.map(([key, word]) => el("option", { value: key, selected: key === value }, word)));
  return row(label, field, input, [], hint);
}

export function text(label, { field, value, set, hint, size = 20, mode }) {
  const input = el("input", { type: "text", value: value ?? "", size, inputmode: mode, autocomplete: "off", oninput: () => set(input.value.trim()) });
  return row(label, field, input, [], hint);
}

export function tick(label, { checked, disabled, set }) {
  const id = `field-${++count}`;
  const input = el("input", { type: "checkbox", id, checked, disabled, onchange: () => set(input.checked) });
  return el("div", { class: "tick" }, input, el("label", { for: id }, label));
}

// Say at its field what a refusal is about; false where no field on the page is meant.
export function blame(form, fault) {
  clear(form);
  const name = fault?.facts?.field;
  if (!name) return false;
  const inputs = [...form.querySelectorAll("[data-field]")];
  // The field itself, or the nearest one that holds it: "projects[0].risk.delivery" is in "projects[0].risk".
  const input = inputs.find((one) => one.dataset.field === name)
    ?? inputs.find((one) => name.startsWith(`${one.dataset.field}.`) || name.startsWith(`${one.dataset.field}[`));
  if (!input) return false;
  const note = document.getElementById(`${input.id}-fault`);
  const found = fault.facts.found ?? fault.found;
  const allowed = fault.facts.allowed ?? fault.expected;
  note.replaceChildren(`Found ${found}. Allowed: ${allowed}. ${fault.remedy ? `What helps: ${fault.remedy}.` : ""}`);
  note.hidden = false;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-errormessage", note.id);
  return true;
}

export function clear(form) {
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-errormessage");
  }
  for (const note of form.querySelectorAll(".fault")) note.hidden = true;
}
