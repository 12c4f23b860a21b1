"""The Dask manifests of docs/deploy: least rights, the ports they name, and nobody else let in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

FOLDER: Final = Path("docs/deploy/kubernetes/dask")
USER: Final = 10001
STORE: Final = "/var/lib/forecarbon"
COMPONENT: Final = "app.kubernetes.io/component"


@pytest.fixture(scope="module")
def manifests(root: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found = {}
    for path in sorted((root / FOLDER).glob("*.yaml")):
        for item in yaml.safe_load_all(path.read_text()):
            if item["kind"] != "Kustomization":
                found[item["kind"], item["metadata"]["name"]] = item
    return found


def test_every_manifest_is_listed(root: Path) -> None:
    listed = yaml.safe_load((root / FOLDER / "kustomization.yaml").read_text())["resources"]
    here = {path.name for path in (root / FOLDER).glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == here


@pytest.mark.parametrize(
    ("name", "part"), [("forecarbon-dask", "scheduler"), ("forecarbon-dask-worker", "worker")]
)
def test_pods_are_nobody_and_write_to_tmp_alone(
    manifests: dict[tuple[str, str], dict[str, Any]], name: str, part: str
) -> None:
    spec = manifests["Deployment", name]["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == USER
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["command"] == ["/opt/forecarbon/.venv/bin/dask", part]
    assert container["image"] == "forecarbon:0.1.0"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert set(mounts) <= {STORE, "/tmp"}
    assert mounts.get(STORE, {"readOnly": True})["readOnly"] is True
    assert {mount["name"] for mount in mounts.values()} == {volume["name"] for volume in pod["volumes"]}
    assert {item["value"] for item in container.get("env", ())} <= {"1"}
    assert "envFrom" not in container


def test_ports_agree_and_nobody_else_is_let_in(manifests: dict[tuple[str, str], dict[str, Any]]) -> None:
    (scheduler,) = manifests["Deployment", "forecarbon-dask"]["spec"]["template"]["spec"]["containers"]
    (worker,) = manifests["Deployment", "forecarbon-dask-worker"]["spec"]["template"]["spec"]["containers"]
    service = manifests["Service", "forecarbon-dask"]["spec"]["ports"][0]
    port = scheduler["ports"][0]["containerPort"]
    assert scheduler["args"][scheduler["args"].index("--port") + 1] == str(port) == str(service["port"])
    assert worker["args"][0] == f"tcp://forecarbon-dask:{port}"
    assert worker["args"][worker["args"].index("--nthreads") + 1] == "1"
    own = {int(worker["args"][worker["args"].index("--worker-port") + 1])}
    opened = {"forecarbon-dask": ({port}, {"dask-worker", "scheduler"}),
              "forecarbon-dask-worker": (own, {"dask-scheduler", "dask-worker"})}  # fmt: skip
    for name, (ports, parts) in opened.items():
        spec = manifests["NetworkPolicy", name]["spec"]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        (door,) = spec["ingress"]
        assert {item["port"] for item in door["ports"]} == ports
        assert {place["podSelector"]["matchLabels"][COMPONENT] for place in door["from"]} == parts


def test_pods_show_no_page(manifests: dict[tuple[str, str], dict[str, Any]]) -> None:
    for (kind, _), item in manifests.items():
        if kind == "Deployment":
            (container,) = item["spec"]["template"]["spec"]["containers"]
            assert "--no-dashboard" in container["args"]
