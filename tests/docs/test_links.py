"""Every link of every page leads somewhere, on a forge and in the site: to a file, and to a heading that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from documentation.links import ROOT, anchors, for_site, links

PAGES = [path for folder in (ROOT, ROOT / "docs", ROOT / "examples", ROOT / "charts") for path in folder.rglob("*.md")
         if folder != ROOT or path.parent == ROOT]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in links(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        if ":" not in path:
            wanted = page.parent / path if path else page
            assert wanted.exists(), f"{page.name} links to {target}"
            if anchor:
                assert anchors(wanted.read_text("utf-8")).count(anchor) == 1, f"{page.name} links to {target}"


def test_links_in_code_are_none_and_links_with_code_are_some() -> None:
    text = "[`a`](a.md), `[b](b.md)`\n\n```\n[c](c.md)\n```\n\n| ``x | [d](d.md)`` | [e](e.md#e) |\n"
    assert links(text) == ["a.md", "e.md#e"]


def test_anchors_are_those_of_the_forge() -> None:
    text = '# A "no" holds\n```sh\n# no heading\n```\n## `release init`: [how](x.md)\n### What\'s_so, v1.2?\n'
    assert anchors(text) == ["a-no-holds", "release-init-how", "whats_so-v12"]


def test_a_link_leads_to_the_page_to_the_repository_or_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[a](../reference/configuration.md#rules) [b](../../CONTRIBUTING.md) [c](../../charts) ![d](routing.svg) [e](#e)"
    here = "docs/explanation/concepts.md"
    assert for_site(text, here) == (
        "[a](../reference/configuration.md#rules) [b](../project/contributing.md) c ![d](routing.svg) [e](#e)"
    )
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://git.example.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/tool")
    monkeypatch.setenv("GITHUB_SHA", "c0ffee")
    assert "[c](https://git.example.com/team/tool/tree/c0ffee/charts)" in for_site(text, here)
    assert for_site("[x](docs/explanation/concepts.md#words) [y](action.yml)", "README.md") == (
        "[x](../explanation/concepts.md#words) [y](https://git.example.com/team/tool/blob/c0ffee/action.yml)"
    )


def test_a_picture_in_html_is_found_from_the_page_of_the_site() -> None:
    text = '<img src="docs/images/x.svg"> <a href="https://example.com">y</a> `src="z"`'
    assert links(text) == ["docs/images/x.svg", "https://example.com"]
    assert for_site(text, "README.md") == text.replace("docs/images", "../../images")
    assert 'src="images/x.svg"' in for_site('<img src="images/x.svg">', "docs/index.md")
    assert 'src="../../images/x.svg"' in for_site('<img src="../images/x.svg">', "docs/explanation/routing.md")
