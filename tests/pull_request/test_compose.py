"""The pull request as a cockpit: whole texts to review, and what a reader must find where."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from model_builders import DAY, DIGEST, HOUR, NOW, TODAY, add_line, bump, change, ground, line, planned, state
from pull_requests import devel, headings, longest, proposal, without_code

from release_tool.manifests import ObjectChange, ObjectKey
from release_tool.manifests.routes.reach import Reach
from release_tool.model.records import Gate, Line, Name, Pin, Tag
from release_tool.pull_request import compose
from release_tool.pull_request.compose import Proposed
from release_tool.pull_request.markdown import link, plain, safe_url
from release_tool.rules.plan import LeftOut, plan

GOLDEN = Path(__file__).parent / "golden-pulls"
FOUR = state("1.0.1", "1.0.2", "1.0.3", "1.0.4", default="v4")


def asked(made: Line, **more: Any) -> Line:
    return made._replace(intent=made.intent._replace(**more))


OLD, NEW = "fedcba9876543210" * 2 + "fedcba98", "0123456789abcdef" * 2 + "01234567"
RECORD = [
    asked(add_line("1.0.1", "v1")),
    asked(add_line("1.0.2", "v2")),
    asked(add_line("1.0.3", "v3"), provenance={"commit": "3" * 40, "source": "https://github.com/acme/engine"}),
    asked(
        line("bump-1.0.4", change("add", "v4", "1.0.4"), change("set-default", "v4", "1.0.4", before=Name("v3")), tag="1.0.4"),
        provenance={"commit": OLD, "source": "https://github.com/acme/engine.git"},
    ),
]  # fmt: skip
"""The record that stands behind FOUR."""


def a_bump() -> Proposed:
    """A build adds a version; the oldest one retires."""
    base = ground(FOUR, keep=4, lines=RECORD)
    provenance = {
        "image": "registry.example.com/engine",
        "digest": DIGEST[1:],
        "commit": NEW,
        "build": "https://ci.example.com/engine/builds/77?step=push&attempt=1",
        "source": "https://github.com/acme/engine",
    }
    mine = asked(bump("1.0.5"), by="builder", run="https://ci.example.com/engine/runs/78", provenance=provenance)
    elsewhere = {"devel": FOUR, "staging": state("1.0.1", "1.0.2", default="v2"), "production": state("1.0.1")}
    return proposal(base, plan(base, (), mine), environments=elsewhere)


def the_first_version() -> Proposed:
    """An environment gets its first version; nothing stands there, so nothing can be compared."""
    base = ground(state())
    return proposal(base, plan(base, (), asked(bump("1.0.1"), by="ada")))


def an_undo() -> Proposed:
    """A person takes the last bump back."""
    base = ground(FOUR, lines=RECORD)
    arguments = {"operation": "bump-1.0.4", "what": "bump 1.0.4", "reason": "too early for mobile clients"}
    return proposal(base, plan(base, (), asked(line("01U", operation="undo", arguments=arguments), by="ada")))


def of_a_service() -> Proposed:
    """Two builds wait in the environment of a service, which is the second of three; one file can't be read."""
    base = ground(state("1.0.1", default="v1"))
    environments = {"local": None, "devel": base.state, "staging": state()}
    return proposal(base, planned(base, "1.0.2", "1.0.3"), service="engine", environments=environments)


def a_forced_promotion() -> Proposed:
    """A gate said no, and a person overruled it."""
    base = ground(FOUR, default="promoted")
    gates = (
        Gate("order", "passed", "staging comes before devel"),
        Gate("soak", "forced", "the default of staging since 2026-11-23 10:00 UTC; 1d are asked for"),
    )
    arguments = {"tag": "1.0.5", "version": "v5", "from": "staging", "force": True, "reason": "a customer waits"}
    mine = line("01P", operation="promote", arguments=arguments)
    return proposal(base, plan(base, (), asked(mine, by="ada", gates=gates)))


