"""Every reader against spoilt files: true figures or a refusal by name, never a wrong number or a hang.

Some of the mutants that benchmarks/mutated_files makes at full size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from features.sources.readers import READERS
from tests.sources.kinds import KINDS, seed_of, share_of
from tests.sources.mutations import IN_FULL, REFUSED, judge_all, made

A_READER: Final = 50


@pytest.mark.parametrize("name", KINDS)
def test_a_spoilt_file_gives_true_figures_or_a_named_refusal(name: str, tmp_path: Path) -> None:
    subject = KINDS[name].subject(tmp_path)
    assert len(subject.truth) > 1 or name == "climate-trace v7 source"
    count = max(share_of(name, A_READER), len(subject.ways))
    verdicts = judge_all(subject, made(subject.ways, count=count, seed=seed_of(name)))
    assert verdicts.ends.total() == count
    assert min(verdicts.ends[REFUSED], verdicts.ends[IN_FULL]) > 0.1 * count


def test_every_reader_is_tried() -> None:
    # A user's own inventory, of which the user tells more, is tried in test_inventory_mutants.
    public = [source for source, entry in READERS.items() if not entry.told]
    assert {kind.source for kind in KINDS.values()} == set(public)
    shared = [sum(share_of(n, 10_000) for n in KINDS if KINDS[n].source == source) for source in public]
    assert shared == [10_000] * len(public)
