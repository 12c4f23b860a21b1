from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, ndtri

from features.errors import AskError
from models.dated import DATED_FILE, LEAST_CHANCE, DatedRecord, Recalibration, chance_at_most
from models.dated_scores import EDGES, NAIVE, RAW, RECALIBRATED, Scored, record, records
from models.forecast import STANDARD_QUANTILES
from models.past_targets import BASES, CUTS, STEPS, base_figures, past_targets, told
from models.recalibrate import BINS, BLOCKS, MIDDLES, Cases, bin_of, counted, learn

Float = npt.NDArray[np.float64]
LEVELS = np.array(STANDARD_QUANTILES)
NAN = float("nan")


def sampled(values: Float, count: int, seed: int) -> Float:
    """Draws from quantiles: normal scores drawn, and read off the line through the quantiles' own."""
    scores = ndtri(LEVELS)
    z = np.random.default_rng(seed).standard_normal(count)
    low = values[0] + (z - scores[0]) * (values[1] - values[0]) / (scores[1] - scores[0])
    high = values[-1] + (z - scores[-1]) * (values[-1] - values[-2]) / (scores[-1] - scores[-2])
    inside = np.interp(z, scores, values)
    return np.where(z < scores[0], low, np.where(z > scores[-1], high, inside))


@given(
    st.lists(st.floats(0.0, 50.0), min_size=13, max_size=13),
    st.floats(-20, 120),
    st.floats(-1e3, 1e3),
    st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_a_chance_is_the_share_of_draws(steps: list[float], place: float, start: float, seed: int) -> None:
    values = start + np.cumsum(np.round(steps, 1))
    bound = values[0] + (values[-1] - values[0]) * place / 100 + 0.05
    share = (sampled(values, 20_000, seed) <= bound).mean()
    assert float(chance_at_most(values, LEVELS, bound)) == pytest.approx(share, abs=0.02)


@given(st.lists(st.floats(0, 1e6), min_size=13, max_size=13), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_chance_is_within_bounds_and_grows_with_the_bound(
    values: list[float], bound: float, more: float
) -> None:
    p, q = chance_at_most(np.sort(values), LEVELS, np.array([bound, bound + more]))
    assert LEAST_CHANCE <= p <= q <= 1 - LEAST_CHANCE


def test_quantiles_are_met_with_their_level_and_ties_with_the_highest() -> None:
    values = np.array([3.0, 5, 8, 9, 12, 13, 20, 22, 23, 30, 31, 40, 41])
    np.testing.assert_allclose(chance_at_most(values, LEVELS, values), LEVELS)
    closed = np.r_[np.zeros(4), np.arange(1, 10.0)]
    assert float(chance_at_most(closed, LEVELS, 0.0)) == pytest.approx(LEVELS[3])
    assert float(chance_at_most(closed, LEVELS, -1.0)) == LEAST_CHANCE
    still = np.full(13, 7.0)
    assert chance_at_most(still, LEVELS, np.array([6.9, 7.0])).tolist() == [LEAST_CHANCE, 1 - LEAST_CHANCE]


def test_chances_are_broadcast_and_missing_ones_stay_missing() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=(4, 3, 13)), axis=-1)
    values[2, 1, 5] = NAN
    bound = np.array([0.1, NAN, -0.2])
    p = chance_at_most(values, LEVELS, bound)
    assert p.shape == (4, 3)
    assert np.isnan(p).sum() == 4
    assert p[3, 2] == chance_at_most(values[3, 2], LEVELS, -0.2)


def test_pseudo_targets_are_the_whole_grid() -> None:
    seen = np.array([[NAN, *np.arange(100.0, 112)], [NAN] * 13])
    actual = np.array([[1.0, 80, NAN, 80, 80, 80, 80, 80], [NAN] * 8])
    made = past_targets(seen, actual)
    assert set(made.rows) == {0}
    assert len(made.rows) == len(STEPS) * len(BASES) * len(CUTS)
    figures = {"first": 100.0, "10": 101.0, "5": 106.0}
    for k in range(len(made.rows)):
        level = figures[BASES[made.bases[k]]] * (1 - CUTS[made.cuts[k]])
        assert made.levels[k] == pytest.approx(level)
        came = actual[0, made.steps[k] - 1]
        np.testing.assert_equal(made.met[k], NAN if np.isnan(came) else float(came <= level))
    assert told()["steps"] == list(STEPS)


def test_a_base_year_is_used_once_and_must_have_a_figure() -> None:
    short = np.array([[NAN, NAN, NAN, 5.0, 6.0, 7.0]])
    assert np.isnan(base_figures(short)[0, 1:]).all()
    assert base_figures(short)[0, 0] == 5.0
    young = np.array([[NAN, NAN, NAN, NAN, 6.0, 7.0]])
    assert np.isnan(base_figures(young)).all()
    five = np.array([[9.0, 8, 7, 6, 5, 4]])
    np.testing.assert_array_equal(base_figures(five), [[9.0, NAN, NAN]])
    idle = np.array([[0.0, 8, 7, 6, 5, 4, 3, 3, 3]])
    np.testing.assert_array_equal(base_figures(idle), [[NAN, NAN, 6.0]])


