"""A release is refused where its tag, its charts or its notes don't fit."""

from __future__ import annotations

import pytest

import release_tool
from distribution import versions

LOG = """\
# Changelog

## [Unreleased]

- Later.

## [0.1.0] - 2026-12-24

### Added

- `release init`.

## [0.0.9] - 2026-01-01

"""


def test_the_notes_are_the_section_of_the_version() -> None:
    assert versions.notes("v0.1.0", LOG) == "### Added\n\n- `release init`."
    assert versions.notes("v0.0.9", LOG) == versions.notes("v0.1.1", LOG) == ""


@pytest.mark.parametrize(
    ("tag", "changelog", "said"),
    [
        ("v0.1.0", LOG, ""),
        ("v0.1", LOG, "v0.1 is no tag of a release"),
        ("v0.1.0rc1", LOG, "is no tag of a release"),
        ("v0.0.9", LOG, "the tag is v0.0.9, and release_tool/__init__.py says 0.1.0"),
        ("v0.1.0", "## [Unreleased]\n", "CHANGELOG.md has no section `## [0.1.0] - DATE`"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused(
    tag: str, changelog: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_tool, "__version__", "0.1.0")
    problems = versions.wrong(tag, changelog)
    assert bool(problems) == bool(said)
    assert any(said in one for one in problems) or not said


def test_the_charts_of_the_repository_have_one_version() -> None:
    chart, library = map(versions.about, versions.CHARTS)
    assert versions.wrong_charts(chart, library) == []
    for other in ({**library, "version": "9.9.9"}, {**library, "name": "another"}):
        (said,) = versions.wrong_charts(chart, other)
        assert "give both charts and the dependency one version" in said
