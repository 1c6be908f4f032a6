"""The questions to Prometheus that are known: for Istio's metrics, and for kube-state-metrics.

Istio's labels are described at the head of `in_use.py`. Of a call by gRPC `response_code` is that of HTTP, nearly
always 200, and `grpc_response_status` the number of its own status; of one that no pod took, `response_code` is 503;
and 0 where the caller went away before anything was answered: its fault or not, nobody can tell, so it is no failure
here (a server that hangs shows in `latency`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from release_tool.config.health import SERVER_FAULTS

if TYPE_CHECKING:
    from release_tool.config.health import PrometheusCheck

_CODES = {
    # https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
    "CANCELLED": 1, "UNKNOWN": 2, "INVALID_ARGUMENT": 3, "DEADLINE_EXCEEDED": 4, "NOT_FOUND": 5, "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7, "RESOURCE_EXHAUSTED": 8, "FAILED_PRECONDITION": 9, "ABORTED": 10, "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12, "INTERNAL": 13, "UNAVAILABLE": 14, "DATA_LOSS": 15, "UNAUTHENTICATED": 16,
}  # fmt: skip

_TO = (
    'destination_workload_namespace="{namespace}",destination_workload="{workload}",'
    'source_workload!~"{release}(-.+)?-test"{matchers}'
)
_REQUESTS = "istio_requests_total"
_DURATION = "istio_request_duration_milliseconds_bucket"
_AVAILABLE = 'max(kube_deployment_status_replicas_available{namespace="{namespace}",deployment="{workload}"{matchers}})'


def query(check: PrometheusCheck) -> str:
    """The question of a check, with placeholders; `{workload}` is one of the presets alone."""
    return _matched(_query(check), check)


def _matched(text: str, check: PrometheusCheck) -> str:
    return text.replace("{matchers}", f",{check.matchers}" if check.matchers else "")


def _query(check: PrometheusCheck) -> str:
    if not check.preset:
        return check.query
    if check.preset == "available":
        return _AVAILABLE
    if check.preset == "latency":
        rates = f"sum by (reporter, le) (rate({_DURATION}{{{_TO}}}[{{range}}]))"
        return f"histogram_quantile({check.quantile / 100:g}, {rates})"
    statuses = "|".join(str(_CODES[code]) for code in check.codes or SERVER_FAULTS)
    bad = [f'grpc_response_status=~"{statuses}"']
    if check.preset == "error-rate":
        bad.append('response_code=~"5.."')
    every = f"sum by (reporter) ({_counted('', '{range}')})"
    failed = " or ".join(f"({_counted(f',{one}', '{range}')})" for one in bad)
    return f"(sum by (reporter) ({failed}) or 0 * {every}) / {every}"


def samples(check: PrometheusCheck) -> str:
    """The question for the number of calls behind it; empty: they are not counted."""
    if not check.preset:
        return check.samples
    return _matched(f"sum by (reporter) ({_counted('', '{window}')})", check) if by_reporter(check) else ""


def by_reporter(check: PrometheusCheck) -> bool:
    """Whether the answers have a number for each reporter, in place of one."""
    # Each proxy reports by itself: the one of the caller (`reporter="source"`) also sees what never reached a pod, the
    # one of the pod (`destination`) also what callers outside the mesh do.
    return check.preset not in {"", "available"}


def reach(check: PrometheusCheck, part: timedelta) -> timedelta:
    """How far back the question of a preset looks, where `{range}` is `part`."""
    # What a series began with is no look at what the series counted before.
    return part if by_reporter(check) else timedelta(0)


def _counted(more: str, span: str) -> str:
    """What each series counted over a span, with what it began with."""
    # A series begins with its first call, so `increase` doesn't see what the series began with: of many callers that
    # fail once each it would see nothing. So that is added, where nothing was there for an hour before. Should
    # Prometheus itself have been away for longer, all that was ever counted looks new to the points of one range: a
    # quarter of them, which decides nothing.
    series = f"{_REQUESTS}{{{_TO}{more}}}"
    began = f"(min_over_time({series}[{span}]) unless max_over_time({series}[1h] offset {span}))"
    return f"(increase({series}[{span}]) + {began}) or increase({series}[{span}])"


def nothing(check: PrometheusCheck) -> str:
    """What it means that there is no number."""
    if check.preset == "available":
        return "kube-state-metrics knows no such Deployment"
    return "no traffic" if check.preset or check.samples else "no data"
