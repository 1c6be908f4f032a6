"""What `--output json` and the record hold, key by key: the one place that says it.

The schemas of docs/reference/schemas and the tables of docs/reference/json.md are made of these. Every JSON that a test
sees is held against them (tests/support/outputs.py), so a key that isn't here fails a test.
"""

from typing import Annotated, Any, Literal

from typing_extensions import NotRequired, TypedDict

from release_tool.model.records import Action, GateVerdict, Operation

Time = Annotated[str, "a time, RFC 3339 in UTC"]
Day = Annotated[str, "a day: 2027-03-31"]
Health = Literal["healthy", "unhealthy", "unknown"]
Id = Annotated[str, "id of an operation"]
Tag = Annotated[str, "image tag: `tag` or `tag@sha256:…`"]
Name = Annotated[str, "name of a version: `v5`"]
Environment = Annotated[str, "the environment"]
Service = Annotated[str, "the service; only where the repository has several"]


class Error(TypedDict):
    """What went wrong."""

    kind: Annotated[
        Literal["error", "refused", "edit-refused", "file-problems", "values-refused", "usage", "try-again", "bug"],
        "which kind of error: see errors",
    ]
    what: Annotated[str, "what is wrong, a sentence"]
    where: Annotated[str, "file, line and column, a URL, a ref; empty where nothing narrower is known"]
    cause: Annotated[str, "the likely cause; empty where `what` shows it"]
    hint: Annotated[str, "the next step: a command or an edit; empty where there is none"]
    page: Annotated[str, "the page that explains more, a path below docs/; empty where none does"]


class Failure(TypedDict):
    """What standard output has where a command ended with an error and gave no result."""

    error: Error


class Change(TypedDict):
    """A change of a version."""

    action: Action
    version: Name
    tag: Tag
    before: NotRequired[Annotated[str | None, "of `set-default`: the default before; null where there was none"]]
    reason: Annotated[str, "why"]
    until: NotRequired[Annotated[Day, "the last day of a pin"]]
    since: NotRequired[Annotated[Time, "when a quarantine began"]]


class RecordedChange(Change):
    """A change as the record keeps it."""

    sweep: NotRequired[Annotated[Literal[True], "the sweep at the end of the operation made it"]]


class ComingChange(Change):
    """A change that comes if nothing else happens."""

    at: Annotated[Time | None, "when; null where nobody can tell"]


class Gate(TypedDict):
    """A gate of a promotion."""

    gate: Annotated[str, "which gate"]
    verdict: Annotated[GateVerdict, "`forced`: refused, and overruled by a person; `off`: not configured"]
    reason: Annotated[str, "why"]


class Kept(TypedDict):
    """A version that stays as it is."""

    version: Name
    tag: Tag
    reason: Annotated[str, "why it stays"]


class PullRequest(TypedDict):
    """A pull request, in short."""

    number: Annotated[int, "its number at the forge"]
    name: Annotated[str, "its number as the forge writes it: `#12`, `!12`"]
    url: Annotated[str, "where people read it"]


class OutcomePullRequest(PullRequest):
    """The pull request of an operation."""

    created: Annotated[bool, "whether this command opened it"]
    merging: NotRequired[
        Annotated[
            Literal["merged", "waiting", "next_pass"],
            "what became of auto-merge, where it was asked for: `waiting`: the forge does; `next_pass`: that of guard",
        ]
    ]


class Route(TypedDict):
    """Calls that take one route, and who answers them."""

    values: Annotated[
        list[str], "values of the header that take it; empty: calls that name no version, or an unknown one"
    ]
    targets: Annotated[list[str], "subsets, or Services where the route names none"]
    versions: Annotated[list[str], "versions whose pods those are"]
    first: Annotated[list[str], "versions that answer while they are healthy"]


class Reach(TypedDict):
    """Who answers calls, as the rendering has it."""

    via: Annotated[list[str], "kinds of the objects that route; empty: nothing does"]
    header: Annotated[str | None, "the header that tells versions apart; null: none does"]
    routes: list[Route]
    routed: Annotated[list[str], "versions with a route of their own"]
    running: Annotated[dict[str, list[str]], "version -> its workloads"]


class Routing(TypedDict):
    """The routes before and after an operation."""

    before: Annotated[Reach | None, "null where it can't be rendered"]
    after: Reach


