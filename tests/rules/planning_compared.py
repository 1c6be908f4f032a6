"""What two plans are compared by, and the laws of every plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import model_of_files as model
import planning_model
from model_builders import change, meaning

from release_tool.model import history
from release_tool.model.records import Change, Line, State
from release_tool.model.versions import tag_part
from release_tool.rules.plan import Ground, Plan, plan


class Difference(AssertionError):
    """The real plan and the model's, or a plan and a law."""


def file_of(one: State) -> model.File:
    return model.File(
        {str(name): str(tag) for name, tag in one.versions.items()},
        {str(name): str(tag) for name, tag in one.retired.items()},
        {str(name): (pin.reason, pin.until) for name, pin in one.pinned.items()},
        {str(name): (mark.reason, mark.since) for name, mark in one.quarantined.items()},
        one.written_default,
    )


def says(one: model.File) -> tuple[Any, ...]:
    """What is compared of a file."""
    versions, retired = (
        {name: model.part(tag) for name, tag in section.items()} for section in (one.versions, one.retired)
    )
    return (versions, retired, {name: pin[1] for name, pin in one.pinned.items()}, set(one.bad), one.default)


def asked(line: Line) -> planning_model.Asked:
    given = [(tag_part(one.tag), str(one.version)) for one in line.changes if one.action in {"add", "supersede"}]
    return planning_model.Asked(line.id, line.intent.operation, line.intent.written, tuple(given))


def did(changes: Sequence[Change]) -> list[model.Did]:
    made = []
    for one in changes:
        asked_for = (one.reason, one.until)
        marks = {
            "pin": asked_for,
            "deploy": asked_for,
            "quarantine": (one.reason, one.since),
            "set-default": one.before,
        }
        mark = marks.get(one.action)
        made.append(model.Did(one.action, one.version, one.tag, mark))
    return made


def outcome_of(made: Plan) -> planning_model.Outcome:
    return planning_model.Outcome(
        file_of(made.after),
        [(line.id, [(one.action, str(one.version), tag_part(one.tag)) for one in line.changes]) for line in made.lines],
        [line.id for line in made.lines if line.no_effect],
        [one.line.id for one in made.left_out],
        made.own_line,
    )


def compared(one: planning_model.Outcome) -> dict[str, Any]:
    return {
        "after": says(one.after),
        "lines": [(line_id, sorted(changes)) for line_id, changes in one.lines],
        "held": one.held,
        "left out": sorted(one.left_out),
        "own line": one.own_line,
    }


def laws(on: Ground, asked_for: Sequence[Line], made: Plan) -> None:
    """What holds of every plan, whatever the rules are."""
    again = plan(on, made.lines, None)
    if (again.lines, again.edits, meaning(again.after)) != (made.lines, made.edits, meaning(made.after)):
        raise Difference(f"planned again it is another one:\n    {compared(outcome_of(made))}\n"
                         f"    {compared(outcome_of(again))}")  # fmt: skip
    after = made.after
    if after.default not in after.live or after.written_default not in {None, after.default}:
        raise Difference(f"the default {after.default} ({after.written_default}) is not live")
    if any(one.before != on.facts.base.default for one in made.edits if one.action == "set-default"):
        raise Difference(f"another default before than that of the base: {made.edits}")
    # Nobody is sent to pods that start with the same commit, but by what is new and by promotions.
    here = {**on.facts.base.versions, **on.facts.base.retired, **on.state.versions}
    came = {one.version for line in made.lines for one in line.changes
            if one.action == "restore" and line.intent.operation != "promote"}  # fmt: skip
    came -= {one.version for line in made.lines for one in line.changes
             if one.action == "add" or line.intent.operation == "promote"}  # fmt: skip
    if on.environment.retention.warm_up and on.state.live and (early := came & after.live.keys() - here.keys()):
        raise Difference(f"routed and deployed by one commit: {early}")
    bad = history.quarantines(history.changes_of([*on.lines, *made.lines])) if made.lines else {}
    without_effect = {line.id for line in made.lines if line.no_effect} | {one.line.id for one in made.left_out}
    for line in asked_for:
        if line.intent.operation == "quarantine" and line.id not in without_effect:
            bad[tag_part(line.intent.tag)] = change("quarantine", "v1")
        elif line.intent.operation == "clear":
            bad.pop(tag_part(line.intent.tag), None)
        elif line.intent.operation == "undo":
            bad = {}
    if lost := [tag for tag in after.live.values() if tag_part(tag) in bad]:
        raise Difference(f"quarantined, and live: {lost}")
