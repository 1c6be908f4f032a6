"""What a changing command prints."""

from __future__ import annotations

import pytest

from release_tool.publishing.outcome import Invocation, Outcome
from release_tool.report.outcome import outcome_data, outcome_text

TEXT = "devel: bump v1.0.5\n\n| now |\n\n- v5 can be called\n\n<details><summary>What changes</summary>\n\nmuch\n\n</details>\n"


@pytest.mark.parametrize(
    ("invocation", "branch", "command"),
    [
        (Invocation("devel"), "release/devel", "release diff devel"),
        (
            Invocation("devel", service="engine", downgrade=True),
            "release/devel-downgrade",
            "release diff devel --ref release/devel-downgrade --service engine",
        ),
    ],
)
def test_without_a_forge_the_first_screen_is_printed_and_where_the_rest_is(
    invocation: Invocation, branch: str, command: str
) -> None:
    outcome = Outcome(invocation, None, branch=branch, text=TEXT)
    assert outcome_text(outcome).split("\n\n", 1)[1] == (
        "devel: bump v1.0.5\n\n| now |\n\n- v5 can be called\n\n(6 more lines of this text: the same command with "
        f"`--output json` gives all of it (`body`), `{command}` the manifests)"
    )
    assert outcome_data(outcome)["body"] == TEXT.partition("\n\n")[2]


def test_a_short_text_is_printed_whole() -> None:
    outcome = Outcome(Invocation("devel"), None, text="devel: bump v1.0.5\n\nall\n")
    assert outcome_text(outcome).endswith("\n\ndevel: bump v1.0.5\n\nall")
