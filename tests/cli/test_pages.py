"""Errors say where a page explains more, and that page is there."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, PathDistribution
from pathlib import Path

import pytest
from world import World

from documentation import errors
from documentation.links import ROOT, anchors
from release_tool.cli import pages

PAGE = "reference/record.md#the-clock"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The metadata of an installed distribution, to be written by a test."""
    (tmp_path / "METADATA").write_text("Metadata-Version: 2.4\nName: gitops-release\nVersion: 0.1.0\n")
    monkeypatch.setattr(pages, "distribution", lambda _: PathDistribution(tmp_path))
    return tmp_path


def from_git(installed: Path, url: str) -> None:
    origin = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    (installed / "direct_url.json").write_text(json.dumps(origin))


def test_a_distribution_with_a_site_names_the_page_there(installed: Path) -> None:
    with (installed / "METADATA").open("a") as file:
        file.write("Project-URL: Documentation, https://team.example.com/tool/\n")
    assert pages.page_address(PAGE) == "https://team.example.com/tool/reference/record/#the-clock"
    assert pages.page_address("index.md") == "https://team.example.com/tool/"


def test_a_distribution_whose_pages_stand_at_a_forge_names_the_file_there(installed: Path) -> None:
    with (installed / "METADATA").open("a") as file:
        file.write("Project-URL: Documentation, https://github.example.com/team/tool/tree/main/docs\n")
    there = "https://github.example.com/team/tool/blob/main/docs"
    assert pages.page_address(PAGE) == f"{there}/reference/record.md#the-clock"


@pytest.mark.parametrize("url", ["https://github.com/team/tool", "https://github.example.com/team/tool.git"])
def test_what_was_installed_from_a_github_names_the_page_of_that_commit(installed: Path, url: str) -> None:
    from_git(installed, url)
    tree = f"{url.removesuffix('.git')}/blob/c0ffee"
    assert pages.page_address(PAGE) == f"{tree}/docs/reference/record.md#the-clock"


@pytest.mark.parametrize("url", ["https://git.example.com/team/tool", "ssh://git@github.com/team/tool", "/srv/tool"])
def test_elsewhere_the_path_in_the_repository_has_to_do(installed: Path, url: str) -> None:
    from_git(installed, url)
    assert pages.page_address(PAGE) == "docs/reference/record.md#the-clock in the repository of release"


def test_without_metadata_the_path_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> PathDistribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(pages, "distribution", none)
    assert pages.page_address("a.md") == "docs/a.md in the repository of release"


def test_a_page_in_a_hint_is_read_where_the_distribution_has_it(installed: Path) -> None:
    hint = "docs/how-to/own-chart.md#what-is-tried; not mydocs/how-to/own-chart.md, docs/own.md"
    from_git(installed, "https://github.com/team/tool")
    there = "https://github.com/team/tool/blob/c0ffee/docs/how-to/own-chart.md#what-is-tried"
    assert pages.with_addresses(hint) == hint.replace("docs/how-to/own-chart.md#what-is-tried", there)


@pytest.mark.parametrize("page", sorted(errors.pages()))
def test_the_page_that_an_error_names_is_there(page: str) -> None:
    path, _, anchor = page.partition("#")
    text = (ROOT / "docs" / path).read_text("utf-8")
    assert not anchor or anchors(text).count(anchor) == 1


def test_every_kind_of_error_has_its_place_and_its_status_on_the_page() -> None:
    text = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
    for kind, status in errors.kinds().items():
        assert f"| [`{kind}`](#{kind}) | {status} |" in text
        assert f"### `{kind}`" in text


def test_an_error_ends_with_the_page_on_a_line_of_its_own(world: World) -> None:
    done = world.release("bump", "production", "v1.0.5", code=1)
    assert done.err.splitlines()[-1].startswith("  more:  ")
    assert done.err.endswith("docs/reference/commands/bump.md in the repository of release\n")
    data = world.release("bump", "production", "v1.0.5", "--output", "json", code=1).data
    assert (data["error"]["kind"], data["error"]["page"]) == ("refused", "reference/commands/bump.md")