def a_downgrade() -> Proposed:
    """The default moves back, and what it leaves is quarantined."""
    base = ground(FOUR, lines=RECORD)
    arguments = {"tag": "1.0.4", "version": "v4", "reason": "error rate 0.12 > 0.05"}
    mine = line("01D", operation="downgrade", arguments=arguments)
    return proposal(base, plan(base, (), asked(mine, by="guard")), branch="release/devel-downgrade")


def with_warnings() -> Proposed:
    """Everything that there is to be careful about."""
    base = ground(
        state("1.0.1", "1.0.2", "1.0.3" + DIGEST, default="v1", named={"v5": "1.0.5"}, quarantined={"v5": "crashes"},
              pinned={"v2": Pin("mobile clients 2.x", TODAY + 3 * DAY)}),
        lines=[line("1", change("add", "v1", "1.0.1"))],
    )  # fmt: skip
    other = state(named={"v3": "1.0.3@sha256:" + "f" * 64})
    left_out = (LeftOut(bump("1.0.9"), "1.0.9 is quarantined in devel: it was bad"),)
    return proposal(
        base,
        planned(base, "1.0.4")._replace(left_out=left_out),
        environments={"devel": base.state, "staging": other},
        ending=[("v2", "1.0.2", (TODAY + 3 * DAY).isoformat())],
        notes=["subset v3 selects no pods"],
    )


def a_cleanup() -> Proposed:
    """What has drained goes, a pin has ended, and there is more to come."""
    pins = {Name("v1"): Pin("batch job", date(2026, 11, 22)), Name("v2"): Pin("mobile clients 2.x", date(2026, 12, 1))}
    base = ground(
        FOUR._replace(pinned=pins, retired={Name("v8"): Tag("0.9.0"), Name("v9"): Tag("0.9.1")}),
        keep=2,
        drain=2 * HOUR,
        max_age=30 * DAY,
        landed={
            **{("versions", Name(f"v{n}")): NOW - (20 - n) * DAY for n in range(1, 5)},
            ("retired", Name("v8")): NOW - 3 * HOUR,
            ("retired", Name("v9")): NOW - HOUR / 2,
        },
    )
    return proposal(base, plan(base, (), line("01C", operation="cleanup")))


def of_many_versions() -> Proposed:
    """More versions than a picture, a table or a sentence takes."""
    base = ground(state(*[f"1.0.{n}" for n in range(60)], default="v60"), keep=48)
    return proposal(base, planned(base, "1.1.0", "1.1.1"))


def of_somebody_hostile() -> Proposed:
    """Reasons that want to be more than words."""
    evil = (
        "| x | @team closes #1 <img src=x> [a](http://b) ![](http://b) `c` https://d.example\r\n\r\n# h\u202e 😀 שלום"
    )
    base = ground(FOUR)
    mine = line("01H", operation="pin", arguments={"tag": "1.0.1", "version": "v1", "reason": evil})
    mine = asked(mine, by=evil, run="javascript:alert(1)", provenance={"build": "https://ci.example.com@evil.example/"})
    return proposal(base, plan(base, (), mine)._replace(left_out=(LeftOut(mine, evil),)), notes=[evil])


CASES: dict[str, Callable[[], Proposed]] = {
    "bump": a_bump,
    "first-version": the_first_version,
    "undo": an_undo,
    "service": of_a_service,
    "forced-promotion": a_forced_promotion,
    "downgrade": a_downgrade,
    "warnings": with_warnings,
    "cleanup": a_cleanup,
    "many-versions": of_many_versions,
    "hostile": of_somebody_hostile,
}


@pytest.mark.parametrize("case", CASES)
def test_the_whole_text(case: str) -> None:
    text = compose.pull_request(CASES[case]())
    whole = f"{text.title}\n\n{text.body}"
    golden = GOLDEN / f"{case}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(whole, encoding="utf-8", newline="")
    assert golden.read_bytes().decode("utf-8") == whole


@pytest.mark.parametrize("case", CASES)
def test_a_plan_that_is_made_again_gives_the_same_text(case: str) -> None:
    assert compose.pull_request(CASES[case]()) == compose.pull_request(CASES[case]())


