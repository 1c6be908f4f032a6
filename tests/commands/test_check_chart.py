"""`release check` and `release doctor` on charts of other people: what they can't do, once, with its cost and place."""

from __future__ import annotations

from typing import Any

import pytest
from peoples_charts import CHARTS
from world import World

from release_tool.manifests import probe
from release_tool.remote import chart_trials

CHART = "charts/grpc-manifest"
ABOUT = "apiVersion: v2\nname: own\nversion: 1.0.0\n"


def with_chart(world: World, name: str, **more: str | None) -> None:
    """The chart of the repository is one of `peoples_charts`."""
    world.git("rm", "-qr", CHART)
    files = {f"{CHART}/{path}": text for path, text in {"Chart.yaml": ABOUT, **CHARTS[name]}.items()}
    world.commit({**files, **more}, "A chart of our own")


def checked(world: World, *arguments: str, code: int | None = None) -> Any:
    return world.release("check", *(arguments or ("--ref", "main")), "--output", "json", code=code).data


def of_chart(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(one["where"].removeprefix(f"{CHART}/"), one["what"]) for one in found if one["where"].startswith(CHART)]


def test_names_by_position_are_an_error_before_the_first_retirement(world: World) -> None:
    with_chart(world, "by-position")
    found = checked(world, code=1)
    ((where, what),) = of_chart(found["findings"])
    assert where == "templates/deployment.yaml:1"
    assert "the chart renders Deployment engine-v1 (apps/v1) twice" in what
    assert "from there on every operation fails" in what


def test_what_the_chart_did_wrong_before_stops_no_change_of_another_file(world: World) -> None:
    with_chart(world, "by-position")
    world.git("checkout", "-qb", "other")
    world.commit({"environments/devel/values.yaml": "replicaCount: 2\n"}, "More replicas", "other")
    found = checked(world, "--ref", "other", "--base", "main", code=0)
    assert [what for _, what in of_chart(found["warnings"]) if what.endswith("(so it was before)")]


def test_a_chart_of_the_seed_form_gets_a_warning_for_each_thing_that_it_cannot_carry_out(world: World) -> None:
    with_chart(world, "seed-form")
    found = checked(world, code=0)
    assert [(where, what.partition(";")[0]) for where, what in of_chart(found["warnings"])] == [
        ("templates/routes.yaml:7", "calls that name no version find no route"),
        ("templates/routes.yaml:7", "a quarantined version keeps its route"),
        (
            "templates/deployment.yaml:1",
            "retiring takes one step: pods and route of a version go together, `image.retired` deploys nothing",
        ),
    ]
    (chart,) = found["charts"]
    assert chart["environments"] == ["devel", "staging", "production"]
    rows = {row["subject"]: row["verdict"] for row in chart["abilities"]}
    assert {name for name, verdict in rows.items() if verdict != "ok"} == {"default", "quarantine", "retire"}


def test_a_quarantined_version_that_keeps_its_route_is_an_error(world: World) -> None:
    tags = world.tags() + "  quarantined:\n    v2: {reason: crashes}\n"
    with_chart(world, "seed-form", **{"environments/devel/image_tag.yaml": tags})
    ((where, what),) = of_chart(checked(world, code=1)["findings"])
    assert where == "templates/routes.yaml:7"
    assert what == "devel: v2 is quarantined and keeps its route: calls with grpcsvc: v2 reach it"


def test_a_quarantine_that_a_person_forced_can_be_merged(world: World) -> None:
    with_chart(world, "seed-form")
    world.json("quarantine", "devel", "v2", "--force", "--reason", "crashes")
    found = checked(world, "--ref", "release/devel", "--base", "main", code=0)
    assert "devel: v2 is quarantined and keeps its route" in str(found["warnings"])
    world.merge(1)
    checked(world, code=1)


def test_a_chart_without_routes_is_told_once_what_is_a_label_alone(world: World) -> None:
    with_chart(world, "no-mesh")
    found = checked(world, code=0)
    said = "no route and no other object follows `image.default` and `image.quarantined`: they are labels only for the tool"
    assert of_chart(found["warnings"]) == [(CHART, said)]
    assert "route" not in str([one for one in found["warnings"] if not one["where"].startswith(CHART)])


