"""What goes into an engine, what is refused before Helm sees it, and what of Helm's output is applied."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_RELEASE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class ValuesFile(NamedTuple):
    """One values file: its name for messages, and its text."""

    name: str
    text: str


class RenderRequest(NamedTuple):
    """What is to be rendered."""

    chart: str  # the chart's directory in the repository, for messages
    files: Mapping[str, bytes]  # path relative to the chart -> content; its own `values.yaml` is among them
    values: Sequence[ValuesFile]  # laid over it, later ones over earlier ones
    release_name: str
    namespace: str
    title: str = ""  # the environment, for messages
    kube_version: str = ""  # what templates are told of the cluster; empty: what the engine takes for it
    api_versions: Sequence[str] = ()  # that the cluster has besides those that the engine knows
    places: Mapping[str, str] = {}  # a dependency, `charts/common` -> where it stands, for messages

    def place(self, inside: str) -> str:
        """Where a file stands that Helm names by its path inside the chart."""
        return placed(self.chart, self.places, inside)


def placed(chart: str, places: Mapping[str, str], inside: str) -> str:
    """Where a file of a chart stands; `inside`: its path as Helm tells it, empty for the chart itself."""
    below = max((name for name in places if inside.startswith(f"{name}/")), key=len, default="")
    top = places[below] if below else chart.rstrip("/")
    return f"{top}/{inside[len(below) :].lstrip('/')}".rstrip("/")


def check(request: RenderRequest) -> None:
    """Refuse what Helm would misread, fetch from elsewhere, or write outside its directory.

    Raises:
        ReleaseError: with the place in the chart or in the configuration.
    """
    if "Chart.yaml" not in request.files:
        raise ReleaseError(
            "there is no chart: Chart.yaml is missing",
            where=request.chart,
            hint="correct `chart` in release.yaml",
            page="reference/configuration.md#the-chart",
        )
    if len(request.release_name) > 53 or not _RELEASE_NAME.fullmatch(request.release_name):
        raise ReleaseError(
            f"Helm takes no release name like {request.release_name!r}",
            cause="it is up to 53 small letters, digits, dashes and dots, with a letter or digit at either end",
            hint="correct `release_name` in release.yaml",
        )
    for path in request.files:
        if path.startswith("/") or "\\" in path or "\0" in path or {"", ".", ".."} & set(path.split("/")):
            raise ReleaseError(f"a chart can't hold a file called {path!r}", where=request.chart, hint="rename it")
    for values in request.values:
        if "\0" in values.text:  # the end of a text in C: the engine would drop the rest without a word
            raise ReleaseError("the values can't be read", where=values.name, cause="there is a NUL character in them")
    for path, content in request.files.items():
        if path.split("/")[-1] == "values.schema.json":
            _check_schema(request.place(path), content)


@lru_cache(maxsize=8)
def _check_schema(where: str, content: bytes) -> None:
    """Refuse a schema that points elsewhere: Helm would fetch it, from the network or from this machine's files."""
    import json

    try:
        nodes: list[Any] = [json.loads(content)]
    except ValueError:
        return  # Helm says what is wrong with it
    except RecursionError:
        raise ReleaseError("the schema is nested too deeply", where=where, hint="correct the schema") from None
    while nodes:
        node = nodes.pop()
        nodes.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
        for key in ("$ref", "$dynamicRef", "$recursiveRef", "$schema"):
            target = node.get(key) if isinstance(node, dict) else None
            known = "#" if key != "$schema" else ("http://json-schema.org/", "https://json-schema.org/")
            if isinstance(target, str) and not target.startswith(known):
                raise ReleaseError(
                    f"the schema of the values refers to {target}, outside itself",
                    where=where,
                    cause="Helm would fetch it while rendering",
                    hint="copy what it refers to into `$defs`, and write `#/$defs/…`",
                )


def single_documents(files: Sequence[ValuesFile]) -> list[ValuesFile]:
    """The files with one YAML document each, at the lines where they stand.

    Helm 4 merges the documents of a values file. Helm 3 and the wheel's reader take the first alone.
    """
    single = []
    for values in files:
        line = 0
        for document in re.split(r"(?m)^---[ \t\r]*$", values.text):
            if document.strip():
                single.append(ValuesFile(values.name, "\n" * line + document))
            line += document.count("\n")
    return single


# -- what is applied --

_HOOK = "helm.sh/hook"
# Helm leaves out objects with a hook that it doesn't know; `test` is `helm test`'s, applied by nobody.
_APPLIED_HOOKS = frozenset(
    f"{when}-{what}" for when in ("pre", "post") for what in ("install", "upgrade", "delete", "rollback")
)
SEPARATOR = re.compile(r"(?m)^---[ \t]*(?:#.*)?\r?$")


def applied(documents: Iterable[tuple[str, str]]) -> str:
    """The documents (template, text) that are applied, as one text in the same order from every engine.

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
    except (yaml.YAMLError, ValueError, RecursionError):
        return None  # whoever reads the object says so
    for key in ("metadata", "annotations", _HOOK):
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else frozenset(event.strip().lower() for event in str(found).split(","))
