"""Links of a page, as the repository's forge shows it and as the site does."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROJECT = {
    "README.md": "project/readme.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
}
"""Files of the repository that are pages of the site, too."""

_FENCE = re.compile(r"^( *)(```+|~~~+).*?^ *\2", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\]\([^)]*\))*)\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def links(text: str) -> list[str]:
    """The targets of all links and pictures of a page, what stands in code left out."""
    return [link["target"] for link in _found(text)]


def anchors(text: str) -> list[str]:
    """The anchors of the headings of a page, by the rule of GitHub; mkdocs.yml follows the same one."""
    prose = _FENCE.sub("", text)
    shown = (_LINK.sub(r"\g<text>", heading) for heading in _HEADING.findall(prose))
    return [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in shown]


def for_site(text: str, source: str) -> str:
    """The Markdown of a page of the site.

    Args:
        text: as the file has it.
        source: path of the file in the repository.
    """
    here = posixpath.dirname(_uri(source))

    def moved(link: re.Match[str]) -> str:
        path, _, anchor = link["target"].partition("#")
        if not path or ":" in path:
            return link[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if (wanted.startswith("docs/") and not (ROOT / wanted).is_dir()) or wanted in PROJECT:
            target = posixpath.relpath(_uri(wanted), here or ".")
        elif repository():
            kind = "tree" if (ROOT / wanted).is_dir() else "raw" if link["image"] else "blob"
            target = f"{repository()}/{kind}/{os.environ.get('GITHUB_SHA', 'HEAD')}/{wanted}"
        else:  # nobody knows the address: the text stays
            return link["text"]
        return f"{link['image']}[{link['text']}]({target}{anchor and '#'}{anchor})"

    for link in reversed(_found(text)):
        text = text[: link.start()] + moved(link) + text[link.end() :]
    return text


def repository() -> str:
    """The address of the repository: that of the job that builds the site; else unknown."""
    given = os.environ
    return f"{given['GITHUB_SERVER_URL']}/{given['GITHUB_REPOSITORY']}" if "GITHUB_REPOSITORY" in given else ""


def _uri(path: str) -> str:
    """Where a file of the repository stands below the site's root, as Markdown."""
    return PROJECT.get(path) or path.removeprefix("docs/")


def _found(text: str) -> list[re.Match[str]]:
    """The links of a page that are none of code's."""
    code = [found.span() for found in _FENCE.finditer(text)]
    code += [found.span() for found in _SPAN.finditer(text) if not _within(found, code)]
    return [link for link in _LINK.finditer(text) if not _within(link, code)]


def _within(found: re.Match[str], places: list[tuple[int, int]]) -> bool:
    return any(start <= found.start() and found.end() <= end for start, end in places)
