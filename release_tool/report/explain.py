"""What `release explain` prints: text for people, JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.model import history
from release_tool.model.history import change_data
from release_tool.model.times import clock, timestamp
from release_tool.model.versions import tag_part
from release_tool.pull_request import messages
from release_tool.report.status import labelled, said_of
from release_tool.report.terminal import heading, short, short_tag, table
from release_tool.rules import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from release_tool.commands.explain import Explanation
    from release_tool.model.records import Change
    from release_tool.rules.explain import Effect

_PAST = 6
"""So many of the landed operations are shown; the JSON holds all."""


def explanation_data(one: Explanation) -> dict[str, Any]:
    """`release explain --output json`; its names are stable."""
    verdict = one.verdict
    return {
        "environment": one.place.environment,
        **({"service": one.place.service} if one.place.service else {}),
        "version": one.name,
        "tag": one.tag,
        "at": timestamp(one.now),
        "state": verdict.where if verdict.where != explain.REMOVED or one.was_here else "never",
        "default": one.name == (one.found.state and one.found.state.default),
        "since": _time(one.found.landed(one.name) if verdict.where != explain.REMOVED else None),
        "said": _headline(one),
        "stays": verdict.reason or None,
        "rules": [{**rule._asdict(), "until": _time(rule.until)} for rule in verdict.rules],
        "newer_versions_until_gone": verdict.place,
        "sweep": [change_data(change) for change in verdict.act],
        "coming": [{"at": timestamp(coming.at), **change_data(coming.change)} for coming in verdict.coming],
        "waits": [
            {
                "id": entry.line.id,
                "subject": messages.subject(entry.line.intent),
                "branch": entry.branch,
                "pull_request": None if entry.pull_request is None else entry.pull_request.number,
                "changes": [change_data(change) for change in _about(one, entry.line.changes)],
            }
            for entry in one.waits
        ],
        "registry": one.registry or None,
        "elsewhere": [{"environment": environment, "state": word} for environment, word in one.elsewhere],
        "history": [
            {
                "id": past.entry.line.id,
                "at": timestamp(past.entry.line.at),
                "operation": past.entry.line.intent.operation,
                "by": past.entry.line.intent.by,
                "archived": past.archived,
                "changes": [change_data(change) for change in _about(one, history.changes_of([past.entry.line]))],
            }
            for past in one.past
        ],
        "unrecorded": [change_data(change) for change in one.unrecorded],
        "commands": [
            {
                "command": way.command,
                "changes": None if way.effect is None else [change_data(change) for change in way.effect.changes],
                "state": None if way.effect is None else way.effect.where,
                "stays": (way.effect.reason or None) if way.effect else None,
            }
            for way in one.ways
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def explanation_text(one: Explanation, width: int | None) -> str:
    """The answer in a sentence, then every rule with its verdict, what comes, and what would change it.

    Args:
        one: what was found.
        width: characters of a line; None: a line is as long as it is.
    """
    parts = [heading(f"{one.place.title}: {one.name} ({short_tag(one.tag, width)}) {_headline(one)}", width)]
    rules = [(rule.rule, rule.verdict, rule.reason + _until(rule.until, one.now)) for rule in one.verdict.rules]
    parts += [table(rules, width), table(list(_facts(one)), width), table(list(_ways(one)), width)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _headline(one: Explanation) -> str:
    verdict, act = one.verdict, {change.action: change.reason for change in one.verdict.act}
    if verdict.where == explain.REMOVED:
        return _gone(one)
    if "remove" in act:
        return f"is {verdict.where}, and the next sweep removes it: {act['remove']}"
    if "retire" in act:
        return f"is {verdict.where}, and the next sweep retires it: {act['retire']}"
    if one.name in one.found.restoring:
        routed = act.get("restore")
        return f"is deployed and {f'the next sweep routes it: {routed}' if routed else verdict.reason}"
    if verdict.where != "live":
        return f"is {verdict.reason}" if verdict.reason.startswith(verdict.where) else f"is {verdict.where}"
    return f"is live and stays: {verdict.reason}"


def _gone(one: Explanation) -> str:
    """Of a version that is not in the file."""
    title = one.place.environment
    if one.unrecorded:
        return f"is gone from {title}: taken out of the file by hand; the next operation records that"
    if one.was_here:
        gone = [
            f"{_DONE[change.action]} {clock(past.entry.line.at)} ({change.reason})"
            for past in one.past
            for change in _about(one, history.changes_of([past.entry.line]))
            if change.action in _DONE
        ]
        return f"is gone from {title}: {', '.join(gone[-2:])}" if gone else f"is gone from {title}"
    if one.waits:
        pull = one.waits[0].pull_request
        where = one.waits[0].branch if pull is None else f"pull request {pull.name}"
        return f"is not in {title} yet: it waits in {where}"
    changes = [change for past in one.past for change in _about(one, past.entry.line.changes)]
    superseded = [change.reason for change in changes if change.action == "supersede"]
    return f"never came into {title}: {superseded[-1]}" if superseded else f"never was in {title}"


_DONE = {"retire": "retired", "remove": "removed"}


def _about(one: Explanation, changes: Any) -> list[Change]:
    return [change for change in changes if tag_part(change.tag) == tag_part(one.tag)]


def _until(moment: datetime | None, now: datetime) -> str:
    return "" if moment is None or moment <= now else f"; changes {clock(moment)} (in {short(moment - now)})"


def _facts(one: Explanation) -> Iterator[tuple[str, str]]:
    verdict, state, now = one.verdict, one.found.state, one.now
    if state is not None and verdict.where != explain.REMOVED:
        landed = one.found.landed(one.name)
        since = [] if landed is None else [f"{clock(landed)} ({short(now - landed)} ago)"]
        yield "since", "; ".join([*since, *said_of(one.found, state, one.name, now)]) or "not landed"
        act = [f"now: {change.action} {one.name}: {change.reason}" for change in verdict.act]
        act += [
            f"{clock(coming.at)} (in {short(coming.at - now)}): {coming.change.action} {one.name}: "
            f"{coming.change.reason}"
            for coming in verdict.coming
        ]
        yield from labelled("sweep", act or ["changes nothing about it"])
    if verdict.place is not None:
        versions = "1 newer version takes" if verdict.place == 1 else f"{verdict.place} newer versions take"
        yield "newer", f"{versions} its place: the sweep retires it then"
    yield from labelled("waits", [_waiting(one, number) for number in range(len(one.waits))])
    if one.registry:
        yield "registry", one.registry
    if one.elsewhere:
        yield "elsewhere", "; ".join(f"{environment}: {word}" for environment, word in one.elsewhere)
    past = [_landed(one, number) for number in range(len(one.past))]
    if len(past) > _PAST:
        more = one.place.command("history", "--version", one.name)
        past = [*past[-_PAST:], f"{len(past) - _PAST} more: `{more}`"]
    yield from labelled("record", past)


def _waiting(one: Explanation, number: int) -> str:
    entry = one.waits[number]
    where = entry.branch if entry.pull_request is None else f"{entry.branch}, pull request {entry.pull_request.name}"
    changes = ", ".join(f"{change.action} ({change.reason})" for change in _about(one, entry.line.changes))
    return f"{messages.subject(entry.line.intent)}: {changes or entry.line.no_effect or 'no change'}; in {where}"


def _landed(one: Explanation, number: int) -> str:
    past = one.past[number]
    line = past.entry.line
    told = [f"{change.action} ({change.reason})" for change in _about(one, line.changes)]
    by_hand = [change.action for change in _about(one, line.adopted)]
    by = f" by {line.intent.by}" if line.intent.by and told else ""
    told = [*([f"{', '.join(by_hand)} by hand, before this operation"] if by_hand else []), *told]
    archived = ", archived" if past.archived else ""
    return f"{clock(line.at)}  {messages.subject(line.intent)}{by}: {', '.join(told)}{archived}"


def _ways(one: Explanation) -> Iterator[tuple[str, str]]:
    for way in one.ways:
        yield way.command, _does(one, way.effect)


def _does(one: Explanation, effect: Effect | None) -> str:
    if effect is None:
        return f"brings it to {one.place.environment}, once its gates are open"
    said = []
    for change in effect.changes:
        if change.action == "set-default" and change.version != one.name:
            said.append(f"the default moves to {change.version}")
        elif change.action == "set-default":
            said.append("becomes the default")
        else:
            said.append(f"{change.action}, by the sweep: {change.reason}" if change.sweep else change.action)
    then = f"{effect.where} then" + (f": {effect.reason}" if effect.reason else "")
    then = effect.reason if effect.reason.startswith(effect.where) else then
    return f"{'; '.join(said)}; {then}"
