"""Image, compose file and manifests of docs/deploy: they parse, and agree with the code and one another."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from serving.front import PROBES
from serving.launch import GRACE_SECONDS

PORT: Final = 3000
USER: Final = 10001
STORE: Final = "/var/lib/forecarbon"
COMMAND: Final = "/opt/forecarbon/.venv/bin/forecarbon"
VARIABLE: Final = re.compile(r"\bFORECARBON_[A-Z_]+")
# What an index of packages, a mirror or a registry of images would be named by.
PLACE: Final = re.compile(r"https?://(?!127\.0\.0\.1:|mlflow:)|--(?:extra-)?index|--find-links|--trusted")
MANIFESTS: Final = ("service", "scheduler", "store", "settings", "network", "kustomization")


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "docs" / "deploy"


@pytest.fixture(scope="module")
def dockerfile(folder: Path) -> str:
    return (folder / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def compose(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / "compose.yaml").read_text())
    return loaded


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[dict[str, Any]]:
    return [
        item
        for path in [*sorted((folder / "kubernetes").glob("*.yaml")), folder / "cronjob.yaml"]
        for item in yaml.safe_load_all(path.read_text())
    ]


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a pod is made from, by the name of who makes it."""
    found = {}
    for item in manifests:
        spec = item.get("spec", {}).get("jobTemplate", item).get("spec", {})
        if "template" in spec:
            found[item["metadata"]["name"]] = spec["template"]["spec"]
    return found


