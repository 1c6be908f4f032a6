"""Whole lives with charts of every kind: each claim of outcome, pull request and status holds in the rendering.

What is rendered is read a second time, plainly and by no line of the tool (`answers.py`).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from answers import Answer, Rendering
from origin import git, make_bare
from own_charts import CHART, DEPLOYMENTS, SERVICE
from world import World

from examples import NAMES, lay_out, request_of
from release_tool.helm import make_renderer
from release_tool.yamledit.style import nested

LIFE = [
    "bump devel v1.0.5",
    "bump devel v1.0.6",
    "bump devel v1.0.7",
    "default devel v1.0.6",
    "quarantine devel v1.0.7 --reason slow",
    "retire devel v1.0.5",
    "cleanup devel",
    "downgrade devel",
]
SHORT_LIFE = [
    "bump devel v1.0.5",
    "default devel v1.0.5",
    "quarantine devel v1.0.4 --reason slow",
    "retire devel v1.0.3",
    "downgrade devel --to v1.0.2",
]
TAGS = "environments/devel/image_tag.yaml"

# The seed's own template: the name is a position, and a mapping has none.
POSITIONS = """\
{{- range $num, $tag := .Values.image.tag }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own-v{{ add $num 1 }}}
spec:
  selector: {matchLabels: {app: own, version: v{{ add $num 1 }}}}
  template:
    metadata: {labels: {app: own, version: v{{ add $num 1 }}}}
    spec: {containers: [{name: own, image: "{{ $.Values.repository }}:{{ $tag }}"}]}
{{- end }}
"""
GATEWAY_API = "gateway API: "
ROUTED = """\
image: {repository: registry.example.com/engine}
routing: {kind: gateway-api, parentRefs: [{name: public}], hostnames: [engine.example.com]}
"""
LOOK_ALIKES = {
    "positions": ({"deployments": POSITIONS, "service": SERVICE}, "image"),
    "app.image": ({"deployments": DEPLOYMENTS.replace(".Values.image", ".Values.app.image")}, "app.image"),
    "elsewhere": ({"deployments": DEPLOYMENTS.replace(".Values.image", ".Values.app.image")}, "image"),
}
CONFIG = """\
version: 1
chart: charts/own
release_name: own
namespace: own
versions: {{key: {key}}}
environments:
  devel: {{retention: {{keep: 4}}}}
"""

REFUSED = {
    "seed-form": ["bump", "default", "quarantine", "retire", "downgrade"],
    "positions": ["bump", "quarantine", "retire"],
    "elsewhere": ["bump"],
}
"""What the chart can't carry out; where it is not named, all is done at the first word."""


def begun(name: str, path: Path) -> World:
    """A repository with an example, or with a chart that looks like one that somebody has."""
    world = World(path, by_hand=True)
    make_bare(world.origin)
    git("clone", "-q", world.origin, world.clone)
    example = name.removeprefix(GATEWAY_API)
    if example in NAMES:
        shutil.copytree(lay_out(example, path / "laid"), world.clone, dirs_exist_ok=True)
        if example != name:
            (world.clone / "environments/devel/values.yaml").write_text(ROUTED)
        world.key = yaml.safe_load((world.clone / "release.yaml").read_text()).get("versions", {}).get("key", "image")
        world.commit({}, "Begin")
        return world
    templates, world.key = LOOK_ALIKES[name]
    files = {f"charts/own/templates/{file}.yaml": text for file, text in templates.items()}
    files |= {
        "release.yaml": CONFIG.format(key=world.key),
        TAGS: nested(f"{world.key}.tag", "[v1.0.2, v1.0.3, v1.0.4, v1.0.5, v1.0.6]\n"),
        "environments/devel/values.yaml": "{}\n",
        "charts/own/Chart.yaml": CHART,
        "charts/own/values.yaml": "repository: r.example.com/own\napp: {image: {}}\n",
    }
    world.commit(dict(files), "Begin")
    return world


class Moment(NamedTuple):
    """What is rendered, and what the file says."""

    rendering: Rendering
    tags: dict[str, str]  # name -> tag, of live, quarantined and retired versions
    default: str

    @classmethod
    def of(cls, world: World) -> Moment:
        text = world.file(TAGS)
        rendering = Rendering(make_renderer("auto").render(request_of(world.clone, "devel", text)))
        held = yaml.safe_load(text)
        for part in world.key.split("."):
            held = held[part]
        there = held["tag"]
        named = there if isinstance(there, dict) else {f"v{at}": tag for at, tag in enumerate(there, start=1)}
        default = held.get("default") or min(named, key=lambda name: int(name[1:]))
        return cls(rendering, {**named, **held.get("retired", {})}, default)

    @property
    def header(self) -> str:
        return next(iter(self.rendering.headers), "")

    def call(self, word: str = "") -> Answer | None:
        return self.rendering.answer(self.header if word else "", word)

    def unnamed(self) -> set[Answer]:
        return {one for one in (self.call(), self.call("nobody-knows-it")) if one is not None}

    def own(self) -> set[str]:
        """The versions that calls reach by a route of their own, if they name them."""
        found = set()
        for name, tag in self.tags.items() if self.header else ():
            answers = {one for one in (self.call(name), self.call(tag)) if one is not None} - self.unnamed()
            found |= {name} if any(tag in one.first for one in answers) else set()
        return found

    def running(self) -> set[str]:
        return {name for name, tag in self.tags.items() if self.rendering.workloads(tag)}


