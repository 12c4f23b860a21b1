from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from serving.ready import Plate, Ready
from serving.shelf import Standing
from tests.serving.desks import asked, desk_of
from tests.serving.synthetic import Fake, Kit

ASK = {"clusters": ["aa-north"], "steps": 2}


def plate(size: int = 10) -> Plate:
    return Plate(b"x" * size, None, b"application/json")


def test_a_plate_is_of_the_standing_it_was_made_for_and_of_no_other(standing: Standing) -> None:
    ready, other = Ready(), replace(standing)
    ready.keep("json", b"q", standing, plate())
    assert ready.find("json", b"q", standing) is not None
    assert ready.find("json", b"q", other) is None
    assert ready.find("csv", b"q", standing) is None
    ready.keep("json", b"q2", other, plate())
    assert ready.find("json", b"q", standing) is None
    assert ready.find("json", b"q", other) is None


def test_what_is_kept_is_bounded_and_the_oldest_goes_first(standing: Standing) -> None:
    ready = Ready(most_bytes=20_000)
    for number in range(50):
        ready.keep("json", b"%d" % number, standing, plate(1_000))
    kept = [n for n in range(50) if ready.find("json", b"%d" % n, standing)]
    assert kept == list(range(50 - len(kept), 50))
    assert 5 <= len(kept) <= 10
    ready.keep("json", b"large", standing, plate(2_000_000))
    assert ready.find("json", b"large", standing) is None
    for _ in range(100):
        ready.keep("json", b"49", standing, plate(1_000))
    assert [n for n in range(50) if ready.find("json", b"%d" % n, standing)] == kept


def test_the_second_answer_is_the_first_but_for_its_time_and_names(store: Path) -> None:
    with desk_of(store) as edge:
        first, second = (asked(edge, "POST", "/v1/forecast", json=ASK).json() for _ in range(2))
        other = asked(edge, "POST", "/v1/forecast", content=b' {"steps": 2, "clusters": ["aa-north"]} ',
                      headers={"content-type": "application/json"}).json()  # fmt: skip
        got = asked(edge, "GET", "/v1/forecast?clusters=aa-north&steps=2").json()
        names = {told["forecast_id"] for told in (first, second, other, got)}
        assert len(names) == 4
        for told in (first, second, other, got):
            for mark in ("forecast_id", "request_id", "issued_at"):
                assert told.pop(mark)
        assert first == second == other == got


def test_a_new_champion_answers_at_once_with_its_own_figures(store: Path) -> None:
    with desk_of(store) as edge:
        before = asked(edge, "POST", "/v1/forecast", json=ASK).json()
        Kit(version="doubled", champion=Fake(scale=2.0)).publish(store)
        assert edge.desk is not None
        assert edge.desk.shelf.refresh()
        after = asked(edge, "POST", "/v1/forecast", json=ASK).json()
        assert after["model_version"] == "doubled"
        mean = [told["forecasts"][0]["rows"][0]["mean"] for told in (before, after)]
        assert abs(mean[1] / mean[0] - 2) < 1e-9
