"""What `release guard` prints and tells: text for people, JSON for machines, a message for a chat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.model.health import as_evidence
from release_tool.model.records import name_number
from release_tool.model.times import clock
from release_tool.model.versions import tag_part
from release_tool.report.health import judged_data
from release_tool.report.outcome import error_data, outcome_data, outcome_text
from release_tool.report.terminal import heading, table
from release_tool.rules import fallback
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.commands.guard import Watched
    from release_tool.model.health import Judged
    from release_tool.publishing.outcome import Outcome


# -- JSON -------------------------------------------------------------------------------------------------------------


def guard_data(found: Sequence[Watched]) -> list[dict[str, Any]]:
    """`release guard --output json`; its names are stable."""
    return [_watched_data(one) for one in found]


def _watched_data(one: Watched) -> dict[str, Any]:
    return {
        "environment": one.place.environment,
        **({"service": one.place.service} if one.place.service else {}),
        "default": one.default,
        "decision": one.decision.action,
        "reason": one.decision.reason,
        "leave": one.decision.leave,
        "to": one.decision.to,
        "changed": one.changed,
        **({"refused": one.waits} if one.waits else {}),
        **({"blind": one.blind} if one.blind else {}),
        "versions": [judged_data(judged) for judged in one.judged],
        "operations": [outcome_data(outcome) for outcome in one.outcomes],
        "errors": [error_data(error) for error in one.errors],
    }


# -- text -------------------------------------------------------------------------------------------------------------


def guard_text(found: Sequence[Watched], width: int | None) -> str:
    """What a person sees of a pass: each version with what each check said, then the decision and what came of it.

    Args:
        found: the environments.
        width: characters of a line; None: a line is as long as it is.
    """
    return "\n\n".join("\n".join(_watched(one, width)) for one in found)


def _watched(one: Watched, width: int | None) -> Iterator[str]:
    yield from heading(f"{one.place.title}: {headline(one)}", width)
    yield from table(list(health_rows(one.judged, one.default)), width)
    for outcome in one.outcomes:
        yield from (f"  {line}" for line in outcome_text(outcome, None if width is None else width - 2).splitlines())


def headline(one: Watched) -> str:
    """What a pass came to in an environment, in a sentence."""
    decision = one.decision
    if decision.action == fallback.HALT:
        return f"halted. {decision.reason}"
    if decision.action != fallback.DOWNGRADE:
        return f"{decision.reason}. {one.needless}" if one.needless else decision.reason
    done = _downgrade(one)
    if done is None:
        verb = "could not go"
    elif one.dry_run:
        verb = "would go"
    elif done.changed and not done.refused and done.merging in {"", "merged"}:
        verb = "goes"
    else:
        verb = "is to go"
    return f"the default {verb} from {decision.leave} back to {decision.to}. {decision.reason}"


def _downgrade(one: Watched) -> Outcome | None:
    return next((outcome for outcome in one.outcomes if outcome.operation == "downgrade"), None)


def health_rows(judged: Sequence[Judged], default: str | None) -> Iterator[tuple[str, ...]]:
    """Name, tag, health, check, its trend, and its reason; a row a check, newest version first."""
    for one in sorted(judged, key=lambda one: name_number(one.name), reverse=True):
        word = f"{one.name} *" if one.name == default else one.name
        first = (word, tag_part(one.tag), one.health)
        for verdict in one.verdicts:
            row = as_evidence(one.name, verdict)
            samples = f" ({row.samples} calls)" if row.samples and verdict.points else ""
            said = verdict.reason if verdict.health == one.health else f"{verdict.health}: {verdict.reason}"
            yield (*first, verdict.check, row.trend, said + samples)
            first = ("", "", "")


# -- a message for a chat ---------------------------------------------------------------------------------------------


def message(one: Watched) -> str:
    """The message about an environment; empty where nothing happened, or nothing new.

    A message comes when a pull request is opened and when it is merged; for a halt, and whatever else a person must
    mend, in each pass. Texts from outside are made harmless: chats read mentions and links, too.
    """
    if one.dry_run:
        return ""
    said: list[str] = []
    if one.decision.action == fallback.HALT:
        said.append(f"release guard halted, a person must decide. {one.decision.reason}")
    if one.needless:
        said.append(one.needless)
    done = _downgrade(one)
    if done is not None and (done.changed or (done.refused and done.pull_request is None)):
        said.append(_of_downgrade(one, done))
    said += [
        f"{outcome.subject}: {outcome.changes[0].reason}"
        for outcome in one.outcomes
        if outcome.operation == "quarantine" and outcome.changed and outcome.changes
    ]
    said += [f"release guard could not act: {error.what}" for error in one.errors]
    return _harmless(f"{one.place.title}: {'; '.join(said)}") if said else ""


_LATER = "moves as soon as the pull request merges"


def _of_downgrade(one: Watched, done: Outcome) -> str:
    decision, pull = one.decision, done.pull_request
    where = f" Pull request: {pull.url}" if pull is not None else f" Commit: {done.commit}" if done.commit else ""
    state = {"merged": "moved", "waiting": _LATER, "next_pass": _LATER}.get(done.merging, "")
    state = state or ("moved" if done.commit and pull is None and not done.refused else "waits for a person")
    wait = f" {done.refused}." if done.refused else ""
    moved = f"the default goes from {decision.leave} back to {decision.to} ({state})"
    return f"{moved}. {decision.reason}{_when(one)}.{wait}{where}"


def _harmless(text: str) -> str:
    """A text in which a chat finds nobody to page, and no link but plain addresses."""
    return re.sub(r"[@<>]|\](?=\()", lambda found: f"{found[0]}\u200b", one_line(text))


def _when(one: Watched) -> str:
    times = [verdict.at for judged in one.judged if judged.name == one.decision.leave for verdict in judged.verdicts]
    latest = max((at for at in times if at is not None), default=None)
    return "" if latest is None else f", at {clock(latest)} UTC"