def names_in(text: str) -> set[str]:
    """The versions of a sentence, or of a cell, but for those that are struck out."""
    return set(re.findall(r"\bv[0-9]+\b(?!\.)", re.sub(r"~~.*?~~|`.*?`", "", text)))


# -- what JSON says ---------------------------------------------------------------------------------------------------
def hold_routing(said: Any, seen: Moment) -> None:
    assert set(said["via"]) == seen.rendering.via
    assert (said["header"] or "") == seen.header
    assert set(said["routed"]) == seen.own()
    assert said["running"].keys() == seen.running()
    for name, workloads in said["running"].items():
        assert {one.split()[1].rpartition("/")[2] for one in workloads} == seen.rendering.workloads(seen.tags[name])

    def behind(row: Any) -> tuple[set[str], set[str]]:
        return {seen.tags[name] for name in row["versions"]}, {seen.tags[name] for name in row["first"]}

    rest = [behind(row) for row in said["routes"] if not row["values"]]
    for row in said["routes"]:
        for value in row["values"]:
            answer = seen.call(value)
            assert answer is not None
            assert behind(row) == (answer.tags, answer.first), value
    if seen.header:
        assert sorted(rest, key=str) == sorted(((set(one.tags), set(one.first)) for one in seen.unnamed()), key=str)


# -- what sentences say -----------------------------------------------------------------------------------------------
Claim = Callable[[Moment, Moment, Any], bool]
V = "(v[0-9]+)"
RETIRES = r"(?:v[0-9]+ would be retired \(.*\), and )?"


def gets_the_rest(now: Moment, name: str) -> bool:
    return now.call(name) in now.unnamed()


EFFECTS: dict[str, Claim] = {
    rf"no manifest shows (\S+) \({V}\)": lambda _, now, m: m[1] not in now.rendering.text and m[2] not in now.running(),
    rf"the chart has no route for {V}: calls that name it get what calls without a version get": lambda _, now, m: (
        gets_the_rest(now, m[1])
    ),
    rf"the chart has no route for {V}: calls that name it find none": lambda _, now, m: now.call(m[1]) is None,
    rf"the default moves to {V} in the file alone: the chart has no route for calls that name no version": (
        lambda _, now, m: now.default == m[1] and not now.unnamed()
    ),
    rf"the default moves to {V} in the file alone: calls that name no version still go to (.*)": lambda _, now, m: (
        {now.tags[name] for name in names_in(m[2])} == {tag for one in now.unnamed() for tag in one.first}
    ),
    rf"the chart keeps the route of {V}: calls that name it still reach its pods": lambda _, now, m: m[1] in now.own(),
    rf"{RETIRES}the chart keeps the route of {V}, which is retired: .*": lambda _, now, m: m[1] in now.own(),
    rf"{RETIRES}the chart removes the pods of {V} together with its route: calls that are under way fail": lambda old, now, m: (
        m[1] in old.own() & old.running() and m[1] not in now.own() | now.running()
    ),
    r"no manifest changes: (a quarantine|the default) is a label for this tool alone with this chart": (
        lambda old, now, _: old.rendering.objects == now.rendering.objects and not now.header
    ),
    rf"DestinationRule \S+: subset {V} goes, and .*: calls fail until all proxies know": lambda old, now, m: (
        m[1] in old.own() and m[1] not in now.own()
    ),
}


def firsts(moment: Moment) -> set[str]:
    return {tag for one in moment.unnamed() for tag in one.first}