class Outcome(TypedDict):
    """What an operation did to an environment; nothing to do: `changed` is false, and `changes` is empty."""

    operation: Annotated[Operation | Literal["sync"], "the command"]
    environment: Environment
    service: NotRequired[Service]
    changed: Annotated[bool, "whether there was anything to do"]
    refused: NotRequired[Annotated[str, "why a person must act; the exit status is 1"]]
    gates: NotRequired[Annotated[list[Gate], "of a promotion"]]
    changes: Annotated[list[Change], "the changes of this command, those of the sweep included"]
    kept: Annotated[list[Kept], "the live versions that stay"]
    waiting: Annotated[list[Kept], "the quarantined and retired versions"]
    proposed: NotRequired[Annotated[list[Change], "of a cleanup with nothing to add: what waits, or was said no to"]]
    branch: Annotated[str | None, "the release branch; with `--direct` the base branch; null: none"]
    commit: Annotated[str | None, "the commit that was pushed; null: nothing was"]
    pull_request: Annotated[OutcomePullRequest | None, "null: none, as with `--direct`"]
    notes: Annotated[list[str], "sentences for people"]
    routing: NotRequired[Annotated[Routing, "where something was rendered"]]
    title: NotRequired[Annotated[str, "of the forge `none`: title of the pull request that a person may open"]]
    body: NotRequired[Annotated[str, "of the forge `none`: its text"]]


class FailedOutcome(TypedDict):
    """An environment that a command could not do; the others were done."""

    environment: Annotated[str, "service and environment, as messages name them"]
    changed: Literal[False]
    changes: Annotated[list[Change], "empty"]
    error: Error


class Check(TypedDict):
    """What one health check says of a version."""

    check: Annotated[str, "name of the check"]
    health: Health
    reason: Annotated[str, "why"]
    value: Annotated[float | None, "the number that decided"]
    bound: Annotated[str | None, "the configured limit: `max 0.05`"]
    samples: Annotated[float | None, "how many calls or attempts stand behind it"]
    at: Annotated[Time | None, "when; null: never"]
    points: Annotated[list[float | None], "the values over the window, oldest first; null for a gap"]


class Judged(TypedDict):
    """What all checks say of a version."""

    version: Name
    tag: Tag
    health: Health
    checks: list[Check]


class Pin(TypedDict):
    """A version that is never retired."""

    reason: str
    until: Annotated[Day | None, "its last day; null: no end"]


class Quarantine(TypedDict):
    """A version that is deployed and not routed."""

    reason: str
    since: Annotated[Time | None, "when it began; null where the file doesn't say"]


class Version(TypedDict):
    """A version in an environment."""

    version: Name
    tag: Tag
    state: Annotated[str, "`default`, `live`, `quarantined` or `retired`"]
    since: Annotated[Time | None, "when the base began to hold it so; null where nobody can tell"]
    pinned: bool
    pin: Pin | None
    quarantine: Quarantine | None
    drained_at: Annotated[Time | None, "when a retired version has drained"]
    routed_at: Annotated[Time | None, "when a version that `release restore` brought back is to get its route"]
    unapplied: NotRequired[
        Annotated[
            str, "of a retired one that has drained: why it isn't known to be retired in the cluster, so it stays"
        ]
    ]
    in_use: NotRequired[
        Annotated[str | None, "with `--in-use`, where it is configured: who calls it, or why nobody knows"]
    ]
    health: NotRequired[Annotated[Judged | None, "with `--health`; null where it isn't live"]]


class WaitingOperation(TypedDict):
    """An operation that waits on a branch."""

    id: Id
    at: Time
    operation: Annotated[str, "the command"]
    subject: Annotated[str, "the operation in words"]
    by: Annotated[str, "who asked for it; empty: not known"]
    run: Annotated[str, "link to the run of CI; empty: none"]
    no_effect: NotRequired[Annotated[str, "why it has no effect for now"]]


class Waiting(TypedDict):
    """What waits on a branch."""

    branch: Annotated[str | None, "null: none"]
    pending: Annotated[list[str], "ids of what waits"]
    operations: list[WaitingOperation]
    pull_request: PullRequest | None


class Delivery(TypedDict):
    """What the delivery tool says of an environment."""

    by: Annotated[str, "the object that says so: `Application engine-production`"]
    commit: Annotated[str | None, "the commit in force, as it names it; null: none is known"]
    state: Annotated[str, "how it is, in its own words"]
    problem: Annotated[str, "why it does not go on; empty: it does"]
    unknown: Annotated[str, "why nothing is known; empty: something is"]


