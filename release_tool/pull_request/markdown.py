"""Markdown in small pieces. Only these functions make `Markup` of texts from outside: none gets in as it is."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, NewType
from urllib.parse import quote, urlsplit

from release_tool.pull_request.messages import NO_WIDTH, harmless
from release_tool.safe_text import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Markup = NewType("Markup", str)
"""Markdown that holds nothing active but what was meant."""

LIMIT = 60_000
"""UTF-16 code units of a pull request's text. GitHub takes 65,536 characters; no way to count them gives more."""

SHARE = 5_500
"""What one part of the text takes at most: all parts together stay below the limit, and leave some for manifests."""

MOST_ROWS = 40  # of a table

_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+:/-]*[A-Za-z0-9])?")
_LONGEST_CODE = 160
_LONGEST_URL = 500
_LONGEST_CELL = 300  # of a table: a reason that somebody pasted a log into
_LONGEST_ESCAPED = 600  # the same, once it is escaped
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?")
_LONG_FENCE = re.compile("(?<=`{20})(?=`)")
_HEX = re.compile("(sha256:)?([0-9a-f]{12,64})")
_DIGEST = 12  # characters of a digest or a commit that tell it from others
NOTHING = Markup("–")
# What GitHub makes a link of without any mark: URLs, and names that begin with `www.`.
_LINKS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", **{mark: f"&#{ord(mark)};" for mark in "|`[]*_#\\~!$"}}
)


def units(text: str) -> int:
    """How long a text is in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: str) -> Markup:
    """A text from outside, so that it can't break out of its cell, mention people or inject Markdown, HTML or links."""
    escaped = _escaped(text, _LONGEST_CELL)
    return Markup(escaped if len(escaped) <= _LONGEST_ESCAPED else _escaped(text, _LONGEST_CELL // 3))


def _escaped(text: str, longest: int) -> str:
    text = text if len(text) <= longest else text[:longest] + "…"
    return _LINKS.sub(NO_WIDTH, harmless(text).replace("@", f"@{NO_WIDTH}")).translate(_ESCAPES)


def code(text: str) -> Markup:
    """A word from outside in the letters of code; as plain text where it is more than a word."""
    fits = len(text) <= _LONGEST_CODE and _CODE.fullmatch(text) and "://" not in text
    return Markup(f"`{text}`") if fits else plain(text)


def tag(written: str) -> Markup:
    """A tag; of its digest as much as tells it from others."""
    part, _, digest = written.partition("@")
    return join(" ", [code(part), short(digest)]) if digest else code(part)


def short(text: str) -> Markup:
    """A commit or a digest, cut to what tells it from others; anything else whole."""
    found = _HEX.fullmatch(text)
    return code(f"{found[1] or ''}{found[2][:_DIGEST]}" if found else text)


def version(name: str, written: str) -> Markup:
    """A version by name and tag: v5 `1.0.5`."""
    return join(" ", [plain(name), code(written.partition("@")[0])])


def bold(text: Markup) -> Markup:
    """The same, in bold."""
    return Markup(f"**{text}**")


def gone(text: Markup) -> Markup:
    """The same, struck out."""
    return Markup(f"~~{text}~~")


def join(between: str, parts: Iterable[Markup]) -> Markup:
    """Some parts in a row; what stands between them is ours."""
    return Markup(between.join(parts))


def listed(parts: Sequence[Markup], most: int) -> Markup:
    """Some parts with commas, and how many more there are."""
    if not parts:
        return NOTHING
    more = [Markup(f"{len(parts) - most} more")] if len(parts) > most else []
    return join(", ", [*parts[:most], *more])


def link(text: str, url: str) -> Markup:
    """A link to a page, if its address, from outside, leads where it seems to; else the address as plain text."""
    safe = safe_url(url)
    return Markup(f"[{text}]({safe})") if safe else plain(url)


def safe_url(url: str) -> str:
    """An http or https URL of a host with a plain name, without a user, what Markdown knows encoded; else nothing."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return ""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        return ""
    rest = url.partition("://")[2][len(parts.netloc) :]
    return f"{parts.scheme}://{parts.netloc}" + quote(rest, safe="/?#=&%+,;:.-").replace("&", "&amp;")


def table(head: Sequence[str], rows: Sequence[Sequence[Markup]], rest: str) -> Markup:
    """A table that takes no more than its share; `rest` says where the rows are that found no room."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    found = [Markup("| " + " | ".join(one or NOTHING for one in row) + " |") for row in rows]
    shown = within_share(found, MOST_ROWS)
    lines += shown
    if len(shown) < len(rows):
        lines += ["", f"… and {len(rows) - len(shown)} more: {rest}."]
    return Markup("\n".join(lines))


def folded(summary: str, *parts: Markup) -> Markup:
    """What a reader opens. Forges read Markdown in it because of the empty lines; those that fold nothing show all."""
    return join("\n\n", [Markup(f"<details><summary>{summary}</summary>"), *parts, Markup("</details>")])


_FOLDED = re.compile("<details><summary>(.*)</summary>")


def on_terminal(text: str) -> Iterator[str]:
    """The lines of a text for a reader without a browser: a heading for what is folded, and no escapes."""
    fence, last = "", ""
    for line in text.splitlines():
        run = re.match("`{3,}", line)
        if fence or run:
            fence = "" if line == fence else fence or (run[0] if run else "")
            yield line
            last = line
        elif line != "</details>" and (line or last):
            yield unescape(_FOLDED.sub(r"### \1", line)).replace(NO_WIDTH, "")
            last = line


def alert(kind: str, lines: Sequence[Markup]) -> Markup:
    """A box of GitHub's (`WARNING`, `NOTE`), with a list in it; elsewhere it is a quotation."""
    return Markup("\n".join([f"> [!{kind}]", *(f"> - {line}" for line in lines)]))


def within_share(parts: Sequence[Markup], most: int) -> list[Markup]:
    """The first of some parts: so many, and no more than a share takes."""
    shown: list[Markup] = []
    room = SHARE
    for part in parts[:most]:
        room -= units(part) + 1
        if room < 0:
            break
        shown.append(part)
    return shown


def tame(text: str) -> str:
    """A text of lines from outside for a block of code, without what no block can be put around."""
    return _LONG_FENCE.sub("\u200b", lines(text))


def block(language: str, text: str) -> Markup:
    """A block of code from outside: nothing in it ends it."""
    text = tame(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    ending = "" if text.endswith("\n") or not text else "\n"
    return Markup(f"{fence}{language}\n{text}{ending}{fence}")
