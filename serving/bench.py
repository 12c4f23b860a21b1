"""Benches for dear questions: so many at work, so many in line, so long, and no caller takes the last place.

A dear question keeps a core busy for a second or more. Each kind has a bench of its own, so that neither
forecasts nor the other kinds wait behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from features.errors import ModelError

PLANS, INVENTORIES, REPORTS = "plans", "inventories", "reports"
SCENARIOS, PORTFOLIOS, PROVENANCE, SPLITS = "scenarios", "portfolios", "provenance", "splits"
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What a bench takes.

    Attributes:
        seconds: from the asking to the answer, the time in line included.
        at_once: threads.
        waiting: in line behind them.
        remedy: what to do where the time runs out.
    """

    seconds: float
    at_once: int = 1
    waiting: int = 3
    remedy: str = "ask for less at once, or try again later"


LIMITS: Final[Mapping[str, Limits]] = {
    # A solver gives up by itself after 8 s: the last in line has its turn.
    PLANS: Limits(40.0),
    INVENTORIES: Limits(15.0, remedy="send it in parts, or use `forecarbon check FILE`"),
    REPORTS: Limits(30.0),
    SCENARIOS: Limits(30.0, at_once=2, waiting=6),
    PORTFOLIOS: Limits(30.0),
    PROVENANCE: Limits(30.0),
    SPLITS: Limits(30.0),
}


class Bench:
    """A bounded pool. Work that runs out of time goes on in its thread, and holds its place until it ends."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.at_once, thread_name_prefix=name)
        # Work begun or in line, and whose it is; taken out in the thread that ends it.
        self._held: dict[Future[Any], str] = {}
        self._alike: dict[Hashable, Future[Any]] = {}

    async def run(self, who: str, work: Callable[..., T], *of: Any) -> T:
        """What ``work`` gives, off the loop; its own refusals pass through.

        Args:
            who: key_id of the caller, "" for nobody's; a key leaves the last place to others.

        Raises:
            ModelError: no free place (``too-busy``), or the time ran out (``took-too-long``).
        """
        # Whoever gives up, or is gone, is taken out of the line.
        return await self._within(asyncio.wrap_future(self._begun(who, work, *of)))

    async def run_once(self, question: Hashable, work: Callable[..., T], *of: Any) -> T:
        """As ``run``, of nobody's own question: whoever asks it while it is worked out waits for that answer
        and takes no place."""
        job = self._alike.get(question)
        if job is None:
            job = self._alike[question] = self._begun("", work, *of)
            job.add_done_callback(lambda _: self._alike.pop(question, None))
        return await self._within(asyncio.shield(asyncio.wrap_future(job)))

    def _begun(self, who: str, work: Callable[..., T], *of: Any) -> Future[T]:
        self._admit(who)
        job = self._pool.submit(work, *of)
        self._held[job] = who
        job.add_done_callback(self._free)
        return job

    async def _within(self, job: asyncio.Future[T]) -> T:
        try:
            return await asyncio.wait_for(job, self._limits.seconds)
        except TimeoutError:
            raise ModelError(
                "took-too-long",
                found=f"{self._name}: no answer after {self._limits.seconds:g} s",
                expected="a question that can be answered in that time",
                remedy=self._limits.remedy,
            ) from None

    def _admit(self, who: str) -> None:
        places = self._limits.at_once + self._limits.waiting
        held = list(self._held.values())
        if len(held) < places and (not who or held.count(who) < places - 1):
            return
        raise ModelError(
            "too-busy",
            found=f"{self._name}: {len(held)} questions at work or in line",
            expected=f"fewer than {places} at a time, and one place left to other callers",
            remedy="try again in a few seconds",
        )

    def _free(self, job: Future[Any]) -> None:
        self._held.pop(job, None)


@cache
def bench_of(name: str) -> Bench:
    """The one bench of a worker for a kind of question."""
    return Bench(name, LIMITS[name])
