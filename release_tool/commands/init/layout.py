"""Where a repository has its environments: directories, values files or branches with names that people give them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# In the usual order of promotion; what is none of these stands between the two groups.
_EARLY = ("dev", "devel", "develop", "development", "int", "integration", "test", "testing", "qa", "sandbox")
_LATE = ("uat", "stage", "staging", "preprod", "pre-production", "canary", "prod", "production", "live")
_SHARED = {"base", "common", "default", "defaults", "global", "shared", "templates"}  # what several of them use
_HOMES = {"environments", "environment", "envs", "env", "overlays", "stages", "deployments"}
_NAMED = "|".join(sorted((*_EARLY, *_LATE), key=len, reverse=True))
_VALUES = re.compile(
    rf"(?P<before>(?:.*/)?(?:values?[-_.]|values/)?)(?P<name>{_NAMED})(?P<after>(?:[-_.]values)?\.ya?ml)"
)
_LEAST = 2
"""So many known names make a pattern: one may be chance."""


class Layout(NamedTuple):
    """What was found.

    Attributes:
        names: of the environments, in the usual order of promotion.
        path: the directory of an environment, with `{environment}` in it; empty: none is theirs.
        values: the values file of an environment likewise, where it stands in no such directory.
    """

    names: tuple[str, ...] = ()
    path: str = ""
    values: str = ""


def layout_of(paths: Sequence[str], path: str, usual: str) -> Layout:
    """Look at the paths of all files.

    Args:
        path: where somebody says that environments stand; empty: nobody does.
        usual: where they stand where nobody says anything.
    """
    inside = re.compile(re.escape((path or usual).strip("/")).replace(r"\{environment\}", "([^/]+)", 1) + "/.")
    names = {found[1] for one in paths if (found := inside.match(one))} - _SHARED
    if names or path:
        return Layout(in_promotion_order(names), path)
    return _by_values(paths) or _by_folders(paths) or Layout()


def _by_values(paths: Iterable[str]) -> Layout | None:
    """`values-dev.yaml`, `values/dev.yaml`, `dev.values.yaml`, beside each other."""
    groups: dict[tuple[str, str], set[str]] = {}
    for one in paths:
        found = _VALUES.fullmatch(one)
        if found and ("values" in found["before"].rpartition("/")[2] + found["after"] or "values/" in found["before"]):
            groups.setdefault((found["before"], found["after"]), set()).add(found["name"])
    (before, after), names = max(groups.items(), key=lambda pair: len(pair[1]), default=(("", ""), set()))
    return Layout(in_promotion_order(names), "", f"{before}{{environment}}{after}") if len(names) >= _LEAST else None


def _by_folders(paths: Iterable[str]) -> Layout | None:
    """Directories with known names beside each other, those nearest to the root first."""
    homes: dict[str, set[str]] = {}
    for one in paths:
        parts = PurePosixPath(one).parts[:-1]
        for number, name in enumerate(parts):
            homes.setdefault("/".join(parts[:number]), set()).add(name)
    for home, inside in sorted(homes.items(), key=lambda pair: (pair[0].count("/"), pair[0])):
        known = {name for name in inside if name.lower() in {*_EARLY, *_LATE}}
        if len(known) >= _LEAST:
            names = inside - _SHARED if home.rpartition("/")[2] in _HOMES else known
            above = f"{home}/" if home else ""
            ours = any(one.startswith(f"{above}{name}/values.y") for name in names for one in paths)
            return Layout(in_promotion_order(names), f"{above}{{environment}}" if ours else "")
    return None


def environment_branches(names: Iterable[str]) -> tuple[str, ...]:
    """Those of some branches that look like environments."""
    return in_promotion_order(name for name in names if name.lower() in {*_EARLY, *_LATE})


def in_promotion_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names of environments, as most people promote."""

    def rank(name: str) -> tuple[int, int, str]:
        for group, known in ((0, _EARLY), (2, _LATE)):
            if name.lower() in known:
                return group, known.index(name.lower()), name
        return 1, 0, name

    return tuple(sorted(names, key=rank))
