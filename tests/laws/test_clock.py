"""The clock is read in three files; everyone else is told the time."""

from __future__ import annotations

import ast
from typing import Any, Final

import pytest

ALLOWED: Final = {"forecarbon.py", "serving/service.py", "training/schedule.py"}
READS: Final = {"now", "utcnow", "today"}
CLOCKS: Final = {"datetime", "date", "Timestamp"}
TIME_READS: Final = {"time", "time_ns", "gmtime", "localtime", "ctime"}
NUMPY_WORDS: Final = {"now", "today"}


def clock_reads(tree: ast.Module) -> list[int]:
    """Lines on which the wall clock is read (durations by perf_counter or monotonic are none)."""
    from_time = {
        item.asname or item.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for item in node.names
        if item.name in TIME_READS
    }
    return sorted(
        {node.lineno for node in ast.walk(tree) if isinstance(node, ast.expr) and _reads(node, from_time)}
    )


def _reads(node: ast.AST, from_time: set[str]) -> bool:
    if isinstance(node, ast.Attribute):
        of_time = isinstance(node.value, ast.Name) and node.value.id == "time"
        owner = getattr(node.value, "attr", getattr(node.value, "id", ""))
        return (owner in CLOCKS and node.attr in READS) or (of_time and node.attr in TIME_READS)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in from_time:
            return True
        if isinstance(node.func, ast.Attribute) and node.func.attr in READS:
            return True
        first = node.args[0] if node.args else None
        named = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        word = first.value if isinstance(first, ast.Constant) else None
        return named in {"datetime64", "Timestamp", "to_datetime"} and word in NUMPY_WORDS
    return False


def test_only_the_edges_read_the_clock(sources: list[Any]) -> None:
    reads = {source.name: clock_reads(source.tree) for source in sources if source.name not in ALLOWED}
    assert {name: lines for name, lines in reads.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "dt.datetime.utcnow()",
        "date.today()",
        "pd.Timestamp.now()",
        "pd.Timestamp('now')",
        "np.datetime64('today')",
        "time.time()",
        "field(default_factory=time.time)",
        "field(default_factory=datetime.now)",
        "D.now()",
        "from time import time_ns as t\nt()",
    ],
)
def test_the_scan_sees(line: str) -> None:
    assert clock_reads(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    ["time.perf_counter()", "time.monotonic()", "self.now.date()", "as_of = pd.Timestamp('2024-01-01')"],
)
def test_the_scan_lets_durations_and_told_times_pass(line: str) -> None:
    assert clock_reads(ast.parse(line)) == []
