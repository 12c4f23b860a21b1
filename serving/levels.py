"""Central levels as people write them."""

from __future__ import annotations

from features.errors import AskError
from models.forecast import quantiles_of_levels


def parse_levels(text: str) -> list[float]:
    """Central levels in percent from "80,95".

    Raises:
        AskError: a part that is no number, or outside (0, 100).
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        levels = [float(part) for part in parts]
    except ValueError:
        levels = []
    if not levels:
        raise AskError(
            "levels-unreadable",
            found=f"levels {text!r}",
            expected="percentages such as 80,95",
            remedy="write numbers with commas between them",
        )
    quantiles_of_levels(levels)
    return levels
