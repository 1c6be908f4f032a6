"""Pull requests to write: proposals of any plan, and proposals whose every text comes from somebody hostile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st
from model_builders import NOW, change, line, state

from release_tool import manifests
from release_tool.config import Place, place_of
from release_tool.manifests.routes.reach import Reach, Row, reach
from release_tool.model import history
from release_tool.model.records import Gate, Kept, Name, State, Tag
from release_tool.model.versions import tag_part
from release_tool.pull_request.compose import Proposed
from release_tool.pull_request.markdown import units
from release_tool.rules import outlook
from release_tool.rules.forecast import Coming
from release_tool.rules.plan import Ground, LeftOut, Plan

IMAGE = "registry.example.com/engine"
AROUND = """\
apiVersion: v1
kind: Service
metadata: {name: engine, namespace: engine}
spec: {ports: [{port: 80}], selector: {app: engine}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: engine
  namespace: engine
spec:
  hosts: [engine]
  http:
"""


def rendering(one: State, header: str = "x-version") -> str:
    """The manifests of some versions, in the chart's way and no longer than a test wants them."""
    routes = [
        f"  - name: {name}\n    match:\n    - headers: {{{header}: {{exact: {name}}}}}\n"
        f"    - headers: {{{header}: {{exact: {tag_part(tag)}}}}}\n    route:\n    - destination: {{host: engine, subset: {name}}}\n"
        for name, tag in one.live.items()
    ]
    routes.append("  - name: default\n    route:\n    - destination: {host: engine, subset: default}\n")
    every = dict(sorted({**one.versions, **one.retired}.items()))
    order = f"{{outlierDetection: {{}}, loadBalancer: {{localityLbSetting: {{failoverPriority: [version={one.default}]}}}}}}"
    subsets = [f"  - {{name: default, labels: {{}}, trafficPolicy: {order}}}\n"]
    subsets += [f"  - {{name: {name}, labels: {{version: {name}}}}}\n" for name in every]
    rule = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: engine, namespace: engine}\n"
    rule += "spec:\n  host: engine\n  subsets:\n" + "".join(subsets)
    pods = [
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: engine-{name}, namespace: engine}}\n"
        f"spec: {{template: {{metadata: {{labels: {{app: engine, version: {name}}}}}, "
        f"spec: {{containers: [{{name: a, image: '{IMAGE}:{tag}'}}]}}}}}}\n"
        for name, tag in every.items()
    ]
    return "---\n".join([AROUND + "".join(routes), rule, *pods])


def reached(before: State, after: State) -> tuple[Reach, Reach]:
    """Who answers calls before and after it, by those manifests."""
    every = {**before.versions, **before.retired, **after.versions, **after.retired}
    return reach(rendering(before), "engine", every), reach(rendering(after), "engine", every)


def devel(service: str = "") -> Place:
    """Where the environment lives."""
    return place_of("devel", path="environments/{environment}", branch="release/{environment}", service=service)


def proposal(ground: Ground, made: Plan, service: str = "", **more: Any) -> Proposed:
    """A plan as a pull request shows it, with its manifests."""
    before = ground.state
    given: dict[str, Any] = {
        "before": before,
        "plan": made,
        "order": ground.order,
        "environments": {"devel": before},
        "ahead": outlook.ahead(made.after, ground.environment, ground.order, ground.facts),
        "manifests": manifests.difference(rendering(before), rendering(made.after)),
        "reached": reached(before, made.after),
        "builds": history.builds([*ground.lines, *made.lines]),
        **more,
    }
    return Proposed(devel(service), made.lines, **given)


# -- what hostile people write ----------------------------------------------------------------------------------------
ACTIVE = [
    "a | b", "`x`", "``` x ```", "<b>x</b>", "<!-- ", "-->", "</details>", "<script>", "@team", "me@example.com", "#1", "GH-1",
    "closes o/r#2", "https://github.com/o/r/issues/3", "www.example.com", "[x](http://y)", "![x](http://y)", "javascript:x",
    "a\nb", "a\r\nb", "\n\n# x", "\n```\n", "\u2028", "&x;", "&lt;", "\\", "\\|", "$x$", "*x*", "~~x~~", "__x__", "> x", "- [ ] x",
    "\u202e", "\u2066", "\u200f", "\x1b[31m", "\x00", "\ud800", "]]", '"]', "-->|x|", "%%{init: {}}%%", "click a b", "'; rm x;'",
]  # fmt: skip
FINE = ["😀", "👩\u200d🚀", "🏳\ufe0f\u200d🌈", "שלום", "العربية", "für später", "1.0.5", "v5", "x" * 200]
EVIL = st.lists(st.one_of(st.sampled_from(ACTIVE), st.sampled_from(FINE), st.text(max_size=20)), max_size=6).map(
    "".join
)
LONG = st.builds(lambda text, times: text * times, EVIL, st.sampled_from([1, 1, 1, 1, 60]))


