"""Frozen records that several parts share. The words are those of the documentation (docs/explanation/concepts.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

Name = NewType("Name", str)
"""The name of a version, `v<N>`: what clients send in `grpcsvc`."""

Tag = NewType("Tag", str)
"""An image tag as written: `tag` or `tag@sha256:<64 hex>`. The tag part alone is compared, ordered and routed."""

Operation = Literal[
    "bump",
    "promote",
    "default",
    "downgrade",
    "retire",
    "restore",
    "pin",
    "unpin",
    "quarantine",
    "clear",
    "undo",
    "cleanup",
]
Action = Literal[
    "add", "set-default", "retire", "remove", "deploy", "restore", "pin", "unpin", "quarantine", "clear", "supersede"
]

HEALTHY, UNHEALTHY, UNKNOWN = "healthy", "unhealthy", "unknown"
"""What a health check can say of a version."""
GateVerdict = Literal["passed", "refused", "forced", "off"]
"""`forced`: refused, and overruled by a person; `off`: not configured."""

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
    """What `image_tag.yaml` says: the versions of one environment."""

    # name -> tag of `image.tag`, in the order of the file (live and quarantined versions)
    versions: Mapping[Name, Tag] = {}
    retired: Mapping[Name, Tag] = {}  # name -> tag of `image.retired`
    pinned: Mapping[Name, Pin] = {}
    quarantined: Mapping[Name, Quarantine] = {}
    written_default: Name | None = None  # the value of `image.default`; None when the file has none

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
    """The N of the name `v<N>`, which `versions.is_name` accepts."""
    return int(name[1:])


def name_of(number: int) -> Name:
    """The name `v<N>` of a number."""
    return Name(f"v{number}")


class Change(NamedTuple):
    """One change of a plan, with its reason."""

    # what is done; `deploy` brings a removed version back under `retired`, where it has no route, until `restore` gives
    # it one; `supersede` is a pending bump that a newer one made superfluous: recorded, never added
    action: Action
    version: Name  # the name it is about
    tag: Tag
    reason: str  # why, in words that don't depend on the time of planning
    before: Name | None = None  # for `set-default`: the default before (None where there was none)
    until: date | None = None  # for `pin`, and for `deploy` the pin that comes with the route: its last day
    since: datetime | None = None  # for `quarantine`: since when
    sweep: bool = False  # whether the sweep made it, at the end of an operation, and not the operation itself


class Kept(NamedTuple):
    """A version that the sweep leaves as it is, and why; `in_use`: because it is called, or may be."""

    version: Name
    tag: Tag
    reason: str
    in_use: bool = False


class Gate(NamedTuple):
    """What one gate of a promotion said."""

    name: str  # `order`, `soak`, `quarantine`, `image` or `health`
    verdict: GateVerdict
    reason: str


# -- what an operation was given --------------------------------------------------------------------------------------


class Evidence(NamedTuple):
    """One verdict that a guard decided on, as the record keeps it: texts for people, empty where there is nothing."""

    version: str
    check: str
    health: str
    reason: str
    value: str = ""
    bound: str = ""
    samples: str = ""  # how many calls or attempts stand behind `value`
    at: str = ""
    trend: str = ""  # a sparkline of the values over the window


class BumpArguments(NamedTuple):
    """Of a bump: with `pin` the version comes pinned, for `reason`."""

    tag: Tag
    pin: bool = False
    force: bool = False
    reason: str = ""


class PromoteArguments(NamedTuple):
    """Of a promotion: whether "the default of" `source` was asked for, or a `version` that somebody named."""

    source: str
    of: str
    pin: bool
    force: bool
    version: str
    tag: Tag
    reason: str = ""


class VersionArguments(NamedTuple):
    """Of what people do to one version: default, pin, unpin, retire, restore, quarantine, clear."""

    version: str  # its name, for people: planning again follows the tag
    tag: Tag
    until: date | None = None  # for pin and restore: the last day of the pin; None: without end
    lasts: str = ""  # the same as it was given, where that was a time from now (`7d`)
    # for restore: whether the version was deployed in the base when it was asked for. Then it is routed at once, also
    # one that an earlier restore has only just deployed
    deployed: bool = False
    since: datetime | None = None  # for quarantine: when it began
    evidence: tuple[Evidence, ...] = ()  # for a guard's quarantine: what it was decided on
    reason: str = ""


class DowngradeArguments(NamedTuple):
    """Of a downgrade."""

    version: str  # name of the version that is left, for people
    tag: Tag  # the tag that is left
    of: str = ""  # whether "whatever is the default" was to be left, or a version that somebody named
    quarantine: bool = True  # whether what is left is quarantined
    to: str = ""  # name of the version to go back to, for people; empty: none was named
    to_tag: str = ""  # its tag; empty: the fallback target
    since: datetime | None = None  # when the quarantine began
    evidence: tuple[Evidence, ...] = ()  # what a guard decided on; empty where a person did
    reason: str = ""


class UndoArguments(NamedTuple):
    """Of an undo."""

    undone: str  # id of the operation that is undone
    what: str = ""  # the same in words, for people
    last: bool = False  # whether nobody gave an id: the last landed operation was meant
    until: date | None = None  # the last day of the pins of what comes back; None: without end
    lasts: str = ""  # the same as it was given, where that was a time from now (`7d`)
    since: datetime | None = None  # when a quarantine that comes back began
    reason: str = ""


class CleanupArguments(NamedTuple):
    """Of a cleanup: it is asked for nothing in particular."""

    reason: str = ""


class UnreadArguments(NamedTuple):
    """What can't be planned: broken by hand (`why` says what), or of an operation that only a newer release knows."""

    why: str
    version: str = ""
    tag: str = ""
    reason: str = ""


