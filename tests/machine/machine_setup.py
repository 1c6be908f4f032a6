"""The variety of worlds: policies, orders of tags, forms of the first file; and what the rules draw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from hypothesis import strategies as st

TAGS = {
    "semver": [
        *(f"v1.{minor}.{patch}" for minor in range(6) for patch in range(1, 7)),
        "v1.1.0-rc.1", "v2.0.0-rc.2", "v2.0.0", "1.0.2-hotfix", "nightly-7", f"v1.3.7@sha256:{'a1' * 32}",
    ],
    "number": [*(f"build-{number}" for number in range(1, 43)), "latest-good", f"build-60@sha256:{'b2' * 32}"],
    "calver": [
        *(f"2026.{month}.{micro}" for month in (9, 10, 11, 12) for micro in range(1, 10)),
        "2026.11.1-rc1", "2026.12.9rc2", "20261123-2", "2027.1.1", "hotfix", f"2027.1.2@sha256:{'c3' * 32}",
    ],
    "arrival": [f"commit-{number:07x}" for number in range(11, 4600, 100)],
}  # fmt: skip
"""The tags of each order; the first four stand in the first files."""


class Setup(NamedTuple):
    """One world: how its `release.yaml` and its first files are."""

    order: str
    form: str
    defaults: tuple[str, str, str]
    keep: tuple[int, int, int]
    keep_per_minor: int | None
    min_age: str | None
    max_age: str | None
    drain: str
    quarantine_for: str
    soak: str | None
    direct: tuple[bool, bool, bool]
    by_url: bool

    def config(self) -> str:
        """The text of `release.yaml`."""
        text = (
            "version: 1\nchart: charts/grpc-manifest\nrelease_name: engine\nnamespace: engine\n"
            f"versions: {{order: {self.order}}}\nforge: {{kind: local}}\nenvironments:\n"
        )
        before = ""
        for place, name in enumerate(("devel", "staging", "production")):
            retention = {
                "keep": self.keep[place],
                "keep_per_minor": self.keep_per_minor if self.order in {"semver", "calver"} else None,
                "min_age": self.min_age,
                "max_age": self.max_age,
                "drain": self.drain,
                "quarantine_for": self.quarantine_for,
            }
            keys = {
                "promote_from": before or None,
                "default": self.defaults[place],
                "soak": self.soak if before else None,
                "retention": f"{{{', '.join(f'{key}: {value}' for key, value in retention.items() if value)}}}",
                "publish": "{mode: direct}" if self.direct[place] else None,
            }
            text += f"  {name}:\n" + "".join(f"    {key}: {value}\n" for key, value in keys.items() if value)
            before = name
        return text

    def tags(self) -> str:
        """The text of the first `image_tag.yaml`."""
        tags = TAGS[self.order][:4]
        entries = {
            "list": "".join(f"  - {tag}\n" for tag in tags),
            "list with notes": "".join(f"  - {tag}   # note-{number}\n" for number, tag in enumerate(tags, start=1)),
            "mapping": "".join(f"    v{number}: {tag}\n" for number, tag in enumerate(tags, start=1)),
        }[self.form]
        return f"# Versions of the engine\nimage:\n  tag:\n{entries}"


_AGES = (None, "30m", "6h", "2d")
SETUPS = st.builds(
    Setup,
    order=st.sampled_from(["semver", "semver", "semver", "number", "calver", "arrival"]),
    form=st.sampled_from(["list", "list with notes", "mapping"]),
    defaults=st.tuples(
        st.sampled_from(["newest", "newest", "manual"]),
        st.sampled_from(["promoted", "promoted", "manual", "newest"]),
        st.sampled_from(["promoted", "manual"]),
    ),
    keep=st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4)),
    keep_per_minor=st.sampled_from([None, None, 1, 2]),
    min_age=st.sampled_from(_AGES),
    max_age=st.sampled_from([None, None, "9d", "40d"]),
    drain=st.sampled_from(["1m", "1h", "1d"]),
    quarantine_for=st.sampled_from(["14d", "1h"]),
    soak=st.sampled_from([None, "1h"]),
    direct=st.tuples(*[st.sampled_from([False, False, False, True])] * 3),
    by_url=st.booleans(),
)


class Command(NamedTuple):
    """A command of the tool, before it is known what there is to choose from."""

    operation: str
    environment: str = "devel"  # its ENV, or TO; empty: none is named
    pick: int = 0  # chooses the version, the tag or the id, modulo what there is
    options: tuple[str, ...] = ()
    how: str = ""  # or `--direct` or `--dry-run`


class Deed(NamedTuple):
    """What people do: `edit` of the base, `commit` on a release branch, `merge`, `close`, `delete`, `update`, `revert`."""

    kind: str
    pick: int = 0  # chooses the branch or the pull request, modulo what there is
    what: str = ""  # the edit, or the method of a merge
    environment: str = "devel"  # for edits of the base
    version: int = 0  # chooses the version
    keeps: bool = False  # whether the forge keeps the branch after a merge


EVERYWHERE = ("devel", "devel", "devel", "staging", "staging", "production")
PICK = st.integers(0, 29)


def _options(*names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(names), max_size=2, unique=True).map(lambda chosen: tuple(sorted(chosen)))


def _commands(
    operations: Sequence[str],
    environments: Sequence[str],
    options: st.SearchStrategy[tuple[str, ...]] | None = None,
    how: Sequence[str] = ("", "", "", "", "", "--direct", "--dry-run"),
) -> st.SearchStrategy[Command]:
    chosen = st.just(()) if options is None else options
    return st.builds(
        Command, st.sampled_from(operations), st.sampled_from(environments), PICK, chosen, st.sampled_from(how)
    )


BY_HAND = ("default", "pin", "unpin", "retire", "restore", "quarantine", "clear")
_UNTIL = (("until 1d",), ("until 3w",), ("until never",))
COMMANDS = st.one_of(
    _commands(["bump"], ["devel"], st.sampled_from([(), (), (), ("pin",)])),
    _commands(["bump"], ["devel"], how=[""]),
    _commands(["bump"], ["staging", "production"], st.just(("force",))),
    _commands(["promote"], ["staging", "staging", "production"], _options("version", "force", "pin")),
    _commands(["promote"], ["staging", "production"], st.just(("force",)), [""]),
    _commands(BY_HAND, EVERYWHERE, st.sampled_from([(), (), *_UNTIL, ("tag",)])),
    _commands(["downgrade"], EVERYWHERE, _options("to", "from", "no-quarantine")),
    _commands(["undo"], EVERYWHERE, st.sampled_from([(), (), ("id",), ("until 1d",)])),
    _commands(["cleanup"], ["", "", "devel", "staging"]),
    _commands(["sync"], ["", "", "devel"], how=["", "", "--dry-run"]),
)

EDITS = ("note", "note", "add", "default", "pin", "unpin", "quarantine", "clear", "retire", "restore", "remove")
METHODS = ("merge", "squash", "rebase")


def _deeds(
    kinds: Sequence[str],
    what: Sequence[str] = ("",),
    environments: Sequence[str] = ("devel",),
    keeps: Sequence[bool] = (False,),
) -> st.SearchStrategy[Deed]:
    kind, where = st.sampled_from(kinds), st.sampled_from(environments)
    return st.builds(Deed, kind, PICK, st.sampled_from(what), where, PICK, st.sampled_from(keeps))


DEEDS = st.one_of(
    _deeds(["merge"], METHODS, keeps=[False, False, False, True]),
    _deeds(["merge"], METHODS),
    _deeds(["edit"], EDITS, EVERYWHERE),
    _deeds(["commit"], ("readme", *EDITS)),
    _deeds(["close", "close", "delete", "update", "readme"]),
    _deeds(["revert"]),
)

_MINUTES = (2, 40, 120, 24 * 60, 8 * 24 * 60, 21 * 24 * 60, 56 * 24 * 60, 400 * 24 * 60)
WAITS = st.sampled_from([timedelta(minutes=minutes) for minutes in _MINUTES])
