"""The examples of docs/deploy: they parse, and every command and plan in them exists."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from training.schedule_file import JobPlan

COMMAND: Final = re.compile(r"/opt/forecarbon/\.venv/bin/forecarbon (?P<words>[^\n]*)")


def commands(text: str) -> list[list[str]]:
    return [shlex.split(match["words"]) for match in COMMAND.finditer(text)]


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read(path)
    return read


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "docs" / "deploy"


@pytest.fixture(scope="module")
def job(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / "cronjob.yaml").read_text())
    return loaded


def test_every_command_and_plan_exists(folder: Path, root: Path, job: dict[str, Any]) -> None:
    (pod,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    found = [[*pod["command"][1:], *pod["args"]]]
    for path in sorted(folder.iterdir()):
        found += commands(path.read_text()) if path.suffix in (".cron", ".service") else []
    assert sorted({words[0] for words in found}) == ["retrain", "schedule", "watch"]
    known = "".join(
        (root / f"{name}.py").read_text() for name in ("forecarbon", "operations", "questions", "upkeep")
    )
    for words in found:
        assert f"def {words[0]}(" in known
        for plan in (word for word in words if word.endswith(".toml")):
            assert (root / plan.removeprefix("/opt/forecarbon/")).exists()


def test_cron_lines_have_five_fields_a_user_and_a_command(folder: Path) -> None:
    lines = [line for line in (folder / "forecarbon.cron").read_text().splitlines() if line[0].isdigit()]
    assert len(lines) == 2
    for line in lines:
        fields = line.split()
        assert all(re.fullmatch(r"[\d*]+", field) for field in fields[:5])
        assert fields[5] == "forecarbon"


def test_units_are_whole(folder: Path) -> None:
    for name in ("forecarbon-retrain.service", "forecarbon-schedule.service"):
        service = unit(folder / name)["Service"]
        assert service["ExecStart"].startswith(f"{service['WorkingDirectory']}/")
        assert service["User"] == "forecarbon"
    timer = unit(folder / "forecarbon-retrain.timer")
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_the_cronjob_never_runs_twice_at_once(job: dict[str, Any]) -> None:
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert JobPlan(name="a", plan="p", cron=job["spec"]["schedule"]).cron == "15 3 2 * *"
