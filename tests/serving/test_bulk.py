"""Panels in parts: what is said is what the whole would be told, whatever the blocks; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import AskError, DataError
from features.sources import panel_parts
from features.sources.panel_parts import Parts, read_part
from features.spread import Here
from serving import bulk
from serving.batch import forecast_file
from serving.bulk import forecast_any, forecast_parts

YEARS = 14
COUNT = 40


def frame_of(count: int = COUNT) -> pd.DataFrame:
    """Series of unlike lengths, one too short for the blend, one without a figure, one with gaps."""
    draw = np.random.default_rng(2)
    rows = []
    for k in range(count):
        n = 2 if k == 3 else int(draw.integers(6, YEARS + 1))
        y = 500 * np.exp(np.cumsum(draw.normal(0, 0.1, n)))
        y = np.full(n, np.nan) if k == 7 else np.where(np.arange(n) == 2, np.nan if k == 9 else y, y)
        rows.append(pd.DataFrame({"unique_id": f"s{k:03d}", "ds": np.arange(2023 - n, 2023), "y": y}))
    return pd.concat(rows, ignore_index=True).assign(sector=lambda f: f["unique_id"].str[-1])


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    path = tmp_path / "panel.parquet"
    frame_of().to_parquet(path, index=False, row_group_size=50)
    return path


def test_parts_say_what_the_whole_is_told(panel: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.parquet", tmp_path / "parts.parquet"
    forecast_file(panel, steps=4, out=whole)
    forecast_parts(panel, steps=4, out=parts, spread=Here(), block=7)
    one, other = pd.read_parquet(whole), pd.read_parquet(parts)
    said = ["unique_id", "ds", "step", "made_by"]
    pd.testing.assert_frame_equal(one[said], other[said])
    figures = one.columns.difference(said)
    np.testing.assert_allclose(one[figures], other[figures], rtol=1e-9)
    assert one["made_by"].str.split(":").str[0].drop_duplicates().tolist() == ["blend", "naive", "none"]


def test_a_file_of_csv_is_the_same_answer(panel: Path, tmp_path: Path) -> None:
    table, text = tmp_path / "told.parquet", tmp_path / "told.csv"
    forecast_parts(panel, steps=2, out=table, spread=Here(), block=9)
    forecast_parts(panel, steps=2, out=text, spread=Here(), block=9)
    pd.testing.assert_frame_equal(pd.read_parquet(table), pd.read_csv(text), check_dtype=False)


def test_a_block_without_a_figure_is_answered(tmp_path: Path) -> None:
    path, told = tmp_path / "panel.parquet", tmp_path / "told.parquet"
    frame_of().to_parquet(path, index=False)
    forecast_parts(path, steps=2, out=told, spread=Here(), block=1)
    made = pd.read_parquet(told)
    assert made["unique_id"].nunique() == COUNT
    silent = made[made["unique_id"] == "s007"]
    assert silent["made_by"].tolist() == ["none: no figure in the history"] * 2
    assert silent["mean"].isna().all()


def test_a_folder_of_files_is_one_panel(panel: Path, tmp_path: Path) -> None:
    frame, folder = frame_of(), tmp_path / "lake"
    for area, names in (("area=b", range(20, 40)), ("area=a", range(20))):
        (folder / area).mkdir(parents=True)
        chosen = frame[frame["unique_id"].isin([f"s{k:03d}" for k in names])]
        chosen.to_parquet(folder / area / "rows.parquet", index=False)
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    forecast_parts(panel, steps=2, out=one, spread=Here(), block=20)
    forecast_any(folder, steps=2, out=other, spread=Here())
    pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(other))


def test_parts_hold_every_row_once(panel: Path) -> None:
    parts = Parts.of(panel)
    assert parts.count == COUNT
    frames = [read_part(part).panel.dense for part in parts.of_size(7)]
    assert [name for dense in frames for name in dense.ids] == [f"s{k:03d}" for k in range(COUNT)]
    assert [part.series for part in parts.of_size(7)] == [7] * 5 + [5]
    assert len(parts.every(10).panel.dense.ids) == 10


def test_scattered_series_are_refused_or_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, told = tmp_path / "panel.parquet", tmp_path / "told.parquet"
    frame_of().sample(frac=1, random_state=1).to_parquet(path, index=False)
    with pytest.raises(DataError, match="series-scattered"):
        forecast_any(path, steps=2, out=told, spread=Here(), in_parts=True)
    assert not told.exists()
    monkeypatch.setattr(bulk, "MOST_WHOLE", 10)
    forecast_any(path, steps=2, out=told, spread=Here())
    assert pd.read_parquet(told)["unique_id"].nunique() == COUNT


def test_a_series_in_two_files_is_scattered(tmp_path: Path) -> None:
    for name in ("a", "b"):
        frame_of(3).to_parquet(tmp_path / f"{name}.parquet", index=False)
    with pytest.raises(DataError, match="series-scattered"):
        Parts.of(tmp_path)


@pytest.mark.parametrize("learnt_from", [COUNT, 2])
def test_files_of_unlike_columns_are_refused(tmp_path: Path, learnt_from: int) -> None:
    """With two learnt from, none is of the second file: its schema is asked all the same."""
    frame, told = frame_of(), tmp_path / "told.parquet"
    folder = tmp_path / "lake"
    folder.mkdir()
    last = frame["unique_id"] == frame["unique_id"].iloc[-1]
    frame[~last].to_parquet(folder / "a.parquet", index=False)
    frame[last].assign(ds=frame["ds"].astype(str)).to_parquet(folder / "b.parquet", index=False)
    with pytest.raises(DataError, match="columns-unlike") as refusal:
        forecast_parts(folder, steps=2, out=told, spread=Here(), learnt_from=learnt_from)
    assert len(refusal.value.offenders) == 1
    assert refusal.value.offenders[0].startswith("ds: int64 in a.parquet, ")
    assert not told.exists()


def test_a_row_group_that_every_part_would_decode_again_is_refused(
    panel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_parts, "MOST_OF_A_GROUP", 49)
    with pytest.raises(DataError, match="row-group-too-large") as refusal:
        Parts.of(panel)
    assert "50 rows" in refusal.value.found
    frame_of().to_parquet(panel, index=False, row_group_size=49)
    assert Parts.of(panel).count == COUNT


def test_bad_rows_are_named_by_their_place_in_the_file(tmp_path: Path) -> None:
    path, told = tmp_path / "panel.parquet", tmp_path / "told.parquet"
    frame = frame_of()
    years = frame["ds"].to_numpy(copy=True)
    years[200] = years[199]
    frame = frame.assign(ds=years)
    frame.to_parquet(path, index=False)
    # Every fourth series is learnt from; the fault is met in its block.
    with pytest.raises(DataError, match=r"panel\.parquet row 201"):
        forecast_parts(path, steps=2, out=told, spread=Here(), learnt_from=10)
    assert not told.exists()


def test_a_large_file_is_read_in_parts(panel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(bulk, "forecast_parts", lambda *a, **k: seen.append("parts"))
    monkeypatch.setattr(bulk, "forecast_file", lambda *a, **k: seen.append("whole"))
    forecast_any(panel, steps=2, spread=Here())
    monkeypatch.setattr(bulk, "MOST_WHOLE", 100)
    forecast_any(panel, steps=2, spread=Here())
    assert seen == ["whole", "parts"]


def test_an_engine_needs_a_file_it_can_share_out(tmp_path: Path) -> None:
    with pytest.raises(AskError, match="history-not-in-parts"):
        forecast_any(tmp_path / "panel.csv", steps=2, spread=Here(), in_parts=True)
