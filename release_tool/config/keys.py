"""The keys of `release.yaml`: type, rules, possible values and meaning of each.

One source for three readers:

* config/reader.py checks a file against them, with positions;
* config/schema.py makes the published JSON Schema and the reference in docs/configuration.md of them;
* the defaults come from the records in config/records.py and config.py: a key whose field has no default there is
  required.

A new key is a field of a record and a line here.
"""

from __future__ import annotations

from release_tool.config import Config, Environment, Forge, InUse, Publish, Registry, Render, Retention, Versions
from release_tool.config.keys_health import DOWNGRADE, ENVIRONMENT_DOWNGRADE, HEALTH
from release_tool.config.kinds import (
    Boolean,
    Choice,
    Constant,
    Duration,
    Expression,
    Key,
    Listing,
    Section,
    Table,
    Whole,
)
from release_tool.config.texts import (
    BRANCH,
    BRANCH_TEMPLATE,
    DIRECTORY,
    DIRECTORY_TEMPLATE,
    ENVIRONMENT_NAME,
    FORGE_URL,
    IMAGE,
    LABEL,
    NAMESPACE,
    PROMETHEUS_URL,
    PROMQL,
    RELEASE_NAME,
    REVIEWER,
    SERVICE_NAME,
    TIMEOUT,
    WINDOW,
)

CURRENT_VERSION = 1
"""The `version` of the file that this tool reads."""

MODE = Choice(
    {
        "pull_request": "one rolling pull request per environment",
        "direct": "a push to the base branch itself",
    }
)
LABELS = Listing(LABEL, most=100)
REVIEWERS = Listing(REVIEWER, most=100)

VERSIONS = Section(
    record=Versions,
    keys=(
        Key(
            "order",
            Choice(
                {
                    "semver": "by Semantic Versioning 2.0.0, with or without a leading `v`",
                    "calver": "by the date that they are made of (calver.org): `2026.11.1`, `26.11-rc1`, `20261123-2`",
                    "number": "by the number that they end with: `1234`, `build-1234`, `r57`",
                    "arrival": "by when they came: what was added later is newer",
                },
            ),
            "How tags are compared: what *newer* means.",
        ),
        Key(
            "allow",
            Expression(),
            "A regular expression (Python's `re`) that the whole tag must match, without its `@sha256:…`; a bump with "
            "another tag is refused. Without it, every tag that OCI allows is taken.",
            examples=(r"'^v?\d+\.\d+\.\d+$'",),
        ),
    ),
)

SERVICE_VERSIONS = VERSIONS._replace(record=None, inherits="versions")

REGISTRY = Section(
    record=Registry,
    keys=(
        Key(
            "image",
            IMAGE,
            "The repository of the image, without a tag. One without a host is on Docker Hub.",
            examples=("registry.example.com/team/engine",),
        ),
        Key(
            "verify",
            Choice(
                {
                    "off": "nothing is looked up",
                    "exists": "the manifest of the tag must exist; its digest is recorded",
                    "digest": "the same, and the digest is written behind the tag: `v1.0.5@sha256:…`",
                }
            ),
            "What a tag must prove before a bump or a promotion takes it. Anything but `off` needs `image`.",
        ),
        Key(
            "plain_http",
            Boolean(),
            "Whether the registry is asked without TLS; for one on the same machine, or in a trusted network.",
        ),
        Key("timeout", TIMEOUT, "How long one answer of the registry may take.", examples=("10s",)),
    ),
)
SERVICE_REGISTRY = REGISTRY._replace(record=None, inherits="registry")

PUBLISH = Section(
    record=Publish,
    keys=(
        Key("mode", MODE, "How a change reaches the base branch."),
        Key(
            "branch",
            BRANCH_TEMPLATE,
            "The rolling branch of an environment. The branch of a downgrade has the same name with `-downgrade` "
            "added. With `services` it holds `{service}` too, and is `release/{service}/{environment}` by default.",
            examples=("'release/{environment}'",),
        ),
        Key("labels", LABELS, "The labels of the pull requests.", examples=("[release]",)),
        Key(
            "reviewers",
            REVIEWERS,
            "Who is asked to review a pull request when it is opened: users, and teams as `organisation/team`. For the "
            "forge `github`.",
            examples=("[alice, example/platform]",),
        ),
        Key(
            "timeout",
            Duration(),
            "How long a command goes on, planning again each time, when others are faster with their push. After "
            "that it exits with status 75.",
            examples=("2m",),
        ),
    ),
)

