from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from features.errors import AskError
from training.closed import Closed, parse_closed, read_closed


class Stop(Closed):
    name: str
    minutes: int = Field(default=1, ge=1)


class Line(Closed):
    colour: str
    from_: str = Field(alias="from")
    stops: list[Stop] = Field(default=[])


GOOD = {"colour": "red", "from": "a", "stops": [{"name": "x"}]}


def test_what_is_known_is_read() -> None:
    assert parse_closed(GOOD, Line, "line").stops[0].minutes == 1


@pytest.mark.parametrize(
    ("record", "code", "told"),
    [
        ({**GOOD, "color": "red"}, "line-unknown-key", "'colour'"),
        ({**GOOD, "form": "a"}, "line-unknown-key", "'from'"),
        ({**GOOD, "stops": [{"name": "x", "minuets": 2}]}, "line-unknown-key", "'minutes'"),
        ({**GOOD, "stops": [{"name": "x", "zzz": 2}]}, "line-unknown-key", "name, minutes"),
        ({**GOOD, "stops": [{"name": "x", "minutes": 0}]}, "line-value", "greater than or equal to 1"),
    ],
)
def test_what_is_not_is_refused_with_the_nearest(record: dict[str, object], code: str, told: str) -> None:
    with pytest.raises(AskError) as refused:
        parse_closed(record, Line, "line")
    assert refused.value.code == code
    assert told in refused.value.expected


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AskError, match="line-missing"):
        read_closed(tmp_path / "no.toml", Line, "line")
    (tmp_path / "bad.toml").write_text("colour = ")
    with pytest.raises(AskError, match="line-unreadable"):
        read_closed(tmp_path / "bad.toml", Line, "line")
