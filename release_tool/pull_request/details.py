"""The tables: what changes, what stays, what comes next, each with its reason; where it is from; the way back."""

from __future__ import annotations

from collections import Counter
from datetime import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.model.records import UNHEALTHY
from release_tool.model.times import clock, duration_text
from release_tool.pull_request.markdown import (
    NOTHING,
    Markup,
    block,
    bold,
    code,
    folded,
    link,
    plain,
    safe_url,
    short,
    table,
    tag,
    within_share,
)
from release_tool.pull_request.messages import subject
from release_tool.rules import outlook
from release_tool.rules.plan import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.model.records import Change, Kept, Line, Name, State
    from release_tool.pull_request.proposal import Proposed
    from release_tool.rules.forecast import Coming

_REST = "the record of the environment holds all"
_WHOLE = "`release status` shows all"
_NEXT = 8
"""So many of the coming changes are shown."""
_UNDONE = 20  # operations that a command is written for
_NOTICE = Markup(
    "Names that are new here are provisional until this lands. Every operation makes this pull request again on "
    "the tip of its base; commits of your own on this branch are kept, and end that."
)
_VERSION = ("version", "tag", "why")
_CHANGE = ("", *_VERSION)
_EVIDENCE = ("version", "check", "verdict", "number", "bound", "calls or attempts", "over the window", "at", "why")


# -- what and why -----------------------------------------------------------------------------------------------------


def changes(proposed: Proposed) -> list[Markup]:
    """Every change with its reason; what people changed by hand and this records."""
    parts = [table(_CHANGE, [_change(one) for one in proposed.changes], _REST)]
    adopted = [change for line in proposed.lines for change in line.adopted]
    # The first line of all adopts every version that stood in the file: that says nothing.
    if any(change.action != "add" for change in adopted):
        parts.append(Markup("Changed by hand before, and adopted into the record:"))
        parts.append(table(_CHANGE, [_change(one) for one in adopted], _REST))
    return [folded(f"What changes, and why: {len(proposed.changes)}", *parts)]


def _change(change: Change) -> list[Markup]:
    why = plain(change.reason)
    if change.action == "set-default" and change.before is not None:
        why = Markup(f"{why} (was {plain(change.before)})")
    if change.action == "pin" and change.until is not None:
        why = Markup(f"{why} (until {change.until.isoformat()})")
    return [plain(change.action), plain(change.version), tag(change.tag), why]


def left_out(proposed: Proposed) -> list[Markup]:
    """The pending operations that have no effect: those that stay pending, and those that are dropped."""
    head = ("operation", "id", "why")
    kept, dropped = (
        [[_subject(one.line), code(one.line.id), plain(one.reason)] for one in those]
        for those in (held(proposed.lines), proposed.plan.left_out)
    )
    stay = Markup(
        "These stay pending: each update of this pull request tries them again. Once it is merged they have had no "
        "effect, and are not tried again. To take them back, close it."
    )
    return [
        *([folded("Without effect for now", stay, table(head, kept, _REST))] if kept else []),
        *([folded("Left out", table(head, dropped, _REST))] if dropped else []),
    ]


def gates(proposed: Proposed) -> list[Markup]:
    """What the gates of promotions said."""
    rows = [
        [_subject(line), plain(gate.name), plain(gate.verdict), plain(gate.reason)]
        for line in proposed.lines
        for gate in line.intent.gates
    ]
    counts = Counter(gate.verdict for line in proposed.lines for gate in line.intent.gates)
    summary = f"Gates: {', '.join(f'{count} {plain(verdict)}' for verdict, count in counts.items())}"
    return [folded(summary, table(("promotion", "gate", "verdict", "why"), rows, _REST))] if rows else []


def verdicts(proposed: Proposed) -> list[Markup]:
    """What the health checks said, where a guard decided on them."""
    rows = [
        [
            plain(row.version),
            plain(row.check),
            bold(plain(row.health)) if row.health == UNHEALTHY else plain(row.health),
            plain(row.value),
            plain(row.bound),
            plain(row.samples),
            plain(row.trend),
            plain(row.at),
            plain(row.reason),
        ]
        for line in proposed.lines
        for row in line.intent.evidence
    ]
    return [folded("Evidence", table(_EVIDENCE, rows, _REST))] if rows else []


def staying(proposed: Proposed) -> list[Markup]:
    """The versions that stay as they are, with reasons."""
    both = (("What stays live", proposed.plan.kept), ("Quarantined and retired", proposed.plan.waiting))
    return [
        folded(f"{title}: {len(those)}", table(_VERSION, [_kept(one) for one in those], _WHOLE))
        for title, those in both
        if those
    ]


