"""Pages as tests read them: fenced blocks, the commands in them, and files and changes they ask for.

Behind a block's language stand marks: ``run`` (a test runs it), ``file=PATH`` (what follows is that file; in
a ``diff``, lines to be added to it).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests import warm

FENCE: Final = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its marks, its text."""

    language: str
    marks: tuple[str, ...]
    text: str

    @property
    def runs(self) -> bool:
        return "run" in self.marks

    @property
    def file(self) -> str:
        """The file it asks for; "" for none."""
        return next((mark.removeprefix("file=") for mark in self.marks if mark.startswith("file=")), "")

    def commands(self) -> Iterator[list[str]]:
        """Its commands as words; comments dropped, continued lines joined."""
        lexer = shlex.shlex(self.text.replace("\\\n", " "), posix=True, punctuation_chars="\n")
        lexer.whitespace, lexer.whitespace_split = " \t\r", True
        words: list[str] = []
        for word in [*lexer, "\n"]:
            if word.strip("\n"):
                words.append(word)
            elif words:
                yield words
                words = []


def blocks(text: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found = []
    for match in FENCE.finditer(text):
        language, *marks = match["info"].split() or [""]
        found.append(Block(language, tuple(marks), match["text"]))
    return found


def written(page: Iterable[Block], folder: Path) -> list[Path]:
    """The files that a page asks for, written or changed below ``folder``; those it changed are told once."""
    made: dict[Path, None] = {}
    for block in page:
        if not block.file:
            continue
        path = folder / block.file
        made[path] = None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_added(path.read_text(), block.text) if block.language == "diff" else block.text)
    return list(made)


def _added(text: str, change: str) -> str:
    """``text`` with the lines marked + between those around them, which must stand there just once."""
    lines = change.splitlines(keepends=True)
    assert {line[0] for line in lines} <= {" ", "+"}, change
    before = "".join(line[1:] for line in lines if line[0] == " ")
    assert text.count(before) == 1, f"not there just once:\n{before}"
    return text.replace(before, "".join(line[1:] for line in lines))


def ran(words: list[str], folder: Path, env: Mapping[str, str], seconds: float = 120) -> str:
    """What a command printed in ``folder``; it must succeed, and say something or write its --out."""
    done = warm.run(words, cwd=folder, env=env, timeout=seconds)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, f"{shlex.join(words)}\n{printed}"
    assert "Traceback" not in printed, f"{shlex.join(words)}\n{printed}"
    if "--out" in words:
        assert (folder / words[words.index("--out") + 1]).stat().st_size > 0
    else:
        assert done.stdout.strip(), f"{shlex.join(words)} printed nothing"
    return done.stdout
