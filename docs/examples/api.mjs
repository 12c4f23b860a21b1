// The forecast API from JavaScript: plain fetch, in Node 18 or later and in browsers.
// FORECARBON_URL: address of the service. FORECARBON_KEY: your key, if it asks for one.
const { FORECARBON_URL, FORECARBON_KEY, CLUSTER, SERIES } = globalThis.process?.env ?? {};
const url = FORECARBON_URL ?? "http://localhost:3000";
const cluster = CLUSTER ?? "nl-rotterdam";
const series = SERIES ?? "nl-rotterdam/refining";
const key = FORECARBON_KEY ? { authorization: `Bearer ${FORECARBON_KEY}` } : {};

// The answer of a request; a refusal is thrown with its code and remedy, and asked again if the service is busy.
async function ask(path, { body, headers, tries = 4 } = {}) {
  const reply = await fetch(url + path, {
    method: body ? "POST" : "GET",
    headers: { ...key, ...(body ? { "content-type": "application/json" } : {}), ...headers },
    body: body && JSON.stringify(body),
  });
  if (reply.ok) return reply;
  const { error, request_id } = await reply.json();
  if ([429, 503].includes(reply.status) && tries > 1) {
    const seconds = Number(reply.headers.get("retry-after") ?? 1);
    await new Promise((again) => setTimeout(again, seconds * 1000));
    return ask(path, { body, headers, tries: tries - 1 });
  }
  throw Object.assign(new Error(`${error.code}: ${error.remedy}`), { ...error, request_id });
}

// The lines of an NDJSON answer as they come.
async function* lines(reply) {
  const decoder = new TextDecoder();
  let held = "";
  for await (const chunk of reply.body) {
    held += decoder.decode(chunk, { stream: true });
    const parts = held.split("\n");
    held = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}

const health = await (await ask("/v1/health")).json();
console.log("health:", health.status);

const answer = await (await ask("/v1/forecast", { body: { clusters: [cluster], steps: 3, levels: [80] } })).json();
for (const row of answer.forecasts[0].rows) {
  console.log(cluster, row.ds, Math.round(row.mean), "tCO2e, 80% band", row.quantiles["0.1"], row.quantiles["0.9"]);
}

const query = new URLSearchParams({ series });
const evidence = await (await ask(`/v1/evidence?${query}`)).json();
console.log("evidence:", evidence.sentence);

const lineage = await (await ask(`/v1/lineage?${new URLSearchParams({ series, ds: "2020" })}`)).json();
console.log("lineage:", lineage.value, lineage.unit, lineage.source, lineage.known_at);

let summary = null;
let count = 0;
const body = { all: true, kinds: ["cluster", "sector"], steps: 3 };
for await (const line of lines(await ask("/v1/forecasts/batch", { body }))) {
  if (line.summary) summary = line.summary;
  else count += 1;
}
if (!summary) throw new Error("the batch was cut short");
console.log("batch:", count, "forecasts;", summary.refused, "refused");

let cursor = null;
let listed = 0;
do {
  const page = await (await ask(`/v1/series?limit=100${cursor ? `&cursor=${cursor}` : ""}`)).json();
  listed += page.series.length;
  cursor = page.next;
} while (cursor);
console.log("series:", listed);

try {
  await ask("/v1/forecast", { body: { clusters: ["atlantis"] } });
} catch (refusal) {
  console.log("refused:", refusal.code, "-", refusal.remedy);
}
