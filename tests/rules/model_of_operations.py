"""The plain model of planning: what each operation changes by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from model_of_files import Did, File, World, fallback_target, on_the_way, part, quarantined, rank, triple


class No(Exception):
    """A rule forbids it."""


@dataclass
class Scene:
    """What an intent finds: the file and the memory as those before it left them."""

    world: World
    file: File
    memory: dict[str, Any]  # tag -> mark of its quarantine
    known: dict[str, str]  # tag -> name of all that anybody ever had, or had from the lines before
    given: dict[str, str]  # the same, and what other lines mean to bring
    name_for: Callable[[str], str]
    planned: list[Did]  # what those before it change

    @property
    def waiting(self) -> dict[str, Did]:
        """The versions that came back and have no route yet."""
        return on_the_way([*self.world.landed_changes, *self.planned])

    def pods_are_up(self, name: str, saw_them: bool) -> bool:
        """Whether the base has deployed and routed a version, or somebody saw it deployed who asks for its route."""
        if name not in {**self.world.base.versions, **self.world.base.retired}:
            return False
        return saw_them or name not in on_the_way(self.world.landed_changes)

    def name_of(self, tag: str, sections: Iterable[Mapping[str, str]]) -> str | None:
        return next((name for section in sections for name, one in section.items() if part(one) == part(tag)), None)

    def here(self, tag: str) -> str | None:
        return self.name_of(tag, [self.file.versions])

    def gone(self, tag: str) -> str | None:
        return self.name_of(tag, [self.file.retired])

    def is_newer(self, name: str, tag: str) -> bool:
        default = self.file.default
        assert default is not None
        there = rank(self.world.order, default, self.file.versions[default])
        return rank(self.world.order, name, tag) > there

    def keep_implied(self, changes: list[Did]) -> list[Did]:
        """An implied default is written down where it would change."""
        before, after = self.file.default, self.file.after(changes).default
        moved = any(one.action == "set-default" for one in changes)
        if before is None or moved or before == after:
            return changes
        return [*changes, Did("set-default", before, self.file.versions[before], self.world.base.default)]


def bump(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag = arguments["tag"]
    name = scene.here(tag)
    if name is not None:
        is_proposed = name not in scene.world.base.versions and name not in scene.file.bad
        if arguments.get("pin") and is_proposed and name not in scene.file.pinned:
            return [Did("pin", name, tag, (arguments.get("reason", ""), None))]
        return []
    if scene.gone(tag) or part(tag) in scene.memory:
        return []
    name = scene.name_for(tag)
    changes = [Did("add", name, tag)]
    if arguments.get("pin"):
        changes.append(Did("pin", name, tag, (arguments.get("reason", ""), None)))
    held = any(scene.is_newer(bad, scene.file.versions[bad]) for bad in scene.file.bad)
    readable = scene.world.order == "arrival" or triple(tag) is not None
    if scene.world.default_policy == "newest" and readable and not held and scene.is_newer(name, tag):
        changes.append(Did("set-default", name, tag, scene.world.base.default))
    return scene.keep_implied(changes)


def promote(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag = arguments["tag"]
    if part(tag) in scene.world.elsewhere or part(tag) in scene.memory:
        raise No("quarantined")
    name, changes = scene.here(tag), []
    if name is None:
        name = scene.gone(tag)
        changes.append(Did("restore", name, tag) if name else Did("add", scene.name_for(tag), tag))
        name = changes[0].name
    if arguments.get("pin") and name not in scene.file.pinned:
        changes.append(Did("pin", name, tag, (arguments.get("reason", ""), None)))
    file = scene.file
    lost = file.default not in file.live or (file.written is not None and file.written not in file.live)
    if scene.world.default_policy == "promoted" and (lost or name != file.default):
        wins = lost or arguments.get("force") or scene.is_newer(name, tag)
        if wins:
            changes.append(Did("set-default", name, tag, scene.world.base.default))
    return scene.keep_implied(changes)


def default(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    name = scene.here(arguments["tag"])
    if name is None or name in scene.file.bad:
        raise No("not live")
    # An implied default that is asked for is written down.
    return [] if name == scene.file.written else [Did("set-default", name, arguments["tag"], scene.world.base.default)]


def pin(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    name = scene.here(arguments["tag"])
    if name is None:
        raise No("not deployed")
    until = arguments.get("until")
    mark = (arguments.get("reason", ""), until and date.fromisoformat(until))
    return [] if scene.file.pinned.get(name) == mark else [Did("pin", name, arguments["tag"], mark)]


def unpin(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    name = scene.here(arguments["tag"])
    return [Did("unpin", name, arguments["tag"])] if name in scene.file.pinned else []


def retire(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag = arguments["tag"]
    name = scene.here(tag) or scene.gone(tag)
    if name in scene.waiting:
        return [Did("remove", name, tag)]
    if name is None or name in scene.file.retired:
        return []
    if name == scene.file.default or name in scene.file.pinned:
        raise No("default or pinned")
    in_the_base = name in {**scene.world.base.versions, **scene.world.base.retired}
    return [Did("retire" if in_the_base else "remove", name, tag)]


def restore(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag = arguments["tag"]
    name = scene.here(tag) or scene.gone(tag) or scene.known.get(part(tag))
    if name is None:
        raise No("unknown")
    if name in scene.file.versions:
        return []
    until = arguments.get("until")
    before = scene.waiting.get(name)
    reason = arguments.get("reason") or (before.mark[0] if before else "restored")
    mark = (reason, until and date.fromisoformat(until))
    up = scene.pods_are_up(name, bool(arguments.get("deployed")))
    if not up and part(tag) not in scene.memory and scene.world.policy.warm_up and scene.file.live:
        return [] if before and before.mark == mark else [Did("deploy", name, tag, mark)]
    changes = [Did("restore", name, tag), Did("pin", name, tag, mark)]
    if part(tag) in scene.memory:
        changes.append(Did("quarantine", name, tag, scene.memory[part(tag)]))
    return scene.keep_implied(changes)


def quarantine(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag = arguments["tag"]
    name = scene.here(tag) or scene.gone(tag) or scene.given.get(part(tag))
    if name is None and part(tag) in scene.world.others:
        name = scene.name_for(tag)  # an open pull request means to bring it, under a name that is taken by now
    if name is None or name == scene.file.default:
        raise No("unknown, or the default")
    if name in scene.file.bad or (name not in scene.file.versions and part(tag) in scene.memory):
        return []
    bad = Did("quarantine", name, tag, (arguments.get("reason", ""), arguments.get("since")))
    came = scene.waiting.get(name)
    if came:
        return scene.keep_implied([Did("restore", name, tag), Did("pin", name, tag, came.mark), bad])
    return [bad]


def clear(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag = arguments["tag"]
    name = scene.here(tag) or scene.gone(tag) or scene.given.get(part(tag))
    if name is None or (name not in scene.file.bad and part(tag) not in scene.memory):
        return []
    came_back = any(one.action == "restore" and one.name == name for one in scene.planned)
    if name in scene.file.bad and came_back and scene.world.policy.warm_up and not scene.pods_are_up(name, False):
        mark = scene.file.pinned.get(name, ("restored", None))
        return scene.keep_implied([Did("clear", name, tag), Did("deploy", name, tag, mark)])
    return [Did("clear", name, tag)]


def downgrade(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    tag, file = arguments["tag"], scene.file
    name, changes = scene.here(tag), []
    if name is None:
        return []
    if name == file.default:
        to = arguments.get("to_tag")
        target = scene.here(to) if to else fallback_target(file, scene.world.former, scene.world.order)
        if target is None or target not in file.live or target == name:
            raise No("no target")
        changes.append(Did("set-default", target, file.versions[target], scene.world.base.default))
    if arguments.get("quarantine", True) and name not in file.bad:
        changes.append(Did("quarantine", name, tag, (arguments.get("reason", ""), arguments.get("since"))))
    return changes


def cleanup(_: Scene, __: Mapping[str, Any]) -> list[Did]:
    return []


def undo(scene: Scene, arguments: Mapping[str, Any]) -> list[Did]:
    """The inverse of each change of a landed line, the last one first, under the rules of the inverse command."""
    record = scene.world.record
    place = next((place for place, line in enumerate(record) if line.id == arguments["operation"]), None)
    if place is None:
        raise No("it has not landed")
    line = record[place]
    before = [*(one for above in record[:place] for one in above.all), *line.adopted]
    pins, memory = File().after(before).pinned, quarantined(before)
    changes: list[Did] = []
    for one in reversed(line.all[len(line.adopted) :] if line.operation == "cleanup" else line.own):
        memory_now = quarantined(changes, scene.memory)
        now = replace(scene, file=scene.file.after(changes), memory=memory_now, planned=[*scene.planned, *changes])
        changes += inverse(now, one, pins, memory, arguments)
    return changes


def inverse(  # noqa: C901 (a rule an action)
    scene: Scene, one: Did, pins: Mapping[str, Any], memory: Mapping[str, Any], given: Mapping[str, Any]
) -> list[Did]:
    """The inverse of one change; `pins` and `memory` are those before the line that is undone."""
    file, said = scene.file, {**given, "tag": one.tag}
    if one.action == "deploy" and file.pinned.get(one.name) == one.mark:
        changes = unpin(scene, said)
        return [*changes, *retire(replace(scene, file=file.after(changes)), said)]
    if one.action in {"add", "restore", "deploy"}:
        return retire(scene, said)
    if one.action in {"retire", "remove"}:
        return restore(scene, said)
    if one.action == "set-default" and file.default == one.name and one.mark not in {None, one.name}:
        if one.mark not in file.live:
            raise No("the default before is not live")
        return default(scene, {"tag": file.versions[one.mark]})
    if one.action in {"pin", "unpin"} and scene.here(one.tag):
        pin_before = pins.get(one.name)
        if pin_before is None:
            return unpin(scene, said)
        until = pin_before[1]
        has_ended = until is not None and until < date.fromisoformat(given["since"][:10])
        same = file.pinned.get(one.name) == pin_before
        return [] if has_ended or same else [Did("pin", one.name, one.tag, pin_before)]
    if one.action in {"quarantine", "clear"}:
        bad_before = memory.get(part(one.tag))
        if bad_before is None:
            return clear(scene, said)
        if one.action == "clear":
            return quarantine(scene, {**said, "reason": bad_before[0], "since": bad_before[1]})
    return []


OPERATIONS: dict[str, Callable[[Scene, Mapping[str, Any]], list[Did]]] = {
    "bump": bump, "promote": promote, "default": default, "pin": pin, "unpin": unpin, "retire": retire,
    "restore": restore, "quarantine": quarantine, "clear": clear, "downgrade": downgrade, "cleanup": cleanup,
    "undo": undo,
}  # fmt: skip
