"""The audit of packages: lock, environment, licences, and what is said where nobody could be asked."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib.metadata import Distribution, version
from pathlib import Path
from types import ModuleType

import pytest

PIN = "a==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via b\n"


@pytest.fixture(scope="module")
def audit(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", root / "docs/audit.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = made
    spec.loader.exec_module(made)
    return made


def run(root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "docs/audit.py", *more]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_this_environment_is_the_lock_with_hashes_and_known_licences(root: Path) -> None:
    done = run(root)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pin_without_a_hash_another_version_and_a_stranger_are_told(audit: ModuleType) -> None:
    assert list(audit.faults_of(audit.pins_of(PIN), {"a": "1.0"})) == []
    (bare,) = audit.faults_of(audit.pins_of("a==1.0\n"), {"a": "1.0"})
    assert "no hash" in bare
    (other,) = audit.faults_of(audit.pins_of(PIN), {"a": "1.1"})
    assert "1.0 in the lock, 1.1 installed" in other
    (gone,) = audit.faults_of(audit.pins_of(PIN), {})
    assert "none installed" in gone
    (stranger,) = audit.faults_of(audit.pins_of(PIN), {"a": "1.0", "evil": "6.6", "pip": "26"})
    assert stranger == "evil is installed and not in the lock"


@pytest.mark.parametrize(
    "line", ["a>=1.0", "-e git+https://h/x", "a @ https://h/a.whl", "--index-url https://h/"]
)
def test_a_lock_holds_pins_alone(audit: ModuleType, line: str) -> None:
    with pytest.raises(ValueError, match="no pin"):
        audit.pins_of(PIN + line + "\n")


def test_where_a_pin_does_not_hold_nothing_is_asked_of_it(audit: ModuleType) -> None:
    elsewhere = PIN.replace("a==1.0", "a==1.0 ; sys_platform == 'win32'")
    assert list(audit.faults_of(audit.pins_of(elsewhere), {})) == []


@pytest.mark.parametrize(
    ("licence", "good"),
    [
        ("MIT", True), ("Apache-2.0 AND MIT", True), ("GPL-3.0-only OR MIT", True),
        ("MIT AND AGPL-3.0-only", False),
        ("GPL-3.0-only", False), ("SSPL-1.0", False), ("", False), ("Proprietary", False),
        ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", True),
    ],
)  # fmt: skip
def test_which_licences_are_allowed(audit: ModuleType, licence: str, good: bool) -> None:
    assert audit.allowed(licence) is good


def test_licences_read_by_hand_are_those_of_the_files(audit: ModuleType) -> None:
    """Where metadata are silent: the licence file of what is installed says what the table says."""
    for name in audit.READ:
        files = [f for f in Distribution.from_name(name).files or [] if "LICENSE" in f.name.upper()]
        text = " ".join(Path(str(file.locate())).read_text(encoding="utf-8") for file in files)
        assert "Permission is hereby granted, free of charge, to any person obtaining a copy" in text, name


def test_a_table_that_lags_behind_is_told(audit: ModuleType) -> None:
    both = {"a": "1.0, 1.1"}
    table = audit.table_of({"a": "MIT"}, both)
    assert list(audit.differences(table, {"a": "MIT"}, both)) == []
    assert len(list(audit.differences(table, {"a": "MIT"}, {"a": "1.0, 1.2"}))) == 1
    assert len(list(audit.differences(table, {"a": "MIT", "b": "MIT"}, {**both, "b": "2"}))) == 1


def asker(place: Path, reply: str, code: int = 0) -> str:
    """A command in place of pip-audit."""
    (place / "reply.json").write_text(reply)
    script = place / "asker.py"
    script.write_text(f"import sys\nprint(open({str(place / 'reply.json')!r}).read())\nsys.exit({code})\n")
    return f"{sys.executable} {script}"


def test_weaknesses_fail_the_audit(root: Path, tmp_path: Path) -> None:
    weak = {"id": "CVE-2026-1", "fix_versions": ["9.9"]}
    reply = {"dependencies": [{"name": "numpy", "version": version("numpy"), "vulns": [weak]}]}
    done = run(root, "--ask", "--asker", asker(tmp_path, json.dumps(reply), 1))
    assert done.returncode == 1
    assert "CVE-2026-1, mended in 9.9" in done.stderr


def test_a_clean_reply_is_said(root: Path, tmp_path: Path) -> None:
    done = run(root, "--ask", "--asker", asker(tmp_path, '{"dependencies": []}'))
    assert (done.returncode, done.stderr) == (0, "")
    assert "no known weakness" in done.stdout


@pytest.mark.parametrize("command", ["/nowhere/uvx pip-audit", "false"])
def test_where_nobody_could_be_asked_that_is_said_and_never_taken_for_clean(root: Path, command: str) -> None:
    done = run(root, "--ask", "--asker", command)
    assert done.returncode == 0
    assert "NOT ASKED" in done.stderr
    assert "no known weakness" not in done.stdout
    assert run(root, "--ask", "--strict", "--asker", command).returncode == 2


def test_lint_checks_it_and_audit_asks(root: Path) -> None:
    text = (root / "Makefile").read_text(encoding="utf-8")
    lint, audit = (text.split(f"\n{name}: ")[1].split("\n\n")[0] for name in ("lint", "audit"))
    assert "docs/audit.py\n" in lint + "\n"
    assert "docs/audit.py --ask" in audit
