"""Uploads in the lake, as a history to forecast, and at the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import forecarbon
from features.errors import AskError, DataError
from features.series.lake import Lake
from features.sources.history_file import read_history
from features.sources.ingest import ingest
from features.sources.inventory_figures import Declared
from tests.sources.inventories import workbook, written

NOW = pd.Timestamp("2026-01-02 03:04:05")
TEXT = "site,year,CO2 (kt),CH4 (t)\nA,2015,10,100\nA,2016,11,110\n"
SPOILT = TEXT + "".join(f"B{k},2015,-1,5\n" for k in range(30))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_one_inventory_keeps_to_one_set(lake: Lake, tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    ar5, ar6 = ({"declared": Declared(gwp=name), "name": "Our site"} for name in ("AR5", "AR6"))
    first = ingest("upload", lake=lake, now=NOW, files=[path], options=ar5)
    assert (first.outcome, first.snapshot.source) == ("new", "upload")
    assert ingest("upload", lake=lake, now=NOW, files=[path], options=ar5).outcome == "nothing-new"
    before = lake.ground.names()
    with pytest.raises(AskError, match="gwp-sets-mixed"):
        ingest("upload", lake=lake, now=NOW, files=[path], options=ar6)
    assert lake.ground.names() == before
    other = ingest("upload", lake=lake, now=NOW, files=[path], options={**ar6, "name": "Ours AR6"})
    assert other.outcome == "new"  # the same bytes, read otherwise, are another snapshot
    known = lake.as_of(NOW)
    assert known.records["facility_id"].unique().tolist() == ["upload:our-site:A", "upload:ours-ar6:A"]
    assert known.records["y"].tolist() == [12_800.0, 14_080.0, 12_700.0, 13_970.0]


def test_nothing_is_written_for_a_bad_row_unless_asked(lake: Lake, tmp_path: Path) -> None:
    path = written(tmp_path, SPOILT)
    said = {"declared": Declared(gwp="AR5")}
    with pytest.raises(DataError, match="inventory-rows-refused"):
        ingest("upload", lake=lake, now=NOW, files=[path], options=said)
    assert lake.ground.names() == []
    done = ingest("upload", lake=lake, now=NOW, files=[path], options={**said, "keep_good": True})
    assert done.snapshot.counts["rows_bad"] == 30
    assert lake.as_of(NOW).records["y"].tolist() == [12_800.0, 14_080.0]


def test_options_are_for_uploads_alone(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(AskError, match="options-do-not-fit"):
        ingest("gcb", lake=lake, now=NOW, files=[written(tmp_path, TEXT)], options={"name": "x"})


def test_a_history_in_any_layout_is_the_plain_panel(tmp_path: Path) -> None:
    plain = read_history(
        written(tmp_path, "unique_id,ds,y\nA,2015,1500\nA,2016,2000\nB,2015,3000\nB,2016,\n", "p.csv")
    )
    wide = written(tmp_path, "Site;Sector;2015;2016\nB;glass;3;\nA;lime;1,5;2\n")
    book = workbook(
        tmp_path,
        [["Site", "Year", "kt CO2"], ["A", 2015, 1.5], ["A", 2016, 2], ["B", 2015, 3], ["B", 2016, None]],
    )
    said = Declared(unit="kt", gas="CO2", decimal=",")
    for path, declared in ((wide, said), (book, Declared())):
        told = read_history(path, declared=declared)
        pd.testing.assert_frame_equal(told.upload.panel.frame, plain.upload.panel.frame)
        assert told.notes[0] == "figures in tCO2e (co2)"
        assert "1 empty cells" in told.notes[1]
        dense = told.upload.panel.dense
        assert told.upload.write_ds(["A"], np.asarray(dense.future(1))[:1].ravel()).tolist() == ["2017"]
    assert read_history(wide, declared=said).upload.panel.traits["sector"].tolist() == ["lime", "glass"]


def test_a_plain_panel_keeps_its_own_refusals(tmp_path: Path) -> None:
    for text, code in (
        ("unique_id,date,y\na,2005,1\n", "columns-missing"),
        ("this,that\n1,2\n", "columns-missing"),
        ("unique_id,ds,y\na,2005,x\n", "value-not-a-number"),
    ):
        with pytest.raises(DataError, match=code):
            read_history(written(tmp_path, text))
    with pytest.raises(AskError, match="unit-untold"):
        read_history(written(tmp_path, "site,2015,2016\nA,1,2\n"))


def run(*words: object) -> tuple[int, str]:
    """Status and output of the command, as ``guarded`` gives them."""
    result = CliRunner().invoke(forecarbon.app, [str(word) for word in words])
    failed = isinstance(result.exception, AskError | DataError)
    return forecarbon.CALLERS_FAULT if failed else result.exit_code, result.output


def test_the_command_line(tmp_path: Path) -> None:
    path, bad, told = written(tmp_path, TEXT, "ok.csv"), written(tmp_path, SPOILT), tmp_path / "c.csv"
    store = ["--store", tmp_path / "store"]
    status, output = run("check", path, "--gwp", "AR5")
    assert (status, "Every row can be read" in output) == (0, True)
    status, output = run("ingest", "upload", "--file", bad, "--gwp", "AR5", "--complaints", told, *store)
    assert status == forecarbon.CALLERS_FAULT
    assert "figure-negative" in output
    assert len(pd.read_csv(told)) == 30
    assert not list((tmp_path / "store" / "lake").rglob("*.parquet"))
    status, output = run("ingest", "upload", "--file", bad, "--gwp", "AR5", "--keep-good-rows", *store)
    assert (status, "rows_bad 30" in output) == (0, True)
    status, output = run("forecast", "--history", path, "--gwp", "AR5", "--steps", 1, "--model", "naive")
    assert (status, "A,2017,1" in output) == (0, True)


def test_complaints_never_begin_like_a_formula(tmp_path: Path) -> None:
    path, told = written(tmp_path, TEXT + "=1+2,2015,1,1\n"), tmp_path / "c.csv"
    run("check", path, "--gwp", "AR5", "--complaints", told)
    frame = pd.read_csv(told)
    assert len(frame) > 0
    assert not frame["text"].str.match(r"[=+@-]").any()
