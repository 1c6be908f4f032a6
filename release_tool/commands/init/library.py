"""`release init --chart-from library`: a chart of one's own gets a Deployment for each version, and routes to them.

The Deployment stays as people wrote it: what is written around it renders it for each tag. Without a chart, one is
begun. The templates are read as text, for a name, a port and a key: what is found is shown before it is written, and
tried like everything else.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import EditRefused, ReleaseError
from release_tool.yamledit import edits
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.commands.init.survey import PlainDirectory
    from release_tool.git.working_tree import WorkingTree

NAME = "grpc-manifest-routes"
_STUBS = Path(__file__).parent / "stubs"
_PAGE = "docs/how-to/own-chart.md"
_ROUTES = re.compile(r'include "grpc-manifest\.(routes|gateway|route)"')
_WRAPPED = re.compile(r'include "grpc-manifest\.(deployments|table)"')

_AROUND = """\
{{- /* Between `define` and `end` stands one Deployment. It is rendered for each version, with the version's tag. */ -}}
%s
%s{{- end -}}
{{- include "grpc-manifest.deployments" (dict "chart" . "template" "%s"%s) -}}
"""

_ROUTES_FILE = """\
{{- /* Routes to the versions. `port`: that of the Service which clients call. Your values may hold `routes`: what
differs from the defaults. All of it: charts/grpc-manifest-routes/README.md */ -}}
{{- $labels := include "grpc-manifest.selectorOf" (dict "chart" . "template" "%s"%s) | fromYaml -}}
{{- $routes := dict
      "chart" .
      "fullname" %s
      "port" %s
      "labels" $labels%s
      "values" .Values.routes -}}
{{ include "grpc-manifest.routes" $routes }}
"""


class WrittenText(NamedTuple):
    """A file that people go on editing."""

    path: str
    text: str
    what: str


def version_of(library: Path) -> str:
    """The version that a chart's Chart.yaml names."""
    found = re.search(r"(?m)^version: (\S+)$", (library / "Chart.yaml").read_text("utf-8"))
    assert found
    return found[1]


def adopted(chart: str, source: PlainDirectory | WorkingTree, key: str, version: str) -> Iterator[WrittenText]:
    """What a chart needs beside the library.

    Args:
        key: where it looks for its versions.
        version: of the library.

    Raises:
        ReleaseError: its templates are written in a way that nobody could guess.
    """
    texts = {path: data.decode("utf-8", "replace") for path, data in source.read(_own(chart, source)).items()}
    begun = f"{chart}/Chart.yaml" not in texts
    if begun:
        texts = _stub(chart)
        for path in (f"{chart}/values.yaml", f"{chart}/templates/_helpers.tpl", f"{chart}/templates/service.yaml"):
            yield WrittenText(path, texts[path], "a chart of your own, begun")
    name = _chart_name(texts[f"{chart}/Chart.yaml"], f"{chart}/Chart.yaml")
    about = _with_dependency(texts[f"{chart}/Chart.yaml"], f"{chart}/Chart.yaml", version)
    if f"{chart}/Chart.lock" not in texts:  # it names all of them, with a digest; what lies in charts/ is used anyway
        yield WrittenText(f"{chart}/Chart.yaml", about, "names the library")
    templates = {path: text for path, text in texts.items() if path.startswith(f"{chart}/templates/")}
    template, more = f"{name}.deployment", "" if key == "image" else f' "key" "{key}"'
    if not any(_WRAPPED.search(text) for text in templates.values()):
        path, text = _only(templates, "Deployment", chart)
        around = _AROUND % (f'{{{{- define "{template}" -}}}}', text.removesuffix("\n") + "\n", template, more)
        yield WrittenText(path, around, "a Deployment for each version, around yours")
    if not any(_ROUTES.search(text) for text in templates.values()):
        yield WrittenText(f"{chart}/templates/routes.yaml", _routes(templates, chart, template, key), "routes to them")


def key_in(chart: str, source: PlainDirectory | WorkingTree) -> str:
    """Where the Deployment of a chart looks for its tag: `image`, or what it says alone."""
    texts = [data.decode("utf-8", "replace") for data in source.read(_own(chart, source)).values()]
    inside = [text for text in texts if _kinds(text, "Deployment")]
    found = {key for text in inside for key in re.findall(r"\.Values\.([\w.]+)\.tag\b", text)}
    return found.pop() if len(found) == 1 else "image"