def cases(slope: float, constant: float, *, kinds: int = 2, cutoffs: int = 8, each: int = 3000) -> Cases:
    """What was said, and met with the chances of a known map."""
    draw = np.random.default_rng(5)
    n, met = np.zeros((2, kinds, cutoffs, BLOCKS, BINS))
    for o in range(cutoffs):
        p = draw.uniform(0.02, 0.98, each)
        y = (draw.random(each) < expit(slope * logit(p) + constant)).astype(float)
        kind, block = draw.integers(0, kinds, each), draw.integers(0, BLOCKS, each)
        n[:, o], met[:, o] = counted(kinds, kind, block, p, y)
    return Cases(tuple("abcdef"[:kinds]), n, met)


def test_a_map_is_learnt_and_mends() -> None:
    found = learn(cases(0.6, 0.4, cutoffs=400))
    for p in (0.1, 0.3, 0.5, 0.8):
        true = float(expit(0.6 * logit(p) + 0.4))
        for kind in ("a", "b", "never seen"):
            assert float(found.apply(p, kind)) == pytest.approx(true, abs=0.04)
            assert found.believed(kind)
        low, high = found.band(p, "a", 0.9)
        narrow = found.band(p, "a", 0.5)
        assert low < narrow[0] < float(found.apply(p, "a")) < narrow[1] < high


def test_few_cutoffs_move_a_chance_less() -> None:
    moved = [abs(float(learn(cases(0.4, 1.0, cutoffs=n)).apply(0.3, "a")) - 0.3) for n in (3, 8, 40)]
    assert moved == sorted(moved)
    assert moved[0] < 0.5 * moved[2]


def test_a_thin_kind_takes_the_map_of_all_and_says_so() -> None:
    whole = cases(0.6, 0.4, kinds=2)
    thin = Cases(("a", "b"), whole.n.copy(), whole.met.copy())
    thin.n[1, 1:], thin.met[1, 1:] = 0, 0
    found = learn(thin)
    assert found.maps["b"] == found.maps[""]
    assert found.learnt["b"]["why"] == "1 cutoffs with an outcome, fewer than 3"
    assert "why" not in found.learnt["a"]


@pytest.mark.parametrize("cutoffs", [0, 2])
def test_too_few_cutoffs_leave_chances_as_they_are(cutoffs: int) -> None:
    nothing = Cases(("a",), *np.zeros((2, 1, 5, BLOCKS, BINS)))
    found = learn(cases(0.6, 0.4, cutoffs=cutoffs) if cutoffs else nothing)
    p = np.array([0.001, 0.3, 0.9, NAN])
    np.testing.assert_allclose(found.apply(p, "a"), p)
    assert not found.believed("a")
    assert found.band(0.3, "a") == (0.0, 1.0)
    assert "fewer than 3" in found.learnt[""]["why"]


def test_outcomes_that_are_all_alike_teach_nothing() -> None:
    same = cases(0.6, 0.4)
    found = learn(Cases(same.kinds, same.n, same.n.copy()))
    assert float(found.apply(0.3, "a")) == pytest.approx(0.3)
    assert "of either outcome" in found.learnt[""]["why"]


@given(st.floats(-2, 2), st.floats(-3, 3), st.lists(st.floats(1e-6, 1 - 1e-6), min_size=2, max_size=9))
@settings(deadline=None, max_examples=25)
def test_maps_are_monotone_whatever_came(slope: float, constant: float, p: list[float]) -> None:
    found = learn(cases(slope, constant, each=300), draws=5)
    said = np.sort(p)
    for kind in ("a", "b", "c"):
        q = found.apply(said, kind)
        assert (np.diff(q) >= -1e-12).all()
        assert ((q > 0) & (q < 1)).all()


def test_the_same_cases_give_the_same_draws() -> None:
    one, two = (learn(cases(0.8, 0.1)).as_record() for _ in range(2))
    assert one == two


def test_a_map_is_kept_as_plain_json(tmp_path: Path) -> None:
    found = learn(cases(0.6, 0.4))
    kept = DatedRecord(found, {"scores": [{"kind": "all", "n": 3}], "closures": 0})
    kept.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [DATED_FILE]
    again = DatedRecord.read(tmp_path)
    assert again.facts == kept.facts
    assert again.of_kind("all") == {"kind": "all", "n": 3}
    assert again.of_kind("plant") is None
    for kind in ("a", "b", "other"):
        assert again.recalibration.apply(0.2, kind) == found.apply(0.2, kind)
        assert again.recalibration.band(0.2, kind) == pytest.approx(found.band(0.2, kind), abs=1e-5)


