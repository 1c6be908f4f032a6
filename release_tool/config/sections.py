"""The sections of `release.yaml`, each key defined once: name, type, default, rules, meaning.

The reader, the published schema and the reference in docs/reference/configuration.md are made of these records. They
become the values that the rest of the package uses. The keys at the top of the file are those of `Config`; those of
`environments.<name>.health` stand in config/health.py, which is loaded only for a file that has that section.
"""

# No `from __future__ import annotations` here: what `Annotated` holds is read when the module is loaded.
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from release_tool.config.kinds import (
    API_VERSION,
    BRANCH_TEMPLATE,
    CHART,
    ENVIRONMENT_NAME,
    FORGE_URL,
    IMAGE,
    KUBE_VERSION,
    LABEL,
    NAMESPACE,
    PROMETHEUS_URL,
    PROMQL,
    RELEASE_NAME,
    REVIEWER,
    TIMEOUT,
    VALUES_KEY,
    VERSION_PATTERN,
    WINDOW,
    Key,
    Listing,
    Section,
    Whole,
    section_of,
)
from release_tool.model.expressions import fullmatch

if TYPE_CHECKING:
    from release_tool.config.health import Health

Mode = Literal["pull_request", "direct"]

DEFAULT_BRANCH = "release/{environment}"


class Versions(NamedTuple):
    """`versions`: which tags are taken, what "newer" means, and where they stand."""

    order: Annotated[
        Literal["semver", "calver", "number", "arrival"],
        Key(
            "How tags are compared: what *newer* means.",
            {
                "semver": "by Semantic Versioning 2.0.0, with or without a leading `v`",
                "calver": "by the date that they are made of (calver.org): `2026.11.1`, `26.11-rc1`, `20261123-2`",
                "number": "by the number that they end with: `1234`, `build-1234`, `r57`",
                "arrival": "by when they came: what was added later is newer",
            },
        ),
    ] = "semver"
    allow: Annotated[
        re.Pattern[str] | None,
        Key(
            "A regular expression (Python's `re`) that the whole tag must match, without its `@sha256:…`; a bump with "
            "another tag is refused. Without it, every tag that OCI allows is taken. One that takes more than 2 s "
            "stops the command.",
            example=r"'^v?\d+\.\d+\.\d+$'",
        ),
    ] = None
    pattern: Annotated[
        str,
        Key(
            "A regular expression that the whole tag must match, without its `@sha256:…`, and whose group `version` is "
            "what `order` compares; a tag that it doesn't match can't be read. Without it, the whole tag is compared.",
            VERSION_PATTERN,
            example="'engine-v(?P<version>.+)'",
            otherwise="none",
        ),
    ] = ""
    key: Annotated[
        str,
        Key(
            "Where the chart reads the versions: the key of the values with `tag`, `default`, `retired`, `pinned` and "
            "`quarantined` below it. For a chart that has the service as a subchart `engine`: `engine.image`.",
            VALUES_KEY,
            example="engine.image",
        ),
    ] = "image"

    @property
    def ordering(self) -> str:
        """The order as `model.versions` takes it: its kind, and behind a blank the pattern."""
        return f"{self.order} {self.pattern}".rstrip()

    def allows(self, tag: str) -> bool:
        """Whether `allow` accepts a tag (`tag` or `tag@sha256:…`; the tag part alone is looked at)."""
        return self.allow is None or fullmatch(self.allow, tag.partition("@")[0], "versions.allow") is not None


class RegistryPolicy(NamedTuple):
    """`registry`: where the images are, and what is asked about them."""

    # `Config.registry` is None without an image, so no user of this record sees the empty one
    image: Annotated[
        str,
        Key(
            "The repository of the image, without a tag. One without a host is on Docker Hub.",
            IMAGE,
            example="registry.example.com/team/engine",
        ),
    ] = ""
    verify: Annotated[
        Literal["off", "exists", "digest"],
        Key(
            "What a tag must prove before a bump or a promotion takes it. Anything but `off` needs `image`.",
            {
                "off": "nothing is looked up",
                "exists": "the manifest of the tag must exist; its digest is recorded",
                "digest": "the same, and the digest is written behind the tag: `v1.0.5@sha256:…`",
            },
        ),
    ] = "off"
    plain_http: Annotated[
        bool, Key("Whether the registry is asked without TLS; for one on the same machine, or in a trusted network.")
    ] = False
    timeout: Annotated[timedelta, Key("How long one answer of the registry may take.", TIMEOUT, example="10s")] = (
        timedelta(seconds=10)
    )


