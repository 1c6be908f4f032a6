"""Questions to a Prometheus: its HTTP API v1, which Thanos, Mimir and VictoriaMetrics answer too.

Source of the format: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.outside import one_line
from release_tool.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from release_tool.outside import Secret

TOKEN_VARIABLE = "RELEASE_PROMETHEUS_TOKEN"  # noqa: S105 (the name of the variable, not what it holds)
"""The environment variable that a token is read from."""

_QUERY = "/api/v1/query"


class Sample(NamedTuple):
    """The value of one series at one time.

    Attributes:
        labels: its labels; none for a scalar.
        value: its value; may be NaN or infinite.
    """

    labels: Mapping[str, str]
    value: float


class Answer(NamedTuple):
    """What a query gave.

    Attributes:
        samples: one per series, in the order of the answer.
        warnings: what Prometheus warns of, in its words: the answer may lack something then. Thanos says so, for
            example, when one of its stores did not answer.
    """

    samples: tuple[Sample, ...]
    warnings: tuple[str, ...] = ()


class Prometheus:
    """One Prometheus server, or whatever speaks its API.

    Args:
        url: where its API begins, without `/api/v1`; without a credential.
        timeout: seconds that one answer may take.
        token: sent as `Authorization: Bearer`; None: nothing is sent.
    """

    def __init__(self, url: str, *, timeout: float, token: Secret | None = None) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._transport = Transport("Prometheus", url, timeout=timeout, token=token, token_from=TOKEN_VARIABLE)

    def __repr__(self) -> str:
        return f"Prometheus({self._transport!r})"

    def close(self) -> None:
        """Closes the connections that are kept open."""
        self._transport.close()

    def query(self, expression: str, at: datetime) -> Answer:
        """What an expression gives at one time.

        Args:
            expression: PromQL that gives a vector or a scalar.
            at: the time, with its zone.

        Raises:
            TryAgain: Prometheus is down, busy, or too slow.
            ReleaseError: it refuses the expression, asks for a credential, or is no Prometheus.
        """
        # POST has no limit for the length of the expression. It changes nothing, so it may be repeated.
        form = {"query": expression, "time": f"{at.timestamp():.3f}", "timeout": f"{self._timeout:.3f}"}
        answer = self._transport.send("POST", _QUERY, form=form, repeatable=True, explain=_explain)
        try:
            return _read(answer.body)
        except _Garbage as error:
            raise ReleaseError(
                f"the answer is none of Prometheus: {error}",
                where=self._url + _QUERY,
                cause=f"the server calls it {one_line(answer.headers.get('Content-Type', 'nothing'))}",
                hint="is it the URL of a Prometheus, and not of a page before it that people log in at?",
            ) from None


class _Garbage(Exception):
    """An answer that is not as the API is described."""


def _read(body: bytes) -> Answer:
    answer = _mapping(_json(body), "it")
    if answer.get("status") != "success":
        raise _Garbage("it has no status `success`")
    data = _mapping(answer.get("data"), "its `data`")
    kind, result = data.get("resultType"), data.get("result")
    if kind == "scalar":
        return Answer((Sample({}, _value(result)),), _warnings(answer))
    if kind != "vector":
        # `matrix` is what a bare range selector gives, `string` what a text in quotes does.
        raise ReleaseError(
            f"the query gives a {one_line(str(kind))}, not one value per series",
            hint="write an expression that gives a vector, for example with increase() around a range",
        )
    if not isinstance(result, list):
        raise _Garbage("its `result` is no list")
    return Answer(tuple(_sample(entry) for entry in result), _warnings(answer))


def _sample(entry: Any) -> Sample:
    entry = _mapping(entry, "a series")
    if "value" not in entry and "histogram" in entry:
        raise ReleaseError(
            "the query gives native histograms, not one value per series",
            hint="write an expression that gives numbers, for example with histogram_count()",
        )
    labels = _mapping(entry.get("metric"), "the `metric` of a series")
    if not all(isinstance(value, str) for value in labels.values()):
        raise _Garbage("a label is no text")
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
    return tuple(one_line(str(warning)) for warning in warnings if not str(warning).startswith("PromQL info:"))


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
