"""Frozen records that several parts share. The words are those of the documentation (docs/concepts.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

Name = NewType("Name", str)
"""The name of a version, `v<N>`: what clients send in `grpcsvc`."""

Tag = NewType("Tag", str)
"""An image tag as written: `tag` or `tag@sha256:<64 hex>`. The tag part alone is compared, ordered and routed."""

HEALTHY, UNHEALTHY, UNKNOWN = "healthy", "unhealthy", "unknown"
"""What a health check can say of a version."""

CommitId = NewType("CommitId", str)
"""The full hexadecimal id of a commit."""


class Pin(NamedTuple):
    """A version that is never retired: why, and until which day (inclusive, UTC; None: until it is unpinned)."""

    reason: str
    until: date | None = None


class Quarantine(NamedTuple):
    """A version that is deployed but not routed: why, and since when (UTC; None where people wrote none)."""

    reason: str
    since: datetime | None = None


class State(NamedTuple):
    """What `image_tag.yaml` says: the versions of one environment.

    Attributes:
        versions: name -> tag of `image.tag`, in the order of the file (live and quarantined versions).
        retired: name -> tag of `image.retired`.
        pinned: name -> pin.
        quarantined: name -> quarantine.
        written_default: the value of `image.default`; None when the file has none.
    """

    versions: Mapping[Name, Tag] = {}
    retired: Mapping[Name, Tag] = {}
    pinned: Mapping[Name, Pin] = {}
    quarantined: Mapping[Name, Quarantine] = {}
    written_default: Name | None = None

    @property
    def live(self) -> dict[Name, Tag]:
        """The versions that are deployed and routed: in `image.tag` and not quarantined, in the order of the file."""
        return {name: tag for name, tag in self.versions.items() if name not in self.quarantined}

    @property
    def default(self) -> Name | None:
        """The default: as written, else the lowest name of `image.tag`; None for an empty set."""
        if self.written_default in self.versions:
            return self.written_default
        return min(self.versions, key=name_number, default=None)


def name_number(name: str) -> int:
    """The N of the name `v<N>`.

    Args:
        name: a name that `versions.is_name` accepts.
    """
    return int(name[1:])


def name_of(number: int) -> Name:
    """The name `v<N>` of a number."""
    return Name(f"v{number}")


class Change(NamedTuple):
    """One change of a plan, with its reason.

    Attributes:
        action: `add`, `set-default`, `retire`, `remove`, `restore`, `pin`, `unpin`, `quarantine`, `clear` or
            `supersede` (a pending bump that a newer one made superfluous: recorded, never added).
        version: the name it is about.
        tag: the tag of that version.
        reason: why, in words that don't depend on the time of planning.
        before: for `set-default`: the default before (None where there was none).
        until: for `pin`: its last day.
        since: for `quarantine`: since when.
        sweep: whether the sweep made it, at the end of an operation, and not the operation itself.
    """

    action: str
    version: Name
    tag: Tag
    reason: str
    before: Name | None = None
    until: date | None = None
    since: datetime | None = None
    sweep: bool = False


class Kept(NamedTuple):
    """A version that the sweep keeps live, with its reason."""

    version: Name
    tag: Tag
    reason: str


class Gate(NamedTuple):
    """What one gate of a promotion said.

    Attributes:
        name: `order`, `soak`, `quarantine`, `image` or `health`.
        verdict: `passed`, `refused`, `forced` (refused, and overruled by a person), or `off` (not configured).
        reason: why.
    """

    name: str
    verdict: str
    reason: str


class Intent(NamedTuple):
    """What somebody asked for: an operation and its arguments, as one line of the history records it.

    Attributes:
        id: unique, sortable by creation (a ULID).
        operation: `bump`, `promote`, …
        arguments: JSON values; an argument that names a version stands beside its tag.
        by: who asked.
        run: link to the CI run, empty outside CI.
        provenance: for a bump: `image`, `digest`, `commit`, `build`, as far as they are known.
        gates: for a promotion: what its gates said when it was asked for; a pending one keeps that.
    """

    id: str
    operation: str
    arguments: Mapping[str, Any]
    by: str = ""
    run: str = ""
    provenance: Mapping[str, str] = {}
    gates: tuple[Gate, ...] = ()


class Line(NamedTuple):
    """One line of `history.jsonl`.

    Attributes:
        intent: the operation and its arguments.
        at: when it was planned first (UTC); never before that of the line above.
        changes: what it changed; planned anew until it has landed.
        adopted: what people had changed by hand since the line above.
        extra: keys that this version of the tool doesn't know; kept as they are.
    """

    intent: Intent
    at: datetime
    changes: tuple[Change, ...] = ()
    adopted: tuple[Change, ...] = ()
    extra: Mapping[str, Any] = {}

    @property
    def id(self) -> str:
        """The id of its intent."""
        return self.intent.id


class PullRequest(NamedTuple):
    """A pull request as every forge tells it.

    Attributes:
        number: its number at the forge.
        url: where people read it.
        state: `open`, `merged` or `closed` (closed without a merge).
        head: its branch.
        base: the branch it goes to.
        head_commit: the tip of the head as the forge knows it; of a finished one, the tip when it was finished.
        title: its title.
        body: its text, Markdown.
        merge_commit: the commit that it became on the base, once merged.
        merged_at: when it was merged (UTC).
        closed_at: when it was merged or closed (UTC).
        labels: its labels.
        comments: what was written below it, oldest first.
    """

    number: int
    url: str
    state: str
    head: str
    base: str
    head_commit: CommitId
    title: str
    body: str = ""
    merge_commit: CommitId | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()


class RefUpdate(NamedTuple):
    """One compare-and-swap of a ref in the remote.

    Attributes:
        ref: full name, `refs/heads/main`.
        old: the commit that it must hold now; None: it must not exist.
        new: the commit that it shall hold; None: it shall be deleted.
    """

    ref: str
    old: CommitId | None
    new: CommitId | None
