"""An expression that a configuration gives, a fork's too, takes no longer than is allowed."""

from __future__ import annotations

import re
import signal

import pytest
from world import World

from release_tool.config.reader import load
from release_tool.errors import ReleaseError
from release_tool.model import expressions
from release_tool.model.versions import is_readable

ENDLESS = "(?P<version>(v|v1|.)+)+x"
HEAD = "version: 1\nchart: c\nrelease_name: e\nnamespace: e\nenvironments: {devel: }\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expressions, "_SECONDS", 0.05)
    monkeypatch.setattr(expressions, "_left", {})


def test_an_expression_without_end_is_stopped_and_what_was_set_before_stands() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    for _ in range(2):  # the second time at once
        with pytest.raises(ReleaseError, match="takes more than"):
            expressions.fullmatch(ENDLESS, "v1" * 60, "versions.allow")
    with pytest.raises(ReleaseError, match="takes more than"):
        is_readable(f"semver {ENDLESS}", "v1" * 60)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0
    assert expressions.fullmatch(re.compile(r"v\d+"), "v1", "versions.allow") is not None


def test_an_expression_that_is_too_long_to_make_is_a_mistake_of_the_file() -> None:
    wide = "[ -\U0010fffd]" * 190
    with pytest.raises(ReleaseError, match=r"versions\.allow: .* takes more than"):
        load(f"{HEAD}versions: {{allow: '(?i){wide}'}}\n")


@pytest.mark.parametrize("key", ["allow", "pattern"])
def test_check_of_a_proposal_with_such_an_expression_ends(key: str, world: World) -> None:
    tags = "image: {tag: {v4: " + "v1" * 60 + "}}\n"
    text = f"{world.file('release.yaml')}versions: {{{key}: '{ENDLESS}'}}\n"
    world.commit({"release.yaml": text, "environments/devel/image_tag.yaml": tags}, "Endless", branch="fork")
    said = world.release("check", "--ref", "fork", "--output", "json", code=1).data["findings"]
    assert {one["where"] for one in said if "takes more than" in one["what"]} == {
        f"versions.{key} in the configuration"
    }