class Publish(NamedTuple):
    """`publish`: how a change reaches the base branch."""

    mode: Annotated[
        Mode,
        Key(
            "How a change reaches the base branch.",
            {"pull_request": "one rolling pull request per environment", "direct": "a push to the base branch itself"},
        ),
    ] = "pull_request"
    # the template: `Config.place` gives the name
    branch: Annotated[
        str,
        Key(
            "The rolling branch of an environment. The branch of a downgrade has the same name with `-downgrade` "
            "added. With `services` it holds `{service}` too, and is `release/{service}/{environment}` by default.",
            BRANCH_TEMPLATE,
            example="'release/{environment}'",
        ),
    ] = DEFAULT_BRANCH
    labels: Annotated[
        tuple[str, ...], Key("The labels of the pull requests.", Listing(LABEL, most=100), example="[release]")
    ] = ()
    reviewers: Annotated[
        tuple[str, ...],
        Key(
            "Who is asked to review a pull request when it is opened: users, and teams as `organisation/team`, where "
            "the forge knows such a thing.",
            Listing(REVIEWER, most=100),
            example="[alice, example/platform]",
        ),
    ] = ()
    timeout: Annotated[
        timedelta,
        Key(
            "How long a command goes on, planning again each time, when others are faster with their push. After "
            "that it exits with status 75.",
            example="2m",
        ),
    ] = timedelta(minutes=2)


class DowngradePolicy(NamedTuple):
    """`downgrade`: what `release guard` may do, and how a downgrade reaches the base branch."""

    publish: Annotated[
        Literal["", "pull_request", "direct"],
        Key(
            "How a downgrade reaches the base branch.",
            {
                "pull_request": "a pull request on a branch of its own",
                "direct": "a push to the base branch; where the server refuses it, the pull request",
            },
            otherwise="as `publish.mode`",
        ),
    ] = ""
    auto_merge: Annotated[bool, Key("Whether the forge merges that pull request as soon as its rules allow it.")] = True
    max_downgrades: Annotated[
        int,
        Key("After so many downgrades by `release guard` within 24 hours it halts: a person must look.", Whole(1, 100)),
    ] = 2
    quarantine_unhealthy: Annotated[
        bool,
        Key(
            "Whether an unhealthy live version that isn't the default is quarantined. Its clients then get the "
            "default, which they were not validated with."
        ),
    ] = False


class ForgeChoice(NamedTuple):
    """`forge`: where pull requests live."""

    kind: Annotated[
        Literal["auto", "github", "gitlab", "gitea", "azure", "local", "none"],
        Key(
            "Where pull requests live.",
            {
                "auto": "`local` where the remote is a plain path, else the forge that the remote's host is known for "
                "or that a variable of the environment names, as a CI system does, else `none`",
                "github": "on GitHub, or a GitHub Enterprise Server; the token is read from `GH_TOKEN`, "
                "`GITHUB_TOKEN`, or the file that `GITHUB_TOKEN_FILE` names",
                "gitlab": "on gitlab.com, or a GitLab of one's own; the token is read from `GITLAB_TOKEN`, or the file "
                "that `GITLAB_TOKEN_FILE` names; without one, merge requests are opened by push options",
                "gitea": "on a Gitea or a Forgejo; the token is read from `GITEA_TOKEN`, `FORGEJO_TOKEN`, or the file "
                "that `GITEA_TOKEN_FILE` names",
                "azure": "on Azure DevOps Services, or an Azure DevOps Server of 2020 or newer; the token is read from "
                "`AZURE_DEVOPS_TOKEN`, `AZURE_DEVOPS_EXT_PAT`, `SYSTEM_ACCESSTOKEN`, or the file that "
                "`AZURE_DEVOPS_TOKEN_FILE` names",
                "local": "in the Git remote itself, for plain Git servers and for trials; see `release pulls`",
                "none": "nowhere: the branch is pushed, and the first screen of a pull request's text is printed",
            },
        ),
    ] = "auto"
    url: Annotated[
        str,
        Key(
            "Where the forge's server, or its REST API, is, where that can't be told from the URL of the remote.",
            FORGE_URL,
            example="https://git.example.com",
            otherwise="what belongs to the URL of the remote",
        ),
    ] = ""


