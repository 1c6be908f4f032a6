"""Questions to a Prometheus: its HTTP API v1, which Thanos, Mimir and VictoriaMetrics answer too.

Source of the format: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from release_tool.errors import ReleaseError
from release_tool.net.transport import Transport
from release_tool.rules.promql import Sample
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from release_tool.net.secret import Secret

_Read = TypeVar("_Read")

TOKEN_VARIABLE = "RELEASE_PROMETHEUS_TOKEN"  # noqa: S105 (the name of the variable, not what it holds)

_QUERY = "/api/v1/query"
_QUERY_RANGE = "/api/v1/query_range"


class QueryResult(NamedTuple):
    """What a query gave, a sample for each series.

    With warnings the answer may lack something: Thanos, for example, warns when one of its stores did not answer.
    """

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


class Points(NamedTuple):
    """The values of one series over time: Unix time -> value, which may be NaN or infinite; a gap has none."""

    labels: Mapping[str, str]
    values: Mapping[float, float]


class RangeResult(NamedTuple):
    """What a query over time gave; warnings as of `QueryResult`."""

    series: tuple[Points, ...]
    warnings: tuple[str, ...] = ()


class Prometheus:
    """One Prometheus server, or whatever speaks its API, which begins at `url`, without `/api/v1`."""

    def __init__(self, url: str, *, timeout: float, token: Secret | None = None) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._transport = Transport("Prometheus", url, timeout=timeout, token=token, token_from=TOKEN_VARIABLE)

    def __repr__(self) -> str:
        return f"Prometheus({self._transport!r})"

    def close(self) -> None:
        self._transport.close()

    def query(self, expression: str, at: datetime, *, within: float | None = None) -> QueryResult:
        """What PromQL for a vector or a scalar gives at one time, within some seconds if that is less than the timeout.

        Raises:
            TryAgain: Prometheus is down, busy, or too slow.
            ReleaseError: it refuses the expression, asks for a credential, or is no Prometheus.
        """
        return self._asked(_QUERY, {"query": expression, "time": f"{at.timestamp():.3f}"}, _read, within)

    def query_range(
        self, expression: str, start: datetime, end: datetime, step: float, *, within: float | None = None
    ) -> RangeResult:
        """What an expression gives each `step` seconds from `start` to `end`; the rest as of `query`."""
        times = {"start": f"{start.timestamp():.3f}", "end": f"{end.timestamp():.3f}", "step": f"{step:.3f}"}
        return self._asked(_QUERY_RANGE, {"query": expression, **times}, _read_range, within)

    def _asked(self, path: str, form: Mapping[str, str], read: Callable[[bytes], _Read], within: float | None) -> _Read:
        timeout = self._timeout if within is None else min(self._timeout, within)
        form = {**form, "timeout": f"{timeout:.3f}"}
        # POST has no limit for the length of the expression. It changes nothing, so it may be repeated.
        answer = self._transport.send("POST", path, form=form, repeatable=True, explain=_explain, within=within)
        try:
            return read(answer.body)
        except _Garbage as error:
            raise ReleaseError(
                f"the answer is none of Prometheus: {error}",
                where=self._url + path,
                cause=f"the server calls it {phrase(answer.headers.get('Content-Type', 'nothing'))}",
                hint="is it the URL of a Prometheus, and not of a page before it that people log in at?",
            ) from None


class _Garbage(Exception):
    """An answer that is not as the API is described."""


def _read(body: bytes) -> QueryResult:
    answer, data = _data(body)
    kind, result = data.get("resultType"), data.get("result")
    if kind == "scalar":
        return QueryResult((Sample({}, _value(result)),), _warnings(answer))
    if kind != "vector":
        # `matrix` is what a bare range selector gives, `string` what a text in quotes does.
        raise ReleaseError(
            f"the query gives a {phrase(str(kind))}, not one value per series",
            hint="write an expression that gives a vector, for example with increase() around a range",
        )
    if not isinstance(result, list):
        raise _Garbage("its `result` is no list")
    return QueryResult(tuple(_sample(entry) for entry in result), _warnings(answer))


def _read_range(body: bytes) -> RangeResult:
    answer, data = _data(body)
    result = data.get("result")
    if data.get("resultType") != "matrix" or not isinstance(result, list):
        raise _Garbage("it is no matrix")
    return RangeResult(tuple(_points(entry) for entry in result), _warnings(answer))


def _data(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = _mapping(_json(body), "it")
    if answer.get("status") != "success":
        raise _Garbage("it has no status `success`")
    return answer, _mapping(answer.get("data"), "its `data`")


def _points(entry: Any) -> Points:
    entry = _mapping(entry, "a series")
    labels, values = _labels(entry), entry.get("values")
    if not isinstance(values, list):
        raise _Garbage("the `values` of a series are no list")
    return Points(labels, {_time(pair): _value(pair) for pair in values})


def _labels(entry: Mapping[str, Any]) -> Mapping[str, str]:
    if not {"value", "values"} & set(entry) and {"histogram", "histograms"} & set(entry):
        raise ReleaseError(
            "the query gives native histograms, not one value per series",
            hint="write an expression that gives numbers, for example with histogram_count()",
        )
    labels = _mapping(entry.get("metric"), "the `metric` of a series")
    if not all(isinstance(value, str) for value in labels.values()):
        raise _Garbage("a label is no text")
    return labels


def _time(pair: Any) -> float:
    first = pair[0] if isinstance(pair, list) and pair else None
    if isinstance(first, bool) or not isinstance(first, int | float) or not abs(first) < 1e12:  # NaN is not less
        raise _Garbage("a value has no time")
    return float(first)


def _sample(entry: Any) -> Sample:
    entry = _mapping(entry, "a series")
    labels = _labels(entry)
    return Sample(labels, _value(entry.get("value")))


def _value(pair: Any) -> float:
    """The number of `[<unix time>, "<number>"]`; the number is a text, because JSON knows no NaN."""
    if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[1], str):
        raise _Garbage("a value is no pair of a time and a text")
    try:
        return float(pair[1])
    except ValueError:
        raise _Garbage("a value is no number") from None


def _warnings(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The warnings, without the remarks that Prometheus 2.48 to 2.52 put among them and later ones call `infos`."""
    warnings = answer.get("warnings") or []
    if not isinstance(warnings, list):
        raise _Garbage("its `warnings` are no list")
    return tuple(phrase(str(warning)) for warning in warnings if not str(warning).startswith("PromQL info:"))


def _explain(body: bytes) -> str:
    """Prometheus' own words about a query that failed: `bad_data: … parse error: …`."""
    try:
        answer = _mapping(_json(body), "it")
    except _Garbage:
        return ""
    said = (answer.get("errorType"), answer.get("error"))
    return ": ".join(words for words in said if isinstance(words, str) and words)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # ValueError: no JSON, or no UTF-8
        raise _Garbage("it is no JSON") from None


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Garbage(f"{what} is no object")
    return value
