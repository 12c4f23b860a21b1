"""A person's way: ingest a source twice, see a restatement, look at the lake."""

from __future__ import annotations

import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pandas as pd

from tests import warm

PRICES: Final = (
    "year,price,currency,source,scheme\n2020,24.8,EUR,exchange,eu-ets\n2021,x,EUR,exchange,eu-ets\n"
)


def run(store: Path, env: dict[str, str], root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    told = {**env, "FORECARBON_STORE": str(store), "PYTHONPATH": str(root)}
    done = warm.run(["forecarbon", *words], cwd=root, env=told)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_from_a_file_to_what_was_restated(tmp_path: Path, root: Path, shell_env: dict[str, str]) -> None:
    store, source = tmp_path / "store", tmp_path / "prices.csv"
    assert "empty" in run(store, shell_env, root, "lake", "list").stdout
    source.write_text(PRICES)
    given = ("ingest", "carbon-price", "--file", str(source))
    first = run(store, shell_env, root, *given, "--known-at", "2022-03-01")
    assert first.returncode == 0, first.stderr
    assert "a new snapshot" in first.stdout
    assert "figure-unreadable" in first.stdout
    assert "nothing has changed" in run(store, shell_env, root, *given).stdout

    source.write_text(PRICES.replace("24.8", "25.0"))
    assert "a new snapshot" in run(store, shell_env, root, *given, "--known-at", "2023-03-01").stdout
    listed = run(store, shell_env, root, "lake", "list").stdout
    assert listed.count("carbon-price/1") == 2
    changed = run(store, shell_env, root, "lake", "diff", "2022-12-31", "2023-12-31")
    assert "1 restated" in changed.stdout
    out = tmp_path / "restated.csv"
    old, new = sorted((store / "lake" / "carbon-price").iterdir(), key=lambda p: p.stat().st_mtime_ns)
    written = run(store, shell_env, root, "lake", "diff", old.name, new.name, "--out", str(out))
    assert written.returncode == 0, written.stderr
    assert pd.read_csv(out)[["before", "after"]].to_numpy().tolist() == [[24.8, 25.0]]


def test_refusals_are_one_line(tmp_path: Path, root: Path, shell_env: dict[str, str]) -> None:
    store = tmp_path / "store"
    asks = {
        "source-unknown": ("ingest", "nobody", "--file", "README.md"),
        "address-not-public": ("ingest", "eutl", "--url", "http://127.0.0.1:9/x"),
        "source-changed-shape": ("ingest", "eutl", "--file", "README.md"),
        "lake-snapshot-unknown": ("lake", "diff", "aaaa", "bbbb"),
    }
    for code, words in asks.items():
        done = run(store, shell_env, root, *words)
        assert done.returncode == 2, (code, done.stderr)
        assert f"forecarbon: {code}: found" in done.stderr
    assert not (store / "lake").exists()


def test_from_an_address(tmp_path: Path, root: Path, shell_env: dict[str, str]) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "prices.csv").write_text(PRICES)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/prices.csv"
        words = ("ingest", "carbon-price", "--url", url, "--allow-local", "--lake", f"file://{tmp_path}/lake")
        first, again = (run(tmp_path / "store", shell_env, root, *words) for _ in range(2))
        server.shutdown()
    assert "a new snapshot" in first.stdout, first.stderr
    assert "nothing has changed" in again.stdout, again.stderr
    assert next((tmp_path / "lake" / "carbon-price").iterdir()).is_dir()