ENVIRONMENT_PUBLISH = Section(
    inherits="publish",
    keys=(
        Key("mode", MODE, "As `publish.mode`, for this environment alone."),
        Key("labels", LABELS, "As `publish.labels`, for this environment alone; they replace those, and `[]` is none."),
        Key(
            "reviewers",
            REVIEWERS,
            "As `publish.reviewers`, for this environment alone; they replace those, and `[]` is none.",
        ),
    ),
)

IN_USE = Section(
    record=InUse,
    keys=(
        Key(
            "prometheus",
            PROMETHEUS_URL,
            "The URL of the Prometheus that counts the calls. A token is read from the environment variable "
            "`RELEASE_PROMETHEUS_TOKEN`, never from this file.",
            examples=("http://prometheus.monitoring:9090",),
        ),
        Key(
            "query",
            PROMQL,
            "The question, in PromQL. `{environment}`, `{namespace}`, `{service}` (empty without `services`), "
            "`{release}` and `{window}` are filled in. Without it, Istio's `istio_requests_total` is asked for.",
            otherwise="the built-in query",
        ),
        Key("window", WINDOW, "How far back a call counts.", examples=("7d",)),
        Key(
            "timeout",
            TIMEOUT,
            "How long one answer may take. Without an answer every version is kept.",
            examples=("10s",),
        ),
    ),
)

RETENTION = Section(
    record=Retention,
    keys=(
        Key(
            "keep",
            Whole(1, 10_000),
            "How many live versions are kept, counted from the newest. The default, pinned versions and the "
            "version to go back to are never retired.",
            examples=("4",),
        ),
        Key(
            "keep_per_minor",
            Whole(1, 10_000),
            "How many of the newest of each minor version (`1.4.x`; with `calver` the first two numbers, `2026.11`) "
            "are kept besides. Without it, minor versions are not looked at; `number` and `arrival` know none.",
            examples=("1",),
        ),
        Key("min_age", Duration(), "A version is not retired before it is this old.", examples=("2d",)),
        Key(
            "max_age",
            Duration(),
            "A version that is older is retired even if `keep` or `keep_per_minor` would keep it. Without it, age "
            "alone retires nothing. Not less than `min_age`.",
            examples=("90d",),
        ),
        Key(
            "drain",
            Duration(),
            "How long a retired version stays deployed, without a route, before it is removed: time for calls under "
            "way to end.",
            examples=("1h",),
        ),
        Key(
            "quarantine_for",
            Duration(),
            "After how long a quarantined version is retired, unless it is pinned.",
            examples=("14d",),
        ),
        Key("in_use", IN_USE, "A version that is still called is kept; without this section nobody is asked."),
    ),
)

ENVIRONMENT = Section(
    record=Environment,
    keys=(
        Key(
            "promote_from",
            ENVIRONMENT_NAME,
            "The environment whose versions are promoted to this one; it stands above this one. Exactly one "
            "environment has no `promote_from`: the entry, which takes the bumps.",
            examples=("devel",),
        ),
        Key(
            "default",
            Choice(
                {
                    "manual": "a person, with `release default`",
                    "newest": "a bump, if its tag is newer than the default",
                    "promoted": "a promotion, if its tag is newer than the default; not for the entry",
                }
            ),
            "What moves the default version.",
        ),
        Key(
            "soak",
            Duration(),
            "How long a version must have been the default of `promote_from` before it is promoted. Not for the entry.",
            examples=("1d",),
        ),
        Key("retention", RETENTION, "Which versions stay live."),
        Key("publish", ENVIRONMENT_PUBLISH, "What differs from `publish` in this environment."),
        Key("health", HEALTH, "How the health of the versions is judged; without this section nobody is asked."),
        Key("downgrade", ENVIRONMENT_DOWNGRADE, "What differs from `downgrade` in this environment."),
    ),
)

