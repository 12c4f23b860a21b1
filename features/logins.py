"""Texts without what lets somebody in: logins, queries of addresses and values named as secrets are left out.

Addresses come from operators and may hold a password; whatever is printed, logged or kept goes through here.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "…"
# A password may hold any sign, even one that should have been encoded: all up to the last @ goes.
_LOGIN: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#@]*:\S*|[^\s/?#]*)@")
_QUERY: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s?#'\"<>]*)[?#][^\s'\"<>,;)]*")
_NAMED: Final = re.compile(
    r"(?i)\b(password|passwd|pwd|token|secret|api[_-]?key|access[_-]?key|signature)=[^\s&;,'\"]+"
)


def shown_address(address: str) -> str:
    """One address as it may be told, whatever signs its login holds."""
    scheme, mark, rest = address.partition("://")
    login, at, place = rest.rpartition("@")
    hidden = f"{scheme}{mark}{HIDDEN}@{place}" if login or at else address
    return without_logins(hidden)


def without_logins(text: str) -> str:
    """``text`` with the login and the query of every address in it hidden, and what follows ``password=``
    and the like."""
    if "://" in text:
        text = _QUERY.sub(rf"\1?{HIDDEN}", _LOGIN.sub(rf"\1{HIDDEN}@", text))
    return _NAMED.sub(rf"\1={HIDDEN}", text) if "=" in text else text
