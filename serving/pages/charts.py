"""The chart library (Vega, Vega-Lite, Vega-Embed) as one script, taken out of the package that carries it.

It is made once, by a process of its own, for the package starts a JavaScript engine that would stay in the
memory of the worker; then it lies in the store. ``python -m serving.pages.charts FILE`` makes it.
"""

from __future__ import annotations

import asyncio
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from features.errors import ModelError
from features.files import write_bytes
from serving.pages.assets import SCRIPT, Asset, charts_address

VEGA_LITE: Final = "6.4"
SNIPPET: Final = "window.vegaEmbed = vegaEmbed;"
SECONDS: Final = 60.0


class Charts:
    """The chart library of one worker, read or made when it is first asked for."""

    def __init__(self, store: Path) -> None:
        self._path = store / "pages" / charts_address().rsplit("/", 1)[1]
        self._asset: Asset | None = None
        self._making = asyncio.Lock()

    async def asset(self) -> Asset:
        """The library.

        Raises:
            ModelError: it could not be made (``charts-unmade``).
        """
        if self._asset is None:
            async with self._making:
                if self._asset is None:
                    self._asset = Asset.of(SCRIPT, await self._read())
        return self._asset

    async def _read(self) -> bytes:
        if not self._path.is_file():
            await _make(self._path)
        return await asyncio.to_thread(self._path.read_bytes)


@lru_cache(maxsize=4)
def charts_of(store: Path) -> Charts:
    """The chart library as a store keeps it."""
    return Charts(store)


async def _make(path: Path) -> None:
    command = (sys.executable, "-m", __name__, str(path))
    child = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        _, said = await asyncio.wait_for(child.communicate(), SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()
        said = f"nothing after {SECONDS:g} s".encode()
    if child.returncode != 0 or not path.is_file():
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
        raise ModelError(
            "charts-unmade",
            found=f"the chart library could not be made: {last[0][:200]}",
            expected="vl-convert-python as locked, and a store that can be written",
            remedy="run `make setup` and see that the store is writable; tables work without charts",
        )


def make(path: Path) -> None:
    """Write the library to ``path``."""
    from vl_convert import javascript_bundle

    write_bytes(path, javascript_bundle(SNIPPET, vl_version=VEGA_LITE).encode())


if __name__ == "__main__":
    make(Path(sys.argv[1]))