class Render(NamedTuple):
    """`render`: which Helm renders, and for which cluster."""

    engine: Annotated[
        Literal["auto", "embedded", "helm"],
        Key(
            "Which Helm renders the chart.",
            {
                "auto": "the embedded engine where it is installed, else `helm`; both render the same",
                "embedded": "the Helm engine that is installed with this tool",
                "helm": "the program `helm` on `PATH`, of version 3.14 or newer",
            },
        ),
    ] = "auto"
    kube_version: Annotated[
        str,
        Key(
            "The Kubernetes version of the cluster, for `kubeVersion` and `.Capabilities.KubeVersion` of the chart. In "
            "quotes.",
            KUBE_VERSION,
            example='"1.33"',
            otherwise="the newest that the engine knows",
        ),
    ] = ""
    api_versions: Annotated[
        tuple[str, ...],
        Key(
            "What the cluster serves besides Kubernetes' own, for `.Capabilities.APIVersions.Has` of the chart: a "
            "group with its version, perhaps with a kind behind it.",
            Listing(API_VERSION, most=1000),
            example="[monitoring.coreos.com/v1, networking.istio.io/v1/VirtualService]",
        ),
    ] = ()


class InUse(NamedTuple):
    """`retention.in_use`: a version that is still called is kept."""

    prometheus: Annotated[
        str,
        Key(
            "The URL of the Prometheus that counts the calls. A token is read from the environment variable "
            "`RELEASE_PROMETHEUS_TOKEN`, never from this file.",
            PROMETHEUS_URL,
            example="http://prometheus.monitoring:9090",
        ),
    ]
    query: Annotated[
        str,
        Key(
            "The question, in PromQL. `{environment}`, `{namespace}`, `{service}` (empty without `services`), "
            "`{release}` and `{window}` are filled in. Without it, Istio's `istio_requests_total` is asked for.",
            PROMQL,
            otherwise="the built-in query",
        ),
    ] = ""
    window: Annotated[timedelta, Key("How far back a call counts.", WINDOW, example="7d")] = timedelta(days=7)
    timeout: Annotated[
        timedelta, Key("How long one answer may take. Without an answer every version is kept.", TIMEOUT, example="10s")
    ] = timedelta(seconds=10)


class Retention(NamedTuple):
    """`retention` of an environment: which versions stay live."""

    keep: Annotated[
        int,
        Key(
            "How many live versions are kept, counted from the newest. The default, pinned versions and the "
            "version to go back to are never retired.",
            Whole(1, 10_000),
            example="4",
        ),
    ] = 5
    keep_per_minor: Annotated[
        int | None,
        Key(
            "How many of the newest of each minor version (`1.4.x`; with `calver` the first two numbers, `2026.11`) "
            "are kept besides. Without it, minor versions are not looked at; `number` and `arrival` know none.",
            Whole(1, 10_000),
            example="1",
        ),
    ] = None
    min_age: Annotated[timedelta, Key("A version is not retired before it is this old.", example="2d")] = timedelta(0)
    max_age: Annotated[
        timedelta | None,
        Key(
            "A version that is older is retired even if `keep` or `keep_per_minor` would keep it. Without it, age "
            "alone retires nothing. Not less than `min_age`.",
            example="90d",
        ),
    ] = None
    drain: Annotated[
        timedelta,
        Key(
            "How long a retired version stays deployed, without a route, before it is removed: time for calls under "
            "way to end.",
            example="1h",
        ),
    ] = timedelta(hours=1)
    warm_up: Annotated[
        timedelta,
        Key(
            "How long a removed version that `release restore` or an undo brings back is deployed without a route: "
            "time for its pods to get ready. The first clean-up after that routes it, `release restore` again at once. "
            "`0s`: one commit deploys and routes it, which only Argo CD does in the right order.",
            example="5m",
        ),
    ] = timedelta(minutes=5)
    quarantine_for: Annotated[
        timedelta, Key("After how long a quarantined version is retired, unless it is pinned.", example="14d")
    ] = timedelta(days=14)
    in_use: Annotated[
        InUse | None,
        Key("A version that is still called is kept; without this section nobody is asked.", section_of(InUse)),
    ] = None


