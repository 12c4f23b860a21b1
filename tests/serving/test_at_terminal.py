"""What is refused at a terminal names what can be typed there."""

from __future__ import annotations

import pytest
from typer.main import get_command

import forecarbon
from features.errors import AskError
from serving.at_terminal import COMMANDS, worded
from serving.openapi import document


@pytest.mark.parametrize("line", COMMANDS.values())
def test_every_command_and_option_is_there(line: str) -> None:
    _, name, *words = line.split()
    found = get_command(forecarbon.app).commands[name]  # type: ignore[attr-defined]  # of a group
    options = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("route", COMMANDS)
def test_every_route_is_there(route: str) -> None:
    verb, path = route.split()
    assert verb.lower() in document()["paths"][path]


def test_a_route_is_told_as_its_command_and_one_without_stays() -> None:
    said = "see GET /v1/clusters for every cluster, GET /v1/clusters/{cluster_id}, or POST /v1/plans/best."
    assert worded(said) == (
        "see `forecarbon clusters` for every cluster, `forecarbon progress CLUSTER`, or POST /v1/plans/best."
    )


def test_a_refused_command_tells_commands(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise AskError("unknown", found="x", expected="a cluster", remedy="see GET /v1/clusters for all")

    assert forecarbon.guarded(refuse) == 2
    assert capsys.readouterr().err.endswith("see `forecarbon clusters` for all\n")