def _own(chart: str, source: PlainDirectory | WorkingTree) -> list[str]:
    """The files of a chart without those of its parts."""
    return [path for path in source.paths(chart) if not path.startswith(f"{chart}/charts/")]


def _stub(chart: str) -> dict[str, str]:
    name = re.sub(r"[^a-z0-9]+", "-", chart.rpartition("/")[2].lower()).strip("-") or "service"
    return {
        f"{chart}/{file.relative_to(_STUBS).as_posix()}": file.read_text("utf-8").replace("NAME", name)
        for file in sorted(_STUBS.rglob("*"))
        if file.is_file()
    }


def _chart_name(text: str, path: str) -> str:
    try:
        about = to_data(parse(text))
    except YamlError as error:
        where = f"{path}:{error.line}:{error.column}"
        raise ReleaseError(error.reason, where=where, hint="correct the file") from error
    name = about.get("name") if isinstance(about, dict) else None
    if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
        raise ReleaseError("the chart has no name", where=path, hint="write `name: engine` into it")
    return name


def _with_dependency(text: str, path: str, version: str) -> str:
    about = to_data(parse(text))
    named = about.get("dependencies")
    if isinstance(named, list) and any(isinstance(one, dict) and one.get("name") == NAME for one in named):
        return text
    entry: edits.Value = {"name": NAME, "version": version}
    try:
        if named:
            return edits.add_entry(text, ("dependencies",), entry)
        text = edits.remove_entry(text, ("dependencies",)) if "dependencies" in about else text
        return edits.add_entry(text, (), [entry], key="dependencies")
    except EditRefused as error:
        raise error.in_file(path) from None


def _kinds(text: str, kind: str) -> int:
    return len(re.findall(rf"(?m)^kind:[ \t]*{kind}[ \t\r]*$", text))


def _only(templates: Mapping[str, str], kind: str, chart: str) -> tuple[str, str]:
    """The one template of a kind; it must hold nothing else."""
    found = [path for path, text in templates.items() if _kinds(text, kind)]
    objects = len(re.findall(r"(?m)^kind:", templates[found[0]])) if found else 0
    if len(found) == 1 and objects == 1:
        return found[0], templates[found[0]]
    several = f"several templates hold a {kind}" if found[1:] else f"the file of the {kind} holds other objects, too"
    what = several if found else f"no template has a line `kind: {kind}`"
    hint = f"put the {kind} that clients call into a file of its own; or do by hand what {_PAGE} shows"
    raise ReleaseError(what, where=", ".join(found[:5]) or f"{chart}/templates", hint=hint)


def _routes(templates: Mapping[str, str], chart: str, template: str, key: str) -> str:
    kinds = ("VirtualService", "DestinationRule")
    own = [path for path, text in templates.items() if any(_kinds(text, kind) for kind in kinds)]
    if own:
        what = "the chart has routes of its own, and no tool can tell what of them shall stay"
        hint = f'include "grpc-manifest.gateway" and "grpc-manifest.route" in them, as {_PAGE} shows; then run it again'
        raise ReleaseError(what, where=", ".join(own[:5]), hint=hint)
    path, text = _only(templates, "Service", chart)
    name = re.search(r"(?m)^metadata:[^\S\n]*\r?\n(?:[ \t]+\S.*\n)*?[ \t]+name:[ \t]*(\S.*?)[ \t\r]*$", text)
    port = re.search(r"\bport:[ \t]*(\{\{.*?\}\}|\d+)", text)
    if name is None or port is None or re.search(r"\$\w", f"{name[1]} {port[1]}"):
        lacks = "a variable of the template" if name and port else f"no plain {'port' if name else 'name'}"
        raise ReleaseError(
            f"the Service has {lacks}, which the routes need", where=path, hint=f"write them by hand, as {_PAGE} shows"
        )
    image = "" if key == "image" else f'\n      "image" .Values.{key}'
    more = "" if key == "image" else f' "key" "{key}"'
    return _ROUTES_FILE % (template, more, _expression(name[1]), _expression(port[1]), image)


def _expression(text: str) -> str:
    """A text of a template as an argument: `{{ .Release.Name }}-x` is `(print (.Release.Name) "-x")`."""
    parts = re.split(r"\{\{-?\s*(.*?)\s*-?\}\}", text.strip("'\""))
    words = [f"({part})" if number % 2 else f'"{part}"' for number, part in enumerate(parts) if part]
    if len(words) == 1:
        return words[0].strip('"') if words[0].strip('"').isdecimal() else words[0]
    return f"(print {' '.join(words)})"
