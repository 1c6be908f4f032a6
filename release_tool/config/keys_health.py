"""The keys of the sections `health` and `downgrade` of `release.yaml`; see config/keys.py."""

from __future__ import annotations

from release_tool.config.kinds import Boolean, Choice, Duration, Key, Listing, Number, Section, Table, Whole
from release_tool.config.records_health import (
    Check,
    CommandCheck,
    Downgrade,
    GrpcCheck,
    Health,
    HttpCheck,
    KubernetesCheck,
    PrometheusCheck,
)
from release_tool.config.texts import PROMETHEUS_URL, TIMEOUT, WINDOW
from release_tool.config.texts_health import (
    ADDRESS,
    ARGUMENT,
    AUTHORITY,
    CA_FILE,
    CHECK_NAME,
    CODE,
    CONTEXT,
    GRPC_METHOD,
    GRPC_SERVICE,
    HEADER,
    HEALTH_PROMQL,
    MATCHERS,
    OBJECT_TEMPLATE,
    PROBE_URL,
    SAMPLES_PROMQL,
)

_SENDS = Key(
    "sends",
    Choice({"name": "its name, `v5`", "tag": "its tag, `v1.0.5`"}),
    "What `header` holds of the version.",
)

_PROMETHEUS = Section(
    record=PrometheusCheck,
    keys=(
        Key("url", PROMETHEUS_URL, "The Prometheus of this check.", otherwise="that of `health.prometheus`"),
        Key(
            "preset",
            Choice(
                {
                    "error-rate": "the share of calls that failed by the server's fault, HTTP or gRPC (Istio)",
                    "grpc-status": "the share of calls that ended with one of `codes` (Istio)",
                    "latency": "the `quantile` of the duration of calls, in milliseconds (Istio)",
                    "available": "how many pods of the Deployment are available (kube-state-metrics)",
                }
            ),
            "A question that is known. Either this or `query` is there.",
            otherwise="none",
        ),
        Key(
            "query",
            HEALTH_PROMQL,
            "A question of your own, in PromQL, that gives one number. `{version}`, `{tag}`, `{environment}`, "
            "`{namespace}`, `{service}`, `{release}`, `{window}` and `{range}` (the range of `rate()`: a part of the "
            "window) are filled in.",
            otherwise="that of the preset",
        ),
        Key("max", Number(), "More than this is bad. One of `max` and `min` is there, or both.", examples=("0.05",)),
        Key("min", Number(), "Less than this is bad.", examples=("1",)),
        Key(
            "samples",
            SAMPLES_PROMQL,
            "PromQL that gives how many calls stand behind the number, for a `query` of your own. Without it calls are "
            "not counted.",
            otherwise="that of the preset",
        ),
        Key(
            "min_samples",
            Whole(1, 1_000_000_000),
            "With fewer calls in the window the verdict is unknown: one failed call of two is no error rate.",
            examples=("50",),
        ),
        Key("quantile", Whole(1, 99), "The quantile of `latency`, in percent.", examples=("95",)),
        Key(
            "codes",
            Listing(CODE, most=16),
            "The gRPC codes that `grpc-status` counts.",
            otherwise="`UNKNOWN`, `DEADLINE_EXCEEDED`, `INTERNAL`, `UNAVAILABLE`, `DATA_LOSS`",
        ),
        Key("window", WINDOW, "How far back it looks.", otherwise="that of `health`"),
        Key(
            "matchers",
            MATCHERS,
            "More matchers of labels for the preset, where one Prometheus knows several clusters: without them the "
            "calls of all clusters count together.",
            examples=("""'cluster="{environment}"'""",),
            otherwise="none",
        ),
    ),
)

_KUBERNETES = Section(
    record=KubernetesCheck,
    keys=(
        Key("context", CONTEXT, "The context of the kubeconfig.", otherwise="the current one, or the cluster around"),
        Key("namespace", OBJECT_TEMPLATE, "The namespace.", otherwise="that of the release"),
        Key(
            "deployment",
            OBJECT_TEMPLATE,
            "The name of the Deployment of a version.",
            examples=("'{release}-{version}'",),
            otherwise="the one that the chart makes",
        ),
        Key(
            "max_restarts",
            Whole(0, 10_000),
            "More restarts of a container than this are a crash loop, where the last was in the window and it isn't "
            "ready again.",
        ),
    ),
)