# -- the first screen -------------------------------------------------------------------------------------------------
def first(proposed: Proposed) -> str:
    """The first screen."""
    return compose.pull_request(proposed).body.partition("<details>")[0]


@pytest.mark.parametrize("case", CASES)
def test_what_changes_for_callers_stands_first_and_the_risk_takes_one_line(case: str) -> None:
    shown = first(CASES[case]())
    assert shown.startswith("- ")
    assert len(re.findall(r"^\*\*Risk: (?:none|low|medium|high|unknown)\*\*: .*\.$", shown, re.MULTILINE)) == 1


@pytest.mark.parametrize("case", [case for case in CASES if case != "hostile"])  # who writes the same everywhere
def test_no_fact_stands_twice_on_the_first_screen(case: str) -> None:
    made = CASES[case]()
    shown = first(made)
    once = [line.intent.arguments.reason for line in made.lines] + [line.intent.run for line in made.lines]
    once += re.findall(r"\bv\d+ `[^`]+`", shown.partition("> [!WARNING]")[0])
    assert [fact for fact in once if fact and shown.count(plain(fact) if " `" not in fact else fact) > 1] == []
    sentences = [one.strip("-.* ") for one in re.split(r"\n+|; |: ", shown)]
    assert [one for one in set(sentences) if len(one) > 15 and sentences.count(one) > 1] == []


@pytest.mark.parametrize("case", CASES)
def test_all_that_is_no_part_of_the_first_screen_is_folded(case: str) -> None:
    body = without_code(compose.pull_request(CASES[case]()).body)
    assert body.count("<details>") == body.count("</details>") > 5
    _, _, rest = body.partition("<details>")
    deep = 1
    for mark, between in re.findall(r"(<details>|</details>)((?:(?!</?details>).)*)", rest, re.DOTALL):
        deep += 1 if mark == "<details>" else -1
        assert deep > 0 or not between.strip(), between
    assert deep == 0


def test_warnings_name_the_commands_of_the_decision() -> None:
    shown = first(with_warnings())
    for words in (
        "> [!WARNING]",
        "> - The default is held: v5 is quarantined and newer. `release clear devel v5` or `release default devel NAME` frees",
        "> - bump 1.0.9 is left out: 1.0.9 is quarantined in devel: it was bad",
        "> - The pin of v2 `1.0.2` ends: its last day is 2026-11-26. `release pin devel v2 --until DAY --reason WHY` keeps it.",
        "> - subset v3 selects no pods",
        "> - v3 `1.0.3` is another image here than in staging",
        "**Risk: high**: see the warnings; there is no version to fall back to (a downgrade needs `--to NAME`).",
    ):
        assert words in shown


def test_a_gate_that_was_overruled_is_a_warning_with_its_reason() -> None:
    shown, _, rest = compose.pull_request(a_forced_promotion()).body.partition("<details>")
    assert "promote 1.0.5 from staging: the gate soak said no and was overruled: the default of staging since" in shown
    assert "**Risk: high**: see the warnings" in shown
    assert "<summary>Gates: 1 passed, 1 forced</summary>" in rest
    assert "| promote 1.0.5 from staging | order | passed | staging comes before devel |" in rest


def test_the_person_and_the_reason_stand_on_the_first_screen() -> None:
    assert "**Asked for** by ada: a customer waits\n" in first(a_forced_promotion())
    assert "**Asked for** by builder ([run at ci.example.com](https://ci.example.com/engine/runs/78))\n" in first(
        a_bump()
    )


def test_of_several_operations_each_says_who_and_why() -> None:
    made = of_a_service()
    assert "Asked for" not in first(made), "the title names the operations"
    one, two = made.lines
    two = asked(two, by="ada", arguments=two.intent.arguments._replace(reason="a customer waits"))
    shown = first(made._replace(lines=[asked(one, by="builder"), two]))
    assert "**Asked for**:\n\n- bump 1.0.2 by builder\n- bump 1.0.3 by ada: a customer waits\n" in shown


