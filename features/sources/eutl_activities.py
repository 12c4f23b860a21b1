"""Activity codes of the EU ETS and economic activities of the UK report, as sector words of this house."""

from __future__ import annotations

from typing import Final

SECTOR: Final[dict[str, str]] = {
    **dict.fromkeys(("1", "20"), "combustion"),
    **dict.fromkeys(("2", "21"), "refining"),
    **dict.fromkeys(("3", "22"), "coke"),
    **dict.fromkeys(("4", "23"), "metal-ore"),
    **dict.fromkeys(("5", "24", "25"), "iron-steel"),
    **dict.fromkeys(("6", "29", "30"), "cement-lime"),
    **dict.fromkeys(("7", "31"), "glass"),
    **dict.fromkeys(("8", "32"), "ceramics"),
    **dict.fromkeys(("9", "35", "36"), "pulp-paper"),
    **dict.fromkeys(("26", "27"), "aluminium"),
    "28": "non-ferrous",
    "33": "mineral-wool",
    "34": "gypsum",
    **dict.fromkeys(("37", "38", "39", "40", "41", "42", "43", "44"), "chemicals"),
    **dict.fromkeys(("45", "99"), "other"),
}
"""Codes 1 to 9 are those of 2005-2012, 20 to 99 of 2013 on; a site keeps the one it was entered with."""

NO_SITE: Final[dict[str, str]] = {
    "10": "aviation",
    "50": "maritime",
    "60": "ets2",
    "70": "ets2",
}
"""Codes of operators that are no stationary site; their names may be those of natural persons."""

_NACE: Final = (
    ("1920", "refining"),
    ("1910", "coke"),
    ("2410", "iron-steel"),
    ("2420", "iron-steel"),
    ("243", "iron-steel"),
    ("2451", "iron-steel"),
    ("2452", "iron-steel"),
    ("2442", "aluminium"),
    ("244", "non-ferrous"),
    ("2453", "non-ferrous"),
    ("2454", "non-ferrous"),
    ("2351", "cement-lime"),
    ("2352", "cement-lime"),
    ("2362", "gypsum"),
    ("2314", "glass"),
    ("231", "glass"),
    ("232", "ceramics"),
    ("233", "ceramics"),
    ("234", "ceramics"),
    ("171", "pulp-paper"),
    ("201", "chemicals"),
    ("071", "metal-ore"),
    ("072", "metal-ore"),
)


def sector_of_nace(code: str) -> str:
    """The sector word of a NACE class ("2351", also "610" for "0610"); what fits nowhere is combustion.

    The UK report tells what a firm does, not which activity its permit is for: nearly all other sites
    are in the scheme because they burn fuels.
    """
    whole = code.zfill(4)
    return next((sector for start, sector in _NACE if whole.startswith(start)), "combustion")
