"""Pull requests are shown by the name that their forge gives them, and what merges them is told as it is."""

from __future__ import annotations

import pytest

from release_tool.actions.summary import outcome as summary
from release_tool.model.records import CommitId, PullRequest
from release_tool.publishing.outcome import Invocation, Outcome
from release_tool.report.outcome import outcome_data, outcome_text
from release_tool.report.pulls import pull_data, pull_text, pulls_text

URL = "https://gitlab.example.com/acme/shop/-/merge_requests/12"
PULL = PullRequest(12, URL, "open", "release/devel", "main", CommitId("a" * 40), "devel: bump v1.0.5", sigil="!")


def test_a_pull_request_has_the_name_of_its_forge() -> None:
    assert pulls_text([PULL]).startswith("!12")
    assert pull_text(PULL).startswith("!12 devel: bump v1.0.5")
    assert (pull_data(PULL)["number"], pull_data(PULL)["name"]) == (12, "!12")


@pytest.mark.parametrize(
    ("merging", "said", "summarised"),
    [
        ("merged", "(opened, then merged)", "was opened and is merged."),
        ("waiting", "(opened, merges by itself)", "was opened and merges by itself."),
        (
            "next_pass",
            "(opened, merged by the next pass of `release guard`)",
            "was opened; the next pass of `release guard` merges it.",
        ),
    ],
)
def test_who_merges_is_told(merging: str, said: str, summarised: str) -> None:
    done = Outcome(
        Invocation("devel"),
        None,
        changed=True,
        branch="release/devel",
        pull_request=PULL,
        created=True,
        merging=merging,
    )
    assert f"pull request !12 {said}" in " ".join(outcome_text(done).split())
    assert f"Pull request [!12]({URL}) {summarised}" in summary(outcome_data(done))
