"""The forecast API from Python.

FORECARBON_URL: address of the service. FORECARBON_KEY: your key, if it asks for one.
CLUSTER, SERIES: what to ask for.
"""

from __future__ import annotations

import os

from serving.client import Client, Refused

URL = os.environ.get("FORECARBON_URL", "http://localhost:3000")
CLUSTER = os.environ.get("CLUSTER", "nl-rotterdam")
SERIES = os.environ.get("SERIES", "nl-rotterdam/refining")

with Client(URL, key=os.environ.get("FORECARBON_KEY")) as api:
    print("health:", api.health().status)

    answer = api.forecast(clusters=[CLUSTER], steps=3, levels=[80])
    for row in answer[CLUSTER].rows:
        low, high = row.quantiles["0.1"], row.quantiles["0.9"]
        print(f"{CLUSTER} {row.ds}: {row.mean:,.0f} tCO2e, 80% band {low:,.0f} to {high:,.0f}")
    print("answered by", answer.model_version, "of", answer.as_of)

    history = [{"unique_id": "my plant", "ds": str(2015 + k), "y": 110_000 - 1_500.0 * k} for k in range(10)]
    own = api.own_history(history, cadence="year", steps=2)
    print("my plant:", [round(row.mean) for row in own["my plant"].rows])

    evidence = api.evidence(SERIES)
    print("evidence:", evidence.sentence)

    origin = api.lineage(SERIES, "2020")
    print("lineage:", origin.value, origin.unit, origin.raw["source"], origin.raw["known_at"])

    batch = api.batch(all=True, kinds=["cluster", "sector"], steps=3)
    total = sum(1 for _ in batch)
    print("batch:", total, "forecasts;", batch.summary["refused"] if batch.summary else "?", "refused")
    print("table:", api.batch_table(all=True, kinds=["sector"], steps=3).num_rows, "rows")
    print("series:", sum(1 for _ in api.series()))

    try:
        api.forecast(clusters=["atlantis"])
    except Refused as refusal:
        print("refused:", refusal.code, "-", refusal.remedy)