class EnvironmentStatus(Waiting):
    """An environment; what waits is that of its release branch."""

    environment: Environment
    service: NotRequired[Service]
    default: Annotated[str | None, "name of the default; null: none"]
    default_since: Time | None
    default_held_by: Annotated[list[str], "quarantined versions that are newer than the default: a bump moves none"]
    fallback: Annotated[str | None, "name of the fallback target; null: none"]
    versions: list[Version]
    routing: Annotated[Reach | None, "null where nothing was rendered"]
    downgrade: Annotated[Waiting | None, "the same four keys of the branch of downgrades"]
    delivery: NotRequired[
        Annotated[
            Delivery, "where `health.argocd` or `health.flux` stands: with `--health`, or when a version has drained"
        ]
    ]
    sweep: Annotated[list[Change] | None, "what a cleanup would do now; null where it can't be told"]
    coming: Annotated[list[ComingChange] | None, "what later sweeps do; null where it can't be told"]
    errors: Annotated[list[Error], "what can't be read"]


class ImageDifference(TypedDict):
    """A tag that is written with different digests."""

    service: NotRequired[Service]
    version: Name
    tag: Tag
    digests: Annotated[dict[str, str], "environment -> digest"]


class LeftOver(Waiting):
    """A release branch that release.yaml names no more."""

    environment: Environment
    service: NotRequired[Service]
    error: Error


class Status(TypedDict):
    """The whole status."""

    base: Annotated[str, "the base branch"]
    at: Annotated[Time, "the time that ages are counted to"]
    environments: list[EnvironmentStatus]
    differences: Annotated[list[ImageDifference], "tags with different images in two environments"]
    left_over: Annotated[list[LeftOver], "release branches that release.yaml names no more"]


class Rule(TypedDict):
    """What a rule says of a version."""

    rule: Annotated[str, "its key in `retention`, or a word of the documentation"]
    verdict: Annotated[str, "`keeps`, `takes`, `waits`, `no`, `newer` or `off`"]
    reason: Annotated[str, "why"]
    until: Annotated[Time | None, "when the verdict changes by itself"]


class WaitingChange(TypedDict):
    """What waits, and is about the version."""

    id: Id
    subject: Annotated[str, "the operation in words"]
    branch: str
    pull_request: Annotated[int | None, "its number"]
    changes: list[Change]


class Elsewhere(TypedDict):
    """The version in another environment."""

    environment: Environment
    state: str


class Past(TypedDict):
    """A landed operation that is about the version."""

    id: Id
    at: Time
    operation: Annotated[str, "the command"]
    by: Annotated[str, "who asked for it; empty: not known"]
    archived: Annotated[bool, "whether its line stands in an archive"]
    changes: list[Change]


class Way(TypedDict):
    """A command that would do something to the version; null where gates decide."""

    command: str
    changes: Annotated[list[Change] | None, "what it would change"]
    state: Annotated[str | None, "the state of the version then"]
    stays: Annotated[str | None, "why it stays there"]


class Explanation(TypedDict):
    """Why a version is where it is."""

    environment: Environment
    service: NotRequired[Service]
    version: Annotated[str | None, "its name; null: it has none yet"]
    tag: Tag
    at: Annotated[Time, "the time that ages are counted to"]
    state: Annotated[str, "`live`, `quarantined`, `retired`, `removed` or `never`"]
    default: bool
    since: Time | None
    said: Annotated[str, "the answer in a sentence"]
    stays: Annotated[str | None, "why it stays where it is; null where the next sweep moves it"]
    rules: list[Rule]
    newer_versions_until_gone: Annotated[int | None, "how many newer versions would take its place"]
    sweep: Annotated[list[Change], "what a cleanup would do to it now"]
    coming: Annotated[list[ComingChange], "what later sweeps do to it"]
    waits: list[WaitingChange]
    registry: Annotated[str | None, "what the registry says of it"]
    elsewhere: list[Elsewhere]
    history: Annotated[list[Past], "oldest first"]
    unrecorded: Annotated[list[Change], "what people changed by hand since the last operation"]
    commands: list[Way]


class GuardPass(TypedDict):
    """What a pass of the guard found and did in an environment."""

    environment: Environment
    service: NotRequired[Service]
    default: Annotated[str | None, "the default"]
    decision: Literal["stay", "downgrade", "halt"]
    reason: Annotated[str, "why"]
    leave: Annotated[str | None, "of a downgrade: the default that is left"]
    to: Annotated[str | None, "of a downgrade: the version that it goes back to"]
    changed: bool
    refused: NotRequired[Annotated[str, "why a person must act"]]
    blind: NotRequired[Annotated[str, "why the guard sees nothing of the default"]]
    versions: list[Judged]
    operations: Annotated[list[Outcome], "the downgrade and the quarantines"]
    errors: list[Error]


