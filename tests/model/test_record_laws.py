"""Whatever stands in a record, it is read, told and planned on, or refused with our own error."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from hypothesis import strategies as st
from junk_yaml import Change, changed, changes, mappings, text_of
from model_builders import NOW, ground, law, state

from release_tool.checks import record as checks
from release_tool.checks.environment import read_record
from release_tool.commands.history import Entry
from release_tool.config import place_of
from release_tool.errors import ReleaseError
from release_tool.model import archive, history
from release_tool.report.history import history_data, history_text
from release_tool.rules.plan import plan

PLACE = place_of("devel", path="environments/{environment}", branch="release/{environment}")
_AT = "2026-11-23T12:00:00Z"
_CHANGE = {"action": "add", "version": "v5", "tag": "v1.0.5", "reason": "bump"}
GOOD: list[dict[str, Any]] = [
    {"operation": "bump", "arguments": {"tag": "v1.0.5", "pin": True}, "changes": [_CHANGE], "image": "x", "digest": "y"},
    {"operation": "promote", "arguments": {"from": "devel", "of": "default", "version": "v5", "tag": "v1.0.5"},
     "changes": [{**_CHANGE, "action": "set-default", "before": "v4"}], "gates": [{"gate": "a", "verdict": "b", "reason": "c"}]},
    {"operation": "downgrade", "arguments": {"version": "v5", "tag": "v1.0.5", "to": "v4", "to_tag": "v1.0.4", "quarantine": False,
     "since": _AT, "evidence": [{"check": "a", "reason": "b"}]}, "changes": [{**_CHANGE, "action": "quarantine", "since": _AT}]},
    {"operation": "undo", "arguments": {"operation": "0"}, "changes": [], "adopted": [{**_CHANGE, "action": "pin", "until": "2027-01-31"}]},
    {"operation": "cleanup", "arguments": {}, "changes": [{**_CHANGE, "action": "remove", "sweep": True}], "seen": {"a": _AT}},
    {"operation": "pin", "arguments": {"version": "v4", "tag": "v1.0.4", "until": "2027-01-31", "for": "7d"}, "changes": []},
]  # fmt: skip
LINES = [{"schema": 1, "id": str(number), "at": _AT, "by": "ci", "run": "", **one} for number, one in enumerate(GOOD)]
KEYS = sorted({key for one in mappings(LINES) for key in one})
WORDS: list[Any] = [
    *("", "v5", "v4", "v999999999", "v1.0.5", "latest", "add", "remove", "clear", "supersede", "bump", "undo", "0", "\ud800", "\u2028"),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "2027-02-31", "0001-01-01", "9999-12-31"),
    *([], {}, [[]], [{}], {"": []}, 1.5, 1e300, "a" * 129, {"a": "9999-12-31T23:59:59Z"}),
]  # fmt: skip


def use(text: str) -> None:
    """All that is ever asked of a record."""
    text = text.replace("\ud800", "\\ud800")  # which bytes of UTF-8 can't hold, and JSON can spell
    now = datetime(2026, 12, 1, tzinfo=timezone.utc)
    read = read_record(PLACE.history_file, text, {"environments/devel/history/2025.jsonl": text})
    for found in (checks.doubled(read), checks.out_of_order(read), checks.landed(read, read, "abc")):
        list(found)
    if ahead := checks.ahead(read, now)[0]:
        checks.from_the_future(ahead, now)
    base = state("v1.0.4", "v1.0.5")
    lines = history.readable_lines(text)
    history.by_hand(lines, base)
    history.quarantined_now(lines, base)
    history.seen_in_base(lines)
    archive.movable(lines, base, now)
    entries = [Entry(PLACE, line) for line in lines]
    json.dumps(history_data(entries)).encode()
    history_text(entries, 80).encode()
    assert [line.intent for line in history.parse(history.append("", lines), "")] == [line.intent for line in lines]
    with suppress(ReleaseError):
        plan(ground(base, lines=history.parse(text, PLACE.history_file)), (), None)
    with suppress(ReleaseError):
        plan(ground(base), lines, None)


@law(changes(st.sampled_from(WORDS), KEYS), st.text(max_size=3), examples=100)
def test_a_record_is_read_or_refused_with_our_own_error(edits: list[Change], more: str) -> None:
    found = changed({str(number): one for number, one in enumerate(LINES)}, edits)
    use("".join(f"{text_of(one)}{more}\n" for one in found.values()))
    use("".join(f"{text_of(one)}\n" for one in found.values()))


def test_the_record_of_the_law_is_right() -> None:
    text = "".join(f"{json.dumps(one)}\n" for one in LINES)
    assert len(history.parse(text, "")) == len(LINES)
    assert history.parse(text, "")[0].at == NOW
