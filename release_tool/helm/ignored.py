"""What `.helmignore` leaves out of a chart, by Helm's own rules, which are not those of Git (`pkg/ignore/rules.go`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IGNORE_FILE = ".helmignore"

_HINT = "correct the line; https://helm.sh/docs/chart_template_guide/helm_ignore_file tells the rules"


class _Pattern(NamedTuple):
    expression: re.Pattern[str]
    negates: bool
    of_directories: bool
    of_names: bool  # the last part of a path is compared, and not the whole

    def stops(self, path: str, *, is_directory: bool) -> bool:
        """Whether the pattern leaves a path out."""
        if self.of_directories and not is_directory:
            return self.negates
        text = path.rpartition("/")[2] if self.of_names else path
        return (self.expression.fullmatch(text) is not None) is not self.negates


def kept(files: Mapping[str, bytes], where: str) -> dict[str, bytes]:
    """The files of a chart's directory that belong to the chart.

    Args:
        files: path inside the chart -> content.
        where: the chart's directory, for messages.

    Raises:
        ReleaseError: Helm reads no such pattern.
    """
    lines = files.get(IGNORE_FILE, b"").decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    patterns = [*_patterns(lines, f"{where}/{IGNORE_FILE}"), *_patterns(["templates/.?*"], "")]
    out: dict[str, bool] = {}  # directory -> whether it is left out

    def stopped(path: str, *, is_directory: bool) -> bool:
        return any(pattern.stops(path, is_directory=is_directory) for pattern in patterns)

    def is_out(directory: str) -> bool:
        if directory and directory not in out:
            out[directory] = is_out(directory.rpartition("/")[0]) or stopped(directory, is_directory=True)
        return bool(directory) and out[directory]

    return {
        path: content
        for path, content in files.items()
        if not is_out(path.rpartition("/")[0]) and not stopped(path, is_directory=False)
    }


def _patterns(lines: list[str], where: str) -> Iterator[_Pattern]:
    for number, line in enumerate(lines, 1):
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        text = rule.removeprefix("!").removesuffix("/")
        expression = None if "**" in rule else _expression(text.removeprefix("/"))
        if expression is None:
            what = f"Helm reads no such pattern: {rule}"
            raise ReleaseError(what, where=f"{where}:{number}", hint=_HINT)
        yield _Pattern(expression, rule.startswith("!"), rule.rstrip().endswith("/"), "/" not in text)


_LETTER = r"(?:\\.|[^\\\]-])"
_ITEM = re.compile(rf"({_LETTER})(?:-({_LETTER}))?", re.DOTALL)
_CLASS = rf"\[(?P<class>(?:\^|(?!\^))(?:{_ITEM.pattern})+)\]"
_PARTS = re.compile(
    rf"(?P<star>\*)|(?P<any>\?)|{_CLASS}|\\(?P<escaped>.)|(?P<plain>[^*?\[\\])",
    re.DOTALL,
)


def _expression(pattern: str) -> re.Pattern[str] | None:
    """The pattern of Go's `filepath.Match` as a regular expression; None: Go refuses it."""
    made, at = "", 0
    while at < len(pattern):
        part = _PARTS.match(pattern, at)
        if part is None:
            return None
        at = part.end()
        if part["class"]:
            made += _class(part["class"])
        elif part["star"] or part["any"]:
            made += "[^/]*" if part["star"] else "[^/]"
        else:
            made += re.escape(part["escaped"] or part["plain"])
    return re.compile(made, re.DOTALL)


def _class(text: str) -> str:
    inner = ""
    for item in _ITEM.finditer(text.removeprefix("^")):
        low, high = (letter.removeprefix("\\") or "\\" for letter in (item[1], item[2] or item[1]))
        inner += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""  # Go finds nothing between the others
    if not inner:
        return "." if text.startswith("^") else "(?!)"
    return f"[{'^' if text.startswith('^') else ''}{inner}]"
