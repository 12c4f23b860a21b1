"""A process out of the nursery is like any other: its words, folder, environment, outputs, status and end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import warm

TELLS = """
import os, sys
print(sys.argv[1:], os.getcwd(), sorted(os.environ), __name__, os.getsid(0) == os.getpid())
print([name for name in ("features", "models", "training", "serving", "forecarbon") if name in sys.modules])
print("no", file=sys.stderr)
sys.exit(3)
"""


def test_it_is_a_process_of_its_own(tmp_path: Path, shell_env: dict[str, str]) -> None:
    told = {"PATH": shell_env["PATH"], "A": "b", "PYTHONPATH": str(tmp_path)}
    done = warm.run(["python", "-c", TELLS, "x", "y"], cwd=tmp_path, env=told)
    said = [str(["x", "y"]), str(tmp_path), str(sorted(told)), "__main__", "True"]
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{' '.join(said)}\n[]\n", "no\n")
    (tmp_path / "own.py").write_text("WORD = 'found'")
    (tmp_path / "file.py").write_text("import own; raise SystemExit(own.WORD)")
    done = warm.run([sys.executable, str(tmp_path / "file.py")], env=told)
    assert (done.returncode, done.stderr) == (1, "found\n")


def test_several_run_at_once_and_one_that_hangs_is_killed(shell_env: dict[str, str]) -> None:
    hangs = warm.begun(["python", "-c", "import time; time.sleep(60)"], env=shell_env)
    assert warm.run(["python", "-c", "print(1)"], env=shell_env).stdout == "1\n"
    with pytest.raises(subprocess.TimeoutExpired):
        hangs.ended(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(hangs.pid, 0)


def test_a_command_is_what_a_shell_would_find(shell_env: dict[str, str]) -> None:
    done = warm.run(["forecarbon", "forecast"], env=shell_env)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("forecarbon: forecast-of-what: found neither")