def _kept(kept: Kept) -> list[Markup]:
    return [plain(kept.version), tag(kept.tag), plain(kept.reason)]


# -- what comes next --------------------------------------------------------------------------------------------------


def coming(proposed: Proposed) -> list[Markup]:
    """What the next sweeps do, and when at the earliest."""
    if proposed.ahead is None or not proposed.ahead.coming:
        return []
    found = proposed.ahead.coming
    rows = []
    seen: dict[Name, Coming] = {}
    for one in found[:_NEXT]:
        first = seen.setdefault(one.change.version, one)
        when = _when(proposed, one) if one.at == first.at else clock(one.at)
        rows.append([Markup(when), *_change(one.change)])
    parts = [table(("not before (UTC)", *_CHANGE), rows, _WHOLE)]
    if len(found) > _NEXT:
        parts.append(Markup(f"… and {len(found) - _NEXT} more within a year: {_WHOLE}."))
    return [folded("What comes next, if nothing else happens", *parts)]


def _when(proposed: Proposed, one: Coming) -> str:
    """A time; for what this pull request itself brings, how long after its landing: nobody knows when that will be.

    At midnight a pin ends, which no landing moves.
    """
    name, after = one.change.version, proposed.plan.after
    same = _section(proposed.before, name) == _section(after, name)
    if same or not proposed.lines or one.at.time() == time():
        return clock(one.at)
    return f"{duration_text(one.at - proposed.lines[-1].at)} after this lands"


def _section(state: State, name: Name) -> str:
    here = name in state.versions or name in state.retired
    return outlook.where(state, name) if here else ""


# -- where it comes from ----------------------------------------------------------------------------------------------


def operations(proposed: Proposed) -> list[Markup]:
    """Who asked for what, and why; and the builds behind the tags."""
    rows = [
        [_subject(line), plain(line.intent.arguments.reason), plain(line.intent.by), _page("run", line)]
        for line in proposed.lines
    ]
    parts = [table(("operation", "reason", "by", "run"), rows, _REST)]
    built = [line for line in proposed.lines if line.intent.provenance]
    if built:
        head = ("tag", "image", "digest", "commit", "build", "source")
        parts.append(table(head, [_provenance(line) for line in built], _REST))
    return [folded("Where it comes from", *parts)]


def _provenance(line: Line) -> list[Markup]:
    said = line.intent.provenance
    image, digest, commit, source = (said.get(key, "") for key in ("image", "digest", "commit", "source"))
    about = tag(line.intent.tag)
    at = link(urlsplit(safe_url(source)).netloc, source) if source else NOTHING
    return [about, code(image), short(digest), short(commit), _page("build", line), at]


def _page(what: str, line: Line) -> Markup:
    """A link that tells where it leads; the address as text where it can't be trusted to."""
    url = line.intent.run if what == "run" else line.intent.provenance.get("build", "")
    safe = safe_url(url)
    return link(f"{what} at {urlsplit(safe).netloc}", url) if safe else plain(url)


def _subject(line: Line) -> Markup:
    return plain(subject(line.intent))


# -- the way back -----------------------------------------------------------------------------------------------------


def undo(proposed: Proposed) -> Markup:
    """The commands that undo it, and what this pull request is."""
    title = "How to undo it, and what this pull request is"
    text = Markup("Before it is merged: close this pull request. Nothing of it has begun, and none of it is repeated.")
    commands = [Markup(proposed.place.command(*words, "--reason", "why it must go")) for words in _way_back(proposed)]
    if not commands:
        return folded(title, text, _NOTICE)
    shown = within_share(commands, _UNDONE)
    after = Markup("After that, each as a new operation, the last one first:")
    more = Markup(f"… and {len(commands) - len(shown)} more: `{proposed.place.command('history')}` lists the ids.")
    parts = [text, after, block("sh", "\n".join(shown)), *([more] if len(shown) < len(commands) else [])]
    return folded(title, *parts, _NOTICE)


def _way_back(proposed: Proposed) -> Iterator[tuple[str, str]]:
    """The verb and the operation or version of each command, the last operation first.

    An undone retirement comes back pinned: before the undo of what brought that version, its pin goes.
    """
    pinned = set(proposed.plan.after.pinned)
    for line in reversed(proposed.lines):
        own = [change for change in line.changes if not change.sweep or line.intent.operation == "cleanup"]
        for change in reversed(own):
            name = change.version
            if change.action in {"retire", "remove", "unpin"}:
                pinned.add(name)
            elif change.action in {"add", "restore"} and name in pinned:
                yield "unpin", name
            elif change.action == "pin" and name not in proposed.before.pinned:
                pinned.discard(name)
        if any(change.action != "supersede" for change in own):  # something that undo can turn around
            yield "undo", line.id
