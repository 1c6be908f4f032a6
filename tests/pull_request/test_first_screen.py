"""The first screen as a reader sees it: GitHub's parser and style, in a real browser."""

from __future__ import annotations

import github_page
import pytest
from github_page import PHONE, WIDE
from test_compose import CASES

from release_tool.pull_request import compose

HEIGHTS = {WIDE: 600, PHONE: 844}
"""CSS pixels within which the first screen ends, with the title: of a small laptop's window and of a phone."""

MEASURED = """[...document.querySelectorAll('main')].map(one => ({
    end: one.querySelector('details').getBoundingClientRect().top - one.getBoundingClientRect().top,
    wide: Math.max(...[...one.querySelectorAll('article > *')].map(part => part.scrollWidth)) + 2 * 17,
    alerts: [...one.querySelectorAll('.markdown-alert-title')].map(part => part.textContent),
    raw: one.textContent.includes('[!') || one.textContent.includes('<details>'),
}))"""


@pytest.mark.slow
@pytest.mark.skipif(bool(github_page.missing()), reason=github_page.missing())
def test_the_first_screen_ends_within_a_screen_of_a_laptop_and_of_a_phone() -> None:
    texts = {case: compose.pull_request(made()) for case, made in CASES.items()}
    shown = [(case, width) for case in CASES for width in HEIGHTS]
    parts = [github_page.shown(texts[case].body, texts[case].title, width) for case, width in shown]
    for (case, width), found in zip(shown, github_page.measured(github_page.page(*parts), MEASURED), strict=True):
        assert found["end"] <= HEIGHTS[width], (case, width)
        assert found["wide"] <= width, f"{case}: nothing of the first screen is wider than the page"
        assert found["alerts"] == (["Warning"] if "[!WARNING]" in texts[case].body else []), case
        assert not found["raw"], case
