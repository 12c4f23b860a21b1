from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import features.reference.tables as tables
from features.errors import DataError
from features.reference.rules import check_all
from features.reference.schemas import TABLES
from features.reference.tables import load, read_table

OWN = Path(tables.__file__).parent
Change = Callable[[str, int, str, str], Path]


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """One cell changed: table, row (from 0), column, new text. The folder holds that table alone."""

    def apply(table: str, row: int, column: str, value: str) -> Path:
        frame = pd.read_csv(OWN / f"{table}.csv", dtype=str, keep_default_na=False)
        assert frame.at[row, column] != value
        frame.at[row, column] = value
        frame.to_csv(tmp_path / f"{table}.csv", index=False)
        return tmp_path

    return apply


def check(folder: Path, table: str) -> None:
    """What ``load`` does, with the one table of ``folder`` and all others as they are."""
    frames = {t.name: getattr(load(), t.name) for t in TABLES}
    frames[table] = read_table(folder, next(t for t in TABLES if t.name == table))
    check_all(frames)


def row_of(table: str, **where: str) -> int:
    frame = pd.read_csv(OWN / f"{table}.csv", dtype=str, keep_default_na=False)
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return int(frame.index[0])


def test_the_reference_holds_what_it_should() -> None:
    reference = load()
    assert len(reference.clusters) == 33
    assert reference.clusters["country"].nunique() == 16
    assert len(reference.projects) == 29
    assert len(reference.factors) == 133
    assert len(reference.sector_emissions) == 7471
    assert len(reference.absent_series) == 16
    assert reference.claims["value_mt_per_yr"].sum() == pytest.approx(164.3)
    joined = reference.clusters["joined"].value_counts().sort_index()
    assert joined.cumsum().tolist() == [4, 8, 17, 20, 33]


def test_targets_are_one_a_row_with_one_in_force() -> None:
    targets = load().targets
    assert (targets["kind"] == "net-zero").sum() == 16
    dunkirk = targets[(targets["cluster_id"] == "fr-dunkirk") & (targets["kind"] == "percent")]
    assert dunkirk.set_index("value")["in_force"].to_dict() == {55.0: True, 30.0: False}
    assert dunkirk["note"].str.len().min() > 20
    rotterdam = targets[(targets["cluster_id"] == "nl-rotterdam") & (targets["target_year"] == 2030)]
    assert rotterdam.set_index("kind")["value"].to_dict() == {"percent": 55.0, "level": 9.3}
    assert rotterdam["base_value_mt"].tolist() == [20.6, 20.6]
    national = targets.set_index("target_id")["pledged_by"]
    assert national["sa-jubail-2060-net-zero"] == "nation"
    assert national["us-louisiana-2050-net-zero"] == "state"


def test_the_unknown_stays_unknown() -> None:
    clusters = load().clusters.set_index("cluster_id")
    assert clusters["lat"].isna()["id-inbc"]
    assert clusters["baseline_mt"].notna().sum() == 6
    assert clusters.loc["gb-humber", "baseline_bound"] == "lower"
    assert clusters.loc["au-kwinana", "baseline_scope"] == ""


def test_two_scopes_of_one_year_stay_apart() -> None:
    history = load().published_history
    both = history[(history["cluster_id"] == "nl-rotterdam") & (history["year"] == 2023)]
    assert both.set_index("scope_id")["value_mt"].to_dict() == {
        "rotterdam-co2-registered": 20.3, "rotterdam-all-ghg": 20.9,
    }  # fmt: skip


def test_loading_is_fast_and_done_once() -> None:
    load()
    assert load() is load(OWN)
    best = min(_seconds() for _ in range(3))
    assert best < 0.5


def _seconds() -> float:
    tables._load.cache_clear()
    begin = time.process_time()
    load()
    return time.process_time() - begin


def test_no_source_is_listed_in_vain() -> None:
    reference = load()
    cited: set[str] = set()
    for table in TABLES:
        frame = getattr(reference, table.name)
        if "source" in frame:
            cited |= {name for cell in frame["source"].unique() for name in cell.split(" | ")}
    assert cited == set(reference.sources["source_id"])


def test_the_figures_are_small_enough_to_carry() -> None:
    assert (OWN / "sector_emissions.csv").stat().st_size < 2**20


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_every_table_refuses_a_row_without_its_key(table: str, change: Change) -> None:
    key = next(t.key[0] for t in TABLES if t.name == table)
    with pytest.raises(DataError) as refusal:
        check(change(table, 1, key, ""), table)
    assert f"{table}.csv line 3" in str(refusal.value)


@pytest.mark.parametrize("table", [table.name for table in TABLES if table.name != "initiative_totals"])
def test_every_table_refuses_a_repeated_key(table: str, tmp_path: Path) -> None:
    lines = (OWN / f"{table}.csv").read_text().splitlines(keepends=True)
    (tmp_path / f"{table}.csv").write_text("".join([*lines, lines[1]]))
    with pytest.raises(DataError) as refusal:
        check(tmp_path, table)
    assert refusal.value.code == "reference-key-repeated"
    assert f"{table}.csv line {len(lines) + 1}" in refusal.value.offenders[0]


