"""What the reference says of JSON, of the record, of variables and trailers is what the code does."""

from __future__ import annotations

import ast
import json
import re
from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator
from outputs import hold
from typing_extensions import get_type_hints
from world import World

from documentation import json_schema
from documentation.links import ROOT
from documentation.outputs import SCHEMA_OF, SCHEMAS, Arguments
from release_tool.cli.parser import MODULES
from release_tool.model import history
from release_tool.pull_request import messages
from release_tool.remote import ownership

REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(json_schema.schema(name))


def test_every_command_that_gives_json_has_a_schema() -> None:
    assert set(SCHEMA_OF) == set(MODULES) - {"completion", "demo"}
    assert set(SCHEMA_OF.values()) == set(SCHEMAS) - {"error", "record"}


def test_a_key_that_is_not_described_is_found() -> None:
    right = {"environment": "devel", "manifests": ""}
    hold("render", right)
    with pytest.raises(AssertionError, match="more"):
        hold("render", {**right, "more": 1})
    open_schema = Draft202012Validator(json_schema.schema("render"))
    assert open_schema.is_valid({**right, "more": 1}), "newer releases may add keys"


def test_the_lines_of_the_record_are_as_documented(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct", "--image", "registry.example.com/engine", "--reason", "why")
    world.release("pin", "devel", "v2", "--reason", "mobile clients", "--until", "14d", "--direct")
    world.release("downgrade", "devel", "--reason", "loses sessions", "--direct")
    world.release("clear", "devel", "v5", "--direct")
    world.release("undo", "devel", "--direct")
    world.release("promote", "devel", "staging", "--version", "v5", "--force", "--reason", "why", code=None)
    world.release("retire", "devel", "v1", "--direct")
    world.release("cleanup", "--direct", later=timedelta(days=30))
    lines = world.record().splitlines()
    assert len(lines) >= 6
    for line in lines:
        hold("record", json.loads(line))


def test_every_argument_of_the_record_is_described() -> None:
    fields = {field for record in history._RECORDS.values() for field in record._fields}
    assert {history._WRITTEN_AS.get(field, field) for field in fields} == set(get_type_hints(Arguments))


OWN = re.compile(
    r"(RELEASE|GITHUB|GITLAB|GITEA|FORGEJO|GH|DOCKER|HELM|XDG|CI|BUILD|RUNNER)_[A-Z_]*[A-Z]|KUBECONFIG|TMPDIR|NO_COLOR"
)
INSIDE = {"HELM_C_LIB"}  # set for a child that the tool starts
SECRETS = {"RELEASE_APP_PRIVATE_KEY", "RELEASE_TOOL_TOKEN"}  # of the workflows


def test_every_environment_variable_is_described() -> None:
    page = (REFERENCE / "environment-variables.md").read_text("utf-8")
    for path in (ROOT / "release_tool").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and OWN.fullmatch(value) and value not in INSIDE | SECRETS:
                assert value in page, f"{path.name} speaks of {value}"


def test_every_trailer_is_described() -> None:
    page = (REFERENCE / "git.md").read_text("utf-8")
    for trailer in (messages.TRAILER, messages.TREE_TRAILER, ownership.BASE_TRAILER):
        assert f"| `{trailer}` |" in page