def test_a_default_that_moves_back_is_said_with_the_risk_and_what_another_downgrade_would_do() -> None:
    said = "**Risk: medium**: calls of today get another version; the default moves **back**; another downgrade would go back to"
    assert said in first(a_downgrade())


def test_the_default_that_this_very_downgrade_holds_needs_no_decision() -> None:
    assert "WARNING" not in first(a_downgrade())


def test_without_anything_to_decide_there_is_no_warning() -> None:
    assert "WARNING" not in compose.pull_request(a_bump()).body


def test_what_nobody_notices_is_told_so() -> None:
    base = ground(FOUR)
    arguments = {"tag": "1.0.1", "version": "v1", "reason": "mobile clients", "until": "2027-03-31"}
    made = proposal(base, plan(base, (), line("01H", operation="pin", arguments=arguments)))
    shown = first(made)
    assert "- Callers notice nothing.\n- v1 `1.0.1` is pinned until 2027-03-31.\n" in shown
    assert "**Asked for**: mobile clients\n\n**Risk: none**: no rendered object changes.\n" in shown
    removed = first(a_cleanup())
    assert "- v8 `0.9.0` is removed: drained for 2h." in removed


def test_what_a_later_operation_takes_back_is_not_said_to_happen() -> None:
    record = [line("0", change("add", "v1", "1.0.1"), change("add", "v2", "1.0.2"), change("deploy", "v1", "1.0.1"))]
    base = ground(state(named={"v2": "1.0.2"}, retired={"v1": "1.0.1"}), lines=record)
    gone = line("01", operation="retire", tag="1.0.1")
    arguments = {"tag": "1.0.1", "until": "2027-03-31", "deployed": True}
    made = proposal(base, plan(base, (gone,), line("02", operation="restore", arguments=arguments)))
    shown = first(made)
    assert "v1 is pinned until 2027-03-31" in shown
    assert "is removed" not in shown


# -- the risk ---------------------------------------------------------------------------------------------------------
def risk(proposed: Proposed) -> str:
    (found,) = re.findall(r"^\*\*Risk: (.*)$", first(proposed), re.MULTILINE)
    return str(found)


def test_the_risk_is_read_from_the_routes() -> None:
    made = a_bump()
    assert made.reached is not None
    before, after = made.reached
    assert before is not None
    assert risk(made).startswith("medium**: calls of today get another version; a downgrade would go back to v4")
    assert risk(made._replace(reached=(None, after))).startswith("unknown**: the manifests don't tell")
    assert risk(made._replace(reached=(before, after._replace(apart=True)))).startswith("unknown**")
    assert risk(made._replace(manifests=())).startswith("none**: no rendered object changes.")
    assert risk(the_first_version()).startswith("low**: nothing runs here yet")
    assert risk(made._replace(notes=["subset v3 selects no pods"])).startswith("high**: see the warnings")
    nowhere = after._replace(rows=after.rows[:-1])
    assert risk(made._replace(reached=(before, nowhere))).startswith(
        "high**: calls that are answered today find no route"
    )
    more = before._replace(own=before.own | {Name("v5")})
    assert risk(made._replace(reached=(before, more))).startswith("low**: each call of today keeps its version")


# -- images and commits -----------------------------------------------------------------------------------------------
def built(proposed: Proposed, *, now: dict[str, str], then: dict[str, str]) -> str:
    """The line about the image, where the default of today and the new version were built so."""
    shown = first(proposed._replace(builds={"1.0.4": now, "1.0.5": then}))
    (found,) = re.findall(r"^\*\*Image\*\*: (.*)$", shown, re.MULTILINE)
    return str(found)