class Finding(TypedDict):
    """Something that is wrong, or to know."""

    where: Annotated[str, "file, line and column, where there are such"]
    what: str
    hint: Annotated[str, "what mends it"]


class Ability(TypedDict):
    """What a chart can do with versions, a row."""

    subject: Annotated[str, "what it is about: `routes`, `default`, `quarantine` and so on"]
    verdict: Annotated[str, "`ok`, `warning`, `error` or `unknown`"]
    what: Annotated[str, "what the renderings show"]
    cost: Annotated[str, "what that costs; empty for what is right"]
    mend: Annotated[str, "the way out; empty for what is right"]
    where: Annotated[str, "the file and the line where the chart could change"]
    label: Annotated[str, "a key that no object follows, in a chart without routes"]


class Chart(TypedDict):
    """What was tried of a chart."""

    chart: Annotated[str, "where it stands"]
    environments: Annotated[list[str], "the environments with the same values"]
    abilities: list[Ability]


class CheckReport(TypedDict):
    """What `release check` found."""

    checked: Annotated[list[str], "the files that were looked at"]
    findings: Annotated[list[Finding], "errors: the exit status is 1"]
    warnings: list[Finding]
    charts: list[Chart]


class ObjectChange(TypedDict):
    """An object that differs."""

    action: Annotated[str, "`added`, `changed` or `removed`"]
    object: Annotated[str, "its kind, name and namespace"]
    difference: Annotated[str, "a unified difference"]


class Difference(TypedDict):
    """How the manifests of an environment differ."""

    environment: Environment
    service: NotRequired[Service]
    changes: list[ObjectChange]


class Rendering(TypedDict):
    """The manifests of an environment."""

    environment: Environment
    manifests: Annotated[str, "YAML, as Helm gives it"]


class WholePullRequest(PullRequest):
    """A pull request, whole."""

    state: Literal["open", "merged", "closed"]
    title: str
    head: Annotated[str, "its branch"]
    base: Annotated[str, "the branch that it goes to"]
    head_commit: Annotated[str, "the tip of its branch"]
    merge_commit: Annotated[str | None, "the commit that it became on the base"]
    labels: list[str]
    body: Annotated[str, "its text, Markdown"]
    comments: Annotated[list[str], "oldest first"]


class Diagnosis(TypedDict):
    """What an examination found; texts without meaning are empty."""

    verdict: Literal["ok", "warning", "error", "unknown"]
    about: Annotated[str, "what was examined"]
    what: str
    where: Annotated[str, "a URL, a file, a ref"]
    why: Annotated[str, "why it matters"]
    mend: Annotated[str, "a command, a page of settings, or an edit"]


class DoctorReport(TypedDict):
    """What `release doctor` found, in the order of the examinations."""

    findings: list[Diagnosis]
    errors: Annotated[int, "how many"]
    warnings: int
    unknown: int
    away: Annotated[bool, "whether the remote itself was away: run it again"]


class PlannedFile(TypedDict):
    """A file of `release init`."""

    path: str
    what: Annotated[str, "what it is"]
    state: Literal["new", "same", "kept", "noted", "changed", "removed", "conflict", "gone"]


class InitPlan(TypedDict):
    """What `release init` found and wrote."""

    directory: str
    repository: Annotated[bool, "whether it is a git repository already"]
    remote: Annotated[str, "the URL of the remote; empty: none"]
    forge: str
    base: str
    notes: Annotated[list[str], "what a person should know of what was found"]
    environments: list[str]
    files: list[PlannedFile]
    charts: list[Chart]
    findings: list[Finding]
    warnings: list[Finding]
    upgraded: Annotated[str, "of `--upgrade`: the version that wrote before; else empty"]
    conflicts: Annotated[list[str], "of `--upgrade`: files that both sides changed in the same place"]
    written: Annotated[bool, "whether the files were written"]
    next: Annotated[list[str], "the commands that come next"]


class Evidence(TypedDict):
    """A verdict that a guard decided on; texts for people."""

    version: NotRequired[str]
    check: NotRequired[str]
    health: NotRequired[str]
    reason: NotRequired[str]
    value: NotRequired[str]
    bound: NotRequired[str]
    samples: NotRequired[str]
    at: NotRequired[str]
    trend: NotRequired[Annotated[str, "a sparkline of the values over the window"]]


