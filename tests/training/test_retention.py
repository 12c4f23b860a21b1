from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

import upkeep
from features.errors import AskError, ModelError
from features.files import one_at_a_time, read_json, write_json
from features.findings import append_new, read_findings
from serving.journal import keep
from serving.packs import packs_in
from tests.features.test_findings import ONE
from tests.serving.notes import entry
from tests.serving.synthetic import Kit
from training import ledger, promotions
from training.ledger import Entry
from training.promotions import Promotion
from training.retention import Retention, kept_versions, saved_versions

NOW: Final = datetime(2026, 11, 28, tzinfo=UTC)
LINE: Final = Promotion("", "ada", "", "", "", "promote", "", "", "", "", "", "")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Six models, each promoted a year after the one before; the newest serves."""
    before = ""
    for number in range(1, 7):
        version = f"202{number}-01-01T000000Z-aaaaaaa{number}"
        (tmp_path / "models" / version).mkdir(parents=True)
        (tmp_path / "models" / version / "model.json").write_text("x" * 1000)
        at = f"202{number}-01-01T00:00:00Z"
        promotions.append(
            tmp_path, replace(LINE, at=at, from_version=before, to_version=version, verdict_id=at)
        )
        Kit(version=version).publish(tmp_path, created_at=datetime(2020 + number, 1, 1, tzinfo=UTC))
        before = version
    return tmp_path


def years(store: Path) -> list[str]:
    return [name[:4] for name in saved_versions(store)]


def test_what_serves_what_served_before_and_what_is_new_stay(store: Path) -> None:
    upkeep.clear_up(store, Retention(0, 10), now=NOW)
    assert years(store) == ["2025", "2026"]
    assert {pack.model_version[:4] for pack in packs_in(store)} == {"2025", "2026"}


@pytest.mark.parametrize(("models", "days", "left"), [(4, 10, 4), (0, 1100, 4), (1, 10, 2), (99, 10, 6)])
def test_the_newest_and_those_within_the_days_stay(store: Path, models: int, days: int, left: int) -> None:
    upkeep.clear_up(store, Retention(models, days), now=NOW)
    assert len(saved_versions(store)) == left


def test_a_dry_run_says_the_same_and_removes_nothing(store: Path) -> None:
    before = sorted(path for path in store.rglob("*") if path.suffix != ".lock")
    told = upkeep.clear_up(store, Retention(0, 10), now=NOW, dry_run=True)
    assert sorted(path for path in store.rglob("*") if path.suffix != ".lock") == before
    done = upkeep.clear_up(store, Retention(0, 10), now=NOW)
    assert (told.counts, told.sizes) == (done.counts, done.sizes)
    assert (done.counts["saved models"], done.counts["packs"]) == (4, 4)
    assert upkeep.clear_up(store, Retention(0, 10), now=NOW).freed == 0


def test_what_a_rollback_returns_to_stays(store: Path) -> None:
    promotions.append(store, replace(
        LINE, at="2026-02-01T00:00:00Z", from_version=saved_versions(store)[-1],
        to_version=saved_versions(store)[2], verdict_id="r", decision="roll-back",
    ))  # fmt: skip
    target = promotions.before_present(store)
    upkeep.clear_up(store, Retention(0, 10), now=NOW)
    assert target[:4] == "2022"
    assert years(store) == ["2022", "2023", "2025", "2026"]


def test_whatever_the_clock_says_what_may_serve_again_stays(store: Path) -> None:
    for days in (365 * 50, -365 * 50):
        upkeep.clear_up(store, Retention(0, 1), now=NOW + timedelta(days=days))
        assert years(store)[-2:] == ["2025", "2026"]
        assert read_json(store / "current.json")["model_version"].startswith("2026")


def test_a_model_that_answered_lately_stays_and_what_is_lost_is_told(store: Path) -> None:
    for number, version in enumerate(saved_versions(store)[:2]):
        said = entry(number, "2026-11-20" if number else "2020-01-01")
        keep(store, said._replace(model_version=version))
    done = upkeep.clear_up(store, Retention(0, 30), now=NOW)
    assert years(store) == ["2022", "2025", "2026"]
    assert any("without their model" in sentence for sentence in done.told)
    done = upkeep.clear_up(store, Retention(0, 30), now=NOW, journal_days=60)
    assert done.counts["entries of the journal"] == 1
    assert any("are forgotten" in sentence for sentence in done.told)


def test_a_model_saved_under_a_clock_behind_is_left_for_a_person(store: Path) -> None:
    waiting = store / "models" / "2019-01-01T000000Z-bbbbbbbb"
    waiting.mkdir()
    upkeep.clear_up(store, Retention(1, 10), now=datetime.now(UTC))
    assert waiting.exists()
    os.utime(waiting, (time.time() - 1e6, time.time() - 1e6))
    upkeep.clear_up(store, Retention(1, 10), now=datetime.now(UTC))
    assert not waiting.exists()


def test_left_overs_and_spools_go_and_fresh_scratch_stays(store: Path) -> None:
    for name in (".model.old", ".model.new"):
        (store / "models" / name).mkdir()
    os.utime(store / "models" / ".model.old", (time.time() - 1e6, time.time() - 1e6))
    (store / "journal").mkdir()
    (store / "journal" / "spool-1-aa.jsonl").write_text(entry(5).body + "\n")
    upkeep.clear_up(store, Retention(), now=datetime.now(UTC))
    assert [path.name for path in (store / "models").glob(".*")] == [".model.new"]
    assert not list((store / "journal").glob("*"))


def test_records_are_thinned_where_days_are_given_and_promotions_never(store: Path) -> None:
    newest, oldest = saved_versions(store)[-1], saved_versions(store)[0]
    for at in ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2026-11-20T00:00:00Z"):
        ledger.append(store, Entry(at, "", "annual", at, ledger.JUDGED, "", "keep", newest, "", "", True))
    found = [replace(ONE, finding_id=name, at="2026-01-01T00:00:00Z", model_version=version)
             for name, version in (("spoken of", oldest), ("of nothing", "gone"))]  # fmt: skip
    append_new(store, found)
    keep(store, entry(1, "2020-01-01")._replace(model_version=oldest))
    promoted = promotions.read(store)
    upkeep.clear_up(store, Retention(), now=NOW)
    assert (len(ledger.read(store)), len(read_findings(store))) == (3, 2)
    told = upkeep.clear_up(store, Retention(), now=NOW, record_days=30, journal_days=40, dry_run=True)
    done = upkeep.clear_up(store, Retention(), now=NOW, record_days=30)
    assert len(ledger.read(store)) == 1
    assert [each["finding_id"] for each in read_findings(store)] == ["spoken of"]
    assert told.counts["retrains on record"] == done.counts["retrains on record"] == 2
    # Without its forecast, nobody will find it again: it goes with the journal.
    assert (told.counts["findings on record"], done.counts["findings on record"]) == (2, 1)
    upkeep.clear_up(store, Retention(), now=NOW, record_days=30, journal_days=40)
    assert read_findings(store) == []
    assert promotions.read(store) == promoted


def test_it_waits_for_no_retrain(store: Path) -> None:
    for lock in ("retrain.lock", "upkeep.lock"):
        with one_at_a_time(store / lock, "job"), pytest.raises(AskError, match="job-already-running"):
            upkeep.clear_up(store, Retention(0, 10), now=NOW)
    assert len(years(store)) == 6


def test_without_a_readable_pointer_nothing_is_removed(store: Path) -> None:
    (store / "current.json").write_text("{")
    with pytest.raises(ModelError, match="pointer-unreadable"):
        upkeep.clear_up(store, Retention(0, 10), now=NOW)
    write_json(store / "current.json", {})
    assert len(years(store)) == 6


def test_what_is_pointed_to_stays_though_no_record_names_it(tmp_path: Path) -> None:
    assert kept_versions(tmp_path, Retention(0, 1), NOW, {"pointed"}) == {"pointed"}


def test_days_that_lead_before_any_record_are_refused_and_nothing_goes(store: Path) -> None:
    """Texts of instants before the year 1000 sort after all others: then everything would go."""
    asked = ["vacuum", "--store", str(store), "--keep-models", "0", "--keep-days", "400"]
    for option in ("--keep-days", "--journal-days", "--record-days"):
        for days in (36_501, 400_000, 10**12):
            told = CliRunner().invoke(upkeep.app, [*asked, option, str(days)])
            assert told.exit_code == 2
            assert "36500" in told.output
    assert len(saved_versions(store)) == 6


def test_the_most_days_keep_everything(store: Path) -> None:
    told = CliRunner().invoke(
        upkeep.app, ["vacuum", "--store", str(store), "--keep-models", "0", "--keep-days", "36500"]
    )
    assert told.exit_code == 0, told.output
    assert len(saved_versions(store)) == 6
