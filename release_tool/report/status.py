"""What `release status` prints: text for people, JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.config import first_version
from release_tool.manifests.routes.reach import Reach
from release_tool.model.history import change_data
from release_tool.model.records import State, name_number
from release_tool.model.times import clock, timestamp
from release_tool.model.versions import tag_part
from release_tool.pull_request import messages
from release_tool.remote.snapshot import missing_file
from release_tool.report.health import delivery_data, judged_data
from release_tool.report.outcome import error_data, reach_data
from release_tool.report.pulls import short_data
from release_tool.report.terminal import heading, short, short_tag, table
from release_tool.rules.outlook import cell, where

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from release_tool.commands.status import EnvironmentStatus, ServiceStatus, Status, Waiting
    from release_tool.model.records import Change, Line, Name, Tag
    from release_tool.remote.strays import Stray

_NEXT = 3
"""So many of the coming changes are shown; the JSON holds all."""


# -- JSON -------------------------------------------------------------------------------------------------------------


def status_data(status: Status) -> dict[str, Any]:
    """`release status --output json`."""
    return {
        "base": status.base,
        "at": timestamp(status.now),
        "environments": [_environment_data(one) for one in status.environments()],
        "differences": [
            {
                **({"service": service.name} if service.name else {}),
                "version": one.name,
                "tag": one.tag,
                "digests": dict(one.digests),
            }
            for service in status.services
            for one in service.differences()
        ],
        "left_over": [
            {
                "branch": one.name,
                "environment": one.then.environment,
                **({"service": one.then.service} if one.then.service else {}),
                **_pending_data(one.pending),
                "pull_request": short_data(one.pull_request),
                "error": error_data(one.problem()),
            }
            for one in status.strays
        ],
    }


def _environment_data(one: EnvironmentStatus) -> dict[str, Any]:
    state, seen = one.state, one.outlook
    rolling = _waiting_data(one.rolling)
    return {
        "environment": one.place.environment,
        **({"service": one.place.service} if one.place.service else {}),
        "default": None if state is None else state.default,
        "default_since": _time(one.default_since),
        "default_held_by": [] if seen is None else list(seen.holding),
        "fallback": None if seen is None else seen.fallback,
        "versions": [] if state is None else _version_rows(one, state),
        "routing": reach_data(one.reach) if isinstance(one.reach, Reach) else None,
        **rolling,
        "downgrade": None if one.downgrade is None else _waiting_data(one.downgrade),
        **({"delivery": delivery_data(one.delivered)} if one.delivered is not None else {}),
        "sweep": None if seen is None else [change_data(change) for change in seen.due],
        "coming": None
        if seen is None
        else [{"at": timestamp(coming.at), **change_data(coming.change)} for coming in seen.coming],
        "errors": [error_data(error) for error in one.errors],
    }


def _version_rows(one: EnvironmentStatus, state: State) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, tag in {**state.versions, **state.retired}.items():
        pin, quarantine = state.pinned.get(name), state.quarantined.get(name)
        rows.append(
            {
                "version": name,
                "tag": tag,
                "state": where(state, name),
                "since": _time(one.landed(name)),
                "pinned": pin is not None,
                "pin": None
                if pin is None
                else {"reason": pin.reason, "until": None if pin.until is None else pin.until.isoformat()},
                "quarantine": None
                if quarantine is None
                else {"reason": quarantine.reason, "since": _time(quarantine.since)},
                "drained_at": _time(one.drained_at(name)),
                "routed_at": _time(one.routed_at(name)),
                **({"unapplied": unapplied} if (unapplied := _unapplied(one, name)) else {}),
                **({"in_use": one.in_use.get(name)} if one.in_use is not None else {}),
                **({"health": _health_data(one, name)} if one.health is not None else {}),
            }
        )
    return rows


def _unapplied(one: EnvironmentStatus, name: Name) -> str:
    return "" if one.facts is None else one.facts.unapplied.get(name, "")


def _health_data(one: EnvironmentStatus, name: Name) -> dict[str, Any] | None:
    """What the checks say of a version; None for one that isn't live."""
    return next((judged_data(judged) for judged in one.health or () if judged.name == name), None)


def _waiting_data(waiting: Waiting | None) -> dict[str, Any]:
    return {
        "branch": None if waiting is None else waiting.branch,
        **_pending_data(() if waiting is None else waiting.pending),
        "pull_request": None if waiting is None else short_data(waiting.pull_request),
    }