CALLERS: dict[str, Claim] = {
    r"Calls that name no version, or an unknown one: (.*) → (.*)\.": lambda old, now, m: (
        set(re.findall("`(.*?)`", m[1])) == firsts(old) and set(re.findall("`(.*?)`", m[2])) == firsts(now)
    ),
    r"Calls that name no version, or an unknown one, find no route from then on\.": lambda old, now, _: (
        bool(old.unnamed()) and not now.unnamed()
    ),
    r"(.*) can be called by name from then on\.": lambda old, now, m: names_in(m[1]) == now.own() - old.own(),
    r"(.*) loses? (?:its|their) routes?(?: \(.*\))?: calls that name .* get the default\.": lambda old, now, m: (
        names_in(m[1]) == old.own() - now.own()
        and firsts(now) == {now.tags[now.default]}
        and all(gets_the_rest(now, name) for name in names_in(m[1]))
    ),
    r"(.*) loses? (?:its|their) routes?(?: \(.*\))?: calls that name .* get what calls without a version get\.": (
        lambda old, now, m: (
            names_in(m[1]) == old.own() - now.own() and all(gets_the_rest(now, name) for name in names_in(m[1]))
        )
    ),
    r"(.*) loses? (?:its|their) routes?(?: \(.*\))?: calls that name .* find no route\.": lambda old, now, m: (
        names_in(m[1]) == old.own() - now.own() and not any(now.call(name) for name in names_in(m[1]))
    ),
    r"(.*) runs? from then on\.": lambda old, now, m: names_in(m[1]) == now.running() - old.running(),
    r"(.*) runs? no more\.": lambda old, now, m: names_in(m[1]) == old.running() - now.running(),
    r"Callers notice nothing\.": lambda old, now, _: keeps(old, now) and old.own() == now.own(),
    # What the file alone says.
    rf"{V}(?: `.*`)? (?:is added|comes back|is cleared)\.": lambda _, now, m: m[1] in now.tags,
    rf"{V}(?: `.*`)? becomes the default(?: \(was v[0-9]+\))?\.": lambda _, now, m: m[1] == now.default,
    rf"{V}(?: `.*`)? (?:retires|is quarantined)(?:: .*)?\.": lambda _, now, m: m[1] in now.tags,
    rf"{V}(?: `.*`)? is removed(?:: .*)?\.": lambda _, now, m: m[1] not in now.running(),
}
RISKS: dict[str, Claim] = {
    r"none\*\*: no rendered object changes.*": lambda old, now, _: old.rendering.objects == now.rendering.objects,
    r"low\*\*: each call of today keeps its version.*": lambda old, now, _: keeps(old, now),
    r"medium\*\*: calls of today get another version.*": lambda old, now, _: not keeps(old, now),
    r"high\*\*: calls that are answered today find no route.*": lambda old, now, _: not now.unnamed(),
    r"high\*\*: see the warnings.*": lambda *_: True,
}


def keeps(old: Moment, now: Moment) -> bool:
    return firsts(old) == firsts(now) and old.own() <= now.own()


OF_THE_FILE = (r"The default is held: .*",)
"""Warnings that say nothing of what is rendered."""


def hold(sentence: str, claims: dict[str, Claim], old: Moment, now: Moment) -> None:
    for pattern, claim in claims.items():
        if found := re.fullmatch(pattern, sentence):
            assert claim(old, now, found), f"the rendering contradicts: {sentence}"
            return
    raise AssertionError(f"nobody here knows what this claims: {sentence}")


def hold_body(body: str, old: Moment, now: Moment) -> None:
    head, _, rest = body.partition("<details>")
    told = re.findall(r"^- (.*)$", head.partition("\n**")[0], re.MULTILINE)
    (risk,) = re.findall(r"^\*\*Risk: (.*)$", head, re.MULTILINE)
    hold(risk, RISKS, old, now)
    for sentence in told:
        hold(sentence, CALLERS, old, now)
    for sentence in re.findall(r"^> - (.*)$", head, re.MULTILINE):
        if not any(re.fullmatch(pattern, sentence) for pattern in OF_THE_FILE):
            hold(sentence, EFFECTS, old, now)
    silent = not any("can be called by name" in one for one in told) and now.own() - old.own()
    assert not silent, "a route that comes is told"
    assert old.own() <= now.own() or any("route" in one for one in told), "a route that goes is told"
    hold_diagram(rest.partition("```mermaid")[2].partition("```")[0], now)
    table = re.search(r"<summary>Routes once this lands \(.*\)</summary>\n\n.*\n.*\n((?:\|.*\n)*)", rest)
    assert (table is not None) == bool(now.header)
    for row in table[1].splitlines() if table else ():
        hold_row([cell.strip() for cell in row.strip("|").split(" | ")], now)


def hold_diagram(drawn: str, now: Moment) -> None:
    rest = {tag for one in now.unnamed() for tag in one.tags}
    assert bool(drawn) == bool(now.header)
    assert ("default pool" in drawn) == (len(rest) > 1)
    assert set(re.findall(r'^  calls -->\|"(v[0-9]+)"\| \1$', drawn, re.MULTILINE)) == now.own()
    to = re.findall(r'^  (?:pool -->\|"first"|calls -->\|"none, or unknown")\| (v[0-9]+)$', drawn, re.MULTILINE)
    ordered = len(rest) == 1 or firsts(now) != rest
    assert {now.tags[name] for name in to} == (firsts(now) if ordered else set())


