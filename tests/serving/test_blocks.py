from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import LawBroken
from serving.answer import quantile_rows
from serving.blocks import between, blocks_of, values_of
from serving.shelf import Standing


@pytest.mark.parametrize("wanted", [(0.025, 0.1, 0.5, 0.9, 0.975), (0.05, 0.5, 0.6123), (0.5,)])
@pytest.mark.parametrize("steps", [1, 30])
def test_a_block_says_what_each_series_says_by_itself(
    whole: Standing, wanted: tuple[float, ...], steps: int
) -> None:
    rungs = [*whole.rungs.values(), replace(whole.rungs["aa-north"], plain=True, level="naive")]
    mean, values = values_of(rungs, steps, wanted)
    assert values.shape == (len(rungs), steps, len(wanted))
    for k, rung in enumerate(rungs):
        assert mean[k].tolist() == rung.mean[:steps].tolist()
        np.testing.assert_allclose(values[k], quantile_rows(rung, steps, wanted), rtol=1e-12)


def test_blocks_keep_the_order_and_lose_nothing(whole: Standing) -> None:
    rungs = list(whole.rungs.values())
    assert [rung for block in blocks_of(rungs, 4) for rung in block] == rungs
    assert max(len(block) for block in blocks_of(rungs, 4)) == 4


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_between_is_interp(data: st.DataObject) -> None:
    levels = (0.025, 0.1, 0.5, 0.9, 0.975)
    wanted = sorted(data.draw(st.lists(st.floats(0.025, 0.975), min_size=1, max_size=6)))
    row = sorted(data.draw(st.lists(st.floats(0, 1e9), min_size=5, max_size=5)))
    told = between(np.array([[row]]), levels, wanted)[0, 0]
    np.testing.assert_allclose(told, np.interp(wanted, levels, row), rtol=1e-9, atol=1e-6)


def test_a_plant_without_arrays_is_a_bug(whole: Standing) -> None:
    pack = replace(whole.pack, plants=None)
    with pytest.raises(LawBroken):
        values_of([replace(whole.rungs["aa-north/steel/mill"], pack=pack)], 1, (0.5,))
