"""What commands print: text for people, JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.model.history import change_data, gate_data
from release_tool.model.printed_command import command
from release_tool.model.records import name_number
from release_tool.report.pulls import short_data
from release_tool.report.terminal import folded, heading, short_tag, table
from release_tool.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.errors import Failed, ReleaseError
    from release_tool.manifests import ObjectChange
    from release_tool.manifests.routes.reach import Reach
    from release_tool.model.records import Kept
    from release_tool.publishing.outcome import Outcome


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """The documented JSON of a changing command; its names are stable."""
    asked, shown = outcome.invocation, outcome.pull_request
    gates = outcome.intent.gates if outcome.intent else ()
    pull_request = short_data(shown)
    if pull_request is not None:
        pull_request["created"] = outcome.created
        pull_request |= {"merging": outcome.merging} if outcome.merging else {}
    return {
        "operation": outcome.operation,
        "environment": asked.environment,
        **({"service": asked.service} if asked.service else {}),
        "changed": outcome.changed,
        **({"refused": outcome.refused} if outcome.refused else {}),
        **({"gates": [gate_data(gate) for gate in gates]} if gates else {}),
        "changes": [change_data(change) for change in outcome.changes],
        "kept": [_kept_data(one) for one in outcome.plan.kept] if outcome.plan else [],
        "waiting": [_kept_data(one) for one in outcome.plan.waiting] if outcome.plan else [],
        **({"proposed": [change_data(change) for change in outcome.proposed]} if outcome.proposed else {}),
        "branch": outcome.branch,
        "commit": outcome.commit,
        "pull_request": pull_request,
        "notes": list(outcome.notes),
        **({"routing": _routing_data(outcome.reached)} if outcome.reached else {}),
        **(
            {"title": outcome.text.partition("\n")[0], "body": outcome.text.partition("\n\n")[2]}
            if outcome.text
            else {}
        ),
    }


def _routing_data(reached: tuple[Reach | None, Reach]) -> dict[str, Any]:
    before, after = reached
    return {"before": None if before is None else reach_data(before), "after": reach_data(after)}


def reach_data(reach: Reach) -> dict[str, Any]:
    """Who answers calls, as JSON shows it."""
    return {
        "via": list(reach.via),
        "header": reach.header or None,
        "routes": [row._asdict() for row in reach.rows],
        "routed": sorted(reach.own, key=name_number),
        "running": {name: [str(key) for key in keys] for name, keys in reach.running.items()},
    }


def error_data(error: ReleaseError) -> dict[str, str]:
    """An error as JSON shows it."""
    return {
        "kind": error.kind,
        "what": error.what,
        "where": error.where,
        "cause": error.cause,
        "hint": error.hint,
        "page": error.page,
    }


def failed_data(failed: Failed) -> dict[str, Any]:
    """An environment that a command could not do, among those that it did."""
    return {"environment": failed.title, "changed": False, "changes": [], "error": error_data(failed.error)}


def _kept_data(kept: Kept) -> dict[str, str]:
    return {"version": kept.version, "tag": kept.tag, "reason": kept.reason}


def outcome_text(outcome: Outcome, width: int | None = None, *, everything: bool = False) -> str:
    """What a person sees of a changing command.

    Args:
        outcome: what was done.
        width: columns of a line; None: a line is as long as it is. Differences of files and manifests keep their lines.
        everything: also why each version stays, where nothing changes.
    """
    lines = heading(f"{outcome.title}: {_headline(outcome)}", width)
    gates = outcome.intent.gates if outcome.intent else ()
    lines += table([(f"gate {gate.name}", gate.verdict, gate.reason) for gate in gates], width)
    lines += table(_rows(outcome, width) if outcome.changes or everything else [], width)
    lines += [line for note in outcome.notes for line in _labelled("note", note, width)]
    lines += _manifest_lines(outcome)
    lines += _where(outcome, width)
    if outcome.text:
        lines += ["", *_first_screen(outcome, width)]
    return "\n".join(lines)


def _labelled(label: str, text: str, width: int | None) -> list[str]:
    return folded(one_line(text), width, first=f"  {label}: ", indent="    ")


def _first_screen(outcome: Outcome, width: int | None) -> list[str]:
    """Title and first screen of the text for a person to carry on with, and where the rest of it is."""
    from release_tool.pull_request.markdown import on_terminal  # what makes a text is loaded where there is one

    shown, _, _ = outcome.text.partition("\n<details>")
    lines = [one_line(line) for line in on_terminal(shown.rstrip())]
    rest = len(outcome.text.splitlines()) - len(lines)
    asked = outcome.invocation
    apart = ["--ref", outcome.branch] if asked.downgrade and outcome.branch else []
    diff = command("diff", asked.environment, *apart, service=asked.service)
    where = f"the same command with `--output json` gives all of it (`body`), `{diff}` the manifests"
    return [*lines, "", *folded(f"({rest} more lines of this text: {where})", width)] if rest > 0 else lines


def cleanup_text(outcome: Outcome, width: int | None, *, everything: bool) -> str:
    """What a person sees of one environment after a cleanup; empty where there was nothing to do.

    Args:
        outcome: what was done.
        width: columns of a line; None: a line is as long as it is.
        everything: show the plan of an environment without work too: why each version stays.
    """
    if outcome.operation == "sync":
        return sync_text(outcome, width)
    silent = not outcome.changed and not everything and not outcome.notes
    return "" if silent else outcome_text(outcome, width, everything=everything)


def _rows(outcome: Outcome, width: int | None) -> list[tuple[str, str, str, str]]:
    """Every version with its reason: what changes, what is kept, what waits."""
    rows: list[tuple[str, str, str, str]] = []
    for change in outcome.changes:
        was = f" (was {change.before})" if change.action == "set-default" and change.before else ""
        rows.append((change.action, change.version, change.tag, change.reason + was))
    if outcome.plan is not None:
        rows += [("keep", kept.version, kept.tag, kept.reason) for kept in outcome.plan.kept]
        rows += [("wait", kept.version, kept.tag, kept.reason) for kept in outcome.plan.waiting]
    rows += [(one.action, one.version, one.tag, f"{one.reason} (proposed)") for one in outcome.proposed]
    return [(action, name, short_tag(tag, width), reason) for action, name, tag, reason in rows]


def sync_text(outcome: Outcome, width: int | None) -> str:
    """What a person sees of one environment that sync did something about; empty where there was nothing to do."""
    if not (outcome.commit or outcome.changed or outcome.created or outcome.invocation.dry_run):
        return ""
    done = "would make the release branch again" if outcome.invocation.dry_run else "made the release branch again"
    done = done if outcome.commit or outcome.invocation.dry_run else "sync"
    lines = heading(f"{outcome.title}: {done}", width)
    lines += [line for note in outcome.notes for line in _labelled("note", note, width)]
    return "\n".join([*lines, *_where(outcome, width)])


def _headline(outcome: Outcome) -> str:
    if outcome.refused and not outcome.changed:
        return f"{outcome.subject}: refused, nothing was changed"
    if not outcome.changed:
        return f"{outcome.subject}: nothing to do"
    return f"{outcome.subject} (dry run, nothing was written)" if outcome.invocation.dry_run else outcome.subject


def _manifest_lines(outcome: Outcome) -> list[str]:
    if outcome.manifests is None:
        return []
    if not outcome.invocation.dry_run:
        counts: dict[str, int] = {}
        for change in outcome.manifests:
            counts[change.action] = counts.get(change.action, 0) + 1
        said = ", ".join(f"{count} {action}" for action, count in counts.items()) or "no object changes"
        return [f"  manifests: {said}"]
    return ["", outcome.file_difference.rstrip("\n"), "", difference_text(outcome.manifests)]


_MERGING = {
    "merged": ", then merged",
    "waiting": ", merges by itself",
    "next_pass": ", merged by the next pass of `release guard`",
}


def _where(outcome: Outcome, width: int | None) -> list[str]:
    words = []
    if outcome.branch is not None and not outcome.invocation.dry_run and (outcome.changed or outcome.pull_request):
        words.append(f"branch {outcome.branch}")
    if outcome.commit is not None:
        words.append(f"commit {outcome.commit[:12]}")
    shown = outcome.pull_request
    if shown is not None:
        state = "opened" if outcome.created else "open"
        merging = _MERGING.get(outcome.merging, "")
        words.append(f"pull request {shown.name} ({state}{merging}): {shown.url}")
    return folded(", ".join(words), width, first="  ", indent="    ") if words else []


def difference_text(difference: Sequence[ObjectChange]) -> str:
    """The difference of two renderings, object by object."""
    from release_tool import manifests

    return manifests.difference_text(difference).rstrip("\n")


def difference_data(environment: str, difference: Sequence[ObjectChange] | None, service: str = "") -> dict[str, Any]:
    """`release diff --output json`; a service without a name is left out."""
    from release_tool.manifests import object_difference

    return {
        "environment": environment,
        **({"service": service} if service else {}),
        "changes": [
            {"action": one.action, "object": str(one.key), "difference": object_difference(one)}
            for one in difference or ()
        ],
    }
