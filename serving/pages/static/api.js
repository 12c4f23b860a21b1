// Questions to the API this page is served by. Nothing else is ever asked.

import { kept } from "./dom.js";

const KEY = "forecarbon-key";

// An answer that says no: what was found, what was expected, what to do.
export class Refused extends Error {
  constructor(status, problem) {
    const told = problem.error ?? {};
    super(problem.detail ?? `status ${status}`);
    this.status = status;
    this.code = told.code ?? "unknown";
    this.found = told.found ?? this.message;
    this.expected = told.expected ?? "";
    this.remedy = told.remedy ?? "";
    this.offenders = told.offenders ?? [];
    this.more = told.more ?? 0;
    this.facts = told.facts ?? {};
    this.requestId = problem.request_id ?? "";
  }

  get wantsKey() {
    return this.status === 401 || this.status === 403;
  }

  // Whether the question is at fault, and not the service.
  get ofTheQuestion() {
    return this.status >= 400 && this.status < 500 && this.status !== 429;
  }
}

export function key(value) {
  return kept("sessionStorage", KEY, value);
}

async function ask(path, init = {}) {
  const headers = { accept: "application/json", ...init.headers };
  const held = key();
  if (held) headers["x-api-key"] = held;
  const reply = await fetch(path, { ...init, headers });
  const kind = reply.headers.get("content-type") ?? "";
  const body = kind.includes("json") ? await reply.json() : { detail: await reply.text() };
  if (!reply.ok) throw new Refused(reply.status, body);
  return body;
}

const asked = new Map();

// GET; panels that ask the same share one answer. A failure is forgotten, so that it can be asked again.
export function get(path) {
  if (!asked.has(path)) {
    const answer = ask(path);
    asked.set(path, answer);
    answer.catch(() => asked.delete(path));
  }
  return asked.get(path);
}

// GET of what may have changed since it was last asked.
export function fresh(path) {
  asked.delete(path);
  return get(path);
}

// Forget what was answered, before asking again.
export function forget() {
  asked.clear();
}

export function post(path, body) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

// "/v1/x?series=a&levels=80&levels=95" of {series: "a", levels: [80, 95]}; what is null or undefined is left out.
export function address(path, query = {}) {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") fields.append(name, one);
    }
  }
  const text = fields.toString();
  return text ? `${path}?${text}` : path;
}
