"""What is said around a pull request, on any forge: nothing twice, and no reviewer stops another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from release_tool.forges.answers import AnswerLost, Forbidden, Invalid, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from release_tool.forges.client import ForgeClient
    from release_tool.model.records import PullRequest

_LOG = logging.getLogger("release_tool.forges")


def same_text(one: str, other: str) -> bool:
    """Whether two texts are the same; the browser's editor writes other line ends."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def say_once(client: ForgeClient, say: Callable[[], object], is_there: Callable[[], bool]) -> None:
    """Looks before every attempt: the answer to the one before may have been lost."""
    tries = 0
    while not is_there():
        try:
            say()
        except AnswerLost as error:
            client.pause(error, tries)
            tries += 1
        else:
            return


def ask_reviewers(
    pull: PullRequest, reviewers: Sequence[str], ask: Callable[[Mapping[str, list[str]]], object]
) -> None:
    """Asks for reviews; of a reviewer whom the forge refuses there is a warning, and the others are asked alone.

    Args:
        ask: gets `reviewers` and `team_reviewers`: users, and teams by their short names.
    """
    if not reviewers:
        return
    try:
        ask(reviewers_of(reviewers))
    except (Invalid, Forbidden, Missing) as error:
        if len(reviewers) == 1:
            _LOG.warning("%s can't be asked to review %s: %s", reviewers[0], pull.url, error.what)
            return
        for one in reviewers:
            ask_reviewers(pull, [one], ask)


def reviewers_of(reviewers: Iterable[str]) -> Mapping[str, list[str]]:
    """`alice` and `org/team` as GitHub and Gitea want them: users, and teams by their short names."""
    listed = list(dict.fromkeys(reviewers))
    return {
        "reviewers": [one for one in listed if "/" not in one],
        "team_reviewers": [one.partition("/")[2] for one in listed if "/" in one],
    }


def missing_labels(labels: Iterable[str], present: Iterable[str]) -> list[str]:
    """The labels that aren't there yet, each once; forges don't tell upper from lower case."""
    there = {label.casefold() for label in present}
    return [label for label in dict.fromkeys(labels) if label.casefold() not in there]
