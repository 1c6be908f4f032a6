"""The two parsers behind everything: libyaml, and ruamel.yaml in pure Python where there is no C library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_DEPTH = 200
"""Collections inside collections; real files stay below 30."""


def events_of() -> Callable[[str], Iterator[Any]]:
    """The C parser where PyYAML brings it, else ruamel.yaml."""
    try:
        import yaml._yaml  # noqa: F401
    except ImportError:
        return pure_events
    return libyaml_events


def libyaml_events(text: str) -> Iterator[Any]:
    """Events of libyaml."""
    import yaml
    from yaml._yaml import CParser

    try:
        parser = CParser(text)
        get_event = parser.get_event
        while (event := get_event()) is not None:
            yield event
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise _as_yaml_error(error, text, utf8=True) from None


def pure_events(text: str) -> Iterator[Any]:
    """Events of ruamel.yaml's parser in pure Python."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except (YAMLError, ValueError, IndexError, OverflowError, AssertionError) as error:
        raise _as_yaml_error(error, text, utf8=False) from None


def _as_yaml_error(error: Exception, text: str, *, utf8: bool) -> YamlError:
    """A parser's error in our form.

    Args:
        error: an error of PyYAML, libyaml or ruamel.yaml.
        text: the text that was parsed.
        utf8: whether positions are counted in bytes of UTF-8 instead of characters.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        problem = getattr(error, "problem", None) or "can't be read"
        if "nesting depth" in problem:  # newer libyaml has a limit of its own
            return too_deep(mark.line + 1, mark.column + 1)
        context = getattr(error, "context", None)
        reason = f"not YAML: {problem}" + (f" {context}" if context else "")
        return YamlError(reason, mark.line + 1, mark.column + 1, _hint(text, mark.index, problem))
    if isinstance(error, UnicodeEncodeError):
        position, reason = error.start, "half of a surrogate pair"
    else:
        position = getattr(error, "position", 0) or 0
        if utf8:
            position = len(text.encode("utf-8")[:position].decode("utf-8", "ignore"))
        reason = str(getattr(error, "reason", "") or "can't be read")
    line = text.count("\n", 0, position) + 1
    return YamlError(
        f"not YAML: {reason}", line, position - text.rfind("\n", 0, position), _hint(text, position, reason)
    )


def too_deep(line: int, column: int) -> YamlError:
    """The error for collections nested beyond `MAX_DEPTH`, whoever notices first."""
    reason = f"more than {MAX_DEPTH} collections inside each other"
    return YamlError(reason, line, column, "Correct the file: nothing that people write is so deep.")


_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})", re.MULTILINE)
_TEMPLATE = re.compile(r"^[ \t]*(?:- )?\{[{%]|: \{\{", re.MULTILINE)


def _hint(text: str, index: int, problem: str) -> str:
    """The next step, for the mistakes that people make most."""
    line = text[max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1 :].split("\n", 1)[0]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "Indent with spaces; YAML allows no tab there."
    if _CONFLICT.search(text):
        return "Resolve the merge conflict in this file."
    if _TEMPLATE.search(text):
        return "This looks like a template; only finished YAML can be read."
    if problem.startswith("mapping values are not allowed"):
        return "Check the indentation; a value that holds `: ` needs quotes."
    return "Correct the file at this place."
