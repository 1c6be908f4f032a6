"""`environments.<name>.health` of `release.yaml`, each key defined once, as in config/sections.py.

Loaded only for a file with that section, and by those who judge health.
"""

# No `from __future__ import annotations` here: what `Annotated` holds is read when the module is loaded.
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, NamedTuple

from release_tool.config.kinds import (
    PLAIN,
    PROMETHEUS_URL,
    TIMEOUT,
    WINDOW,
    Key,
    Listing,
    Rule,
    Table,
    Text,
    Whole,
    section_of,
)

# UNIMPLEMENTED is not among them: one client with a wrong method in it would take the version from everybody
SERVER_FAULTS = ("UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
"""The gRPC codes that are the server's fault."""

_PLACEHOLDERS = "environment|namespace|service|release|version|tag"
_FILLED = Rule(
    r"\{(?!(" + _PLACEHOLDERS + r")\})[^{}]*\}?",
    "%s is no placeholder; possible: {environment}, {namespace}, {service}, {release}, {version}, {tag}",
)
_NO_CREDENTIAL = Rule(r"//[^/?#]*@", "no credential may stand in it")

_CHECK_NAME = Text(
    "the name of a check",
    (*PLAIN, Rule(r"^[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?$", "letters, digits, '-' and '_' make it", wanted=True)),
    longest=40,
)

_PROMQL = Text(
    "a query of Prometheus",
    (
        Rule(r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]", "it holds the control character %s"),
        Rule(r"^[ \t\n]*$", "it is blank"),
        Rule(
            # PromQL's own braces hold matchers (`{a="b"}`), nothing, or a name in quotes; never a word alone
            r"\{(?!(" + _PLACEHOLDERS + r"|window|range)\})[A-Za-z_][A-Za-z0-9_]*\}",
            "%s is no placeholder; possible: {environment}, {namespace}, {service}, {release}, {version}, {tag}, "
            "{window}, {range}",
        ),
        Rule(r"\{(version|tag)\}", "without {version} or {tag} it judges all versions alike", wanted=True),
    ),
    longest=4000,
)
_MATCHER = r"""[a-zA-Z_][a-zA-Z0-9_]*(=|!=|=~|!~)("[^"\\]*"|'[^'\\]*')"""
_MATCHERS = Text(
    "matchers of labels",
    (
        *PLAIN,
        _FILLED,
        Rule(
            f"^{_MATCHER}(, ?{_MATCHER})*$",
            'it must be made of matchers such as cluster="eu", with commas between them',
            wanted=True,
        ),
    ),
    longest=1000,
)

_CODE = Text(
    "a gRPC status code",
    (
        *PLAIN,
        Rule(
            # https://grpc.io/docs/guides/status-codes/
            r"^(CANCELLED|UNKNOWN|INVALID_ARGUMENT|DEADLINE_EXCEEDED|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|"
            r"RESOURCE_EXHAUSTED|FAILED_PRECONDITION|ABORTED|OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS|"
            r"UNAUTHENTICATED)$",
            "it is the name of a code in capitals, such as UNAVAILABLE",
            wanted=True,
        ),
    ),
)

_CONTEXT = Text("a context of the kubeconfig", PLAIN)
_OBJECT_TEMPLATE = Text(
    "the name of a Kubernetes object, with placeholders",
    (
        *PLAIN,
        _FILLED,
        Rule(r"^([a-z0-9.-]|\{[a-z]+\})+$", "it must be made of a-z, 0-9, '-', '.' and placeholders", wanted=True),
    ),
)
_OF_ENVIRONMENT = Text(
    "the name of a Kubernetes object, with placeholders",
    (
        *PLAIN,
        Rule(
            r"\{(?!(environment|namespace|service|release)\})[^{}]*\}?",
            "%s is no placeholder; possible: {environment}, {namespace}, {service}, {release}",
        ),
        Rule(r"^([a-z0-9.-]|\{[a-z]+\})+$", "it must be made of a-z, 0-9, '-', '.' and placeholders", wanted=True),
    ),
)
_ADDRESS = Text(
    "host:port",
    (
        *PLAIN,
        _FILLED,
        Rule(r"//|@", "write the host and the port alone, without %s"),
        Rule(r"^([-A-Za-z0-9._]|\{[a-z]+\}|\[[0-9A-Fa-f:.]+\])+:[0-9]{1,5}$", "it must be host:port", wanted=True),
    ),
)
_AUTHORITY = Text(
    "a host name", (*PLAIN, _FILLED, Rule(r"^([-A-Za-z0-9._:]|\{[a-z]+\})+$", "it must be a host name", wanted=True))
)
_CA_FILE = Text("a file with certificates", PLAIN, longest=1000)
_GRPC_SERVICE = Text("the name of a gRPC service", (*PLAIN, Rule(r"/", "write it without '/'")))
_GRPC_METHOD = Text(
    "a gRPC method as /package.Service/Method",
    (*PLAIN, Rule(r"^/[A-Za-z0-9_.]+/[A-Za-z0-9_]+$", "it must look like /package.Service/Method", wanted=True)),
)
_HEADER = Text(
    "the name of a header",
    (*PLAIN, Rule(r"^[a-z0-9_.-]+$", "it must be made of a-z, 0-9, '-', '_' and '.'", wanted=True)),
)
_PROBE_URL = Text(
    "an http:// or https:// URL",
    (
        *PLAIN,
        _FILLED,
        _NO_CREDENTIAL,
        Rule(r"^https?://", "it must begin with http:// or https://", wanted=True),
        Rule(r"^[!-~]*$", "it holds a blank, or letters that a URL can't hold", wanted=True),
    ),
    longest=1000,
)
_ARGUMENT = Text(
    "an argument of a program", (Rule(r"[\u0000]", "it holds the control character %s"), _FILLED), longest=1000
)

_SENDS = Key("What `header` holds of the version.", {"name": "its name, `v5`", "tag": "its tag, `v1.0.5`"})


class PrometheusCheck(NamedTuple):
    """A number that Prometheus knows of a version, over a window, with a bound."""

    url: Annotated[
        str, Key("The Prometheus of this check.", PROMETHEUS_URL, otherwise="that of `health.prometheus`")
    ] = ""
    preset: Annotated[
        Literal["", "error-rate", "grpc-status", "latency", "available"],
        Key(
            "A question that is known. Either this or `query` is there.",
            {
                "error-rate": "the share of calls that failed by the server's fault, HTTP or gRPC (Istio)",
                "grpc-status": "the share of calls that ended with one of `codes` (Istio)",
                "latency": "the `quantile` of the duration of calls, in milliseconds (Istio)",
                "available": "how many pods of the Deployment are available (kube-state-metrics)",
            },
            otherwise="none",
        ),
    ] = ""
    query: Annotated[
        str,
        Key(
            "A question of your own, in PromQL, that gives one number. `{version}`, `{tag}`, `{environment}`, "
            "`{namespace}`, `{service}`, `{release}`, `{window}` and `{range}` (the range of `rate()`: a part of the "
            "window) are filled in.",
            _PROMQL,
            otherwise="that of the preset",
        ),
    ] = ""
    max: Annotated[
        float | None, Key("More than this is bad. One of `max` and `min` is there, or both.", example="0.05")
    ] = None
    min: Annotated[float | None, Key("Less than this is bad.", example="1")] = None
    samples: Annotated[
        str,
        Key(
            "PromQL that gives how many calls stand behind the number, for a `query` of your own. Without it calls are "
            "not counted.",
            _PROMQL,
            otherwise="that of the preset",
        ),
    ] = ""
    min_samples: Annotated[
        int,
        Key(
            "With fewer calls in the window the verdict is unknown: one failed call of two is no error rate.",
            Whole(1, 1_000_000_000),
            example="50",
        ),
    ] = 50
    quantile: Annotated[int, Key("The quantile of `latency`, in percent.", Whole(1, 99), example="95")] = 95
    codes: Annotated[
        tuple[str, ...],
        Key(
            "The gRPC codes that `grpc-status` counts.",
            Listing(_CODE, most=16),
            otherwise=", ".join(f"`{code}`" for code in SERVER_FAULTS),
        ),
    ] = ()
    window: Annotated[timedelta | None, Key("How far back it looks.", WINDOW, otherwise="that of `health`")] = None
    matchers: Annotated[
        str,
        Key(
            "More matchers of labels for the preset, where one Prometheus knows several clusters: without them the "
            "calls of all clusters count together.",
            _MATCHERS,
            example="""'cluster="{environment}"'""",
            otherwise="none",
        ),
    ] = ""


class KubernetesCheck(NamedTuple):
    """What Kubernetes says of the Deployment of a version and of its pods."""

    context: Annotated[
        str, Key("The context of the kubeconfig.", _CONTEXT, otherwise="the current one, or the cluster around")
    ] = ""
    namespace: Annotated[str, Key("The namespace.", _OBJECT_TEMPLATE, otherwise="that of the release")] = ""
    deployment: Annotated[
        str,
        Key(
            "The name of the Deployment of a version.",
            _OBJECT_TEMPLATE,
            example="'{release}-{version}'",
            otherwise="the one that the chart makes",
        ),
    ] = ""
    max_restarts: Annotated[
        int,
        Key(
            "More restarts of a container than this are a crash loop, where the last was in the window and it isn't "
            "ready again.",
            Whole(0, 10_000),
        ),
    ] = 3


class GrpcCheck(NamedTuple):
    """A call through the gateway that names the version."""

    address: Annotated[str, Key("Whom to call: the gateway.", _ADDRESS, example="engine.example.com:443")]
    service: Annotated[
        str, Key("The name that `grpc.health.v1` is asked for.", _GRPC_SERVICE, otherwise="the whole server")
    ] = ""
    method: Annotated[
        str,
        Key(
            "A call in place of `grpc.health.v1`, sent with an empty message. An answer is good, an error bad.",
            _GRPC_METHOD,
            example="/engine.Engine/Ping",
            otherwise="`grpc.health.v1`",
        ),
    ] = ""
    tls: Annotated[bool, Key("Whether TLS is spoken.")] = True
    # also the name that the server must prove
    authority: Annotated[
        str, Key("The host that the gateway routes by.", _AUTHORITY, otherwise="that of `address`")
    ] = ""
    ca: Annotated[str, Key("A file with the authorities that are trusted.", _CA_FILE, otherwise="the usual ones")] = ""
    header: Annotated[str, Key("The metadata that names the version.", _HEADER)] = "grpcsvc"
    answered_by: Annotated[
        str,
        Key(
            "The metadata of the answer that names who answered, by name or tag. Another version that answers is bad: "
            "nobody serves this one. `none`: it isn't looked at.",
            _HEADER,
        ),
    ] = "grpcsvc"
    sends: Annotated[Literal["name", "tag"], _SENDS] = "name"


class HttpCheck(NamedTuple):
    """A request that names the version."""

    url: Annotated[str, Key("The address.", _PROBE_URL, example="https://engine.example.com/healthz")]
    status: Annotated[int, Key("The status of a good answer.", Whole(200, 599))] = 200
    header: Annotated[str, Key("The header that names the version. `none`: the URL names it.", _HEADER)] = "grpcsvc"
    answered_by: Annotated[
        str, Key("The header of the answer that names who answered. `none`: it isn't looked at.", _HEADER)
    ] = "grpcsvc"
    sends: Annotated[Literal["name", "tag"], _SENDS] = "name"


class CommandCheck(NamedTuple):
    """A program of the repository's owners."""

    argv: Annotated[
        tuple[str, ...],
        Key(
            "The program and its arguments; no shell reads them. Status 0 is healthy, 1 unhealthy, anything else "
            "unknown; its first line of output is the reason. Only the base branch's configuration is ever run.",
            Listing(_ARGUMENT, most=100, repeats=True),
            example="[/opt/probe, '{version}']",
        ),
    ]


class Check(NamedTuple):
    """One entry of `health.checks`: exactly one of these kinds stands."""

    prometheus: Annotated[
        PrometheusCheck | None, Key("A number of Prometheus over a window.", section_of(PrometheusCheck))
    ] = None
    kubernetes: Annotated[
        KubernetesCheck | None, Key("What Kubernetes says of the Deployment.", section_of(KubernetesCheck))
    ] = None
    grpc: Annotated[GrpcCheck | None, Key("A gRPC call that names the version.", section_of(GrpcCheck))] = None
    http: Annotated[HttpCheck | None, Key("An HTTP request that names the version.", section_of(HttpCheck))] = None
    command: Annotated[CommandCheck | None, Key("A program of your own.", section_of(CommandCheck))] = None

    @property
    def kind(self) -> str:
        """The word of its kind."""
        return next((name for name, value in zip(self._fields, self, strict=True) if value is not None), "")


class ArgoCdDelivery(NamedTuple):
    """The Application of Argo CD that applies an environment."""

    application: Annotated[
        str, Key("The name of the Application.", _OF_ENVIRONMENT, example="'{release}-{environment}'")
    ]
    namespace: Annotated[str, Key("The namespace of the Application.", _OF_ENVIRONMENT)] = "argocd"
    context: Annotated[
        str,
        Key(
            "The context of the kubeconfig: the cluster that Argo CD runs in.",
            _CONTEXT,
            otherwise="the current one, or the cluster around",
        ),
    ] = ""


class FluxDelivery(NamedTuple):
    """The object of Flux that applies an environment."""

    helm_release: Annotated[
        str,
        Key(
            "The name of the HelmRelease, whose chart comes from the GitRepository of this repository with "
            "`reconcileStrategy: Revision`. Either this or `kustomization` is there.",
            _OF_ENVIRONMENT,
            example="'{release}-{environment}'",
            otherwise="none",
        ),
    ] = ""
    kustomization: Annotated[
        str, Key("The name of the Kustomization, where one applies the manifests.", _OF_ENVIRONMENT, otherwise="none")
    ] = ""
    namespace: Annotated[str, Key("The namespace of that object.", _OF_ENVIRONMENT)] = "flux-system"
    context: Annotated[
        str, Key("The context of the kubeconfig.", _CONTEXT, otherwise="the current one, or the cluster around")
    ] = ""


class Health(NamedTuple):
    """`health` of an environment: how the health of its versions is judged, and what tells that Git is applied."""

    checks: Annotated[
        Mapping[str, Check],
        Key(
            "The checks by name. A version is unhealthy if one says so, healthy if one says so and none disagrees.",
            Table(_CHECK_NAME, section_of(Check), most=20),
            last=True,
        ),
    ] = {}
    argocd: Annotated[
        ArgoCdDelivery | None,
        Key(
            "The Application of Argo CD that applies this environment. A retired version is then removed only once "
            "its retirement is known to be applied; `drain`, `soak` and `grace` count from when it was; and what "
            "Argo CD says of the version's health counts as one more check, `argocd`.",
            section_of(ArgoCdDelivery),
        ),
    ] = None
    flux: Annotated[
        FluxDelivery | None,
        Key(
            "The same for Flux, which tells what is applied, and nothing about health.",
            section_of(FluxDelivery),
        ),
    ] = None
    prometheus: Annotated[
        str,
        Key(
            "The Prometheus of the checks that name none. A token is read from the environment variable "
            "`RELEASE_PROMETHEUS_TOKEN`, never from this file.",
            PROMETHEUS_URL,
            example="http://prometheus.monitoring:9090",
            otherwise="none",
        ),
    ] = ""
    window: Annotated[
        timedelta, Key("How far back Prometheus is asked; a window that isn't full yet gives no verdict.", WINDOW)
    ] = timedelta(minutes=10)
    grace: Annotated[
        timedelta, Key("How long after the landing of its last operation a version is not judged: time to roll out.")
    ] = timedelta(minutes=5)
    failures: Annotated[
        int, Key("How often a gRPC, HTTP, command or Kubernetes check must fail in a row.", Whole(1, 100))
    ] = 3
    interval: Annotated[timedelta, Key("The time between two of these.")] = timedelta(seconds=10)
    timeout: Annotated[timedelta, Key("How long one answer may take.", TIMEOUT)] = timedelta(seconds=10)
    deadline: Annotated[
        timedelta, Key("How long a pass over all versions may take; what isn't known then is unknown.", TIMEOUT)
    ] = timedelta(minutes=1)

    @property
    def delivered_by(self) -> str:
        """The delivery tool that tells what is applied, by its key; empty: nobody is asked."""
        return "argocd" if self.argocd is not None else "flux" if self.flux is not None else ""

    @property
    def judges(self) -> bool:
        """Whether anybody is asked about health."""
        return bool(self.checks) or self.argocd is not None


HEALTH = section_of(Health)
