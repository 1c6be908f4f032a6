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
_ROW = re.compile(r"^\|.*", re.MULTILINE)
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\]\([^)]*\))*)\]\((?P<target>[^)\s]+)\)")
_HTML = re.compile(r"""\b(?P<key>src|srcset|href)="(?P<target>[^"\s]+)\"""")
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
        if "key" in link.groupdict():
            return f'{link["key"]}="{_in_html(link["target"], source)}"'
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
    # In a table a forge takes `\|` in code for `|`, and Python-Markdown takes it as it stands.
    return _ROW.sub(lambda row: _SPAN.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text)


def repository() -> str:
    """The address of the repository: that of the job that builds the site; else unknown."""
    given = os.environ
    return f"{given['GITHUB_SERVER_URL']}/{given['GITHUB_REPOSITORY']}" if "GITHUB_REPOSITORY" in given else ""


def _uri(path: str) -> str:
    """Where a file of the repository stands below the site's root, as Markdown."""
    return PROJECT.get(path) or path.removeprefix("docs/")


def _in_html(target: str, source: str) -> str:
    """An address in HTML, which MkDocs leaves alone: each page is `index.html` in a directory of its own."""
    if ":" in target or target.startswith("#"):
        return target
    page = _uri(source).removesuffix(".md").removesuffix("index") or "."
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    return posixpath.relpath(_uri(wanted), page)


def _found(text: str) -> list[re.Match[str]]:
    """The links of a page that are none of code's."""
    code = [found.span() for found in _FENCE.finditer(text)]
    code += [found.span() for found in _SPAN.finditer(text) if not _within(found, code)]
    found = [*_LINK.finditer(text), *_HTML.finditer(text)]
    return sorted((link for link in found if not _within(link, code)), key=lambda link: link.start())


def _within(found: re.Match[str], places: list[tuple[int, int]]) -> bool:
    return any(start <= found.start() and found.end() <= end for start, end in places)
