"""The sections `health` and `downgrade` of `release.yaml` as frozen records. Their defaults are those of the file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Preset = Literal["", "error-rate", "grpc-status", "latency", "available"]

SERVER_FAULTS = ("UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
"""The gRPC codes that are the server's fault. UNIMPLEMENTED is not among them: one client with a wrong method in it
would take the version from everybody."""


class PrometheusCheck(NamedTuple):
    """A number that Prometheus knows of a version, over a window, with a bound.

    Attributes:
        url: the Prometheus to ask; empty: that of `health`.
        preset: a question that is known for Istio, or for kube-state-metrics; empty: `query` is asked.
        query: PromQL that gives one number, with placeholders; empty: that of the preset.
        samples: PromQL that gives how many calls the number is made of; empty: that of the preset, if it has one.
        min_samples: with fewer calls in the window the verdict is unknown.
        max: what is above it is bad; None: nothing is too much.
        min: what is below it is bad; None: nothing is too little.
        quantile: the quantile of the preset `latency`, in percent.
        codes: the gRPC codes that the preset `grpc-status` counts as bad; empty: `SERVER_FAULTS`.
        window: how far back it looks; None: the window of `health`.
        matchers: more matchers of labels for the preset, with placeholders: one Prometheus may know several clusters.
    """

    url: str = ""
    preset: Preset = ""
    query: str = ""
    samples: str = ""
    min_samples: int = 50
    max: float | None = None
    min: float | None = None
    quantile: int = 95
    codes: tuple[str, ...] = ()
    window: timedelta | None = None
    matchers: str = ""


class KubernetesCheck(NamedTuple):
    """What Kubernetes says of the Deployment of a version and of its pods.

    Attributes:
        context: the context of the kubeconfig; empty: its current one, or the cluster that the tool runs in.
        namespace: template of the namespace; empty: the namespace of the release.
        deployment: template of the name of the Deployment; empty: the one that the chart makes.
        max_restarts: so many restarts of a container are no crash loop; more are, where the last was in the window and
            it isn't ready again.
    """

    context: str = ""
    namespace: str = ""
    deployment: str = ""
    max_restarts: int = 3


class GrpcCheck(NamedTuple):
    """A call through the gateway that names the version.

    Attributes:
        address: `host:port`, with placeholders.
        service: the name that `grpc.health.v1.Health/Check` is asked for; empty: the whole server.
        method: a call of one's own in place of it, `/package.Service/Method`, sent with an empty message; any answer
            is good, an error is bad.
        tls: whether TLS is spoken.
        authority: the name that the server must prove, and that the gateway routes by; empty: that of the address.
        ca: file with the authorities that are trusted; empty: the usual ones.
        header: the metadata that names the version.
        answered_by: the metadata of the answer that names who answered; a version that answers for another is bad.
            `none`: nobody says it, and nothing is verified.
        sends: what `header` holds: the name of the version, or its tag.
    """

    address: str
    service: str = ""
    method: str = ""
    tls: bool = True
    authority: str = ""
    ca: str = ""
    header: str = "grpcsvc"
    answered_by: str = "grpcsvc"
    sends: Literal["name", "tag"] = "name"


class HttpCheck(NamedTuple):
    """A request that names the version.

    Attributes:
        url: the address, with placeholders.
        status: the status of a good answer.
        header: the header that names the version; `none`: the URL names it.
        answered_by: the header of the answer that names who answered; `none`: nothing is verified.
        sends: what `header` holds: the name of the version, or its tag.
    """

    url: str
    status: int = 200
    header: str = "grpcsvc"
    answered_by: str = "grpcsvc"
    sends: Literal["name", "tag"] = "name"


class CommandCheck(NamedTuple):
    """A program of the repository's owners: exit status 0 is healthy, 1 unhealthy, anything else unknown.

    Attributes:
        argv: the program and its arguments, with placeholders; no shell reads them.
    """

    argv: tuple[str, ...]


class Check(NamedTuple):
    """One entry of `health.checks`: exactly one of these kinds stands."""

    prometheus: PrometheusCheck | None = None
    kubernetes: KubernetesCheck | None = None
    grpc: GrpcCheck | None = None
    http: HttpCheck | None = None
    command: CommandCheck | None = None

    @property
    def kind(self) -> str:
        """The word of its kind."""
        return next((name for name, value in zip(self._fields, self, strict=True) if value is not None), "")


class Health(NamedTuple):
    """`health` of an environment: how the health of its versions is judged.

    Attributes:
        checks: name -> check.
        prometheus: URL of the Prometheus of those checks that name none; never with a credential.
        window: how far back Prometheus is asked; it must be full before a verdict is given.
        grace: how long after the landing of its last operation a version is not judged.
        failures: how often in a row a point check (gRPC, HTTP, command, Kubernetes) must fail.
        interval: the time between two of these.
        timeout: how long one answer may take.
        deadline: how long a whole pass may take; what isn't known then is unknown.
    """

    checks: Mapping[str, Check]
    prometheus: str = ""
    window: timedelta = timedelta(minutes=10)
    grace: timedelta = timedelta(minutes=5)
    failures: int = 3
    interval: timedelta = timedelta(seconds=10)
    timeout: timedelta = timedelta(seconds=10)
    deadline: timedelta = timedelta(minutes=1)


class Downgrade(NamedTuple):
    """`downgrade`: what `release guard` may do, and how a downgrade reaches the base branch.

    Attributes:
        publish: by a pull request of its own, or by a push to the base; empty: as `publish.mode`.
        auto_merge: whether that pull request is merged by the forge as soon as its rules allow it.
        max_downgrades: after so many downgrades by `release guard` within a day it halts.
        quarantine_unhealthy: whether an unhealthy live version that isn't the default is quarantined.
    """

    publish: Literal["", "pull_request", "direct"] = ""
    auto_merge: bool = True
    max_downgrades: int = 2
    quarantine_unhealthy: bool = False
