"""What a person at a terminal sees of a watch."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from features.findings import Finding
from training.watch import Watched

WORDS = {"bias": "bias, usual errors", "error": "squared error", "coverage-80": "80%", "coverage-95": "95%"}


def summary(seen: Watched, new: Sequence[Finding]) -> str:
    """A watch in a sentence."""
    if not len(seen.rows):
        return "no issued forecast has met its actual yet"
    told = "; ".join(finding.sentence for finding in new) or "nothing new"
    return f"{len(seen.rows)} issued forecasts scored, {len(seen.findings)} findings: {told}"


def print_watch(seen: Watched, new: Sequence[Finding]) -> None:
    """Print how many forecasts were scored, every test, and the new findings."""
    console = Console(width=130)
    years = sorted({int(year) for year in seen.rows["ds"].dt.year})
    console.print(f"Issued forecasts with an actual: {len(seen.rows)}" + (f", of {years}" if years else ""))
    if seen.tests:
        table = Table(title="Kept promises, by model and kind of series", title_justify="left")
        for column in ("model", "series", "what", "found", "promised", "p", "n", "counts as"):
            table.add_column(column, overflow="fold")
        found = {(f.model_version, f.series_kind, f.kind) for f in seen.findings}
        for test in seen.tests:
            mark = "[bold]" if (test.model_version, test.series_kind, test.kind) in found else ""
            table.add_row(
                *(test.model_version, test.series_kind, mark + WORDS[test.kind], f"{test.value:.3f}"),
                *(f"{test.expected:.3f}", f"{test.p_value:.2g}", str(test.n), f"{test.effective:.0f}"),
            )
        console.print(table)
    for finding in new:
        console.print(f"Finding: {finding.sentence}", highlight=False)
    if not new:
        console.print("No new finding.")