def _pending_data(lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "pending": [line.id for line in lines],
        "operations": [
            {
                "id": line.id,
                "at": timestamp(line.at),
                "operation": line.intent.operation,
                "subject": messages.subject(line.intent),
                "by": line.intent.by,
                "run": line.intent.run,
                **({"no_effect": line.no_effect} if line.no_effect else {}),
            }
            for line in lines
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


# -- text -------------------------------------------------------------------------------------------------------------


def status_text(status: Status, width: int | None) -> str:
    """The version x environment matrix of each service, then each environment on its own.

    Args:
        status: what was found.
        width: characters of a line; where the matrix is wider it is left out, and the environments below tell all of
            it. None: a line is as long as it is.
    """
    parts: list[list[str]] = []
    for service in status.services:
        parts += _matrix(service, width)
        for one in service.environments:
            parts.append([*heading(one.place.title, width), *_environment(one, status, width)])
    parts += [[*heading(one.name, width), *_left_over(one, status.now, width)] for one in status.strays]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _left_over(stray: Stray, now: datetime, width: int | None) -> list[str]:
    """A release branch that the configuration doesn't reach, and what to do about it."""
    error = stray.problem()
    rows = [("left over", error.cause), *labelled("waits", _operations(stray.name, stray, now)), ("next", error.hint)]
    return table(rows, width)


def _matrix(service: ServiceStatus, width: int | None) -> Iterator[list[str]]:
    rows = [
        (name, tag_part(tag), *(_cell(one, name, tag) for one in service.environments)) for name, tag in service.rows()
    ]
    heads = ("version", "tag", *(one.place.environment for one in service.environments))
    if not rows:
        return
    lines = table([heads, *rows], indent="")
    if width is None or max(map(len, lines)) <= width:
        yield [*([f"{service.name}:"] if service.name else []), *lines]
    texts = [
        ("different images", f"{service.name} {one.name} ({one.tag})".lstrip(), _digests(one.digests, width))
        for one in service.differences()
    ]
    yield table(texts, width, indent="")


def _digests(digests: Mapping[str, str], width: int | None) -> str:
    return ", ".join(f"{environment} {short_tag(f'@{digest}', width)[1:]}" for environment, digest in digests.items())


def _cell(one: EnvironmentStatus, name: Name, tag: Tag) -> str:
    return "?" if one.state is None and one.errors else cell(one.state, name, tag, one.restoring) or "-"


def _environment(one: EnvironmentStatus, status: Status, width: int | None) -> list[str]:
    lines: list[str] = []
    if one.state is None and not one.errors:
        lines.append(f"  no image_tag.yaml in {status.base}: {missing_file(one.place)}")
    if one.state is not None:
        lines += table(list(_version_lines(one, one.state, status.now, width)), width)
    if one.state == State() and not one.errors:
        standing = [("empty", f"no version yet: `{first_version(one.place, one.policy)}` brings the first one")]
    else:
        standing = [*_standing(one), *_applied(one), *_routes(one), *_sweeping(one, status.now)]
    lines += table([*standing, *_waiting(one, status.now)], width)
    return lines + _broken(one, width)


def _version_lines(one: EnvironmentStatus, state: State, now: datetime, width: int | None) -> Iterator[tuple[str, ...]]:
    """Name, tag, state, since when, how long; and what there is to say."""
    every = {**state.versions, **state.retired}
    for name in sorted(every, key=name_number, reverse=True):
        landed = one.landed(name)
        said = "; ".join(said_of(one, state, name, now))
        word = "default" if name == state.default else "restored" if name in one.restoring else where(state, name)
        times = ("-", "-") if landed is None else (clock(landed), short(now - landed))
        yield name, short_tag(every[name], width), word, *times, said


def said_of(one: EnvironmentStatus, state: State, name: Name, now: datetime) -> Iterator[str]:
    """What there is to say of a version, beside what it is and since when."""
    since = one.default_since
    if name == state.default and since is not None:
        yield f"default since {clock(since)} ({short(now - since)})"
    if name in state.quarantined:
        entry = state.quarantined[name]
        yield f"since {clock(entry.since)}: {entry.reason}" if entry.since else entry.reason
    if name in state.pinned:
        yield _pin(state, name, now)
    if one.outlook is not None and name == one.outlook.fallback:
        yield "fallback target"
    yield from _reached(one, state, name)
    yield from _on_its_way(one, name, now)
    if one.in_use is not None and name in one.in_use:
        yield one.in_use[name]
    for judged in one.health or ():
        if judged.name == name:
            yield f"{judged.health} ({judged.reason})"


def _on_its_way(one: EnvironmentStatus, name: Name, now: datetime) -> Iterator[str]:
    """When a version without a route gets one, or goes."""
    routed, drained, unapplied = one.routed_at(name), one.drained_at(name), _unapplied(one, name)
    if name in one.restoring and (routed is not None or unapplied):
        at_once = f"`{one.place.command('restore', name)}` routes it at once"
        left = f" after {clock(routed)} ({short(routed - now)} left)" if routed is not None and routed > now else ""
        yield f"not routed yet: {unapplied or f'the first clean-up{left} does that'}; {at_once}"
    elif unapplied:
        yield f"stays as it is: {unapplied}"
    elif drained is not None:
        left = f" ({short(drained - now)} left)" if drained > now else ""
        if isinstance(one.reach, Reach) and name not in one.reach.shown:
            yield f"leaves the file after {clock(drained)}{left}"  # nothing of it runs any more
        else:
            yield f"drains until {clock(drained)}{left}" if left else f"drained {clock(drained)}"


def _reached(one: EnvironmentStatus, state: State, name: Name) -> Iterator[str]:
    """What the rendering does otherwise than the state of a version says."""
    reach = one.reach
    if not isinstance(reach, Reach):
        return
    if name not in reach.shown:
        yield "no manifest shows it"
    elif not reach.header:
        return
    elif reach.routed(name) and name not in state.live:
        yield "the chart still routes calls to it"
    elif name in state.live and not reach.routed(name):
        yield "the chart has no route for it"
    if name in reach.first and name != state.default:
        yield "calls that name no version go to it"


def _routes(one: EnvironmentStatus) -> Iterator[tuple[str, str]]:
    """What there is to know of the routes, where it isn't what the states say."""
    reach = one.reach
    if reach is None or one.state is None:
        return
    if not isinstance(reach, Reach):
        yield "routes", f"not known, the chart can't be rendered: {reach.what.splitlines()[0]}"
    elif reach.apart:
        yield (
            "routes",
            "told apart by something else than a header (host, path, ...): who answers which call is not read",
        )
    elif not reach.header:
        yield "routes", "no VirtualService, GRPCRoute or HTTPRoute of the chart tells versions apart"
    elif not reach.unnamed():
        why = "the chart doesn't follow the default"
        if reach.filters:
            why = f"what {' and '.join(reach.filters)} makes of them is not read"
        yield "routes", f"none for calls that name no version: {why}"
    elif one.state.default not in reach.first:
        yield (
            "routes",
            f"calls that name no version go to {', '.join(sorted(reach.first, key=name_number)) or 'no version'}",
        )


def _pin(state: State, name: Name, now: datetime) -> str:
    pin = state.pinned[name]
    until = ""
    if pin.until is not None:
        days = (pin.until - now.date()).days
        left = f"{days}d left" if days > 0 else "the last day" if days == 0 else "over"
        until = f" until {pin.until.isoformat()} ({left})"
    return f"pinned{until}: {pin.reason}" if pin.reason else f"pinned{until}"


def _standing(one: EnvironmentStatus) -> Iterator[tuple[str, str]]:
    seen = one.outlook
    if seen is None or one.state is None or one.state.default is None:
        return
    if seen.holding:
        verb = "is" if len(seen.holding) == 1 else "are"
        yield "held", f"{', '.join(seen.holding)} {verb} quarantined and newer: a bump moves no default"
    if seen.fallback is None:
        others = set(one.state.live) - {one.state.default}
        yield "fallback", "none: a downgrade needs `--to NAME`" if others else "none: a downgrade has nowhere to go"


def _applied(one: EnvironmentStatus) -> Iterator[tuple[str, str]]:
    """What the delivery tool says."""
    told = one.delivered
    if told is None:
        return
    if told.unknown:
        yield "applied", f"not known: {told.by}: {told.unknown}"
        return
    stuck = f"; {told.problem}" if told.problem else ""
    yield "applied", f"{told.by}: {told.commit or 'no commit that it names'} ({told.state}){stuck}"


def _sweeping(one: EnvironmentStatus, now: datetime) -> Iterator[tuple[str, str]]:
    seen = one.outlook
    if seen is None:
        return
    proposed = (
        set() if one.rolling is None else {_what(change) for line in one.rolling.pending for change in line.changes}
    )
    said = [f"now{', proposed' if _what(change) in proposed else ''}: {_change(change)}" for change in seen.due]
    said += [
        f"{clock(coming.at)} (in {short(coming.at - now)}): {_change(coming.change)}" for coming in seen.coming[:_NEXT]
    ]
    if len(seen.coming) > _NEXT:
        said.append(f"and {len(seen.coming) - _NEXT} more until {clock(seen.coming[-1].at)}")
    if said and one.policy.retention.in_use is not None and one.in_use is None:
        said.append("a version that is in use stays: --in-use asks who calls")
    yield from labelled("sweep", said or ["nothing to do"])


def _what(change: Change) -> tuple[str, Name]:
    return change.action, change.version


def _change(change: Change) -> str:
    return f"{change.action} {change.version} ({change.tag}): {change.reason}"


def _waiting(one: EnvironmentStatus, now: datetime) -> Iterator[tuple[str, str]]:
    branches = filter(None, (one.rolling, one.downgrade))
    yield from labelled("waits", [text for one in branches for text in _operations(one.branch, one, now)])


def _operations(branch: str, waiting: Waiting | Stray, now: datetime) -> list[str]:
    pull = waiting.pull_request
    place = f"{branch}, " + ("no pull request" if pull is None else f"pull request {pull.name}")
    said: list[str] = []
    for line in waiting.pending:
        by = f" by {line.intent.by}" if line.intent.by else ""
        idle = f"; without effect for now: {line.no_effect}" if line.no_effect else ""
        said.append(f"{messages.subject(line.intent)}{by}, {clock(line.at)} ({short(now - line.at)}): {place}{idle}")
    return said


def labelled(label: str, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Rows of which the first one has a label."""
    for number, text in enumerate(texts):
        yield ("" if number else label), text


def _broken(one: EnvironmentStatus, width: int | None) -> list[str]:
    rows: list[tuple[str, str]] = []
    for error in one.errors:
        rows += labelled("error", [line.strip() for line in error.what.splitlines()])
        rows += [(label, text) for label, text in (("where", error.where), ("next", error.hint)) if text]
    return table(rows, width)
