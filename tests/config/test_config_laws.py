"""Whatever a configuration holds, it is read or refused with our own error, and what is read can be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from junk_yaml import Change, changed, changes, mappings, text_of
from model_builders import law

from release_tool.checks import health
from release_tool.config import CONFIG, ConfigError
from release_tool.config.kinds import sections
from release_tool.config.reader import load
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse

HERE = Path(__file__).parent
GOOD = [to_data(parse((HERE / "good" / f"{name}.yaml").read_text("utf-8"))) for name in ("everything", "services")]
KEYS = sorted({"", *(key for _, part in sections("", CONFIG) for key in part.keys)})
WORDS = [
    "",
    "v",
    "x" * 51,
    "{version}",
    "a:1",
    "http://a/{tag}",
    "1d",
    "0s",
    "devel",
    "off",
    "(a+)+",
    "(?P<version>.+)",
    "up{a='{version}'}",
    "\u2028",
    "\ud800",
]


def read(text: str) -> None:
    """Read it, and use what is read; or be refused."""
    try:
        config = load(text)
    except ConfigError as error:
        refused = error
    else:
        for view in config.views():
            assert view.entry.promote_from is None
            assert [place.environment for place in view.places()] == list(view.environments)
            view.versions.allows("v1.0.1")
        list(health.wrong(config, text, "release.yaml"))
        list(health.doubtful(config, text, "release.yaml"))
        return
    assert all(problem.what and problem.line >= 1 and problem.column >= 1 for problem in refused.problems)
    assert max(map(len, str(refused).splitlines())) < 600


@law(st.sampled_from(GOOD), changes(st.sampled_from(WORDS), KEYS), examples=100)
def test_a_configuration_is_read_or_refused_with_our_own_error(data: Any, edits: list[Change]) -> None:
    read(text_of(changed(data, edits)))


@pytest.mark.parametrize("action", ["drop", "misspell"])
def test_a_key_that_is_forgotten_or_misspelt_is_read_or_refused_with_our_own_error(action: str) -> None:
    for data in GOOD:
        load(text_of(data))
        for which, one in enumerate(found := mappings(data)):
            for number in range(len(one)):
                read(text_of(changed(data, [(number * len(found) + which, action, None, "")])))
