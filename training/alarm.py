"""Telling a webhook of findings: bounded in time and tries, and silent about its address."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import httpx

from features.errors import AskError
from features.findings import Finding
from features.sources.connection import GuardedTransport

SECONDS: Final = 5.0
TRIES: Final = 3
PAUSES: Final = (1.0, 4.0)
REFUSED: Final = "address-not-public"
# Set to "1" where the webhook is on this machine or its network.
LOCAL: Final = "FORECARBON_WEBHOOK_LOCAL"
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
    what comes back are never logged. Only public addresses are spoken with, and local ones where
    FORECARBON_WEBHOOK_LOCAL is "1" (docs/adr/0025). Never raises for what the other side does.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses
    body = {"findings": [finding.as_record() for finding in findings]}
    with client or _guarded() as line:
        for turn in range(TRIES):
            said = _once(line, address, body)
            if said == "taken":
                return True
            _LOG.warning(json.dumps({"event": "webhook-failed", "try": turn + 1, "said": said}))
            if said == REFUSED:
                return False
            if turn < len(PAUSES):
                pause(PAUSES[turn])
    return False


def _guarded() -> httpx.Client:
    until = time.monotonic() + TRIES * SECONDS + sum(PAUSES)
    transport = GuardedTransport(deadline=until, allow_local=os.environ.get(LOCAL) == "1")
    return httpx.Client(transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False)


def _once(line: httpx.Client, address: str, body: dict[str, Any]) -> str:
    try:
        status = line.post(address, json=body).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return type(fault).__name__
    except AskError as refusal:
        return refusal.code
    return "taken" if 200 <= status < 300 else f"status {status}"