@pytest.mark.parametrize(
    "harm",
    [
        {"maps": {"": [1, -1, 0]}, "draws": {}, "learnt": {}},
        {"maps": {"": [1, 1]}, "draws": {}, "learnt": {}},
        {"maps": {"": [1, 1, 0]}, "draws": {"": [[1, 2]]}, "learnt": {}},
        {"draws": {}, "learnt": {}},
    ],
)
def test_what_is_no_map_is_refused(tmp_path: Path, harm: dict[str, object]) -> None:
    (tmp_path / DATED_FILE).write_text(json.dumps({"facts": {}, "recalibration": harm}))
    with pytest.raises((KeyError, ValueError)):
        DatedRecord.read(tmp_path)
    with pytest.raises(OSError, match=DATED_FILE):
        DatedRecord.read(tmp_path / "nowhere")


@pytest.mark.parametrize("level", [0.0, 1.0, -1, 90])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(AskError) as refusal:
        Recalibration.identity("few").band(0.3, "a", level)
    assert refusal.value.code == "level-out-of-range"


def scored(said: dict[str, Float], met: Float, kind: Float, cutoffs: int = 6) -> Scored:
    parts = np.array_split(np.arange(len(met)), cutoffs)
    block = np.arange(len(met)) % BLOCKS
    return Scored.joined(
        [
            Scored.of_cutoff(
                ("a", "b"), kind[rows].astype(np.int64), block[rows],
                {name: p[rows] for name, p in said.items()}, met[rows],
            )
            for rows in parts
        ]
    )  # fmt: skip


def test_scores_are_those_of_plain_formulas() -> None:
    draw = np.random.default_rng(1)
    p, q, r = draw.uniform(0.01, 0.99, (3, 60_000))
    met = (draw.random(60_000) < p).astype(float)
    met[:500] = NAN
    kind = draw.integers(0, 2, 60_000).astype(float)
    table = records(scored({RECALIBRATED: p, RAW: q, NAIVE: r}, met, kind))
    assert [row["kind"] for row in table] == ["all", "a", "b"]
    known = np.isfinite(met)
    assert (table[0]["n"], table[0]["n_missing"], table[0]["cutoffs"]) == (59_500, 500, 6)
    brier, naive = (((x - met) ** 2)[known].mean() for x in (p, r))
    assert table[0]["brier"] == pytest.approx(brier)
    assert table[0]["skill_over_naive"] == pytest.approx(1 - brier / naive)
    mine = known & (kind == 1)
    rate = met[mine].mean()
    assert table[2]["brier_base_rate"] == pytest.approx(rate * (1 - rate))
    assert table[0]["calibration_slope"] == pytest.approx(1.0, abs=0.05)
    assert table[0]["reliability_slope"] == pytest.approx(1.0, abs=0.05)
    assert table[0]["intercept"] == pytest.approx(0.0, abs=0.05)
    low, high = table[0]["intervals"]["skill"]
    assert low < table[0]["skill"] < high
    assert sum(one["n"] for one in table[0]["bins"]) == 59_500
    assert all(abs(one["p"] - one["observed"]) < 0.06 for one in table[0]["bins"])
    assert len(table[0]["bins"]) <= len(EDGES) + 1
    json.dumps(table, allow_nan=False)


@pytest.mark.parametrize(("claimed", "slope"), [(2.0, 0.5), (0.5, 2.0)])
def test_a_slope_below_one_says_that_too_much_was_claimed(claimed: float, slope: float) -> None:
    draw = np.random.default_rng(2)
    true = draw.uniform(0.05, 0.95, 40_000)
    met = (draw.random(40_000) < true).astype(float)
    said = expit(claimed * logit(true))
    one = record(scored({RECALIBRATED: said}, met, np.zeros(40_000)), "a", np.array([0]))
    assert one["calibration_slope"] == pytest.approx(slope, abs=0.05)
    # The line through the diagram, against plain least squares on every case.
    plain = np.polyfit(said, met, 1)[0]
    assert one["reliability_slope"] == pytest.approx(plain, abs=0.01)
    assert (one["reliability_slope"] < 1) == (slope < 1)


def test_a_kind_that_was_not_judged_is_left_out() -> None:
    none = scored({RECALIBRATED: np.full(12, 0.5)}, np.full(12, NAN), np.zeros(12))
    assert records(none) == []
    alike = records(scored({RECALIBRATED: np.full(12, 0.5)}, np.ones(12), np.zeros(12)))
    assert [row["kind"] for row in alike] == ["all", "a"]
    assert (alike[0]["calibration_slope"], alike[0]["skill"]) == (None, None)


def test_bins_hold_the_chances_they_stand_for() -> None:
    p = expit(MIDDLES)
    inside = (p > LEAST_CHANCE) & (p < 1 - LEAST_CHANCE)
    np.testing.assert_array_equal(bin_of(p)[inside], np.arange(BINS)[inside])
    ends = np.array([0.0, LEAST_CHANCE, 1 - LEAST_CHANCE, 1.0])
    assert bin_of(ends)[[0, 3]].tolist() == bin_of(ends)[[1, 2]].tolist()
