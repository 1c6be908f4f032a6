"""Tags and names: what is valid, and which version is newer. Pure; the only importer of semver."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from release_tool.records import Name, Tag, name_number

if TYPE_CHECKING:
    from collections.abc import Iterable

# The OCI distribution specification's rule for tags, and the digest form that the tool writes.
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?")
# The length keeps `<fullname>-v<N>` a DNS label and the number within every integer type.
_NAME = re.compile(r"v[1-9][0-9]{0,8}")

ORDERS = ("semver", "arrival")


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


@lru_cache(maxsize=4096)
def _precedence(part: str) -> tuple[Any, ...] | None:
    """What semantic versions compare by: the three numbers, then a pre-release below the release."""
    plain = _RELEASE.fullmatch(part)
    if plain is not None:
        return (*map(int, plain.groups()), _IS_RELEASE)
    import semver

    try:
        version = semver.Version.parse(part.removeprefix("v"))
    except ValueError:
        return None
    numbers = (version.major, version.minor, version.patch)
    return (*numbers, _IS_PRE_RELEASE, version) if version.prerelease else (*numbers, _IS_RELEASE)


def minor_of(tag: str) -> tuple[int, int] | None:
    """Major and minor number of a tag; None for a tag that isn't a semantic version."""
    precedence = _precedence(tag_part(tag))
    return None if precedence is None else (precedence[0], precedence[1])


def rank(order: str, name: Name, tag: Tag) -> tuple[Any, ...]:
    """Where a version stands in the order; equal for tags that mean the same version (`1.0.5` and `v1.0.5`).

    Args:
        order: `semver` (by precedence, with or without a leading v; what can't be read stands below all others, by
            name) or `arrival` (by name: names are given in the order of arrival).
        name: name of the version.
        tag: its tag.
    """
    if order == "arrival":
        return (name_number(name),)
    precedence = _precedence(tag_part(tag))
    return (0, name_number(name)) if precedence is None else (1, *precedence)


def is_newer(order: str, one: tuple[Name, Tag], other: tuple[Name, Tag]) -> bool:
    """Whether one version is strictly newer than another."""
    return rank(order, *one) > rank(order, *other)


def newest_first(order: str, versions: Iterable[tuple[Name, Tag]]) -> list[tuple[Name, Tag]]:
    """Versions sorted from new to old; those of equal rank by name."""
    return sorted(versions, key=lambda version: (rank(order, *version), name_number(version[0])), reverse=True)
