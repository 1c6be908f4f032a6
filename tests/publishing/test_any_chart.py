"""What a chart of others can't carry out is refused before anything is published; a person may go on with a reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from own_charts import DEPLOYMENTS, ELSEWHERE, NO_MESH, ROUTES, SEED_FORM, take
from world import WITH_DEFAULT, World

GO_ON = ("--force", "--reason", "known")


@pytest.fixture
def seed_form(world: World) -> World:
    take(world, SEED_FORM)
    return world


REFUSED = {
    ("quarantine", "devel", "v2", "--reason", "bad"): (
        "the chart keeps the route of v2: calls that name it still reach its pods"
    ),
    ("downgrade", "devel", "--to", "v1", "--direct"): (
        "the default moves to v1 in the file alone: the chart has no route for calls that name no version"
    ),
    ("default", "devel", "v2", "--local"): (
        "the default moves to v2 in the file alone: the chart has no route for calls that name no version"
    ),
    ("retire", "devel", "v2", "--dry-run"): (
        "the chart removes the pods of v2 together with its route: calls that are under way fail"
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_no_object_follows_is_refused(words: tuple[str, ...], seed_form: World) -> None:
    with seed_form.unchanged():
        refusal = seed_form.refused(*words)
    assert REFUSED[words] in refusal
    assert f"where: charts/grpc-manifest{'' if words[0] == 'retire' else '/templates/routes.yaml'}\n" in refusal
    assert "--force --reason 'why'" in refusal


def test_a_person_goes_on_and_the_pull_request_says_what_does_not_follow(seed_form: World) -> None:
    seed_form.land("quarantine", "devel", "v2", "--force", "--reason", "bad")
    outcome = seed_form.json("downgrade", "devel", "--to", "v1", "--from", "v4", *GO_ON)
    body = seed_form.pulls()[-1]["body"]
    said = "the default moves to v1 in the file alone: the chart has no route for calls that name no version"
    assert said in body
    assert said in outcome["notes"]
    assert "loses" not in body
    assert "pool" not in body
    assert "can be called" not in body
    assert "alls that name no version, or" not in body
    shown = seed_form.release("status", "devel").out
    assert "the chart still routes calls to it" in shown
    assert "none for calls that name no version: the chart doesn't follow the default" in shown


def test_force_without_a_reason_overrules_no_chart(seed_form: World) -> None:
    seed_form.refused("retire", "devel", "v2", "--force")


def test_a_bump_goes_on_where_only_the_default_has_no_route(seed_form: World) -> None:
    outcome = seed_form.json("bump", "devel", "v1.0.5")
    assert outcome["routing"]["after"]["routed"] == ["v1", "v2", "v3", "v4", "v5"]
    body = seed_form.pulls()[0]["body"]
    assert "- v5 `v1.0.5` can be called by name from then on." in body
    assert "the default moves to v5 in the file alone" in body


def test_a_bump_says_what_its_retirement_would_take(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=4)
    take(world, SEED_FORM)
    refusal = world.refused("bump", "devel", "v1.0.5")
    assert "v1 would be retired (keep 4: five live), and the chart removes the pods of v1 together" in refusal


def test_a_person_goes_on_where_a_retirement_takes_the_subset_with_the_route(world: World) -> None:
    kept = DEPLOYMENTS.replace(
        "$tag := $versions }}", "$tag := merge (deepCopy $versions) (.Values.image.retired | default dict) }}"
    )
    take(world, {**SEED_FORM, "deployments": kept})
    with world.unchanged():
        refusal = world.refused("retire", "devel", "v2")
    assert "subset v2 goes, and VirtualService engine/own leads to it" in refusal
    assert "or add --force --reason 'why' to go on all the same" in refusal
    world.release("retire", "devel", "v2", *GO_ON)
    world.release("bump", "devel", "v1.0.5")
    assert "subset v2 goes" in world.pulls()[0]["body"]


def test_a_chart_that_deploys_no_retired_version_brings_a_removed_one_back_in_one_step(seed_form: World) -> None:
    seed_form.land("retire", "devel", "v2", *GO_ON)
    seed_form.now += timedelta(hours=2)
    seed_form.release("cleanup", "--direct")
    outcome = seed_form.json("restore", "devel", "v2")
    assert [(one["action"], one["version"]) for one in outcome["changes"]] == [("restore", "v2"), ("pin", "v2")]
    assert outcome["notes"][0] == (
        "the chart deploys no retired versions, so one step brings it back: calls that name v2 fail until its pods are "
        "ready, unless its routes are applied after them"
    )
    seed_form.release("bump", "devel", "v1.0.5")
    assert "v2" in seed_form.state(ref="release/devel").live, "planned again it is the same"


def test_what_was_accepted_once_holds_up_no_later_operation(seed_form: World) -> None:
    seed_form.release("retire", "devel", "v1", *GO_ON)
    seed_form.release("bump", "devel", "v1.0.5")
    body = seed_form.pulls()[0]["body"]
    assert "v1 `v1.0.1` loses its route: calls that name it find no route." in body
    assert "the chart removes the pods of v1 together with its route" in body


def test_what_was_forced_can_be_merged_and_what_people_write_is_judged_as_ever(seed_form: World) -> None:
    seed_form.land("retire", "devel", "v1", *GO_ON)
    assert seed_form.state().retired == {"v1": "v1.0.1"}
    tags = seed_form.tags().replace("    v2: v1.0.2\n", "").replace("retired:\n", "retired:\n    v2: v1.0.2\n")
    seed_form.commit({"environments/devel/image_tag.yaml": tags}, "By hand", "hand")
    assert "subset v2 goes" in seed_form.release("check", "--ref", "hand", code=1).out


@pytest.mark.parametrize("how", [(), ("--direct",), ("--local",)])
def test_a_bump_that_no_manifest_shows_is_refused(how: tuple[str, ...], world: World) -> None:
    take(world, {"deployments": ELSEWHERE})
    with world.unchanged():
        refusal = world.refused("bump", "devel", "v1.0.5", *how)
    assert "no manifest shows v1.0.5 (v5)" in refusal
    assert "no manifest shows it" in world.release("status", "devel").out
    world.release("bump", "devel", "v1.0.5", *how, *GO_ON)


def test_of_a_chart_without_routes_no_route_is_told(world: World) -> None:
    take(world, NO_MESH)
    world.release("bump", "devel", "v1.0.5")
    bodies = world.pulls()[0]["body"]
    world.merge(1)
    said = world.json("quarantine", "devel", "v2", "--reason", "bad")["notes"]
    assert said == ["no manifest changes: a quarantine is a label for this tool alone with this chart"]
    world.json("retire", "devel", "v1")
    bodies += world.pulls()[0]["body"]
    assert "v5 `v1.0.5` runs from then on." in bodies
    assert "v1 `v1.0.1` runs no more." in bodies
    for word in ("grpcsvc", "routed", "pool", "mermaid", "loses"):
        assert word not in bodies
    shown = world.release("status", "devel").out
    assert "no VirtualService, GRPCRoute or HTTPRoute of the chart tells versions apart" in shown


def test_a_default_that_a_filter_follows_is_moved(seed_form: World) -> None:
    text = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: own}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    patch: {operation: INSERT_BEFORE, value: {name: "{{ .Values.image.default }}"}}
"""
    path = "charts/grpc-manifest/templates/filter.yaml"
    seed_form.commit({path: text}, "a filter")
    said = "no route takes calls that name no version; whether they go to v2 by EnvoyFilter engine/own is not read"
    assert said in seed_form.json("default", "devel", "v2")["notes"]
    seed_form.commit({path: text.replace("{{ .Values.image.default }}", "v1")}, "a filter of its own mind")
    assert "the default moves to v3 in the file alone" in seed_form.refused("default", "devel", "v3")


