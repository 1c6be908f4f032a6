"""Files that operations can do little with: pins, tags that are not allowed, no way back, entries that can't move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.checks.findings import Finding
from release_tool.checks.uneditable import uneditable
from release_tool.model import history
from release_tool.model.records import name_number
from release_tool.model.versions import tag_part
from release_tool.rules.retention import fallback_target
from release_tool.rules.unread_tags import advice, unread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from release_tool.checks.environment import Held
    from release_tool.config import Config


def policy(held: Held, was: Held | None, config: Config, now: datetime | None) -> Iterator[Finding]:
    """What there is to know of an environment beside what is wrong.

    Args:
        was: the same in the base, whose default is a former one by then; None where there is no step to judge.
        now: the present time; None: nothing is asked about ends of pins.
    """
    yield from _pins(held, config, now)
    yield from _tags(held, config)
    yield from _fallback(held, was, config)
    yield from uneditable(held)


def _pins(held: Held, config: Config, now: datetime | None) -> Iterator[Finding]:
    state = held.state
    ended = {
        name: pin.until
        for name, pin in state.pinned.items()
        if now is not None and pin.until is not None and pin.until < now.date()
    }
    for name, until in ended.items():
        what = f"the pin of {name} ended on {until}: the next sweep lifts it"
        anew = held.place.command("pin", name, "--reason", "WHY")
        hint = f"`{held.place.command('cleanup')}` lifts it now, `{anew}` pins it anew"
        yield Finding(held.at_key("pinned", name), what, hint)
    pinned = [name for name in state.live if name in state.pinned and name not in ended]
    keep = config.environment(held.place.environment).retention.keep
    if len(pinned) >= keep:
        what = (
            f"retention has nothing to do: it keeps {keep} live version{'' if keep == 1 else 's'}, "
            f"and {len(pinned)} are pinned ({', '.join(pinned)})"
        )
        unpin = held.place.command("unpin", "NAME")
        hint = f"`{unpin}`, an end of a pin (`--until`), or a higher `keep` in the configuration"
        yield Finding(held.at_key("pinned"), what, hint)


def _tags(held: Held, config: Config) -> Iterator[Finding]:
    allow = config.versions.allow
    for name, tag in held.state.live.items():
        if allow is not None and not config.versions.allows(tag):
            what = f"versions.allow ({allow.pattern}) does not match {tag_part(tag)} of the live version {name}"
            hint = f"correct `versions.allow`, or `{held.place.command('retire', name)}`"
            yield Finding(held.at_version(name), what, hint)
    order = config.versions.ordering
    tags = list(held.state.live.values())
    odd = unread(order, [tag for tag in tags if config.versions.allows(tag)])  # the others are told above
    if odd:
        what = f"the order {config.versions.order} can't read {len(odd)} of {len(tags)} live tags ({', '.join(odd[:3])}"
        what += f"{', …' if len(odd) > 3 else ''}): no bump makes such a tag the default"
        yield Finding(held.at_key("tag"), what, advice(order, tags))


def _fallback(held: Held, was: Held | None, config: Config) -> Iterator[Finding]:
    state = held.state
    present = state.default if was is None else was.state.default
    former = history.former_defaults(held.record.lines, present)
    if state.default in state.live and fallback_target(state, former, config.versions.ordering) is None:
        others = sorted((name for name in state.live if name != state.default), key=name_number)
        why = f"{', '.join(others)}: newer, and never the default" if others else "it is the only live version"
        what = f"there is no version to fall back to when the default {state.default} turns bad ({why})"
        hint = "bring a second version with a bump or a promotion, or `release restore` an older one"
        if others:
            mover = {"newest": "the next bump", "promoted": "the next promotion"}.get(
                config.environment(held.place.environment).default, f"`{held.place.command('default', others[-1])}`"
            )
            hint = f"{mover} moves the default to a newer version, and {state.default} is the fallback then"
        yield Finding(held.at_version(state.default) if state.default else held.place.tag_file, what, hint)
