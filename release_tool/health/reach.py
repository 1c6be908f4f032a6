"""How far back a query of Prometheus looks, as far as its text shows. Pure.

Source of the grammar: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

import re
from datetime import timedelta

_STRINGS = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*""", re.DOTALL)
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_OFFSETS = re.compile(r"\boffset\s+(\S[^\s)\[\],]*)", re.IGNORECASE)
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+|[0-9]+(?:\.[0-9]+)?")  # Prometheus 3 takes plain seconds, too
_PART = re.compile(r"([0-9.]+)(ms|[smhdwy]?)")
_UNITS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


def reach_of(query: str) -> timedelta | None:
    """How far before the time that it is asked for a query looks, at most.

    That is its longest range and its longest offset; the range of a subquery (`[10m:1m]`) looks back from where the
    ranges within it begin, so it is added to them. Where a selector stands without a range, Prometheus takes the last
    value of up to five minutes: it is what the series still says, not what it said before.

    Args:
        query: PromQL whose placeholders are filled in.

    Returns:
        The span; None: it can't be told, since a range or an offset is no plain duration, or a fixed time stands
        behind `@`.
    """
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
