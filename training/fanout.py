"""Engines that spread independent blocks: processes of this machine, or the workers of a Dask scheduler.

Whatever the engine, blocks are the same and their results come in the same order, so the answer is the same.
A worker that is lost costs the blocks it had: they are done again elsewhere.
"""

from __future__ import annotations

import itertools
import logging
import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from features.errors import AskError, ModelError
from features.spread import Here, Item, Made, Shared, Spread

if TYPE_CHECKING:
    from distributed import Client, Future

ENGINES: Final = ("local", "dask")
CONNECT_SECONDS: Final = 10.0
LOOPBACK: Final = "127.0.0.1:0"
# Of a cluster on this machine: nobody reads the profile of its workers. Dask would also have malloc give back
# memory at once, and every large array then costs its pages anew: blocks took twice as long.
QUIET: Final = {
    "distributed.nanny.pre-spawn-environ": {
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    },
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "2s",
}  # fmt: skip
# Blocks in flight a worker: one at work, one waiting, so that no worker waits for the one that asks.
AHEAD: Final = 2
# How often the blocks of processes that died are done again before they are held to be the cause.
LIVES: Final = 3


@dataclass(frozen=True)
class Asked:
    """Which engine is asked for.

    Attributes:
        engine: "local" or "dask".
        scheduler: address of a Dask scheduler, such as tcp://host:8786; "" starts a cluster on this machine.
        workers: processes on this machine; 0 leaves it to the engine (local: this process alone; Dask: a
            worker a core).
    """

    engine: str = "local"
    scheduler: str = ""
    workers: int = 0

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise AskError(
                "unknown-engine", found=f"engine {self.engine!r}", expected="one of " + ", ".join(ENGINES),
                remedy="ask for one of the list",
            )  # fmt: skip
        if self.workers < 0 or (self.scheduler and self.workers):
            raise AskError(
                "workers-unfit", found=f"workers {self.workers}, scheduler {self.scheduler or 'none'}",
                expected="a number of workers from 0, or a scheduler, which has its own",
                remedy="leave out one of the two",
            )  # fmt: skip
        if self.scheduler and self.engine != "dask":
            raise AskError(
                "scheduler-without-dask", found=f"a scheduler for the engine {self.engine}",
                expected="engine dask", remedy="say --engine dask, or leave the scheduler out",
            )  # fmt: skip


def asked(engine: str | None, scheduler: str | None, workers: int | None, planned: Asked) -> Asked:
    """What the command line says, and where it is silent what was ``planned``."""
    if engine is None and scheduler is None and workers is None:
        return planned
    held = planned if engine in (None, planned.engine) else Asked()
    return Asked(
        engine or ("dask" if scheduler else held.engine),
        held.scheduler if scheduler is None and not workers else scheduler or "",
        (0 if scheduler else held.workers) if workers is None else workers,
    )


@contextmanager
def opened(wanted: Asked) -> Iterator[Spread]:
    """The engine, for the block.

    Raises:
        AskError: the scheduler cannot be reached, or has no worker.
    """
    if wanted.engine == "dask":
        with _client(wanted) as client:
            yield OverDask(client)
    elif wanted.workers > 1:
        with closing(Processes(wanted.workers)) as pool:
            yield pool
    else:
        yield Here()


