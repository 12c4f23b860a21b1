"""How the figures of an inventory are written: decimal and thousands marks, where beyond doubt."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

from features.errors import AskError

EMPTY: Final = ("nan", "NaN", "NA", "N/A", "n/a", "null", "None", "<NA>")
MARKS: Final = (".", ",")
_THREE: Final = r"[+-]?\d{1,3}[.]\d{3}"
_GROUPED: Final = {
    ".": re.compile(r"[+-]?\d{1,3}(?:[, \u00a0\u202f'’]\d{3})+(?:\.\d*)?", re.ASCII),
    ",": re.compile(r"[+-]?\d{1,3}(?:[. \u00a0\u202f'’]\d{3})+(?:,\d*)?", re.ASCII),
}
_COMMA: Final = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_SURE: Final = re.compile(r"[+-]?\d+(?:\.\d+)?e[+-]?\d+", re.ASCII)


def plain(cells: pd.Series, decimal: str | None) -> pd.Series:
    """``cells`` (N,) with a decimal point and no thousands marks; what is in doubt stays as it is.

    Args:
        decimal: "." or ","; None where every figure is plain, so that it does not matter.

    Raises:
        AskError: no such mark (``decimal-mark-unknown``), or it is unclear (``decimal-mark-unclear``).
    """
    if decimal not in (None, *MARKS):
        raise AskError("decimal-mark-unknown", found=f"decimal mark {decimal!r}",
                       expected=" or ".join(MARKS), remedy="name one of the two")  # fmt: skip
    texts = cells.where(~cells.isin(EMPTY), "")
    if decimal is not None:
        return pd.Series([_told(text, decimal) for text in texts], index=cells.index, dtype="str")
    dotted = texts[texts.str.contains(".", regex=False) & ~texts.str.fullmatch(_SURE)]
    unclear = dotted.str.fullmatch(_THREE)
    if unclear.any():
        comma = texts.str.fullmatch(_COMMA) | texts.str.fullmatch(_GROUPED[","]) & ~texts.str.fullmatch(
            _THREE
        )
        if unclear.all() or comma.any():
            raise AskError(
                "decimal-mark-unclear",
                found=f"figures such as {dotted[unclear].iloc[0]}, which could be thousands or decimals",
                expected="a decimal mark that is declared",
                offenders=texts[comma].tolist(),
                remedy='declare the decimal mark, "." or ","',
            )
    return texts


def _told(text: str, decimal: str) -> str:
    if _SURE.fullmatch(text):
        return text
    if _GROUPED[decimal].fullmatch(text):
        text = re.sub(r"[^0-9+.,-]" if decimal == "." else r"[^0-9+,-]", "", text)
        text = text.replace(",", "") if decimal == "." else text
    elif decimal == "," and "." in text:
        return f"?{text}"  # a point that groups nothing
    return text.replace(",", ".") if decimal == "," else text
