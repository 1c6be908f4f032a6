"""The reference of the errors: every message that the code can print, read off the places that raise it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from documentation.links import ROOT
from release_tool import errors
from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_AREAS = {
    "The command line": ("cli", "commands/arguments", "actions"),
    "`release init`": ("commands/init",),
    "Operations and their rules": ("rules", "commands", "remote/find_version", "remote/images"),
    "`release.yaml` and other files": ("config", "tagfile", "yamledit", "model", "checks", "remote/snapshot", "wiring"),
    "Pull requests, release branches, forges": ("publishing", "forges", "remote/branch", "remote/strays"),
    "Git": ("git",),
    "Charts and their rendering": ("helm", "manifests", "remote"),
    "Registries, Prometheus, webhooks": ("registry", "net", "health"),
}
"""Title -> the parts of the package; a file belongs to the longest part that its path begins with."""


class _Message(NamedTuple):
    text: str
    kind: str
    hint: str
    page: str


def messages() -> str:
    """A table of messages for each area."""
    kinds = _classes()
    found: dict[str, set[_Message]] = {title: set() for title in _AREAS}
    for path in sorted((ROOT / "release_tool").rglob("*.py")):
        place = path.relative_to(ROOT / "release_tool").with_suffix("").as_posix()
        tree = ast.parse(path.read_text("utf-8"))
        told = {one for function in _functions(tree) for one in _in_function(function, kinds)}
        if told:
            found[_area(place)] |= told
    return "\n\n".join(_table(title, told) for title, told in found.items() if told)


def kinds() -> dict[str, int]:
    """Kind of an error -> its exit status."""
    found = {ReleaseError.kind: ReleaseError.exit_code}
    for one in vars(errors).values():
        if isinstance(one, type) and issubclass(one, ReleaseError):
            found[one.kind] = one.exit_code
    return found


def pages() -> set[str]:
    """Every page that an error names."""
    found = {page for _, page in _classes().values() if page}
    for path in (ROOT / "release_tool").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "page" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return found


def _area(place: str) -> str:
    fits = [
        (len(part), title) for title, parts in _AREAS.items() for part in parts if f"{place}/".startswith(f"{part}/")
    ]
    assert fits, f"release_tool/{place}.py raises errors, and documentation/errors.py has no area for it"
    return max(fits)[1]


def _classes() -> dict[str, tuple[str, str]]:
    """Name of every class of errors -> its kind and its page."""
    bases: dict[str, tuple[str, str, str]] = {}
    for path in (ROOT / "release_tool").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name):
                own = {
                    target.id: str(statement.value.value)
                    for statement in node.body
                    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
                    for target in statement.targets
                    if isinstance(target, ast.Name)
                }
                bases[node.name] = (node.bases[0].id, own.get("kind", ""), own.get("page", ""))
    found = {"ReleaseError": (ReleaseError.kind, "")}
    while more := {name: base for name, base in bases.items() if name not in found and base[0] in found}:
        found |= {name: (kind or found[base][0], page or found[base][1]) for name, (base, kind, page) in more.items()}
    return found


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _in_function(function: ast.FunctionDef, classes: dict[str, tuple[str, str]]) -> Iterator[_Message]:
    given: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            given.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes and node.args:
            kind, page = classes[node.func.id]
            more = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
            hints = list(_texts(more["hint"], given)) if "hint" in more else []
            own = more.get("page")
            page = str(own.value) if isinstance(own, ast.Constant) else page
            for text in _texts(node.args[0], given):
                yield _Message(text, kind, " / ".join(dict.fromkeys(hints)), page)


def _texts(node: ast.expr, given: dict[str, list[ast.expr]]) -> Iterator[str]:
    """What an expression may say, with `…` for what only a run knows; nothing where it is all of that."""
    match node:
        case ast.Constant(value=str() as text) if text:
            yield text
        case ast.JoinedStr():
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            if any(letter.isalpha() for letter in text):
                yield text
        case ast.IfExp():
            yield from _texts(node.body, given)
            yield from _texts(node.orelse, given)
        case ast.BoolOp():
            for one in node.values:
                yield from _texts(one, given)
        case ast.Name(id=name) if name in given:
            values = given[name]
            for one in values:
                yield from _texts(one, {key: value for key, value in given.items() if key != name})
        case _:
            pass


def _table(title: str, told: set[_Message]) -> str:
    rows = [f"### {title}", "", "| message | kind | next step |", "| --- | --- | --- |"]
    for one in sorted(told):
        more = f" ([more]({_from_reference(one.page)}))" if one.page else ""
        rows.append(f"| {_cell(one.text)} | [{one.kind}](#{one.kind}) | {_cell(one.hint)}{more} |")
    return "\n".join(rows)


def _from_reference(page: str) -> str:
    return page.removeprefix("reference/") if page.startswith("reference/") else f"../{page}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ").strip()