GITHUB = "https://github.com/acme/engine"


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ({}, {}, ""),
        ({}, {"commit": NEW}, ", commit `0123456789ab`"),
        ({}, {"commit": NEW, "source": GITHUB}, f", [commit 0123456789ab]({GITHUB}/commit/{NEW})"),
        ({"commit": OLD, "source": GITHUB}, {"commit": NEW, "source": f"{GITHUB}.git"}, f", [commits since v4]({GITHUB}/compare/{OLD}...{NEW})"),
        ({"commit": OLD, "source": "https://github.com/acme/other"}, {"commit": NEW, "source": GITHUB}, f", [commit 0123456789ab]({GITHUB}/commit/{NEW})"),
        (
            {"commit": OLD, "build": f"{GITHUB}/actions/runs/6"}, {"commit": NEW, "build": f"{GITHUB}/actions/runs/7"},
            f", [build at github.com]({GITHUB}/actions/runs/7), [commits since v4]({GITHUB}/compare/{OLD}...{NEW})",
        ),
        (
            {"commit": OLD, "build": "https://git.example.com/a/b/c/-/jobs/6"}, {"commit": NEW, "build": "https://git.example.com/a/b/c/-/jobs/7"},
            f", [build at git.example.com](https://git.example.com/a/b/c/-/jobs/7), [commits since v4](https://git.example.com/a/b/c/-/compare/{OLD}...{NEW})",
        ),
        (
            {"commit": OLD, "source": "https://gitlab.example.com/a/b"}, {"commit": NEW, "source": "https://gitlab.example.com/a/b"},
            f", [commits since v4](https://gitlab.example.com/a/b/-/compare/{OLD}...{NEW})",
        ),
        ({"commit": NEW, "source": GITHUB}, {"commit": NEW, "source": GITHUB}, ", the commit of v4 `0123456789ab`"),
        ({"commit": OLD, "source": "https://bitbucket.org/a/b"}, {"commit": NEW, "source": "https://bitbucket.org/a/b"}, ", commit `0123456789ab`"),
        ({"commit": "main", "source": GITHUB}, {"commit": NEW, "source": GITHUB}, f", [commit 0123456789ab]({GITHUB}/commit/{NEW})"),
        ({}, {"commit": "../x", "source": GITHUB}, ", commit ../x"),
        ({}, {"commit": NEW, "source": "javascript:alert(1)"}, ", commit `0123456789ab`"),
        ({}, {"build": "javascript:alert(1)"}, ", javascript:alert(1)"),
    ],
)  # fmt: skip
def test_an_image_leads_to_its_build_and_its_commits(now: dict[str, str], then: dict[str, str], said: str) -> None:
    assert built(a_bump(), now=now, then=then) == f"`registry.example.com/engine:1.0.5`{said}"


def test_a_downgrade_leads_to_the_commits_that_it_takes_back() -> None:
    url = f"https://github.com/acme/engine/compare/{'3' * 40}...{OLD}"
    assert f"**Image**: `registry.example.com/engine:1.0.3`, [commits that v4 had more]({url})" in first(a_downgrade())


def test_without_a_rendering_the_image_is_that_of_configuration_or_build() -> None:
    made = a_bump()._replace(reached=None, manifests=None)
    assert "**Image**: `registry.example.com/engine:1.0.5` `sha256:0123456789ab`, [build at" in first(made)
    assert "**Image**: `r.example.com/x:1.0.5`" in first(made._replace(builds={}, image="r.example.com/x"))
    assert "**Image**" not in first(made._replace(builds={})), "the tag alone stands above already"


# -- routes -----------------------------------------------------------------------------------------------------------
def test_the_routes_are_those_of_the_rendering() -> None:
    body = compose.pull_request(a_bump()).body
    assert "<summary>Routes once this lands (changed)</summary>" in body
    assert "| `x-version` | leads to | image |" in body
    assert "| **`v5`, `1.0.5`** | `v5` | `registry.example.com/engine:1.0.5` |" in body
    assert "| ~~v1~~ | the default pool | – |" in body


def test_routes_that_do_not_change_are_told_too() -> None:
    made = a_bump()
    assert made.reached is not None
    body = compose.pull_request(made._replace(manifests=(), reached=(made.reached[1], made.reached[1]))).body
    assert "| none, or an unknown one | `default` | v5 first: `registry.example.com/engine:1.0.5` |" in body
    assert "<summary>Routes once this lands (as before)</summary>" in body
    assert body.startswith("- Callers notice nothing.\n")


