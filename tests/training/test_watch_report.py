from __future__ import annotations

import pytest

from tests.training.test_watch import NOW, came, drawn, told
from training.plan import WatchPlan
from training.watch import Watched, watch
from training.watch_report import print_watch, summary


def seen(mean: float) -> Watched:
    return watch(told(), came(drawn(1, mean=mean)), WatchPlan(), plan="p", serving="v1", now=NOW)


def test_tests_and_findings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    bad = seen(-2.0)
    print_watch(bad, bad.findings)
    printed = " ".join(capsys.readouterr().out.split())
    assert "Issued forecasts with an actual: 120, of [2022, 2023]" in printed
    assert "bias, usual errors" in printed
    assert "Finding: forecasts are" in printed
    print_watch(bad, [])
    assert "No new finding." in capsys.readouterr().out


def test_a_watch_in_a_sentence() -> None:
    bad, good = seen(-2.0), seen(0.0)
    assert summary(good, []) == "120 issued forecasts scored, 0 findings: nothing new"
    assert "too high" in summary(bad, bad.findings)
    nothing = watch(told(), came(drawn(1)).take([]), WatchPlan(), plan="p", serving="v1", now=NOW)
    assert summary(nothing, []) == "no issued forecast has met its actual yet"
