"""No secret of an operator's settings, arguments or keys is printed, logged, answered or kept."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

import training.alarm
from features import archive
from serving import keys_report
from serving.guard import Rules
from tests.faults.jobs import SCHEDULE, Place, Told, run
from tests.faults.store import CANARY, copied, made_once, planted, small_packs
from tests.faults.ways import both, finds, patient
from tests.journeys.test_retrain import SMALL
from tests.serving.desks import asked, bearer, desk_of
from training.tracking import quiet_mlflow

PRICES: Final = "year,price,currency,source,scheme\n2020,24.8,EUR,exchange,eu-ets\n"
AWAY: Final = "postgresql://ada:{}@127.0.0.1:9/forecarbon"
# A password with signs that should have been encoded: its end is taken for a port.
ODD: Final = "postgresql://ada:a@b:{}@127.0.0.1/forecarbon"
# In the clear, encoded for an address, or as HTTP sends a login.
# In the clear, or as HTTP sends a login.
FORMS: Final = re.compile(b"|".join([CANARY.encode(), base64.b64encode(f"ada:{CANARY}".encode())[:12]]))


class Publisher(BaseHTTPRequestHandler):
    """Has one table, and takes no findings."""

    def do_GET(self) -> None:
        found = self.path.startswith("/prices.csv")
        self._reply(200 if found else 404, PRICES.encode() if found else b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._reply(500, b"")

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    held = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=held.serve_forever)
    thread.start()
    yield f"127.0.0.1:{held.server_port}"
    held.shutdown()
    thread.join()
    held.server_close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Place]:
    """A store that was trained with secrets in the plan and the environment."""
    quiet_mlflow()
    folder = tmp_path_factory.mktemp("secrets") / "place"
    with small_packs():
        yield copied(made_once(tmp_path_factory.getbasetemp(), worker_id), folder)
    shutil.rmtree(folder)


def under(place: Place, **settings: str) -> Callable[[], None]:
    """Settings with secrets, and a log as talkative as one may make it."""

    def fault() -> None:
        os.environ.update({**planted(place.store), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", **settings})
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, force=True)
        training.alarm.PAUSES = (0.0, 0.0)  # type: ignore[misc]

    return fault


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_no_secret_is_told_or_kept(place: Place, site: str) -> None:
    """Every job that is handed one, ending well or refused; then all that was said and all that is there."""
    operators, hook = place.folder.parent / "operators", f"http://{site}/hooks/{CANARY}-hook"
    operators.mkdir(exist_ok=True)
    shutil.copy(place.folder / "small.toml", operators / "small.toml")

    def plan(name: str, uri: str) -> str:
        text = SMALL.format(seed=2) + f'[tracking]\nuri = "{uri}"\n'
        return written(operators / f"{name}.toml", text)

    def times(name: str, text: str) -> str:
        return written(operators / f"{name}.toml", text)

    unset = {"FORECARBON_TRACKING_URI": "", "FORECARBON_ARTIFACT_ROOT": ""}
    local = {"FORECARBON_WEBHOOK_LOCAL": "1"}
    server = plan("server", f"http://ada:{CANARY}-server@127.0.0.1:9/x")
    slash = plan("slash", f"http://ada:a/{CANARY}-slash@127.0.0.1:9/x")
    base = plan("base", ODD.format(f"{CANARY}-odd"))
    listed = f"webhook = '{hook}'\n{SCHEDULE}"
    cases: list[tuple[list[str], dict[str, str], str]] = [
        (["retrain", "--plan", server], unset, "tracking-unavailable"),
        (["retrain", "--plan", slash], unset, "tracking-unavailable"),
        (["retrain", "--plan", base], unset, "tracking-unavailable"),
        (["retrain", "--plan", plan("files", "")],
         {"FORECARBON_ARTIFACT_ROOT": f"ftp://ada:{CANARY}-root@host/x"}, "login-in-address"),
        (["retrain", "--plan", written(operators / "typo.toml", f'[tracking]\nuri = "https://ada:{CANARY}@h"')],
         {}, "plan-value"),
        (["ingest", "carbon-price", "--allow-local", "--url", f"http://{site}/prices.csv?key={CANARY}-url"],
         {}, ""),
        (["ingest", "carbon-price", "--allow-local", "--url", f"http://{site}/gone.csv?key={CANARY}-gone"],
         {}, "source-refused"),
        (["ingest", "carbon-price", "--url", f"http://ada:{CANARY}-login@{site}/prices.csv"],
         {}, "address-not-fetchable"),
        (["ingest", "carbon-price", "--url", f"https://ada:{CANARY}/x y@host:port/prices.csv"],
         {}, "address-not-fetchable"),
        (["ingest", "eutl", "--file", str(place.folder / "eutl"), "--lake", f"nosuch://ada:{CANARY}@host/lake"],
         {}, "lake-place-unknown"),
        (["watch", "--plan", str(operators / "small.toml"), "--webhook", hook], local, ""),
        (["watch", "--help"], {}, ""),
        (["schedule", "--help"], {"FORECARBON_SCHEDULE_DB": AWAY.format(f"{CANARY}-help")}, ""),
        (["schedule", "--once", "--file", times("schedule", listed)], local, ""),
        (["schedule", "--once", "--file", times("none", f"webhook = '{hook}'")], {}, "schedule-value"),
        (["schedule", "--once", "--file", times("twice", listed + SCHEDULE)], {}, "schedule-value"),
        (["schedule", "--once"], {"FORECARBON_SCHEDULE_DB": AWAY.format(CANARY)}, "schedule-database"),
        (["schedule", "--once", "--database", ODD.format(f"{CANARY}-due")], {}, "schedule-database"),
        (["keys", "list"], {"FORECARBON_STATE_URL": ODD.format(f"{CANARY}-state")}, "state-database"),
        (["forecast", "nl-rotterdam"], {"FORECARBON_STATE_URL": AWAY.format(f"{CANARY}-state")}, ""),
        (["backup", "--to", str(place.folder / "out")], {}, ""),
    ]  # fmt: skip
    said: list[Told] = []
    for words, settings, code in cases:
        told = run("", place, both(under(place, **settings), finds, patient), words)
        assert told.plain, told
        assert told.code == code or (words[-1] == "--help" and told.status == 0), told
        said.append(told)
    assert sum(told.out.count("Finding: ") for told in said) == 1
    assert sum("webhook-failed" in told.err for told in said) >= 1, "the webhook was asked"
    for told in said:
        assert FORMS.search((told.out + told.err).encode()) is None, told
    _nowhere(place)
    (made,) = (place.folder / "out").glob("*.tar")
    assert FORMS.search(archive.checked(made).as_bytes()) is None


def _nowhere(place: Place, *more: bytes) -> None:
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert {"mlflow.db", "state.db", "schedule.db", "plan.json"} <= {path.name for path in files}
    for form in (FORMS, *(re.compile(re.escape(text)) for text in more)):
        assert [path for path in files if form.search(path.read_bytes())] == []


def test_a_bug_tells_no_secret(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"no answer from https://ada:{CANARY}@host/x?key={CANARY}, password={CANARY}")

    monkeypatch.setattr(keys_report, "add_key", dies)
    for settings in ({}, {"FORECARBON_DEBUG": "1"}):
        told = run("keys", place, under(place, **settings))
        assert (told.status, "a bug of ours: RuntimeError" in told.err) == (1, True), told
        assert ("Traceback" in told.err) == bool(settings)
        assert FORMS.search((told.out + told.err).encode()) is None, told


def test_no_answer_tells_a_secret_and_of_a_key_a_digest_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = run("keys", place).out.split()[-1]
    for name, value in planted(place.store).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FORECARBON_STATE_URL", AWAY.format(f"{CANARY}-state"))
    answers = []
    with caplog.at_level(logging.INFO), desk_of(place.store, Rules("keys")) as edge:
        edge.access_log = True
        monkeypatch.delenv("FORECARBON_STATE_URL")
        with desk_of(place.store, Rules("keys")) as sound:
            assert edge.desk is not None
            assert sound.desk is not None
            sound.access_log = True
            for path in ("/v1/models/current", "/v1/retrains", "/v1/promotions", "/v1/sources",
                         "/v1/lineage?series=nl-rotterdam&ds=2020", "/v1/lineage?series=nl-rotterdam&ds=2024",
                         f"/v1/series?key={CANARY}"):  # fmt: skip
                answers.append(asked(sound, "GET", path, headers=bearer(token)).text)
                assert json.loads(answers[-1]), path
            for wrong in (
                {"x-api-key": token[:-3] + "AAA"},
                {"authorization": token},
                bearer(token + CANARY),
            ):
                answers.append(asked(sound, "GET", "/v1/clusters", headers=wrong).text)
        answers.append(asked(edge, "GET", "/v1/health").text)
        answers.append(asked(edge, "GET", "/v1/clusters", headers=bearer(token)).text)
    secret = token.rpartition("_")[2]
    # The caller's own client logs what it asks for.
    logged = "\n".join(line.getMessage() for line in caplog.records if line.name != "httpx")
    for text in (*answers, logged):
        assert FORMS.search(text.encode()) is None, text
        assert secret not in text
    assert '"event": "denied"' in logged
    _nowhere(place, secret.encode())