@st.composite
def hostile(draw: Any) -> Proposed:
    """A proposal whose every text is hostile, and perhaps long; and perhaps there is much of it."""
    text = [draw(LONG) for _ in range(4)]

    def evil() -> Iterator[str]:
        while True:
            yield from text

    words = evil()
    times = draw(st.sampled_from([1, 1, 3, 45]))
    before = state(default="v1", named={f"v{n}": next(words) for n in range(1, times + 2)})
    name = Name("v1")
    after = state(
        default="v2",
        named={f"v{n}": next(words) for n in range(2, times + 3)},
        retired={"v1": next(words)},
        quarantined={f"v{times + 2}": next(words)},
        pinned={"v2": next(words)},
    )
    gates = (Gate(next(words), "forced", next(words)), Gate("soak", next(words), next(words)))
    lines = [
        line(
            next(words),
            change("retire", "v1", next(words), next(words)),
            change("set-default", "v2", next(words), next(words), before=Name(next(words))),
            tag=next(words),
            operation=draw(st.sampled_from(["bump", "promote", "undo", "cleanup", "pin"])),
            run=next(words),
            arguments={"reason": next(words), "from": next(words), "to_tag": next(words), "what": next(words)},
            adopted=(change("pin", "v2", next(words), next(words)),),
        )
        for _ in range(times)
    ]
    lines = [
        one._replace(
            intent=one.intent._replace(
                by=next(words),
                gates=gates,
                provenance={key: next(words) for key in ("image", "digest", "commit", "build", next(words))},
            )
        )
        for one in lines
    ]
    coming = [Coming(NOW, change("remove", "v1", next(words), next(words)))] * times
    objects = [
        manifests.ObjectChange(
            draw(st.sampled_from(["added", "changed"])),
            manifests.ObjectKey(
                "v1", draw(st.sampled_from(["Deployment", "VirtualService"])), next(words), next(words)
            ),
            "x.yaml",
            next(words),
            next(words),
        )
        for _ in range(times)
    ]
    return Proposed(
        devel(draw(st.sampled_from(["", "engine"]))),
        lines,
        before,
        Plan(
            tuple(lines),
            (),
            after,
            kept=(Kept(name, Tag(next(words)), next(words)),) * times,
            waiting=(Kept(name, Tag(next(words)), next(words)),) * times,
            left_out=(LeftOut(lines[0], next(words)),) * times,
        ),
        environments={"devel": before, "staging": after, "production": None},
        ahead=outlook.Outlook(holding=(Name("v9"),) * times, coming=tuple(coming)),
        ending=[("v2", next(words), next(words))] * times,
        notes=[next(words)] * times,
        manifests=objects,
        reached=tuple(_hostile_reach(tuple(one.live), next(words), next(words)) for one in (before, after)),
        image=next(words),
        builds={
            tag_part(tag): {key: next(words) for key in ("image", "digest", "commit", "build", "source")}
            for tag in [*after.versions.values()][:3]
        },
        branch=draw(st.sampled_from(["", "release/devel-downgrade"])),
    )


def _hostile_reach(names: Sequence[Name], header: str, word: str) -> Reach:
    """Routes that tell versions apart by a strange header, with strange values, and lead to strange subsets."""
    rows = [Row((name, word), (name, word), (name,), (name,)) for name in names]
    return Reach(
        ("VirtualService",), header or "x", (*rows, Row((), (word,), (*names,), names[:1])), own=frozenset(names)
    )


# -- reading it -------------------------------------------------------------------------------------------------------
def without_code(body: str) -> str:
    """A body without its blocks of code, in which a forge acts on nothing."""
    kept: list[str] = []
    fence = ""
    for text in body.split("\n"):
        run = re.match("`{3,}", text)
        if fence:
            if text.rstrip() == fence:
                fence = ""
        elif run:
            fence = run[0]
        else:
            kept.append(text)
    assert not fence, "a block of code is not closed"
    return "\n".join(kept)


def tables(body: str) -> list[list[str]]:
    """The tables of a body: their lines."""
    found: list[list[str]] = [[]]
    for text in without_code(body).split("\n"):
        if text.startswith("|"):
            found[-1].append(text)
        elif found[-1]:
            found.append([])
    return [one for one in found if one]


def longest(body: str) -> int:
    """The length of a body by the strictest count."""
    return max(units(body), len(body))


def headings(body: str) -> Sequence[str]:
    """The headings of what is folded, in their order."""
    return re.findall("^<details><summary>(.*)</summary>$", body, re.MULTILINE)
