"""Every reader against mutated files at full size: true figures or a refusal by name.

Usage: python benchmarks/mutated_files/run.py [A_READER [PROCESSES [SOURCE]]]   (default 10000, 2 and all)
Writes result.md (of one source: result-SOURCE.md) beside this file;
tests/sources/test_mutations.py makes the same at a fraction of the size.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from features.sources.readers import READERS, reader_of  # noqa: E402
from tests.sources.kinds import KINDS, seed_of, share_of  # noqa: E402
from tests.sources.mutations import IN_FULL, IN_PART, REFUSED, Verdicts, judge, made  # noqa: E402
from training.report import commit_of  # noqa: E402

PIECE = 500


def main(a_reader: int, processes: int, source: str = "") -> int:
    """Judge the kinds of ``source`` (all when left out); the number of mutants that a reader failed."""
    begun = time.monotonic()
    for known in READERS:
        reader_of(known)  # imported once, before the processes part
    pieces = sorted(
        (part, name, min(PIECE, share_of(name, a_reader) - part * PIECE))
        for name, kind in KINDS.items()
        if source in ("", kind.source)
        for part in range(-(-share_of(name, a_reader) // PIECE))
    )
    total: dict[str, Verdicts] = {name: Verdicts() for _, name, _ in sorted(pieces)}
    failed: list[str] = []
    with ProcessPoolExecutor(processes) as pool:
        for (_, name, _), (verdicts, faults) in zip(pieces, pool.map(judged, pieces), strict=True):
            whole = total[name]
            whole.ends += verdicts.ends
            whole.codes += verdicts.codes
            whole.slowest = max(whole.slowest, verdicts.slowest)
            failed += [f"{name}: {fault}" for fault in faults]
            # After every piece: a run that is stopped leaves what it found.
            write(a_reader, total, failed, time.monotonic() - begun, f"-{source}" if source else "")
    return len(failed)


def judged(piece: tuple[int, str, int]) -> tuple[Verdicts, list[str]]:
    """Mutants of one kind of file, of the piece's own seed; what its reader failed is told."""
    part, name, count = piece
    verdicts, faults = Verdicts(), []
    with tempfile.TemporaryDirectory() as scratch:
        subject = KINDS[name].subject(Path(scratch))
        usual = subject.remarks()
        # The seeds of pieces and kinds never meet.
        for mutant in made(subject.ways, count=count, seed=seed_of(name) * 1000 + part):
            try:
                judge(subject, mutant, usual, verdicts)
            except Exception as fault:  # noqa: BLE001  # a fault is what is looked for
                faults.append(f"{mutant.name}: {type(fault).__name__}: {fault}"[:400])
    print(f"{name} {part}: {dict(verdicts.ends)}", *faults, sep="\n  ", flush=True)
    return verdicts, faults


def write(a_reader: int, total: dict[str, Verdicts], failed: list[str], took: float, end: str) -> None:
    """result.md, or result-SOURCE.md: date, commit, n, and a line a kind of file."""
    codes: Counter[str] = Counter()
    for verdicts in total.values():
        codes += verdicts.codes
    n = sum(verdicts.ends.total() for verdicts in total.values()) + len(failed)
    lines = [
        "# Mutated files: true figures or a named refusal",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · commit {commit_of(ROOT)[:12]} · n = {n}: {a_reader} mutants for",
        f"each of {len({KINDS[name].source for name in total})} readers, shared by its kinds of file · "
        f"seeds from {seed_of(next(iter(KINDS)))}000 · "
        f"{took / 60:.0f} min",
        "",
        f"`python benchmarks/mutated_files/run.py {a_reader}`: files truncated, re-encoded, shuffled,",
        "renamed, merged or contradicted, with wrong marks, footers, formulas and stray bytes.",
        "A reader passes if it refuses by name, or hands out no figure but the file's own and says what it",
        "left out. *In part*: figures at fault left out, the others read.",
        "",
        f"- Wrong numbers, tracebacks, hangs and silent losses: **{len(failed)}**.",
        "- Refusals by code: " + ", ".join(f"{code} {n}" for code, n in codes.most_common()) + ".",
        "",
        "| kind of file | n | refused | in full | in part | slowest, ms |",
        "|---|---|---|---|---|---|",
    ]
    for name, verdicts in total.items():
        ends = verdicts.ends
        lines.append(
            f"| {name} | {ends.total()} | {ends[REFUSED]} | {ends[IN_FULL]} | {ends[IN_PART]} "
            f"| {verdicts.slowest * 1000:.0f} |"
        )
    lines += ["", *(f"- failed: {fault}" for fault in failed[:20])]
    (HERE / f"result{end}.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    a_reader = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    sys.exit(1 if main(a_reader, processes, *sys.argv[3:4]) else 0)
