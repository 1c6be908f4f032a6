"""What is to be rendered, and what is refused before Helm sees it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RELEASE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


class ValuesFile(NamedTuple):
    """One values file: its name for messages, and its text."""

    name: str
    text: str


class RenderRequest(NamedTuple):
    """What is to be rendered.

    Attributes:
        chart: the chart's directory in the repository, for messages.
        files: the chart's files, path relative to the chart -> content. Its own `values.yaml` is among them.
        values: the values files that are laid over it, later ones over earlier ones: the environment's `values.yaml`,
            then its `image_tag.yaml`.
        release_name: Helm's `.Release.Name`.
        namespace: Helm's `.Release.Namespace`.
    """

    chart: str
    files: Mapping[str, bytes]
    values: Sequence[ValuesFile]
    release_name: str
    namespace: str


def check(request: RenderRequest) -> None:
    """Refuse what Helm would misread, fetch from elsewhere, or write outside its directory.

    Raises:
        ReleaseError: with the place in the chart or in the configuration.
    """
    if "Chart.yaml" not in request.files:
        raise ReleaseError(
            "there is no chart: Chart.yaml is missing", where=request.chart, hint="correct `chart` in release.yaml"
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
            _check_schema(f"{request.chart}/{path}", content)


@lru_cache(maxsize=8)
def _check_schema(where: str, content: bytes) -> None:
    """Refuse a schema that points elsewhere: Helm would fetch it, from the network or from this machine's files."""
    import json

    try:
        nodes: list[Any] = [json.loads(content)]
    except ValueError:
        return  # Helm says what is wrong with it
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