def struck_out(cell: str) -> set[str]:
    return {name for part in re.findall("~~(.*?)~~", cell) for name in names_in(part)}


def hold_row(cells: list[str], now: Moment) -> None:
    """One row of the table of routes."""
    words = re.findall("`(.*?)`", cells[0])
    images = {word.rpartition(":")[2] for word in re.findall("`(.*?)`", cells[2])}
    if gone := struck_out(cells[0]):
        answers = {now.call(name) for name in gone}
        assert answers == {None} if cells[1] == "no route" else answers <= now.unnamed(), cells
    elif not words:
        assert images == firsts(now), cells
    for word in words:
        answer = now.call(word)
        assert answer is not None
        assert answer.first == images, cells


STATUS: dict[str, Callable[[Moment, str, str], bool]] = {
    "no manifest shows it": lambda now, name, _: now.tags[name] not in now.rendering.text,
    "the chart still routes calls to it": lambda now, name, state: (
        name in now.own() and state not in {"live", "default"}
    ),
    "the chart has no route for it": lambda now, name, state: (
        bool(now.header)
        and now.tags[name] in now.rendering.text
        and state in {"live", "default"}
        and name not in now.own()
    ),
    "calls that name no version go to it": lambda now, name, _: (
        bool(now.header) and now.tags[name] in firsts(now) and name != now.default
    ),
}


def hold_status(text: str, now: Moment) -> None:
    """Each remark about a version is told where it holds, and there alone."""
    rows = dict(re.findall(r"^  (v[0-9]+)  \S+  (.*)$", text, re.MULTILINE))
    assert rows.keys() == now.tags.keys()
    for name, row in rows.items():
        for remark, holds in STATUS.items():
            assert (remark in row) == holds(now, name, row.split()[0]), f"{name}: {remark}: {row}"
        drains = row.startswith("retired") and name in now.running()
        assert ("drains until" in row) == drains, f"{name}: {row}"
    said = "".join(re.findall(r"^  routes +(.*)$", text, re.MULTILINE))
    assert ("tells versions apart" in said) == (not now.header)
    assert ("none for calls that name no version" in said) == bool(now.header and not now.unnamed())
    elsewhere = bool(now.header and now.unnamed()) and now.tags[now.default] not in firsts(now)
    assert ("calls that name no version go to" in said) == elsewhere


# -- the lives --------------------------------------------------------------------------------------------------------
def done(world: World, words: list[str], refused: list[str]) -> tuple[Any, list[str]]:
    """The outcome of a step, forced where the chart can't carry it out, and why that was refused; None: it can't be."""
    said = world.release(*words, "--output", "json", code=None)
    if said.code == 0:
        return said.data, []
    refused.append(words[0])
    assert said.code == 1
    error = said.data["error"]
    if "--force --reason 'why'" not in error["hint"]:
        return None, [error["what"]]
    why = error["what"].split("\n  ")[1:] or [error["what"].partition(": ")[2]]
    plain = words[: words.index("--reason")] if "--reason" in words else words
    return world.json(*plain, "--force", "--reason", "known"), why


@pytest.mark.parametrize("name", [*NAMES, f"{GATEWAY_API}shipped-chart", *LOOK_ALIKES])
def test_no_sentence_is_contradicted_by_the_rendering(name: str, tmp_path: Path) -> None:
    world = begun(name, tmp_path)
    old, refused = Moment.of(world), list[str]()
    life = LIFE if name in NAMES else LIFE[2:] if name in LOOK_ALIKES else SHORT_LIFE
    for step in life:
        world.now += timedelta(hours=2 if step.startswith("cleanup") else 0)
        outcome, why = done(world, step.split(), refused)
        (outcome,) = outcome if isinstance(outcome, list) else [outcome]
        if outcome is None or not outcome["changed"]:
            continue
        number = outcome["pull_request"]["number"]
        body = json.loads(world.file("pull.json", f"refs/pulls/{number}"))["body"]
        world.release("pulls", "merge", str(number))
        now = Moment.of(world)
        known = Moment(now.rendering, {**old.tags, **now.tags}, now.default)
        for sentence in (*why, *outcome["notes"]):
            hold(re.sub(r"^v[0-9]+ would be retired \(.*?\), and ", "", sentence), EFFECTS, old, known)
        if outcome["routing"]["before"] or old.rendering.objects:
            hold_routing(outcome["routing"]["before"], old)
        hold_routing(outcome["routing"]["after"], now)
        hold_body(body, old, known)
        if step.startswith(("quarantine", "downgrade")):
            hold_status(world.release("status", "devel").out, now)
        old = now
    assert refused == REFUSED.get(name, []), refused