def alone(work: Callable[[Shared, Item], Made], shared: Shared, item: Item) -> Made:
    """``work`` on one thread: two that share cores wait for one another."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return work(shared, item)


@dataclass(frozen=True)
class Processes:
    """Processes of this machine, by joblib's loky."""

    workers: int

    def over(
        self, work: Callable[[Shared, Item], Made], shared: Shared, items: Iterable[Item]
    ) -> Iterator[Made]:
        """See ``Spread``; a process that dies costs what was at work.

        Raises:
            ModelError: processes died over the same blocks again and again.
        """
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        rest, lives = iter(items), LIVES
        waiting = deque[tuple[Item, Any]]()
        try:
            while True:
                waiting.extend(
                    (item, self._pool().submit(alone, work, shared, item))
                    for item in itertools.islice(rest, AHEAD * self.workers - len(waiting))
                )
                if not waiting:
                    return
                try:
                    made = waiting[0][1].result()
                except TerminatedWorkerError as fault:
                    lives -= 1
                    if not lives:
                        raise _deadly(f"{LIVES} times") from fault
                    pool, again = self._pool(), [item for item, _ in waiting]
                    waiting = deque((item, pool.submit(alone, work, shared, item)) for item in again)
                    continue
                waiting.popleft()
                lives = LIVES
                yield made
        finally:
            for _, future in waiting:
                future.cancel()

    def _pool(self) -> Any:
        """The processes; new ones where they died."""
        from joblib.externals.loky import get_reusable_executor

        return get_reusable_executor(max_workers=self.workers, timeout=None)

    def close(self) -> None:
        """End the processes."""
        self._pool().shutdown(wait=True)


@dataclass(frozen=True)
class OverDask:
    """The workers of a Dask scheduler."""

    client: Client

    def over(
        self, work: Callable[[Shared, Item], Made], shared: Shared, items: Iterable[Item]
    ) -> Iterator[Made]:
        """See ``Spread``; the blocks of a worker that is lost are given to another.

        Raises:
            ModelError: several workers were lost over one block.
        """
        waiting = deque[Any]()
        window = AHEAD * max(1, sum(self.client.nthreads().values()))
        with warnings.catch_warnings():
            # What is shared is sent once, and held by the scheduler for workers that come later.
            warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
            held = self.client.submit(_handed, shared, pure=False)
            try:
                for item in items:
                    waiting.append(self.client.submit(alone, work, held, item, pure=False))
                    if len(waiting) >= window:
                        yield _answer(waiting.popleft())
                while waiting:
                    yield _answer(waiting.popleft())
            finally:
                self.client.cancel([*waiting, held], force=True)


def _handed(shared: Shared) -> Shared:
    """A task, so that what is shared is made again where its holder is lost."""
    return shared


def _answer(future: Future) -> Any:
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as fault:
        raise _deadly(str(fault)) from fault


def _deadly(found: str) -> ModelError:
    return ModelError(
        "block-kills-workers",
        found=f"workers that died over the same block: {found}",
        expected="a worker that lives through its block",
        remedy="give workers more memory, or look in their logs; nothing was written",
    )


@contextmanager
def _client(wanted: Asked) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_SECONDS:g}s", **QUIET}):
        if wanted.scheduler:
            with _reached(wanted.scheduler, Client) as client:
                yield client
            return
        with (
            LocalCluster(
                n_workers=wanted.workers or os.cpu_count() or 1, threads_per_worker=1, processes=True,
                host="127.0.0.1", silence_logs=logging.CRITICAL,
                # Its pages are off; what answers in their place is told where, or it listens to all.
                dashboard_address=None, worker_dashboard_address=LOOPBACK,
                scheduler_kwargs={"dashboard": False, "dashboard_address": LOOPBACK},
            ) as cluster,
            Client(cluster) as client,
        ):  # fmt: skip
            yield client


@contextmanager
def _reached(address: str, connect: type[Client]) -> Iterator[Client]:
    try:
        client = connect(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as fault:
        raise AskError(
            "scheduler-unreachable",
            found=f"no Dask scheduler at {address}: {type(fault).__name__}",
            expected=f"one that answers within {CONNECT_SECONDS:g} seconds",
            remedy="start it (dask scheduler), correct the address, or leave it out for workers here",
        ) from fault
    with client:
        if not client.nthreads():
            raise AskError(
                "scheduler-without-workers",
                found=f"a scheduler at {address} that has no worker",
                expected="one worker or more",
                remedy="start workers (dask worker ADDRESS --nthreads 1) with this same release",
            )
        yield client
