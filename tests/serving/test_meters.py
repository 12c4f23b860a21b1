from __future__ import annotations

import re
from pathlib import Path

import pytest

from serving.meters import FOLDER, Meters
from serving.routes import ROUTES
from tests.serving.desks import asked, desk_of


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)


def lines(meters: Meters, name: str) -> dict[str, float]:
    """Figures by what stands before them, of one name."""
    text = meters.text().decode()
    found = re.findall(rf"^({name}[^ ]*) ([\d.e+-]+)$", text, re.MULTILINE)
    return {label: float(value) for label, value in found}


def test_requests_are_counted_by_route_and_status_and_timed_by_route() -> None:
    meters = Meters(["forecast", "other"])
    for seconds in (0.0004, 0.02, 99.0):
        meters.count("forecast", 200, seconds)
    meters.count("other", 404, 0.001)
    assert lines(meters, "forecarbon_requests_total") == {
        'forecarbon_requests_total{route="forecast",status="200"}': 3.0,
        'forecarbon_requests_total{route="other",status="404"}': 1.0,
    }
    timed = lines(meters, "forecarbon_request_seconds")
    assert timed['forecarbon_request_seconds_count{route="forecast"}'] == 3.0
    assert timed['forecarbon_request_seconds_bucket{le="0.0005",route="forecast"}'] == 1.0
    assert timed['forecarbon_request_seconds_bucket{le="10.0",route="forecast"}'] == 2.0
    with pytest.raises(KeyError):
        meters.count("made-up", 200, 0.1)


def test_how_things_stand() -> None:
    meters = Meters(["other"])
    meters.swapped()
    meters.refused()
    meters.tell(degraded=1.0, journal_lost=3.0)
    assert lines(meters, "forecarbon_swaps_total") == {"forecarbon_swaps_total": 1.0}
    assert lines(meters, "forecarbon_packs_refused_total") == {"forecarbon_packs_refused_total": 1.0}
    assert lines(meters, "forecarbon_degraded") == {"forecarbon_degraded": 1.0}
    assert lines(meters, "forecarbon_journal_lost") == {"forecarbon_journal_lost": 3.0}


def test_callers_make_no_labels(store: Path) -> None:
    with desk_of(store) as edge:
        before = asked(edge, "GET", "/metrics").text.count("\n")
        for number in range(20):
            asked(edge, f"BREW{number}", f"/v1/made/{number}")
            asked(edge, "GET", f"/v1/forecasts/{number}")
            asked(edge, "DELETE", "/v1/clusters", headers={"x-request-id": f"n{number}"})
        text = asked(edge, "GET", "/metrics").text
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert routes <= set(ROUTES)
    assert 'route="other",status="404"} 20.0' in text
    assert text.count("\n") - before < 12
