"""Queries of Prometheus as texts: their placeholders, and how far back they look.

Source of the grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from release_tool.model.times import duration_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_STRINGS = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*""", re.DOTALL)
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_OFFSETS = re.compile(r"\boffset\s+(\S[^\s)\[\],]*)", re.IGNORECASE)
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+|[0-9]+(?:\.[0-9]+)?")  # Prometheus 3 takes plain seconds, too
_PART = re.compile(r"([0-9.]+)(ms|[smhdwy]?)")
_UNITS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


class Sample(NamedTuple):
    """The value of one series at one time, which may be NaN or infinite; a scalar has no labels."""

    labels: Mapping[str, str]
    value: float


def reach_of(query: str) -> timedelta | None:
    """How far before its time a query looks at most, once its placeholders are filled in.

    None: a range or an offset is no plain duration, or a fixed time stands behind `@`.
    """
    # The longest range and the longest offset; the range of a subquery (`[10m:1m]`) looks back from where the ranges
    # within the subquery begin, so it is added to them. Where a selector stands without a range, Prometheus takes the
    # last value of up to five minutes: what the series still says, not what it said before.
    text = _STRINGS.sub('""', query)
    if re.search(r"@(?!\s*(?:start|end)\b)", text):
        return None
    ranges = [found.partition(":") for found in _BRACKETS.findall(text)]
    plain = [_span(span) for span, colon, _ in ranges if not colon]
    nested = [_span(span) for span, colon, _ in ranges if colon]
    offsets = [timedelta(0) if word.startswith("-") else _span(word) for word in _OFFSETS.findall(text)]
    known = [[span for span in spans if span is not None] for spans in (plain, nested, offsets)]
    if [len(spans) for spans in known] != [len(plain), len(nested), len(offsets)]:
        return None
    return max(known[0], default=timedelta(0)) + sum(known[1], timedelta(0)) + max(known[2], default=timedelta(0))


def _span(text: str) -> timedelta | None:
    if not _DURATION.fullmatch(text.strip()):
        return None
    seconds = sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text))
    return timedelta(seconds=seconds) if seconds < _UNITS["y"] * 1000 else None


def filled_promql(query: str, texts: Mapping[str, str], spans: Mapping[str, timedelta]) -> str:
    """A query with its placeholders filled in: `texts` stand inside strings of PromQL. Other braces are left alone."""
    values = {key: _escaped(value) for key, value in texts.items()}
    values |= {key: duration_text(span) for key, span in spans.items()}
    # In one pass, so that nothing that was filled in is filled in again.
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), query)


def _escaped(value: str) -> str:
    r"""A value for a PromQL string in either quotes. `\x22` is a quote in both; `\"` would be an error in `'…'`."""
    return re.sub(r"[\\\"'`\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", value)
