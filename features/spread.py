"""Independent work over blocks: the protocol every engine keeps, and the plain engine of this process.

A block's work is a function of what all blocks share and of the block alone, so whoever does it, wherever and
however often, comes to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Made = TypeVar("Made")


class Spread(Protocol):
    """Does the work of many blocks."""

    def over(
        self, work: Callable[[Shared, Item], Made], shared: Shared, items: Iterable[Item]
    ) -> Iterator[Made]:
        """What ``work(shared, item)`` comes to, in the order of ``items``.

        Args:
            work: a function of a module (no closure), of its arguments alone.
            shared: handed to each worker once.
            items: taken only a few ahead of what was yielded, so memory does not grow with their number.
        """
        ...


class Here:
    """One block after the other, in this process."""

    def over(
        self, work: Callable[[Shared, Item], Made], shared: Shared, items: Iterable[Item]
    ) -> Iterator[Made]:
        """See ``Spread``."""
        return (work(shared, item) for item in items)
