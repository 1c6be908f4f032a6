"""What is made from the code is as the code is now."""

from __future__ import annotations

import argparse

import pytest

from documentation import made
from documentation.links import ROOT
from release_tool.cli.parser import MODULES, parser

MADE = made.files()


@pytest.mark.parametrize("path", sorted(MADE))
def test_what_is_made_from_the_code_is_as_the_code_is(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == MADE[path], "run `make schema`"


def test_every_page_of_a_command_is_that_of_a_command() -> None:
    assert {path.stem for path in (ROOT / "docs" / "reference" / "commands").glob("*.md")} == set(MODULES)


def test_every_argument_says_what_it_means() -> None:
    def bare(one: argparse.ArgumentParser) -> list[str]:
        found = []
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                found += [name for sub in action.choices.values() for name in bare(sub)]
            elif not action.help:
                found.append(f"{one.prog} {action.dest}")
        return found

    assert bare(parser(MODULES)) == []
