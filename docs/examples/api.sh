#!/bin/sh
# The forecast API with curl. FORECARBON_URL: address of the service. FORECARBON_KEY: your key, if it asks for one.
# CLUSTER, SERIES: what to ask for.
set -eu
url="${FORECARBON_URL:-http://localhost:3000}"
cluster="${CLUSTER:-nl-rotterdam}"
series="${SERIES:-nl-rotterdam/refining}"

ask() {
  # -f: an error status ends the script; the header is left out where there is no key.
  curl -fsS ${FORECARBON_KEY:+-H "authorization: Bearer $FORECARBON_KEY"} "$@"
}

echo "== health"
ask "$url/v1/health"

echo; echo "== a forecast, in the address"
ask "$url/v1/forecast?clusters=$cluster&steps=3&levels=80"

echo; echo "== the same as CSV"
ask -H "accept: text/csv" "$url/v1/forecast?clusters=$cluster&steps=3&levels=80"

echo "== your own history"
ask -H "content-type: application/json" "$url/v1/forecast" -d '{
  "cadence": "year", "steps": 2, "history": [
    {"unique_id": "my plant", "ds": "2019", "y": 105000}, {"unique_id": "my plant", "ds": "2020", "y": 99000},
    {"unique_id": "my plant", "ds": "2021", "y": 101000}, {"unique_id": "my plant", "ds": "2022", "y": 97000},
    {"unique_id": "my plant", "ds": "2023", "y": 95500}, {"unique_id": "my plant", "ds": "2024", "y": 93000}]}'

echo; echo "== how good were the forecasts of this series?"
ask -G "$url/v1/evidence" --data-urlencode "series=$series"

echo; echo "== where does this number come from?"
ask -G "$url/v1/lineage" --data-urlencode "series=$series" --data-urlencode "ds=2020"

echo; echo "== a whole portfolio, one line a series and a summary"
ask -H "content-type: application/json" -H "accept: application/x-ndjson" \
  "$url/v1/forecasts/batch" -d '{"all": true, "kinds": ["cluster", "sector"], "steps": 3}'

echo "== the first page of the series"
ask "$url/v1/series?limit=3"
echo
