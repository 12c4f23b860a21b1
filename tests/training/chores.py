"""Work for engines to do: functions of a module, as a worker in another process must find them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from features.errors import DataError


def doubled(shared: int, item: int) -> int:
    """Later items are done sooner."""
    time.sleep(0.02 * (5 - item % 5))
    return shared + 2 * item


def deadly_once(shared: tuple[str, int], item: int) -> int:
    """Kills its worker at one item, the first time."""
    mark, fatal = Path(shared[0]), shared[1]
    if item == fatal and not mark.exists():
        mark.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def deadly(shared: int, item: int) -> int:
    """Kills whoever does it."""
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def refused(shared: str, item: int) -> int:
    """Refuses one item."""
    if item == 2:
        raise DataError(
            "no-figures", found="nothing", expected=shared, remedy="mend it", offenders=["a", "b", "c", "d"],
            facts={"rows": 4},
        )  # fmt: skip
    return item
