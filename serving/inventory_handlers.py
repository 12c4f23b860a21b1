"""What the paths of callers' own inventories do."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from features.errors import AskError
from features.series.words import MAX_STEPS
from features.sources.inventory import slug
from features.sources.inventory_figures import Declared
from serving.bench import INVENTORIES, bench_of
from serving.call import Call
from serving.desk import Desk
from serving.inventories import Kept, listed, read, refuse_full, remove
from serving.inventories import keep as keep_rows
from serving.inventory_view import Asked, Read, flag, inventory_view, read_inventory, rows_of
from serving.queries import one, whole_of
from serving.reply import Reply, of_record
from serving.saved_handlers import Id, asked_of
from serving.wire import MAX_OWN_SERIES, MAX_ROWS, ForecastAsk, HistoryRow, loaded_of

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET: Final = "application/vnd.apache.parquet"
# What a browser says of a file it does not know.
BYTES: Final = "application/octet-stream"
KINDS: Final = (CSV, XLSX, PARQUET, BYTES)
WORDS: Final = ("unit", "gas", "gwp", "decimal", "cadence", "sheet", "encoding")
_LONGEST_WORD: Final = 100


async def check(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/inventories/check: what a file would give, with every complaint; nothing is kept."""
    del desk
    asked, _ = _asked(call, body, steps=False)
    return of_record(inventory_view(await _read(asked, key_id)))


async def keep(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/inventories: kept as the caller's claim, and forecast as an own history."""
    asked, steps = _asked(call, body, steps=True)
    found = await _read(asked, key_id)
    found.refuse()
    rows = rows_of(found)
    # Before anything is forecast and noted for a file that then has no place.
    await asyncio.to_thread(refuse_full, desk.state, asked.digest, key_id)
    told = inventory_view(found)
    answer = await desk.own_told(_ask(rows, told["cadence"], steps), call.request_id, key_id)
    about = {name: told[name] for name in ("name", "kind", "bytes", "unit", "scope", "cadence", "rows_read")}
    kept = await asyncio.to_thread(
        keep_rows, desk.state, asked.digest, about, rows, key_id=key_id, at=desk.clock()
    )
    return of_record({"inventory": kept.as_record(), "checked": told, **answer})


def _ask(rows: list[dict[str, Any]], cadence: str | None, steps: int) -> ForecastAsk:
    """The question about these rows.

    Raises:
        AskError: more than is forecast in one request (``inventory-too-large``).
    """
    sites = len({row["unique_id"] for row in rows})
    if len(rows) > MAX_ROWS or sites > MAX_OWN_SERIES:
        raise AskError(
            "inventory-too-large",
            found=f"{len(rows)} figures of {sites} sites",
            expected=f"at most {MAX_ROWS} figures of {MAX_OWN_SERIES} sites in one request",
            remedy="send it in parts, or use `forecarbon forecast --history FILE`",
        )
    history = [HistoryRow(**row) for row in rows]
    return ForecastAsk(history=history, steps=steps, cadence=cadence, levels=[80.0, 95.0])  # type: ignore[arg-type]


class RemoveInventoryAsk(BaseModel):
    """What is sent to ``POST /v1/inventories/removed``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: Id


async def removal(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/inventories/removed: deleted with its figures; only the audit tells that it was there."""
    del call
    told = asked_of(RemoveInventoryAsk, loaded_of(body, '{"id": "…"}'))

    def work() -> dict[str, Any]:
        return remove(desk.state, told.id, key_id=key_id, at=desk.clock()).as_record()

    return of_record(await asyncio.to_thread(work))


async def mine(desk: Desk, call: Call, key_id: str) -> Reply:
    """GET /v1/inventories: the caller's own, newest first."""
    call.query()
    found = await asyncio.to_thread(listed, desk.state, key_id)
    return of_record({"inventories": [each.as_record() for each in found], "count": len(found)})


async def kept(desk: Desk, call: Call, inventory_id: str, key_id: str) -> Reply:
    """GET /v1/inventories/{inventory_id}: one of the caller's own, with its figures."""
    call.query()
    found: Kept = await asyncio.to_thread(read, desk.state, inventory_id, key_id)
    return of_record({**found.as_record(), "rows": [dict(row) for row in found.rows]})


def _asked(call: Call, body: bytes, *, steps: bool) -> tuple[Asked, int]:
    """The file with what its sender says of it, and how many steps are wanted.

    Raises:
        AskError: a field of the query that is none, or too long.
    """
    own = (*WORDS, "name", "empty_gas_is_zero", *(("steps", "keep_good") if steps else ()))
    query = call.query(*own)
    told = {name: one(query, name) or None for name in own}
    long = [name for name, text in told.items() if text is not None and len(text) > _LONGEST_WORD]
    if long:
        raise AskError("out-of-range", found=f"{long[0]} beyond {_LONGEST_WORD} signs",
                       expected="a word", remedy=f"mend {long[0]}", facts={"field": long[0]})  # fmt: skip
    ahead = whole_of(query, "steps", 8) if steps else 8
    if not 1 <= ahead <= MAX_STEPS:
        raise AskError("steps-out-of-range", found=f"steps {ahead}", expected=f"1 to {MAX_STEPS}",
                       remedy="ask for 1 to 30 steps", facts={"field": "steps"})  # fmt: skip
    declared = Declared(
        **{name: told[name] for name in WORDS}, empty_gas_is_zero=flag(told, "empty_gas_is_zero")
    )
    name = slug(told["name"]) if told["name"] else "own"
    return Asked(body, name, declared, keep_good=flag(told, "keep_good")), ahead


async def _read(asked: Asked, key_id: str) -> Read:
    """The file read in the one thread for it, within a time; refusals as ``Bench.run`` has them."""
    return await bench_of(INVENTORIES).run(key_id, read_inventory, asked)
