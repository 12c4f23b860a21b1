"""What the OpenAPI document allows, and what it does not, sent to the production server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.journeys.test_api import Server
from tests.journeys.test_api import server as server

EXAMPLES = 25  # about a thousand cases come of them; benchmarks/api_fuzz asks twenty thousand
LEAST = 700


def test_the_document_is_true(server: Server, root: Path, tmp_path: Path) -> None:
    st = Path(sys.executable).parent / "st"
    settings = root / "benchmarks" / "api_fuzz" / "schemathesis.toml"
    command = [st, "--config-file", settings, "run", f"{server.client.base_url}/openapi.json"]
    command += ["--checks", "all", "-n", str(EXAMPLES), "--continue-on-failure", "--no-color"]
    done = subprocess.run(
        [str(word) for word in command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
    count = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert count is not None, done.stdout[-2000:]
    assert int(count[1]) == int(count[2]) >= LEAST
    assert "Traceback" not in server.log.read_text()
    assert '"event": "bug"' not in server.log.read_text()