def test_a_chart_that_reads_its_tag_elsewhere_is_an_error_of_the_chart(world: World) -> None:
    with_chart(world, "tag-elsewhere")
    ((where, what),) = of_chart(checked(world, code=1)["findings"])
    assert where == "templates/d.yaml:8"
    assert what.startswith("the chart deploys nothing for any entry of image.tag")


def test_environments_with_the_same_values_are_tried_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[probe.Written] = []
    really = probe.try_out

    def counted(*arguments: Any) -> probe.Trials:
        tried.append(arguments[1])
        return really(*arguments)

    monkeypatch.setattr(probe, "try_out", counted)
    monkeypatch.setattr(chart_trials, "_known", {})
    with_chart(world, "no-mesh", **{"environments/production/values.yaml": "replicaCount: 7\n"})
    checked(world, code=0)
    assert len(tried) == 2


def test_doctor_shows_the_whole_table_with_what_is_right(world: World) -> None:
    told = world.release("doctor", "--output", "json", code=None).data["findings"]
    rows = {one["about"].partition(": ")[2]: one for one in told if one["about"].startswith("chart: ")}
    assert set(rows) == {
        *("versions", "sets", "bump", "names", "pods", "routes"),
        *("default", "quarantine", "retire", "remove", "output"),
    }
    assert {one["verdict"] for one in rows.values()} == {"ok"}
    with_chart(world, "by-position")
    said = world.release("doctor", code=1).out
    assert "error    chart: sets" in said
    assert "why    the first retirement writes a mapping, and from there on every operation fails" in said


def test_output_of_chance_is_told_once_and_leaves_the_text_of_a_pull_request_alone(world: World) -> None:
    with_chart(world, "random")
    (told,) = [what for _, what in of_chart(checked(world, code=0)["warnings"]) if "each time" in what]
    assert told.startswith("the same values give other objects each time: ConfigMap built, Secret app")
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["notes"] == [
        "left out of the difference, because it changes with each rendering: a part of ConfigMap built, Secret app"
    ]
    before = world.pulls()
    assert "app-v5" in before[0]["body"]
    assert "token" not in before[0]["body"]
    world.json("sync", "devel")
    assert not world.json("bump", "devel", "v1.0.5")["changed"]
    assert world.pulls() == before
    assert "token" not in world.release("diff", "devel").out


def test_lines_of_chance_are_hidden_in_an_object_that_changes_besides(world: World) -> None:
    with_chart(world, "random")
    secret = CHARTS["random"]["templates/secret.yaml"].replace("fixed: same", "fixed: {{ len .Values.image.tag }}")
    world.commit({f"{CHART}/templates/secret.yaml": secret}, "Count the versions")
    world.json("bump", "devel", "v1.0.5")
    shown = world.release("diff", "devel").out
    assert "-  fixed: 4\n+  fixed: 5\n" in shown
    assert "   token: (another value at each rendering)\n" in shown


def test_pods_that_chance_makes_anew_hold_up_no_operation(world: World) -> None:
    with_chart(world, "rolls-always")
    world.json("bump", "devel", "v1.0.5")
    assert "rollme" not in world.pulls()[0]["body"].replace("rollme: (another value at each rendering)", "")
    assert "made anew and lose" not in str(checked(world, "--ref", "release/devel", "--base", "main", code=0))


def test_two_templates_for_one_name_are_named_by_their_files(world: World) -> None:
    with_chart(world, "twice")
    places = " and ".join(f"{CHART}/templates/{name}.yaml" for name in ("again", "deployment"))
    found = checked(world, code=1)["findings"]
    assert {(one["where"], one["what"]) for one in found} == {
        (places, "the chart renders Deployment app-v1 (apps/v1) twice")
    }
    assert f"where: {places}" in world.refused("bump", "devel", "v1.0.5")
    told = world.release("doctor", "--output", "json", code=1).data["findings"]
    assert [one["where"] for one in told if one["about"] == "chart"] == [places]
