"""The site is what the pages say: the same text as on a forge, every page in its navigation, nothing from elsewhere."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import cmarkgfm
import pytest

from documentation.links import PROJECT, ROOT

pytestmark = pytest.mark.slow
PAGES = [*PROJECT, *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="pip install mkdocs-material: it needs Python 3.11")
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", place]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def address(page: str) -> str:
    """Where a page is on the site."""
    uri = PROJECT.get(page) or page.removeprefix("docs/")
    return re.sub(r"(^|/)index/$", r"\1", f"{uri.removesuffix('.md')}/")


def built(site: Path, page: str) -> str:
    return (site / address(page) / "index.html").read_text("utf-8")


def words(page: str) -> str:
    """The text of HTML, without the marks that the site sets behind headings."""
    for apart in (r"<(script|style|nav)\b.*?</\1>", r'<a class="headerlink".*?</a>', r"<!--.*?-->", r"<[^>]+>"):
        page = re.sub(apart, "", page, flags=re.DOTALL)
    return re.sub(r"\s+", "", html.unescape(page))


def test_a_page_of_the_site_says_what_a_forge_shows(site: Path) -> None:
    for page in PAGES:
        text = built(site, page)
        article = text[text.index("<article") : text.index("</article>")]
        shown = cmarkgfm.github_flavored_markdown_to_html((ROOT / page).read_text("utf-8"))
        assert words(article) == words(shown), page
        for tag in ("li", "td", "pre", "code", "h2", "h3"):
            assert len(re.findall(f"<{tag}[ >]", article)) == len(re.findall(f"<{tag}[ >]", shown)), (page, tag)


def test_a_reader_comes_to_every_page(site: Path) -> None:
    home = built(site, "docs/index.md")
    nav = home[home.index("md-nav--primary") : home.index('class="md-content"')]
    for page in PAGES:
        assert not address(page) or f'href="{address(page)}"' in nav, page


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        for tag in re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", path.read_text("utf-8")):
            assert not re.search(r'(?:src|href)="(?:https?:)?//', tag) or 'rel="canonical"' in tag, (path.name, tag)
    for path in (site / "assets").rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//", path.read_text("utf-8")), path.name


def test_every_picture_is_there(site: Path) -> None:
    for path in site.rglob("*.html"):
        for target in re.findall(r'(?:src|srcset)="([^":]+)"', path.read_text("utf-8")):
            if path.name != "404.html":
                assert (path.parent / target.partition("?")[0]).exists(), (path, target)
