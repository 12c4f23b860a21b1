"""Telling a webhook of findings: bounded in time and tries, and silent about its address."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx

from features.findings import Finding

SECONDS: Final = 5.0
TRIES: Final = 3
PAUSES: Final = (1.0, 4.0)
_LOG: Final = logging.getLogger("forecarbon.watch")


def post_findings(
    address: str,
    findings: Sequence[Finding],
    *,
    client: httpx.Client | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Post the findings as JSON; whether the webhook took them (2xx) in one of ``TRIES``.

    No redirect is followed, for the address may carry a secret that only its own host may see. It and
    what comes back are never logged. Never raises for what the other side does.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses
    body = {"findings": [finding.as_record() for finding in findings]}
    with client or httpx.Client(timeout=SECONDS, follow_redirects=False) as line:
        for turn in range(TRIES):
            said = _once(line, address, body)
            if said == "taken":
                return True
            _LOG.warning(json.dumps({"event": "webhook-failed", "try": turn + 1, "said": said}))
            if turn < len(PAUSES):
                pause(PAUSES[turn])
    return False


def _once(line: httpx.Client, address: str, body: dict[str, Any]) -> str:
    try:
        status = line.post(address, json=body).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return type(fault).__name__
    return "taken" if 200 <= status < 300 else f"status {status}"
