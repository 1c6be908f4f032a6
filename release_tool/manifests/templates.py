"""Where in the templates of a chart something stands."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_DEFINE = re.compile(r'\{\{-?\s*define\s+"([^"]+)"')
_SEPARATOR = re.compile(r"^---", re.MULTILINE)
_READ = re.compile(r"\.Values\.((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)\.tag\b")
_SUBCHART = re.compile(r"charts/[^/]+/")
_NAME = re.compile(r"""^name: *["']?([\w-]+)""", re.MULTILINE)
_INCLUDE = re.compile(r'\b(?:include|template)\s+"([^"]+)"')


class Templates(NamedTuple):
    """A chart's files, for the places where it could change."""

    files: Mapping[str, bytes]  # by path inside it
    at: Callable[[str], str]  # path inside it -> where the file stands in the repository; empty: its directory

    def place(self, source: str, kind: str, *words: str) -> str:
        """The line of a template, or of what it includes, that holds one of some expressions, the first ones first.

        Args:
            source: the template, as a rendering names it; empty: all templates.
            kind: that of the object, for a template of several; empty: of any.
            words: regular expressions.
        """
        path = source.partition("/")[2]
        parts = [*self._included(path, kind)] if path in self.files else [*self._all()]
        for word in words:
            for file, line, text in parts:
                found = re.search(word, text)
                if found:
                    return f"{self.at(file)}:{line + text.count(chr(10), 0, found.start())}"
        return self.at(path if path in self.files else "")

    def reads_elsewhere(self, key: str) -> str:
        """What to do where templates read a `tag` below one other key than `versions.key`; empty where they don't."""
        about = {
            path.removesuffix("Chart.yaml"): data.decode("utf-8", "replace")
            for path, data in self.files.items()
            if path.endswith("Chart.yaml")
        }
        found = set()
        for path, _, text in self._all():
            charts = (path[: one.end()] for one in _SUBCHART.finditer(path))
            above = [name[1] for one in charts if (name := _NAME.search(about.get(one, "")))]
            found |= {".".join([*above, read]) for read in _READ.findall(text)}
        if len(found) != 1 or key in found or any("alias:" in text for text in about.values()):
            return ""
        other = found.pop()
        how = f"set `versions: {{key: {other}}}` in release.yaml"
        return f"{how}, and move the versions below `{other}`, where the chart seems to read them"

    def _all(self) -> Iterator[tuple[str, int, str]]:
        for path, data in sorted(self.files.items()):
            if path.endswith((".yaml", ".yml", ".tpl")) and "templates/" in path:
                yield path, 1, data.decode("utf-8", "replace")

    def _included(self, path: str, kind: str) -> Iterator[tuple[str, int, str]]:
        """What makes an object: its part of a template, what that includes, then all of it: file, first line, text."""
        defined = {}
        for file, _, text in self._all():
            starts = [*_DEFINE.finditer(text)]
            for start, end in zip(starts, [*(one.start() for one in starts[1:]), len(text)], strict=False):
                defined[start[1]] = (file, text.count("\n", 0, start.start()) + 1, text[start.start() : end])
        whole = self.files[path].decode("utf-8", "replace")
        ends = [0, *(found.start() for found in _SEPARATOR.finditer(whole)), len(whole)]
        parts = [(path, whole.count("\n", 0, at) + 1, whole[at:end]) for at, end in pairwise(ends)]
        own = [part for part in parts if kind and re.search(rf"\bkind: *[\"']?{kind}\b", part[2])]
        seen = set()
        for begin in [*(own if len(own) == 1 else ()), (path, 1, whole)]:
            waiting = [begin]
            while waiting:
                part = waiting.pop(0)
                yield part
                for name in _INCLUDE.findall(part[2]):
                    if name in defined and name not in seen:
                        seen.add(name)
                        waiting.append(defined[name])
