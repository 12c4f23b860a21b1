"""Retrains on a disk with little room left: is each refused by name, and the champion left as it was?

Usage: python benchmarks/full_disk/run.py    (as root: it mounts a small file system of its own)
Writes result.md beside this file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.killed_retrain.run import PLAN  # noqa: E402
from features.files import read_json, read_records  # noqa: E402
from serving.layout import read_pointer  # noqa: E402
from serving.opened import open_pack  # noqa: E402
from training.report import commit_of  # noqa: E402

SIZE = 400
FREE = (0.0, 0.02, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)  # MB left


def main() -> None:
    """One champion, then retrains of other recipes with ever more room, then one with room enough."""
    with tempfile.TemporaryDirectory() as scratch:
        disk, plan = Path(scratch) / "disk", Path(scratch) / "plan.toml"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}M", "tmpfs", str(disk)], check=True)
        try:
            store = disk / "store"
            first = retrain(store, plan, 1)
            rows = [squeezed(store, plan, number, free) for number, free in enumerate(FREE, start=2)]
            last = retrain(store, plan, 99)
            record = read_records(store / "promotions.jsonl")
            served = read_json(store / "current.json")["model_version"]
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    end = f"ended with status {last.returncode}; record and pointer name {record[-1]['to_version']}"
    if first.returncode or last.returncode or served != record[-1]["to_version"]:
        end = f"FAILED: {last.stderr[-400:]}"
    text = f"""# Retrains on a full disk

{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · n = {len(FREE)} retrains

`python benchmarks/full_disk/run.py`: a champion serves; the disk is filled up to the room given; a retrain of
another recipe, which the gate would let in, is run.

With room again the next retrain {end}.

| room, MB | status | said | record | served pack |
|---|---|---|---|---|
"""
    (HERE / "result.md").write_text(text + "\n".join(rows) + "\n")


def retrain(store: Path, plan: Path, seed: int) -> subprocess.CompletedProcess[str]:
    """One retrain to its end."""
    plan.write_text(PLAN.replace("seed = 1", f"seed = {seed}"))
    command = [str(Path(sys.executable).parent / "forecarbon"), "retrain", "--plan", str(plan)]
    env = {**os.environ, "FORECARBON_STORE": str(store), "NO_COLOR": "1"}
    return subprocess.run(
        [*command, "--store", str(store)], env=env, capture_output=True, text=True, check=False
    )


def squeezed(store: Path, plan: Path, seed: int, free: float) -> str:
    """One retrain with ``free`` megabytes left. Returns a table row."""
    before, pointer = read_records(store / "promotions.jsonl"), (store / "current.json").read_bytes()
    ballast = store.parent / "ballast"
    with ballast.open("wb") as stream:
        room = shutil.disk_usage(store).free - int(free * 1e6)
        os.posix_fallocate(stream.fileno(), 0, max(room, 1))
    done = retrain(store, plan, seed)
    ballast.unlink()
    after = read_records(store / "promotions.jsonl")
    lines = [line for line in done.stderr.splitlines() if line.startswith("forecarbon:")]
    said = " ".join(lines[-1].split()[1:8]) if lines else "no refusal"
    said = "TRACEBACK" if "Traceback" in done.stderr else said
    kept = "unchanged" if after == before else "one line more" if after[:-1] == before else "LOST"
    now = read_pointer(store / "current.json")
    if now is None:
        return f"| {free:g} | {done.returncode} | {said} | {kept} | GONE |"
    open_pack(store, now)
    same = (store / "current.json").read_bytes() == pointer
    return f"| {free:g} | {done.returncode} | {said} | {kept} | {'unchanged' if same else 'swapped whole'} |"


if __name__ == "__main__":
    main()