def without_routes(proposed: Proposed) -> Proposed:
    """The same by a chart that knows no routes."""
    before, after = proposed.reached or (None, None)
    assert before is not None
    assert after is not None
    return proposed._replace(reached=(Reach(running=before.running), Reach(running=after.running)))


def test_of_a_chart_without_routes_none_is_told() -> None:
    body = compose.pull_request(without_routes(a_bump()._replace(manifests=()))).body
    assert "Routes once this lands" not in body
    assert "- v5 `1.0.5` runs from then on." in body
    assert "- v1 `1.0.1` retires: keep 4: five live." in body
    for word in ("route", "grpcsvc", "pool", "mermaid", "alls that"):
        assert word not in body.replace("quarantine", "")


def test_what_stands_and_cannot_be_rendered_is_compared_with_nothing() -> None:
    made = a_bump()
    assert made.reached is not None
    body = compose.pull_request(made._replace(reached=(None, made.reached[1]))).body
    assert "can be called" not in body
    assert body.startswith("- v5 `1.0.5` is added.\n- v5 becomes the default (was v4).\n")
    assert "**Risk: unknown**" in body


def test_without_a_route_for_other_calls_the_way_ends() -> None:
    made = a_bump()
    assert made.reached is not None
    before, after = (one and one._replace(rows=one.rows[:-1]) for one in made.reached)
    assert after is not None
    body = compose.pull_request(made._replace(reached=(before, after))).body
    assert "calls that name it find no route" in body
    assert '  calls -.->|"v1, no longer routed"| nowhere' in body
    assert "pool" not in body
    body = compose.pull_request(made._replace(reached=(made.reached[0], after))).body
    assert "Calls that name no version, or an unknown one, find no route from then on." in body


def test_the_diagram_stays_small() -> None:
    body = compose.pull_request(of_many_versions()).body
    (diagram,) = re.findall("```mermaid\n(.*?)```", body, re.DOTALL)
    assert len(re.findall(r'^  v\d+\["', diagram, re.MULTILINE)) == 20
    assert '  v62["v62: 1.1.1"]' in diagram
    assert 'more["28 more versions"]' in diagram


# -- what comes next, and the way back --------------------------------------------------------------------------------
def test_what_this_brings_is_dated_from_its_landing_and_the_rest_by_the_clock() -> None:
    body = compose.pull_request(a_cleanup()).body
    assert "| 2h after this lands | remove | v1 | `1.0.1` | drained for 2h |" in body
    assert "| 2026-11-23 13:30 | remove | v9 | `0.9.1` | drained for 2h |" in body
    assert "| 2026-12-02 00:00 | unpin | v2 |" in body


def test_each_operation_has_the_command_that_undoes_it_the_last_one_first() -> None:
    body = compose.pull_request(of_a_service()).body
    commands = re.findall("^release undo.*$", body, re.MULTILINE)
    assert commands == [f"release undo devel bump-1.0.{n} --reason 'why it must go' --service engine" for n in (3, 2)]


def test_an_operation_that_changes_nothing_by_itself_has_nothing_to_undo() -> None:
    made = line("1", change("supersede", "v2", "1.0.2"), change("retire", "v1", "1.0.1", sweep=True))
    body = compose.pull_request(Proposed(devel(), [made])).body
    assert "release undo" not in body
    assert "close this pull request" in body


def test_an_id_is_one_word_of_the_command_whatever_it_holds() -> None:
    made = line("$(reboot)';x", change("add", "v2", "1.0.2"))
    body = compose.pull_request(Proposed(devel(), [made])).body
    assert """release undo devel '$(reboot)'"'"';x' --reason""" in body


# -- the rendered difference ------------------------------------------------------------------------------------------
def an_object(name: str, lines: int, kind: str = "ConfigMap") -> ObjectChange:
    text = "".join(f"k{n}: {n}\n" for n in range(lines))
    return ObjectChange("added", ObjectKey("v1", kind, "", name), "x.yaml", "", text)


def test_routes_come_before_other_objects() -> None:
    body = compose.pull_request(a_bump()).body
    folded = re.findall("<summary>(?:added|changed) ([A-Za-z]+)", body)
    assert folded == ["VirtualService", "DestinationRule", "Deployment"]


