"""What callers tell of what came true: ``POST /v1/actuals``."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.actuals import LARGEST, Actual, note_actuals
from serving.call import Call
from serving.desk import Desk
from serving.errors import of_validation
from serving.evidence import unknown_series
from serving.reply import Reply, of_record
from serving.wire import Name, loaded_of

MOST_ACTUALS: Final = 1_000
ISO_DAY: Final = r"^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"


class ActualRow(BaseModel):
    """One figure that came true, in the caller's words."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    unique_id: Name
    ds: Annotated[str, Field(pattern=ISO_DAY)]
    y: Annotated[float, Field(ge=0, le=LARGEST)]
    source: Annotated[str, Field(min_length=1, max_length=200)]


class ActualsAsk(BaseModel):
    """What is sent to ``POST /v1/actuals``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rows: Annotated[list[ActualRow], Field(min_length=1, max_length=MOST_ACTUALS)]


async def actuals(desk: Desk, _: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/actuals: kept as the caller's claim, apart from public records."""
    try:
        told = ActualsAsk.model_validate(
            loaded_of(body, '{"rows": [{"unique_id": "…", "ds": "2025-01-01", "y": 1.0}]}')
        )
    except ValidationError as fault:
        raise of_validation(fault) from None
    standing = desk.shelf.standing
    unknown = [row.unique_id for row in told.rows if row.unique_id not in standing.rungs]
    if unknown:
        raise unknown_series(unknown[0], standing)
    rows = [Actual(row.unique_id, row.ds, row.y, _plain(row.source)) for row in told.rows]
    at = datetime.fromisoformat(desk.clock())
    new = await asyncio.to_thread(note_actuals, desk.state, rows, key_id, at)
    return of_record({"accepted": len(rows), "new": new, "refused": 0, "refusals": []})


def _plain(text: str) -> str:
    """Words of a caller without signs that cannot be printed."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