PUBLISH, DOWNGRADE, RETENTION = section_of(Publish), section_of(DowngradePolicy), section_of(Retention)
VERSIONS, REGISTRY = section_of(Versions), section_of(RegistryPolicy)


def _health() -> Section:
    from release_tool.config.health import HEALTH  # seven records and their keys, which a bump has no use for

    return HEALTH


class Environment(NamedTuple):
    """One entry of `environments`. Its `publish` and `downgrade` are the file's, with its own keys put over them."""

    name: str
    # None: it is the entry
    promote_from: Annotated[
        str | None,
        Key(
            "The environment whose versions are promoted to this one; it stands above this one. Exactly one "
            "environment has no `promote_from`: the entry, which takes the bumps.",
            ENVIRONMENT_NAME,
            example="devel",
        ),
    ] = None
    default: Annotated[
        Literal["manual", "newest", "promoted"],
        Key(
            "What moves the default version.",
            {
                "manual": "a person, with `release default`",
                "newest": "a bump, if its tag is newer than the default",
                "promoted": "a promotion, if its tag is newer than the default; not for the entry",
            },
        ),
    ] = "manual"
    soak: Annotated[
        timedelta,
        Key(
            "How long a version must have been the default of `promote_from` before it is promoted. Not for the entry.",
            example="1d",
        ),
    ] = timedelta(0)
    retention: Annotated[Retention, Key("Which versions stay live.", RETENTION)] = Retention()
    publish: Annotated[
        Publish,
        Key(
            "What differs from `publish` in this environment.",
            Section(
                inherits="publish",
                keys={
                    "mode": Key("As `publish.mode`, for this environment alone.", PUBLISH.keys["mode"].given),
                    "labels": Key(
                        "As `publish.labels`, for this environment alone; they replace those, and `[]` is none.",
                        PUBLISH.keys["labels"].given,
                    ),
                    "reviewers": Key(
                        "As `publish.reviewers`, for this environment alone; they replace those, and `[]` is none.",
                        PUBLISH.keys["reviewers"].given,
                    ),
                },
            ),
        ),
    ] = Publish()
    health: Annotated[
        "Health | None", Key("How the health of the versions is judged; without this section nobody is asked.", _health)
    ] = None
    downgrade: Annotated[
        DowngradePolicy,
        Key("What differs from `downgrade` in this environment.", Section(DOWNGRADE.keys, inherits="downgrade")),
    ] = DowngradePolicy()

    @property
    def downgrade_mode(self) -> Mode:
        """How a downgrade reaches the base branch: as `downgrade.publish` says, else as `publish.mode` does."""
        return self.downgrade.publish or self.publish.mode


class ServiceSection(NamedTuple):
    """One entry of `services`, with what it takes from the top filled in."""

    name: str
    chart: Annotated[
        str, Key("As `chart`, for this service alone.", CHART, otherwise="that of the top; one is required")
    ]
    release_name: Annotated[
        str,
        Key(
            "As `release_name`, for this service alone.",
            RELEASE_NAME,
            otherwise="that of the top, else the name of the service",
        ),
    ]
    namespace: Annotated[
        str,
        Key(
            "As `namespace`, for this service alone.",
            NAMESPACE,
            otherwise="that of the top, else the name of the service",
        ),
    ]
    versions: Annotated[
        Versions, Key("What differs from `versions` for this service.", Section(VERSIONS.keys, inherits="versions"))
    ] = Versions()
    registry: Annotated[
        RegistryPolicy | None,
        Key("What differs from `registry` for this service.", Section(REGISTRY.keys, inherits="registry")),
    ] = None


ENVIRONMENT = section_of(Environment)
SERVICE = section_of(ServiceSection)._replace(required=(), record=None)  # the reader fills it from the top
