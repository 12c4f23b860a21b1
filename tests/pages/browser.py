"""The browser that the tests of the pages drive: Debian's headless Chromium or another that is there.

``python -m tests.pages.browser`` looks for one and, where it may, installs it; it never fails, for the tests
without a browser say themselves that they were left out and why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Final

# The shell draws without a window: a quarter quicker than the whole browser, which on a busy machine has
# kept a page without a single frame for twenty seconds.
NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PACKAGES: Final = ("chromium-headless-shell", "chromium")
FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
REMEDY: Final = "chromium-headless-shell (apt-get install), or put chromium or google-chrome on PATH"
_SECONDS: Final = 600


def found() -> str | None:
    """Path of a browser; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> bool:
    """Whether one could be installed: it takes apt and the right to use it."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    _apt("update", "-q")
    # Any of them will do, and a distribution has one or the other.
    return any(_apt("install", "-y", "-q", package) and found() is not None for package in PACKAGES)


def _apt(*words: str) -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(["apt-get", *words], env=env, check=True, capture_output=True, timeout=_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


def main() -> None:
    """Make sure of a browser, or say that there is none."""
    if found() or install():
        return
    sys.stderr.write(
        f"tests: no browser here, so the tests of the pages are left out; to run them, install {REMEDY}\n"
    )


if __name__ == "__main__":
    main()