Arguments = TypedDict(
    "Arguments",
    {
        "tag": NotRequired[Tag],
        "version": NotRequired[Annotated[str, "its name, for people: planning again follows the tag"]],
        "pin": NotRequired[Annotated[bool, "of a bump or a promotion: pinned, for `reason`"]],
        "force": NotRequired[bool],
        "reason": NotRequired[Annotated[str, "why, in a person's words"]],
        "from": NotRequired[Annotated[str, "of a promotion: the environment that the version comes from"]],
        "of": NotRequired[Annotated[str, "`default`: whatever was the default; `version`: one that somebody named"]],
        "until": NotRequired[Annotated[Day, "last day of a pin"]],
        "for": NotRequired[Annotated[str, "the same as it was given: `7d`"]],
        "deployed": NotRequired[Annotated[bool, "of a restore: the version was deployed when it was asked for"]],
        "since": NotRequired[Annotated[Time, "when a quarantine began"]],
        "quarantine": NotRequired[Annotated[bool, "of a downgrade: whether what is left is quarantined"]],
        "to": NotRequired[Annotated[str, "of a downgrade: name of the version to go back to"]],
        "to_tag": NotRequired[Annotated[str, "its tag"]],
        "evidence": NotRequired[Annotated[list[Evidence], "of the guard: what was decided on"]],
        "operation": NotRequired[Annotated[str, "of an undo: id of what is undone"]],
        "what": NotRequired[Annotated[str, "of an undo: the same in words"]],
        "last": NotRequired[Annotated[bool, "of an undo: the last landed operation was meant"]],
    },
)
Arguments.__doc__ = "What was asked for; what is empty or false is not written, but `quarantine: false` is."


class Line(TypedDict):
    """A line of the record."""

    schema: Annotated[Literal[1], "of this format"]
    id: Id
    at: Annotated[Time, "when it was planned; the order of the lines is the order of landing"]
    operation: Operation
    arguments: Arguments
    gates: NotRequired[Annotated[list[Gate], "of a promotion"]]
    changes: list[RecordedChange]
    adopted: NotRequired[Annotated[list[Change], "what people had changed by hand since the line above"]]
    no_effect: NotRequired[Annotated[str, "why the operation changed nothing when its pull request was merged"]]
    by: Annotated[str, "who asked for it; empty: not known"]
    run: Annotated[str, "link to the run of CI; empty: none"]
    image: NotRequired[Annotated[str, "of a bump: repository of the image"]]
    digest: NotRequired[Annotated[str, "of a bump: digest of the image"]]
    commit: NotRequired[Annotated[str, "of a bump: commit that was built"]]
    build: NotRequired[Annotated[str, "of a bump: link to the build"]]
    source: NotRequired[Annotated[str, "of a bump: where the source of the image is"]]
    seen: NotRequired[Annotated[dict[str, str], "commit -> when it was first seen in the base"]]


class PendingPlace(TypedDict):
    """Where a line waits."""

    branch: str
    pull_request: PullRequest | None


class HistoryLine(Line):
    """A line of the record, and where it stands."""

    environment: Environment
    service: NotRequired[Service]
    pending: NotRequired[Annotated[PendingPlace, "only of a line that waits"]]


_SEVERAL = list[Outcome | FailedOutcome]
_ONE_VERSION = ("default", "pin", "unpin", "retire", "restore", "quarantine", "clear")

SCHEMA_OF = {
    **dict.fromkeys(("promote", "downgrade", "undo", *_ONE_VERSION), "operation"),
    **dict.fromkeys(("cleanup", "sync"), "operations"),
    **{name: name for name in ("bump", "guard", "status", "explain", "history", "render", "diff", "check")},
    **{name: name for name in ("init", "doctor", "pulls")},
}
"""Command -> the schema of what it gives; `completion` and `demo` give none."""

SCHEMAS: dict[str, Any] = {
    "operation": Outcome,
    "operations": _SEVERAL,
    "bump": Outcome | _SEVERAL,  # `--from-registry` gives a list
    "guard": list[GuardPass],
    "status": Status,
    "explain": Explanation,
    "history": list[HistoryLine],
    "render": Rendering,
    "diff": Difference | list[Difference],
    "check": CheckReport,
    "init": InitPlan,
    "doctor": DoctorReport,
    "pulls": WholePullRequest | list[WholePullRequest],
    "error": Failure,
    "record": Line,
}
"""Name of a schema -> what it describes."""
