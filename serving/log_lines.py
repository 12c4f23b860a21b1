"""Lines of the service's log: JSON, one a line; nothing of a key is ever in it."""

from __future__ import annotations

import json
from typing import Any

from features.logins import without_logins
from serving.call import Call


def log_line(event: str, call: Call, **facts: Any) -> str:
    """A JSON line of the log; nothing of a key is ever in it."""
    client = call.scope.get("client")
    told = {
        "event": event,
        "request_id": call.request_id,
        "method": call.scope["method"],
        "path": call.scope["path"][:200],
        "client": client[0] if client else "",
        **facts,
    }
    return json.dumps(told)


def bug_line(fault: BaseException, path: str, request_id: str) -> str:
    """One JSON line that says where a bug is: type, message, and the last places it went through."""
    places, step = [], fault.__traceback__
    while step is not None:
        places.append(f"{step.tb_frame.f_code.co_name}:{step.tb_lineno}")
        step = step.tb_next
    return json.dumps(
        {
            "event": "bug",
            "request_id": request_id,
            "path": path[:200],
            "fault": type(fault).__name__,
            "said": without_logins(str(fault))[:500],
            "places": places[-5:],
        }
    )
