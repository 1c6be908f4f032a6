"""The hooks of MkDocs (mkdocs.yml): pages from outside of docs/, links that work on a forge too, the navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

from documentation.links import PROJECT, ROOT, for_site, repository

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_OF_SECTION = {
    "Tutorial": ["tutorial.md"],
    "How-to": ["how-to/**/*.md"],
    "Commands": ["reference/commands/*.md"],
    "Forges": ["forges/*.md"],
    "Reference": ["reference/**/*.md"],
    "Explanation": ["explanation/**/*.md"],
    "FAQ": ["faq.md", "troubleshooting.md"],
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Complete the navigation, and name the repository where it is known."""
    assert config.nav is not None
    _complete(config.nav, set(_pages(config.nav)))
    config.nav = [entry for entry in config.nav if all(entry.values())]
    if repository():
        config.extra["social"] = [{"icon": "fontawesome/brands/git-alt", "link": repository(), "name": "repository"}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand in the root of the repository."""
    for name, uri in PROJECT.items():
        files.append(File.generated(config, uri, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let the links of a page lead where they lead in the repository."""
    outside = {uri: name for name, uri in PROJECT.items()}
    source = outside.get(page.file.src_uri) or f"docs/{page.file.src_uri}"
    return for_site(markdown, source)


def _complete(entries: list[Any], named: set[str]) -> None:
    """Add to each section the pages that are its own and that nothing names."""
    docs = ROOT / "docs"
    for title, pages in (item for entry in entries if isinstance(entry, dict) for item in entry.items()):
        if isinstance(pages, list):
            _complete(pages, named)
            found = [path for pattern in _OF_SECTION.get(title, []) for path in sorted(docs.glob(pattern))]
            new = [uri for uri in (path.relative_to(docs).as_posix() for path in found) if uri not in named]
            pages.extend(new)
            named.update(new)
            if title == "Project":
                pages.extend([{name.removesuffix(".md").capitalize(): uri} for name, uri in PROJECT.items()])


def _pages(entries: list[Any]) -> list[str]:
    """Every page that a part of the navigation names."""
    found: list[str] = []
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        found += _pages(value) if isinstance(value, list) else [value]
    return found