def test_of_routes_by_host_nothing_is_told_of_calls(world: World) -> None:
    routes = ROUTES.replace("  - match: [{headers: {grpcsvc: {exact: {{ $name }}}}}]\n    route", "  - route")
    head, _, rule = routes.partition("---\n")
    each = "{{- range $name, $tag := $versions }}\n"
    begin = head.index("apiVersion")
    one = head[begin:].replace(each, "").replace("{{- end }}\n", "").replace("name: own}", "name: own-{{ $name }}}")
    by_host = f"{head[:begin]}{each}---\n{one.replace('own.example', '{{ $name }}.example')}{{{{- end }}}}\n---\n{rule}"
    take(world, {**SEED_FORM, "routes": by_host})
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["routing"]["after"]["routes"] == []
    body = world.pulls()[0]["body"]
    assert "v5 `v1.0.5` runs from then on." in body
    assert "alls that name" not in body
    assert "told apart by something else than a header" in world.release("status", "devel").out


def test_a_chart_that_shows_its_version_elsewhere_than_in_an_image_is_no_mistake(world: World) -> None:
    models = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models}\ndata: {models: {{ toJson .Values.image.tag | quote }}}\n"
    take(world, {"models": models})
    assert world.json("bump", "devel", "v1.0.5")["changed"]


def test_a_quarantine_that_the_default_pool_follows_is_carried_out(world: World) -> None:
    world.json("quarantine", "devel", "v2", "--reason", "bad")
    assert "v2 `v1.0.2` loses its route: calls that name it get the default." in world.pulls()[0]["body"]
    assert "routes" not in world.release("status", "devel").out


def test_a_chart_that_fails_is_told_by_status_and_stops_nothing(world: World) -> None:
    take(world, {"deployments": DEPLOYMENTS, "broken": '{{ fail "no" }}'})
    assert "not known, the chart can't be rendered: " in world.release("status", "devel").out