def named(manifests: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [m for m in manifests if m["kind"] == kind and m.get("metadata", {}).get("name") == name]
    return found


def words(pod: dict[str, Any]) -> list[str]:
    (container,) = pod["containers"]
    return [*container["command"], *container.get("args", ())]


def lines_run(folder: Path) -> Iterator[list[str]]:
    """Every ``forecarbon …`` of the pages' command blocks, as words."""
    text = (folder / "README.md").read_text()
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.search(rf"(?:^forecarbon|run --rm (?:service|scheduler)|{COMMAND}) ([a-z].*)", line)
            if found:
                yield found[1].split()


def test_every_variable_is_read_by_the_code(root: Path, folder: Path, sources: list[Any]) -> None:
    code = "\n".join(source.text for source in sources)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            told = set(VARIABLE.findall(path.read_text()))
            assert {name for name in told if f'"{name}"' not in code} == set(), path.name
    bento = set(VARIABLE.findall((root / "pyproject.toml").read_text()))
    assert {name for name in bento if f'"{name}"' not in code} == set()


def test_every_command_is_one_of_ours(
    root: Path, folder: Path, dockerfile: str, compose: dict[str, Any], manifests: list[dict[str, Any]]
) -> None:
    known = "".join(
        (root / f"{name}.py").read_text() for name in ("forecarbon", "operations", "questions", "upkeep")
    )
    (default,) = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    asked = [yaml.safe_load(default), *lines_run(folder)]
    asked += [service["command"] for name, service in compose["services"].items() if "command" in service
              and "entrypoint" not in service]  # fmt: skip
    for pod in pods(manifests).values():
        assert words(pod)[0] == COMMAND
        asked.append(words(pod)[1:])
    assert {"serve", "schedule", "retrain", "keys"} <= {line[0] for line in asked}
    for line in asked:
        name = f"keys_{line[1]}" if line[0] == "keys" else line[0]
        assert f"def {name}(" in known, line
        options = [word.removeprefix("--") for word in line if word.startswith("--")]
        assert [option for option in options if option.replace("-", "_") not in known] == []


def test_ports_and_probes_are_those_of_the_service(
    dockerfile: str, compose: dict[str, Any], manifests: list[dict[str, Any]]
) -> None:
    assert f"\nEXPOSE {PORT}\n" in dockerfile
    checked = re.search(rf"http://127\.0\.0\.1:{PORT}(/\w+)", dockerfile)
    assert checked is not None
    assert checked[1] in PROBES
    (published,) = compose["services"]["service"]["ports"]
    assert published.endswith(f":{PORT}")
    (container,) = pods(manifests)["forecarbon"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": PORT}
    wanted = {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert {name: container[name]["httpGet"] for name in wanted} == {
        name: {"path": path, "port": "http"} for name, path in wanted.items()
    }
    assert set(wanted.values()) <= PROBES
    served = [words(pods(manifests)["forecarbon"]), compose["services"]["service"]["command"]]
    served.append(yaml.safe_load(re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)[0]))
    for line in served:
        assert line[line.index("--port") + 1] == str(PORT)
        assert line[line.index("--host") + 1] == "0.0.0.0"
    assert named(manifests, "Service", "forecarbon")["spec"]["ports"][0]["targetPort"] == "http"
    allowed = named(manifests, "NetworkPolicy", "forecarbon-service")["spec"]["ingress"][0]["ports"]
    assert [port["port"] for port in allowed] == [PORT]


def test_whoever_is_stopped_has_time_to_drain(
    dockerfile: str, compose: dict[str, Any], manifests: list[dict[str, Any]]
) -> None:
    assert "\nSTOPSIGNAL SIGTERM\n" in dockerfile
    assert int(compose["services"]["service"]["stop_grace_period"].removesuffix("s")) >= GRACE_SECONDS + 10
    pod = pods(manifests)["forecarbon"]
    (container,) = pod["containers"]
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= before + GRACE_SECONDS + 10
    assert compose["services"]["scheduler"]["stop_grace_period"] == "30m"
    assert pods(manifests)["forecarbon-scheduler"]["terminationGracePeriodSeconds"] == 30 * 60


def test_pods_are_nobody_and_write_to_the_store_and_tmp(
    dockerfile: str, manifests: list[dict[str, Any]]
) -> None:
    assert f"\nUSER {USER}:{USER}\n" in dockerfile
    assert f"FORECARBON_STORE={STORE} " in dockerfile
    told = pods(manifests)
    assert sorted(told) == ["forecarbon", "forecarbon-retrain", "forecarbon-scheduler"]
    for name, pod in told.items():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == USER
        assert pod["automountServiceAccountToken"] is False, name
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert {STORE, "/tmp"} <= set(mounts)
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert set(mounts.values()) == set(volumes)
        claim = volumes[mounts[STORE]]["persistentVolumeClaim"]["claimName"]
        assert named(manifests, "PersistentVolumeClaim", claim)
        assert container["image"] == "forecarbon:0.1.0"


def test_the_scheduler_is_one(manifests: list[dict[str, Any]]) -> None:
    spec = named(manifests, "Deployment", "forecarbon-scheduler")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_selectors_find_their_pods(manifests: list[dict[str, Any]]) -> None:
    for name in ("forecarbon", "forecarbon-scheduler"):
        spec = named(manifests, "Deployment", name)["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    labels = named(manifests, "Deployment", "forecarbon")["spec"]["selector"]["matchLabels"]
    assert named(manifests, "Service", "forecarbon")["spec"]["selector"] == labels
    for name, part in (("forecarbon-service", labels), ("forecarbon-scheduler", None)):
        chosen = named(manifests, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"]
        assert chosen == (part or named(manifests, "Deployment", name)["spec"]["selector"]["matchLabels"])


def test_every_manifest_is_listed(folder: Path) -> None:
    listed = yaml.safe_load((folder / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    here = {path.name for path in (folder / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == here
    assert {f"{name}.yaml" for name in MANIFESTS} == here | {"kustomization.yaml"}


def test_secrets_have_no_default(folder: Path, compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name and not name.endswith("_FILE"):
                assert re.match(r"\$\{\w+:\?", value), name
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            assert not re.search(r"postgres\w*(?:\+\w+)?://\w+:[^@\s]+@", path.read_text()), path.name


def test_nothing_names_a_place_packages_come_from(folder: Path, dockerfile: str) -> None:
    for name in ("Dockerfile", "compose.yaml"):
        assert PLACE.findall((folder / name).read_text()) == []
    assert dockerfile.count("--require-hashes") == 2


def test_the_image_has_what_the_code_is(root: Path, folder: Path, dockerfile: str) -> None:
    with (root / "pyproject.toml").open("rb") as stream:
        project = tomllib.load(stream)["tool"]
    floors = {name.split(".")[0] for name in project["setuptools"]["packages"]["find"]["include"]}
    files = {f"{name}.py" for name in project["setuptools"]["py-modules"]}
    copied = set(re.findall(r"^COPY (\w+) \1$", dockerfile, re.MULTILINE))
    assert copied == floors
    let_in = set(re.findall(r"^!(\S+)$", (folder / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert let_in == floors | files | {"pyproject.toml", "requirements.lock", "README.md"}
    asked = {name.strip("/") for name in project["bentoml"]["build"]["include"]}
    assert asked == floors | files | {"pyproject.toml"}
    assert all(name.startswith("/") for name in project["bentoml"]["build"]["include"])


def test_the_tools_of_the_image_are_taken_from_the_lock(root: Path, dockerfile: str) -> None:
    loop = re.search(r"(?P<script>for name in uv setuptools; do .*?done)", dockerfile, re.DOTALL)
    assert loop is not None
    taken = subprocess.run(
        ["sh", "-c", loop["script"].replace("\\\n", " ")],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert [line.split("==")[0] for line in taken.splitlines() if "==" in line] == ["uv", "setuptools"]
    assert taken.count("--hash=sha256:") > 2


def test_the_bento_knows_its_release(root: Path, folder: Path, tmp_path: Path) -> None:
    """A bento installs no project: its setup script tells Python name and release."""
    with (root / "pyproject.toml").open("rb") as stream:
        told = tomllib.load(stream)
    assert root / told["tool"]["bentoml"]["build"]["docker"]["setup_script"] == folder / "bento.sh"
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    python.chmod(0o755)
    subprocess.run(["sh", str(folder / "bento.sh")], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    (found,) = distributions(path=[str(tmp_path)])
    assert (found.name, found.version) == (told["project"]["name"], told["project"]["version"])
