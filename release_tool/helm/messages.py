"""Helm's messages as errors of ours, without its noise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import BadValue, ReleaseError, ValuesRefused

if TYPE_CHECKING:
    from release_tool.helm.request import RenderRequest

INSTALL = (
    "install Helm 3.14 or newer so that `helm` is on PATH (https://helm.sh/docs/intro/install), or the embedded "
    "engine: `pip install helm-python-sdk`, in the action `extras: embedded`"
)

_LONGEST_MESSAGE = 600  # a template that includes itself is reported with a thousand places
_TEMPLATE = re.compile(r'[^\s/():"]+/((?:templates|charts|crds)/[^\s:()"]+(?::\d+(?::\d+)?)?)')
_STEP = re.compile(r'executing "[^"]*" at <(.*?)>:\s*', re.DOTALL)
_SCHEMA = "values don't meet the specifications of the schema"


def explained(request: RenderRequest, message: str) -> ReleaseError:
    """Helm's message as an error of ours: what is wrong in its own words, where in the chart, what to do."""
    text = _without_noise(message)
    names = " or ".join(values.name for values in request.values)
    if _SCHEMA in text:
        return _refused_by_schema(request, text, names)
    places = _TEMPLATE.findall(text)
    places = [place for place in places if ":" in place] or places  # the innermost is last
    steps = list(_STEP.finditer(text))
    refused = re.search(r"execution error at \([^)]*\): ", text)
    what = text[refused.end() :] if refused else text[steps[-1].end() :] if steps else text
    told = {
        "where": request.place(places[-1]) if places else request.chart,
        "cause": f"it happened in <{steps[-1][1]}>" if steps else "",
        "hint": f"correct {names} or the chart" if names else "correct the chart",
    }
    if "which is incompatible with Kubernetes" in what:
        told["hint"] = "name the version of your cluster by `render.kube_version` in release.yaml, or correct the chart"
    if refused:
        return ValuesRefused(
            f"the chart refuses the values: {_shortened(what)}", [BadValue(None, _shortened(what))], **told
        )
    return ReleaseError(f"the chart does not render: {_shortened(what)}", **told)


def _without_noise(message: str) -> str:
    """Helm's message without log lines, the word `Error:` and the advice on options of its program."""
    lines = [
        line
        for line in message.splitlines()
        if not line.startswith(("level=", "WARNING: ", "Use --debug flag")) and not re.match(r"\d{4}/\d\d/\d\d ", line)
    ]
    return "\n".join(lines).strip().removeprefix("Error: ")


_ADDED = re.compile(r"additional propert(?:y|ies) (.*) not allowed")


def _refused_by_schema(request: RenderRequest, text: str, names: str) -> ValuesRefused:
    """What the schemas of the chart and of its dependencies find, sorted, for Helm tells it in an order of chance."""
    found: list[tuple[str, str]] = []  # below which keys of the values, finding
    below = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("- "):
            found.append((below, line[2:]))
        elif line.endswith(":") and " " not in line:  # the name of a chart
            below = next((name for name in request.places if f"/{name}".endswith(f"/charts/{line[:-1]}")), "")
    found = sorted(found) or [("", text.splitlines()[-1])]
    first, finding = found[0]
    told = {"where": request.place(f"{first}/values.schema.json" if first else "values.schema.json")}
    own = {name.partition("/")[2] for name in request.places if name.count("/") == 1}
    added = set(re.findall(r"'([^']*)'", given[1])) if (given := _ADDED.search(finding)) else set()
    if added and added <= own | {"global"} and "at '':" in finding:
        told["cause"] = "Helm itself adds a key for each dependency to the values, and `global`"
        told["hint"] = f"allow {' and '.join(sorted(added))} among the `properties` of the schema"
    else:
        told["hint"] = f"correct {names or 'the values'}"
    what = f"the values don't fit the chart: {_shortened('; '.join(one for _, one in found))}"
    return ValuesRefused(what, [_bad_value(*one) for one in found], **told)


def _bad_value(below: str, finding: str) -> BadValue:
    """A finding of a schema: `at '/image/tag': got number, want object`."""
    found = re.match(r"at '([^']*)': ", finding)
    keys = f"/{below}".replace("/charts/", "/") if below else ""
    return BadValue(f"{keys}{found[1]}" if found else None, _shortened(finding[found.end() :] if found else finding))


def bad_values(name: str, message: str) -> ReleaseError:
    """The error about a values file that Helm can't read."""
    line = re.search(r"yaml: line (\d+): ", message)
    kind = re.search(r"cannot unmarshal (\w+) into Go value of type", message)
    kinds = {"array": "a list", "string": "text", "bool": "true or false"}
    return ReleaseError(
        f"the values are no mapping but {kinds.get(kind[1], f'a {kind[1]}')}" if kind else "the values can't be read",
        where=f"{name}:{line[1]}" if line else name,
        cause="" if kind else _shortened(message[line.end() :] if line else message.rpartition(": yaml: ")[2]),
        hint="correct the file",
    )


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} …"


def log(remarks: str) -> None:
    """Hand what Helm remarks beside its result to the logger, line by line."""
    import logging

    for line in remarks.strip().splitlines():
        logging.getLogger("release_tool.helm").info("helm: %s", line)
