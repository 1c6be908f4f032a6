"""What Helm printed, document by document, and what of it is applied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HOOK = "helm.sh/hook"
# Helm leaves out objects with a hook that it doesn't know; `test` is `helm test`'s, applied by nobody.
_APPLIED_HOOKS = frozenset(
    f"{when}-{what}" for when in ("pre", "post") for what in ("install", "upgrade", "delete", "rollback")
)
SEPARATOR = re.compile(r"(?m)^---[ \t]*(?:#.*)?\r?$")
"""Between two documents."""


class Document(NamedTuple):
    """One document, and the template that it comes from."""

    source: str
    text: str


def printed(text: str) -> Iterator[Document]:
    """The documents that `helm template` printed. A file of `crds/` has its `# Source:` once for all it holds."""
    source = ""
    for document in SEPARATOR.split(text):
        body = document.lstrip("\r\n")
        if body.startswith("# Source: "):
            line, _, body = body.partition("\n")
            source = line.removeprefix("# Source: ").strip()
        yield Document(source, body)


def applied(documents: Iterable[Document]) -> str:
    """The documents that are applied, as one text in the same order from every engine.

    Helm prints them by kind, in the order of an installation; its versions differ in that, and sort hooks otherwise.
    """
    applied = []
    for source, text in documents:
        body = text.strip("\r\n").rstrip()
        if not re.search(r"(?m)^[ \t]*[^#\s]", body):
            continue
        events = _hook_events(body) if _HOOK in body else None
        if events is None or events <= _APPLIED_HOOKS:
            kind = re.search(r"(?m)^kind:[ \t]*(\S+)", body)
            rank = 2 if events is not None else 0 if "/crds/" in source else 1
            applied.append((rank, source, kind[1] if kind else "", body))
    applied.sort(key=lambda document: document[:3])
    return "".join(f"---\n# Source: {source}\n{body}\n" for _, source, _, body in applied)


def _hook_events(document: str) -> frozenset[str] | None:
    """When a hook runs; None for an object that is no hook."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        found = yaml.load(document, Loader=loader)  # noqa: S506 -- it makes nothing but text, lists and mappings
    except yaml.YAMLError:
        return None  # whoever reads the object says so
    for key in ("metadata", "annotations", _HOOK):
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else frozenset(event.strip().lower() for event in str(found).split(","))