_GRPC = Section(
    record=GrpcCheck,
    keys=(
        Key("address", ADDRESS, "Whom to call: the gateway.", examples=("engine.example.com:443",)),
        Key("service", GRPC_SERVICE, "The name that `grpc.health.v1` is asked for.", otherwise="the whole server"),
        Key(
            "method",
            GRPC_METHOD,
            "A call in place of `grpc.health.v1`, sent with an empty message. An answer is good, an error bad.",
            examples=("/engine.Engine/Ping",),
            otherwise="`grpc.health.v1`",
        ),
        Key("tls", Boolean(), "Whether TLS is spoken."),
        Key("authority", AUTHORITY, "The host that the gateway routes by.", otherwise="that of `address`"),
        Key("ca", CA_FILE, "A file with the authorities that are trusted.", otherwise="the usual ones"),
        Key("header", HEADER, "The metadata that names the version."),
        Key(
            "answered_by",
            HEADER,
            "The metadata of the answer that names who answered, by name or tag. Another version that answers is bad: "
            "nobody serves this one. `none`: it isn't looked at.",
        ),
        _SENDS,
    ),
)

_HTTP = Section(
    record=HttpCheck,
    keys=(
        Key("url", PROBE_URL, "The address.", examples=("https://engine.example.com/healthz",)),
        Key("status", Whole(200, 599), "The status of a good answer."),
        Key("header", HEADER, "The header that names the version. `none`: the URL names it."),
        Key("answered_by", HEADER, "The header of the answer that names who answered. `none`: it isn't looked at."),
        _SENDS,
    ),
)

_COMMAND = Section(
    record=CommandCheck,
    keys=(
        Key(
            "argv",
            Listing(ARGUMENT, most=100, repeats=True),
            "The program and its arguments; no shell reads them. Status 0 is healthy, 1 unhealthy, anything else "
            "unknown; its first line of output is the reason. Only the base branch's configuration is ever run.",
            examples=("[/opt/probe, '{version}']",),
        ),
    ),
)

CHECK = Section(
    record=Check,
    keys=(
        Key("prometheus", _PROMETHEUS, "A number of Prometheus over a window."),
        Key("kubernetes", _KUBERNETES, "What Kubernetes says of the Deployment."),
        Key("grpc", _GRPC, "A gRPC call that names the version."),
        Key("http", _HTTP, "An HTTP request that names the version."),
        Key("command", _COMMAND, "A program of your own."),
    ),
)

HEALTH = Section(
    record=Health,
    keys=(
        Key(
            "prometheus",
            PROMETHEUS_URL,
            "The Prometheus of the checks that name none. A token is read from the environment variable "
            "`RELEASE_PROMETHEUS_TOKEN`, never from this file.",
            examples=("http://prometheus.monitoring:9090",),
            otherwise="none",
        ),
        Key("window", WINDOW, "How far back Prometheus is asked; a window that isn't full yet gives no verdict."),
        Key(
            "grace",
            Duration(),
            "How long after the landing of its last operation a version is not judged: time to roll out.",
        ),
        Key("failures", Whole(1, 100), "How often a gRPC, HTTP, command or Kubernetes check must fail in a row."),
        Key("interval", Duration(), "The time between two of these."),
        Key("timeout", TIMEOUT, "How long one answer may take."),
        Key("deadline", TIMEOUT, "How long a pass over all versions may take; what isn't known then is unknown."),
        Key(
            "checks",
            Table(CHECK_NAME, CHECK, most=20),
            "The checks by name. A version is unhealthy if one says so, healthy if one says so and none disagrees.",
        ),
    ),
)

_DOWNGRADE_KEYS = (
    Key(
        "publish",
        Choice(
            {
                "pull_request": "a pull request on a branch of its own",
                "direct": "a push to the base branch; where the server refuses it, the pull request",
            }
        ),
        "How a downgrade reaches the base branch.",
        otherwise="as `publish.mode`",
    ),
    Key("auto_merge", Boolean(), "Whether the forge merges that pull request as soon as its rules allow it."),
    Key(
        "max_downgrades",
        Whole(1, 100),
        "After so many downgrades by `release guard` within 24 hours it halts: a person must look.",
    ),
    Key(
        "quarantine_unhealthy",
        Boolean(),
        "Whether an unhealthy live version that isn't the default is quarantined. Its clients then get the default, "
        "which they were not validated with.",
    ),
)

DOWNGRADE = Section(record=Downgrade, keys=_DOWNGRADE_KEYS)
ENVIRONMENT_DOWNGRADE = Section(keys=_DOWNGRADE_KEYS, inherits="downgrade")
