"""Containers and pods: no user with a name, nothing to write on but the store, no rights and no token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

OURS = ("service", "scheduler", "mlflow")


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((root / "docs/deploy/compose.yaml").read_text(encoding="utf-8"))
    return told


def pods(root: Path) -> dict[str, dict[str, Any]]:
    files = [*(root / "docs/deploy/kubernetes").glob("*.yaml"), root / "docs/deploy/cronjob.yaml"]
    told = {}
    for path in files:
        for manifest in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            spec = manifest.get("spec", {})
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            if "template" in spec:
                told[path.name] = spec["template"]["spec"]
    return told


def test_every_pod_has_no_rights(root: Path) -> None:
    found = pods(root)
    assert len(found) == 3
    for name, pod in found.items():
        assert pod["automountServiceAccountToken"] is False, name
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] >= 10_000
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for word in ("hostNetwork", "hostPID", "hostIPC"):
            assert word not in pod
        for container in pod["containers"] + pod.get("initContainers", []):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in own
        assert not any("hostPath" in volume for volume in pod["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_every_container_of_ours_has_no_rights(compose: dict[str, Any], name: str) -> None:
    told = compose["services"][name]
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert "cap_add" not in told
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in told
    assert "mem_limit" in told
    assert not any("docker.sock" in str(volume) for volume in told["volumes"])


def test_nothing_is_published_beyond_this_machine(compose: dict[str, Any]) -> None:
    for name, told in compose["services"].items():
        for port in told.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_the_image_runs_as_nobody_from_hashed_packages(root: Path) -> None:
    lines = (root / "docs/deploy/Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line for line in lines if line.startswith("USER ")]
    assert users[-1] == "USER 10001:10001"
    installs = "\n".join(lines).split("RUN ")
    for step in installs:
        if "pip install" in step and "--no-deps /opt/uv/forecarbon" not in step:
            assert "--require-hashes" in step
    assert not any(line.startswith(("ADD http", "RUN curl", "RUN wget")) for line in lines)
