"""Tags and names: what is valid, and which version is newer."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from release_tool.model.expressions import fullmatch
from release_tool.model.records import Name, Tag, name_number

if TYPE_CHECKING:
    from collections.abc import Iterable

# The OCI distribution specification's rule for tags, and the digest form that the tool writes.
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?")
# The length keeps `<fullname>-v<N>` a DNS label and the number within every integer type.
_NAME = re.compile(r"v[1-9][0-9]{0,8}")


def is_tag(text: str) -> bool:
    """Whether a text is a tag: `tag` or `tag@sha256:<64 hex>`, the tag by the OCI rule."""
    return _TAG.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether a text is the name of a version, `v<N>` with N from 1."""
    return _NAME.fullmatch(text) is not None


def tag_part(tag: str) -> str:
    """The tag without its digest: the part that is compared, ordered and routed."""
    return tag.partition("@")[0]


# A release without a pre-release part: the three numbers say all (semver.org, 2 and 11). Nearly every tag is one, and
# importing semver costs as much as a push.
_RELEASE = re.compile(r"v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_IS_RELEASE, _IS_PRE_RELEASE = 1, 0


def _semantic(part: str) -> tuple[Any, ...] | None:
    """What semantic versions compare by: the three numbers, then a pre-release below the release."""
    import semver

    try:
        version = semver.Version.parse(part.removeprefix("v"))
    except ValueError:
        return None
    numbers = (version.major, version.minor, version.patch)
    return (*numbers, _IS_PRE_RELEASE, version) if version.prerelease else (*numbers, _IS_RELEASE)


# The terms are those of calver.org: a year (YYYY; YY and 0Y count from 2000), more numbers (MM, 0M, WW, DD, MICRO, …)
# and a modifier. Builds like to write YYYYMMDD without separators.
_YEAR = re.compile(r"[0-9]{4}|[0-9]{2}")
_DAY = re.compile(r"([0-9]{4})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_SEPARATOR = re.compile(r"[._-]")
# `2026.11.1rc1`: only words that no hexadecimal commit id can hold are taken for glued modifiers.
_GLUED = re.compile(r"(?<=[0-9])(?=(?:alpha|beta|dev|pre|rc)[0-9]*(?:[._-]|$))")
_RUN = re.compile(r"[0-9]+|[a-z]+")


def _calendar(part: str) -> tuple[Any, ...] | None:
    """What dates compare by: their numbers, then one with a modifier below the same without.

    Modifiers compare as pre-releases of semantic versions do (numbers below words, the shorter one below), with the
    numbers in them as numbers: `rc9` is below `rc10`.
    """
    first, *rest = _SEPARATOR.split(_GLUED.sub("-", part.removeprefix("v").lower()))
    if day := _DAY.fullmatch(first):
        numbers = [int(number) for number in day.groups()]
    elif _YEAR.fullmatch(first):
        numbers = [int(first) if len(first) == 4 else 2000 + int(first)]
    else:
        return None
    while rest and rest[0].isdecimal():
        numbers.append(int(rest.pop(0)))
    if len(numbers) < 2 or not all(rest):
        return None
    modifier = tuple((0, int(run)) if run.isdecimal() else (1, run) for run in _RUN.findall("-".join(rest)))
    return (tuple(numbers), _IS_PRE_RELEASE if modifier else _IS_RELEASE, modifier)


_NUMBERED = re.compile(r"[^0-9]*([0-9]+)")


def _number(part: str) -> tuple[Any, ...] | None:
    """What builds compare by: the number at the end, if it is the only one."""
    found = _NUMBERED.fullmatch(part)
    return None if found is None else (int(found[1]),)


_READERS = {"semver": _semantic, "calver": _calendar, "number": _number}

# An order is one text: `semver`, `calver`, `number` or `arrival`, and behind a blank the pattern that takes the version
# out of a tag, if there is one. It is compared and cached as a whole.


@lru_cache(maxsize=4096)
def _precedence(order: str, part: str) -> tuple[Any, ...] | None:
    """What the tags of an order compare by; None for one that the order can't read."""
    kind, _, pattern = order.partition(" ")
    if pattern:
        found = fullmatch(pattern, part, "versions.pattern")
        part = (found["version"] or "") if found is not None else ""
    plain = _RELEASE.fullmatch(part) if kind == "semver" else None
    return _READERS[kind](part) if plain is None else (*map(int, plain.groups()), _IS_RELEASE)


def is_readable(order: str, tag: str) -> bool:
    """Whether an order can read a tag; what it can't read stands below all others. Arrival asks nothing of a tag."""
    return order.startswith("arrival") or _precedence(order, tag_part(tag)) is not None


def minor_of(tag: str, order: str = "semver") -> tuple[int, int] | None:
    """The minor version that a tag belongs to: two numbers (with `calver` year and month, mostly).

    None for a tag that the order can't read, and for `number` and `arrival`, which know no minor versions.
    """
    kind = order.partition(" ")[0]
    precedence = _precedence(order, tag_part(tag)) if kind in ("semver", "calver") else None
    if precedence is None:
        return None
    major, minor = precedence[:2] if kind == "semver" else precedence[0][:2]
    return major, minor


def rank(order: str, name: Name, tag: Tag) -> tuple[Any, ...]:
    """Where a version stands in the order; equal for tags that mean the same version (`1.0.5` and `v1.0.5`).

    `semver`: by precedence, with or without a leading v; `calver`: by date; `number`: by the number at the end; what
    these can't read stands below all others, by name. `arrival`: by name, since names are given in the order of
    arrival.
    """
    if order.startswith("arrival"):
        return (name_number(name),)
    precedence = _precedence(order, tag_part(tag))
    return (0, name_number(name)) if precedence is None else (1, *precedence)


def is_newer(order: str, one: tuple[Name, Tag], other: tuple[Name, Tag]) -> bool:
    """Whether one version is strictly newer than another."""
    return rank(order, *one) > rank(order, *other)


def newest_first(order: str, versions: Iterable[tuple[Name, Tag]]) -> list[tuple[Name, Tag]]:
    """Versions sorted from new to old; those of equal rank by name."""
    return sorted(versions, key=lambda version: (rank(order, *version), name_number(version[0])), reverse=True)