@pytest.mark.parametrize("table", [t.name for t in TABLES if "source" in t.columns])
@pytest.mark.parametrize("source", ["", "https://nowhere.example", "eu-ets | "])
def test_every_row_needs_a_source_that_is_listed(table: str, source: str, change: Change) -> None:
    with pytest.raises(DataError) as refusal:
        check(change(table, 0, "source", source), table)
    assert f"{table}.csv line 2" in str(refusal.value)


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        ("clusters", 3, "lat", "95"),
        ("clusters", 3, "country", "Spain"),
        ("clusters", 3, "joined", "2021"),
        ("clusters", 3, "baseline_bound", "exact"),
        ("clusters", 3, "gdp_low", "4"),
        ("clusters", 3, "left", "2020-01"),
        ("clusters", 3, "confidence", "certain"),
        ("boundaries", 2, "west", "10"),
        ("boundaries", 2, "south", ""),
        ("boundaries", 2, "cluster_id", "xx-none"),
        ("targets", 2, "value", "about 7"),
        ("targets", 2, "value", "-1"),
        ("targets", 2, "target_year", "20300"),
        ("targets", 2, "target_year", "2030.5"),
        ("targets", 2, "base_year", "2031"),
        ("targets", 2, "kind", "wish"),
        ("targets", 2, "in_force", "yes"),
        ("targets", 2, "evidence", "guessed"),
        ("targets", 2, "scope_id", "nowhere"),
        ("targets", 2, "cluster_id", "xx-none"),
        ("claims", 1, "value_mt_per_yr", ""),
        ("claims", 1, "kind", "inventory"),
        ("projects", 4, "stage", "soon"),
        ("projects", 4, "capacity", "n/a"),
        ("projects", 4, "cluster_id", "xx-none"),
        ("factors", 10, "value", ""),
        ("factors", 10, "low", "1000000"),
        ("published_history", 1, "value_mt", "-1"),
        ("published_history", 1, "year", "30.9"),
        ("initiative_totals", 1, "clusters", ""),
        ("initiative_totals", 1, "date", "05-2022"),
        ("sector_emissions", 100, "tco2e", "-1"),
        ("sector_emissions", 100, "tco2e", "Excluded"),
        ("sector_emissions", 100, "tco2e", ""),
        ("sector_emissions", 100, "tco2e", "inf"),
        ("sector_emissions", 100, "year", "1492"),
        ("sector_emissions", 100, "year", "2004"),
        ("sector_emissions", 100, "installations", "0"),
        ("sector_emissions", 100, "area", "xx-none"),
        ("sector_emissions", 100, "kind", "planet"),
        ("sector_emissions", 100, "sector", "Cement & lime"),
        ("scope_breaks", 0, "scheme", "moon-ets"),
        ("scope_breaks", 0, "applies_to", "NL;ZZ"),
        ("scope_breaks", 0, "sectors", "nonsense"),
        ("publication", 1, "month", "13"),
        ("publication", 1, "day", "31"),
        ("publication", 1, "years_after", "0"),
        ("absent_series", 0, "remedy", ""),
        ("sources", 0, "url", "a page"),
    ],
)  # fmt: skip
def test_one_wrong_cell_is_refused_and_named(
    table: str, row: int, column: str, value: str, change: Change
) -> None:
    with pytest.raises(DataError) as refusal:
        check(change(table, row, column, value), table)
    assert f"{table}.csv line {row + 2}" in str(refusal.value)
    assert refusal.value.remedy


@pytest.mark.parametrize("word", ["clusters", "sector_emissions"])
def test_a_missing_table_or_column_is_told(word: str, tmp_path: Path) -> None:
    for path in OWN.glob("*.csv"):
        shutil.copy(path, tmp_path)
    frame = pd.read_csv(tmp_path / f"{word}.csv", dtype=str, keep_default_na=False)
    frame.drop(columns="source").to_csv(tmp_path / f"{word}.csv", index=False)
    with pytest.raises(DataError) as refusal:
        load(tmp_path)
    assert refusal.value.code == "reference-columns"
    (tmp_path / f"{word}.csv").unlink()
    with pytest.raises(DataError) as refusal:
        load(tmp_path)
    assert refusal.value.code == "reference-unreadable"


def test_a_cluster_without_figures_must_say_why(change: Change) -> None:
    row = row_of("absent_series", cluster_id="in-mumbai")
    line = row_of("clusters", cluster_id="in-mumbai") + 2
    folder = change("absent_series", row, "cluster_id", "nl-rotterdam")
    with pytest.raises(DataError) as refusal:
        check(folder, "absent_series")
    assert refusal.value.code == "reference-cluster-unanswered"
    assert f"clusters.csv line {line}: in-mumbai" in str(refusal.value)
    assert "nl-rotterdam" in str(refusal.value)
