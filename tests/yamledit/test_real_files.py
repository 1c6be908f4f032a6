"""Every file of `.cache/yaml-files` (any folder of real YAML files; none are kept here): what removing and moving leaves.

The comments are found by PyYAML's tokens here, not by the tool. `pytest -s` shows the figures.
"""

from __future__ import annotations

import collections
import itertools
import random
import re
from pathlib import Path

import pytest
import yaml

from release_tool.errors import EditRefused
from release_tool.yamledit.edits import move_entry, remove_entry
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError

FILES = Path(__file__).parents[2] / ".cache" / "yaml-files"
ENTRIES = 12  # of one file
Comments = collections.Counter[str]


def comments(text: str) -> Comments:
    """What begins with a `#` between two tokens; the header of a block text is a part of its token."""
    found: list[str] = []
    position = 0
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        start, end = token.start_mark.index, token.end_mark.index
        found += re.findall(r"#[^\r\n]*", text[position:start])
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            found += re.findall(r"[ \t](#[^\r\n]*)", re.split(r"[\r\n]", text[start:end])[0])
        position = max(position, end)
    return collections.Counter(comment.rstrip() for comment in [*found, *re.findall(r"#[^\r\n]*", text[position:])])


def looks_like_comments(text: str) -> Comments:
    return collections.Counter(comment.rstrip() for comment in re.findall(r"#[^\r\n]*", text))


def blank_lines(text: str) -> tuple[int, int]:
    """Blank lines that follow another one, and those at the end of the text."""
    lines = re.split(r"\r\n|\r|\n", text)
    blank = [not line.strip(" \t") for line in (lines if lines[-1] else lines[:-1])]
    doubled = sum(first and second for first, second in itertools.pairwise(blank))
    return doubled, next((number for number, is_blank in enumerate(reversed(blank)) if not is_blank), 0)


def faults(way: str, text: str, after: str, own: Comments) -> Comments:
    """What is wrong with a text after an entry that has its own comments was removed or moved."""
    found = Comments()
    if looks_like_comments(text) - looks_like_comments(after) - own:  # it may be in a text
        found[f"{way}: comments lost"] = sum((comments(text) - own - comments(after)).values())
    found[f"{way}: comments doubled"] = bool(looks_like_comments(after) - looks_like_comments(text))
    was, now = blank_lines(text), blank_lines(after)
    found[f"{way}: blank lines doubled"] = now[0] > was[0]
    found[f"{way}: blank lines left at the end"] = now[1] > was[1]
    return found


def entries_of(text: str) -> list[tuple[tuple[str | int, ...], int, int]]:
    """Path, start and end of the entries of a text whose root is a mapping; none where a parser can't read it."""
    try:
        root = next(iter(documents(text)), None)
        comments(text)
    except (YamlError, yaml.YAMLError):
        return []
    found: list[tuple[tuple[str | int, ...], int, int]] = []
    pending = [((), root)] if root is not None and root.kind == "mapping" else []
    while pending:
        path, node = pending.pop()
        inside = [(number, item, item) for number, item in enumerate(node.items)]
        for name, key, value in inside + [(key.value, key, value) for key, value in node.pairs]:
            found.append(((*path, name), key.start.index, max(key.end.index, value.end.index)))
            pending.append(((*path, name), value))
    return found


@pytest.mark.nightly
def test_removing_and_moving_keeps_comments_and_leaves_no_blank_lines() -> None:
    if not FILES.is_dir():
        pytest.skip(f"there is no {FILES}: put a folder of real YAML files there")
    chance, counted, wrong = random.Random(12), Comments(), Comments()
    for file in sorted(FILES.rglob("*.y*ml")):
        text = file.read_bytes().decode("utf-8").removeprefix("\ufeff")
        entries = entries_of(text)
        counted["files"] += bool(entries)
        for path, start, end in chance.sample(entries, min(ENTRIES, len(entries))):
            for way in ("remove", "move"):
                counted[way] += 1
                try:
                    after = remove_entry(text, path) if way == "remove" else move_entry(text, path, ("moved here",))
                except EditRefused as refused:
                    counted[f"{way}: refused"] += 1
                    wrong[f"{way}: refused for a comment"] += "comment as it is" in refused.reason
                    continue
                own = around(text, start, end) if way == "remove" else Comments()
                found = faults(way, text, after, own)
                if any(found.values()):
                    print(f"{file.name}: {way} {path}: {+found}")
                wrong += found
    print(f"{dict(counted)}\nwrong: {dict(wrong)}")
    assert not +wrong


def around(text: str, start: int, end: int) -> Comments:
    """The comments on the lines of an entry, and on the lines of comments and blanks that touch them."""
    above = text[: text.rfind("\n", 0, start) + 1]
    block = re.search(r"(?:[ \t]*#[^\n]*\n)*\Z", above)
    below = re.compile(r"[^\n]*\n?(?:[ \t]*(?:#[^\n]*)?(?:\n|\Z))*").match(text, end)
    assert block
    assert below
    piece = text[block.start() : below.end()]
    return collections.Counter(comment.rstrip() for comment in re.findall(r"#[^\r\n]*", piece))
