"""The sections of `release.yaml` as frozen records; `Config` puts them together.

The defaults of the optional keys are the defaults of these records, and nowhere else: the published schema and the
reference in docs/configuration.md take them from here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool.config.places import DEFAULT_BRANCH
from release_tool.config.records_health import Downgrade, Health

if TYPE_CHECKING:
    import re

Order = Literal["semver", "calver", "number", "arrival"]
Verify = Literal["off", "exists", "digest"]
Mode = Literal["pull_request", "direct"]
DefaultPolicy = Literal["newest", "manual", "promoted"]
ForgeKind = Literal["auto", "github", "local", "none"]
Engine = Literal["auto", "embedded", "helm"]


class Versions(NamedTuple):
    """`versions`: which tags are taken, and what "newer" means.

    Attributes:
        order: how tags are compared: by their semantic version, by the date that they are made of, by the number
            that they end with, or by when they came (the later line is newer).
        allow: what the tag part must match in full; None: any tag that the OCI rule allows.
    """

    order: Order = "semver"
    allow: re.Pattern[str] | None = None

    def allows(self, tag: str) -> bool:
        """Whether `allow` accepts a tag (`tag` or `tag@sha256:…`; the tag part alone is looked at)."""
        return self.allow is None or self.allow.fullmatch(tag.partition("@")[0]) is not None


class Publish(NamedTuple):
    """`publish`: how a change reaches the base branch.

    Attributes:
        mode: by the rolling pull request, or by a push to the base branch.
        branch: template of the name of the rolling branch, with `{environment}`; ask `Config.place` for the name.
        labels: labels of the pull request.
        timeout: how long a command plans again when others are faster with their push.
        reviewers: who is asked to review it when it is opened: users, and teams as `organisation/team`.
    """

    mode: Mode = "pull_request"
    branch: str = DEFAULT_BRANCH
    labels: tuple[str, ...] = ()
    timeout: timedelta = timedelta(minutes=2)
    reviewers: tuple[str, ...] = ()


class Forge(NamedTuple):
    """`forge`: where pull requests live.

    Attributes:
        kind: its name; `auto` reads the URL of the remote.
        url: where the forge, or its API, is; empty: what belongs to the URL of the remote.
    """

    kind: ForgeKind = "auto"
    url: str = ""


class Render(NamedTuple):
    """`render`: which Helm renders. `auto` takes the embedded engine, else the `helm` program."""

    engine: Engine = "auto"


class Registry(NamedTuple):
    """`registry`: where the images are, and what is asked about them.

    Attributes:
        image: repository of the image without a tag, `registry.example.com/team/engine`; empty: it isn't known.
        verify: what a tag must prove before it is taken: nothing (`off`), that its manifest exists (`exists`), and
            whether its digest is also written behind it (`digest`). Never other than `off` without an image.
        plain_http: whether the registry is asked without TLS.
        timeout: how long one answer of the registry may take.
    """

    image: str = ""
    verify: Verify = "off"
    plain_http: bool = False
    timeout: timedelta = timedelta(seconds=10)


class InUse(NamedTuple):
    """`retention.in_use`: a version that is still called is kept.

    Attributes:
        prometheus: URL of the Prometheus that knows the calls; it never holds a credential.
        query: PromQL with the placeholders `{environment}`, `{namespace}`, `{service}`, `{release}` and `{window}`;
            empty: the built-in query.
        window: how far back a call counts.
        timeout: how long one answer may take.
    """

    prometheus: str
    query: str = ""
    window: timedelta = timedelta(days=7)
    timeout: timedelta = timedelta(seconds=10)


class Retention(NamedTuple):
    """`retention` of an environment: which versions stay live.

    Attributes:
        keep: how many of the newest live versions are kept; at least 1.
        keep_per_minor: how many of the newest of each minor version are kept beside them; None: the rule is off.
        min_age: a version younger than this is never retired.
        max_age: an unprotected version older than this is retired, whatever `keep` says; None: no version is too old.
        drain: how long a retired version stays deployed.
        quarantine_for: after how long a quarantined version that is not pinned is retired.
        in_use: how it is found out whether a version is still called; None: nobody is asked.
    """

    keep: int = 5
    keep_per_minor: int | None = None
    min_age: timedelta = timedelta(0)
    max_age: timedelta | None = None
    drain: timedelta = timedelta(hours=1)
    quarantine_for: timedelta = timedelta(days=14)
    in_use: InUse | None = None


class Environment(NamedTuple):
    """One entry of `environments`.

    Attributes:
        name: its key, a DNS label.
        promote_from: the environment whose versions are promoted to this one; None: it is the entry.
        default: what moves the default: a bump, a person only, or a promotion.
        soak: how long a version must have been the default of `promote_from` before it is promoted.
        retention: which versions stay live.
        publish: the file's `publish` with this environment's own `mode`, `labels` and `reviewers`.
        health: how the health of its versions is judged; None: nobody is asked.
        downgrade: the file's `downgrade` with this environment's own keys.
    """

    name: str
    promote_from: str | None = None
    default: DefaultPolicy = "manual"
    soak: timedelta = timedelta(0)
    retention: Retention = Retention()
    publish: Publish = Publish()
    health: Health | None = None
    downgrade: Downgrade = Downgrade()

    @property
    def downgrade_mode(self) -> Mode:
        """How a downgrade reaches the base branch: as `downgrade.publish` says, else as `publish.mode` does."""
        return self.downgrade.publish or self.publish.mode


class Service(NamedTuple):
    """One entry of `services`, with what it takes from the top filled in.

    Attributes:
        name: its key, a DNS label.
        chart, release_name, namespace, versions, registry: as in `Config`, for this service.
    """

    name: str
    chart: str
    release_name: str
    namespace: str
    versions: Versions = Versions()
    registry: Registry | None = None