FORGE = Section(
    record=Forge,
    keys=(
        Key(
            "kind",
            Choice(
                {
                    "auto": "`local` where the remote is a plain path, `github` where it is on github.com, on ghe.com, "
                    "or on the GitHub whose Actions runs the tool, else `none`",
                    "github": "on GitHub, or a GitHub Enterprise Server; the token is read from `GH_TOKEN`, "
                    "`GITHUB_TOKEN`, or the file that `GITHUB_TOKEN_FILE` names",
                    "local": "in the Git remote itself, for plain Git servers and for trials; see `release pulls`",
                    "none": "nowhere: the branch is pushed, and the text of the pull request is printed",
                },
            ),
            "Where pull requests live.",
        ),
        Key(
            "url",
            FORGE_URL,
            "The GitHub server, or its REST API, where that can't be told from the URL of the remote.",
            examples=("https://github.example.com",),
            otherwise="what belongs to the URL of the remote",
        ),
    ),
)

RENDER = Section(
    record=Render,
    keys=(
        Key(
            "engine",
            Choice(
                {
                    "auto": "the embedded engine where it is installed, else `helm`",
                    "embedded": "the Helm engine that is installed with this tool",
                    "helm": "the program `helm` on `PATH`",
                }
            ),
            "Which Helm renders the chart.",
        ),
    ),
)

SERVICE = Section(
    keys=(
        Key("chart", DIRECTORY, "As `chart`, for this service alone.", otherwise="that of the top; one is required"),
        Key(
            "release_name",
            RELEASE_NAME,
            "As `release_name`, for this service alone.",
            otherwise="that of the top, else the name of the service",
        ),
        Key(
            "namespace",
            NAMESPACE,
            "As `namespace`, for this service alone.",
            otherwise="that of the top, else the name of the service",
        ),
        Key("versions", SERVICE_VERSIONS, "What differs from `versions` for this service."),
        Key("registry", SERVICE_REGISTRY, "What differs from `registry` for this service."),
    ),
)

CONFIG = Section(
    record=Config,
    keys=(
        Key("version", Constant(CURRENT_VERSION), "The version of this file's format.", examples=("1",)),
        Key(
            "chart",
            DIRECTORY,
            "The directory of the Helm chart.",
            examples=("charts/grpc-manifest",),
            unless="services",
        ),
        Key(
            "release_name",
            RELEASE_NAME,
            "The name of the Helm release, in every environment.",
            examples=("engine",),
            unless="services",
        ),
        Key(
            "namespace",
            NAMESPACE,
            "The Kubernetes namespace of the Helm release.",
            examples=("engine",),
            unless="services",
        ),
        Key(
            "path",
            DIRECTORY_TEMPLATE,
            "The directory of an environment: `image_tag.yaml`, `values.yaml` and `history.jsonl`. With `services` it "
            "holds `{service}` too, and is `environments/{environment}/{service}` by default.",
            examples=("environments/{environment}",),
        ),
        Key(
            "base", BRANCH, "The branch that the cluster follows; everything is planned on its tip.", examples=("main",)
        ),
        Key("versions", VERSIONS, "Which tags are taken, and how they are ordered."),
        Key("registry", REGISTRY, "Where the images are, and what is asked about them; without it nobody is asked."),
        Key("publish", PUBLISH, "How changes reach the base branch."),
        Key("downgrade", DOWNGRADE, "What `release guard` may do when a default turns bad."),
        Key("forge", FORGE, "Where pull requests live."),
        Key("render", RENDER, "How the chart is rendered."),
        Key(
            "environments",
            Table(ENVIRONMENT_NAME, ENVIRONMENT, most=1000),
            "The environments in promotion order, by name. At least one.",
        ),
        Key(
            "services",
            Table(SERVICE_NAME, SERVICE, most=1000),
            "The services of the repository, by name. Each has all environments. Without it there is one service.",
        ),
    ),
)
"""The whole file."""