def test_a_large_object_is_cut_at_a_line_and_leaves_room_for_the_others() -> None:
    objects = [an_object("large", 9_000), an_object("small", 3)]
    body = compose.pull_request(a_bump()._replace(manifests=objects)).body
    assert re.search(r"<summary>added ConfigMap large \(v1\) \(cut here: \d+ more lines\)</summary>", body)
    assert "<summary>added ConfigMap small (v1)</summary>" in body
    assert "The whole of it: `release diff devel`" in body


def test_objects_that_find_no_room_are_counted() -> None:
    objects = [an_object(f"o{n}", 2_000) for n in range(30)]
    text = compose.pull_request(a_bump()._replace(manifests=objects))
    shown = text.body.count("<summary>added ConfigMap")
    assert f"… and {30 - shown} more objects." in text.body
    assert 55_000 < longest(text.body) <= compose.LIMIT


def test_the_limit_holds_wherever_in_the_text_it_lies() -> None:
    made = with_warnings()
    for limit in range(1_500, 8_000, 10):
        body = compose.pull_request(made, limit).body
        assert longest(body) <= limit
        assert body.count("found no room here") <= 1
        assert "<summary>How to undo it, " in body


def test_characters_beyond_the_basic_plane_count_twice() -> None:
    objects = [an_object("x", 1)._replace(after="a: 😀😀😀😀😀😀😀😀😀😀\n" * 5_000) for _ in range(9)]
    body = compose.pull_request(a_bump()._replace(manifests=objects)).body
    assert len(body.encode("utf-16-le")) // 2 <= compose.LIMIT


def test_the_difference_of_a_downgrade_is_that_of_its_branch() -> None:
    assert "`release diff devel --ref release/devel-downgrade`" in compose.pull_request(a_downgrade()).body


def test_without_a_rendering_nothing_is_said_of_manifests() -> None:
    assert not any("Manifests" in one for one in headings(compose.pull_request(a_bump()._replace(manifests=None)).body))


# -- links ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example/", "ftp://a.example/", "https://", "https:///x",
        "https://ci.example.com@evil.example/", "https://a b/", "https://a.example/\n", "https://a.example:x/",
        "https://[::1]/", "https://ex\u0430mple.com/", "https://a.example/" + "x" * 600, "HTTPS//a", "",
    ],
)  # fmt: skip
def test_what_is_no_plain_page_is_no_link(url: str) -> None:
    assert safe_url(url) == ""
    assert "](" not in link("build", url)


def test_a_link_keeps_its_address_and_breaks_nothing() -> None:
    assert safe_url("https://ci.example.com:8443/a(b)|c/@d?x=1&y=[2]#f") == (
        "https://ci.example.com:8443/a%28b%29%7Cc/%40d?x=1&amp;y=%5B2%5D#f"
    )


def test_a_link_shows_where_it_leads() -> None:
    body = compose.pull_request(a_bump()).body
    assert "[build at ci.example.com](https://ci.example.com/engine/builds/77?step=push&amp;attempt=1)" in body
    assert "[run at ci.example.com](https://ci.example.com/engine/runs/78)" in body


# -- a forge with a short text


def test_the_first_screen_stands_alone_where_the_rest_has_a_comment() -> None:
    whole = compose.pull_request(a_bump())
    text = compose.pull_request(a_bump(), 3_900, 100_000)
    assert text.title == whole.title
    first, _, rest = whole.body.partition("<details>")
    assert text.body.startswith(first.rstrip())
    assert "kept up to date" in text.body
    assert text.rest == f"<details>{rest}"
    assert compose.pull_request(a_bump(), 3_900, 100_000) == text


def test_what_the_first_screen_has_no_room_for_stands_in_the_comment() -> None:
    made = a_bump()._replace(notes=[f"warning {number}: {'x' * 200}" for number in range(12)])
    text = compose.pull_request(made, 1_000, 100_000)
    assert len(text.body) <= 1_000
    assert "found no room" in text.body
    assert "warning 11" in text.rest