Arguments = (
    BumpArguments
    | PromoteArguments
    | VersionArguments
    | DowngradeArguments
    | UndoArguments
    | CleanupArguments
    | UnreadArguments
)

PRESENT, NAMED = "default", "version"
"""What the argument `of` says: whatever was the default then, or a version that somebody named."""


class Intent(NamedTuple):
    """What somebody asked for: an operation and its arguments, as one line of the history records it.

    Made by `history.intent` and `history.parse`, which keep `arguments` and `written` in step.
    """

    id: str  # unique, sortable by creation (a ULID)
    operation: Operation  # `bump`, `promote`, …; a newer release may know more, and `plan_step` refuses those
    arguments: Arguments
    written: Mapping[str, Any]  # the same as the JSON object of the line; keys that this release doesn't know are kept
    by: str = ""
    run: str = ""  # link to the CI run, empty outside CI
    # for a bump, and a promotion of what it brought: `image`, `digest`, `commit`, `build`, `source`, as far as known
    provenance: Mapping[str, str] = {}
    gates: tuple[Gate, ...] = ()  # for a promotion: what its gates said when it was asked for; a pending one keeps that

    @property
    def tag(self) -> str:
        """The tag that the operation is about; empty for undo and cleanup, and where a line names none."""
        return "" if isinstance(self.arguments, UndoArguments | CleanupArguments) else self.arguments.tag

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What a guard decided on; empty where a person did."""
        return self.arguments.evidence if isinstance(self.arguments, DowngradeArguments | VersionArguments) else ()


class Line(NamedTuple):
    """One line of `history.jsonl`."""

    intent: Intent
    at: datetime  # when it was planned first (UTC); never before that of the line above
    changes: tuple[Change, ...] = ()  # what it changed; planned anew until it has landed
    adopted: tuple[Change, ...] = ()  # what people had changed by hand since the line above
    extra: Mapping[str, Any] = {}  # keys that this version of the tool doesn't know; kept as they are
    no_effect: str = ""  # why the intent had no effect when it was planned last; empty: it had one

    @property
    def id(self) -> str:
        """The id of its intent."""
        return self.intent.id


class PullRequest(NamedTuple):
    """A pull request as every forge tells it."""

    number: int  # its number at the forge
    url: str  # where people read it
    state: str  # `open`, `merged` or `closed` (closed without a merge)
    head: str  # its branch
    base: str  # the branch it goes to
    head_commit: CommitId  # the tip of the head as the forge knows it; of a finished one, the tip when it was finished
    title: str
    body: str = ""  # its text, Markdown
    merge_commit: CommitId | None = None  # the commit that it became on the base, once merged
    merged_at: datetime | None = None  # when it was merged (UTC)
    closed_at: datetime | None = None  # when it was merged or closed (UTC)
    labels: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()  # what was written below it, oldest first
    sigil: str = "#"  # what stands before its number at the forge

    @property
    def name(self) -> str:
        """Its number as the forge writes it: `#12`, `!12`."""
        return f"{self.sigil}{self.number}"


class RefUpdate(NamedTuple):
    """One compare-and-swap of a ref in the remote."""

    ref: str  # full name, `refs/heads/main`
    old: CommitId | None  # the commit that it must hold now; None: it must not exist
    new: CommitId | None  # the commit that it shall hold; None: it shall be deleted
