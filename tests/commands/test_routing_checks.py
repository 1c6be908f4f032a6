"""The checks of routing at work: what would break calls is never published, and `release check` tells where it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import SEED, WITH_DEFAULT, World

TAGS = "environments/devel/image_tag.yaml"
VALUES = "environments/devel/values.yaml"
RULE = "charts/grpc-manifest/charts/grpc-manifest-routes/templates/_istio.tpl"
PODS = "charts/grpc-manifest/templates/deployment.yaml"
BRANCH = "release/devel"

# The chart of somebody who forgot that versions come and go.
EACH = "{{- range .Values.table.deployed }}\n"
WITHOUT_V5 = (f"{EACH}---", EACH + '{{- if ne .name "v5" }}\n---')
LAST = "      app.kubernetes.io/tag: {{ .name }}\n{{- end }}"
END = (LAST, LAST + "\n{{- end }}")
DEFAULT_IN_PODS = (
    "    metadata:\n      {{- with $annotations",
    "    metadata:\n      annotations: {default: {{ $versions.default }}}\n      {{- with $annotations",
)
SECOND = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: second, namespace: engine}
spec: {host: engine-grpc-manifest.engine.svc.cluster.local, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
"""


def edited(world: World, path: str, *edits: tuple[str, str]) -> str:
    text = world.file(path)
    for old, new in edits:
        assert old in text, f"{old!r} does not stand in {path}"
        text = text.replace(old, new)
    return text


def broken_chart(world: World) -> None:
    """A chart that leaves out the subset of v5, the version that comes next."""
    world.commit({RULE: edited(world, RULE, WITHOUT_V5, END)}, "Break it for v5")


@pytest.mark.parametrize("how", [(), ("--direct",), ("--dry-run",), ("--local",)], ids=" ".join)
def test_a_chart_that_loses_the_new_version_is_refused(how: tuple[str, ...], world: World) -> None:
    broken_chart(world)
    before = (world.refs(), world.git("status", "--porcelain"))
    said = world.release("bump", "devel", "v1.0.5", *how, code=1)
    assert said.out == ""
    assert said.err.splitlines() == [
        (
            "release: error: with this change calls to devel would fail: VirtualService engine/engine-grpc-manifest: route v5 "
            "leads to subset v5 of engine-grpc-manifest.engine.svc.cluster.local, which no DestinationRule of that host has "
            "(they have v1, v2, v3, v4, default)"
        ),
        "  where: charts/grpc-manifest/templates/virtualservice.yaml",
        "  cause: the chart renders the new set of versions so; nothing was published",
        (
            "  next:  give the subset and the route the same name, or take the route away; correct the chart, push it to "
            "main, then run this command again"
        ),
        "  more:  docs/reference/commands.md#what-the-chart-has-to-do in the repository of release",
    ]
    assert (world.refs(), world.git("status", "--porcelain")) == before
    assert world.lines() == ()


def test_a_chart_that_makes_other_versions_anew_is_refused(world: World) -> None:
    world.commit({PODS: edited(world, PODS, DEFAULT_IN_PODS)}, "Tell the default to all pods")
    before = world.refs()
    said = world.release("bump", "devel", "v1.0.5", code=1).err
    assert (
        "with this change calls to devel would fail, for 4 reasons\n  charts/grpc-manifest/templates/deployment.yaml: "
        in said
    )
    for name in ("v1", "v2", "v3", "v4"):
        assert (
            f"Deployment engine/engine-grpc-manifest-{name}: its pods are made anew and lose their streams "
            "(spec.template.metadata.annotations.default: 'v4' becomes 'v5')"
        ) in said
    assert world.refs() == before
    world.release("bump", "devel", "v0.9.9", "--direct")  # which moves no default


def test_sync_does_not_publish_what_a_new_chart_breaks(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    broken_chart(world)
    world.commit({TAGS: world.tags().replace("v4\n", "v4 # now\n", 1)}, "A comment, so that the branch is made again")
    with world.unchanged():
        assert "subset v5" in world.release("sync", code=1).err


def test_what_is_wrong_already_stops_nothing_and_is_told(world: World) -> None:
    world.commit({"charts/grpc-manifest/templates/second.yaml": SECOND}, "A second rule")
    found = world.release("check", code=1).out
    line = "charts/grpc-manifest/templates/second.yaml: devel: DestinationRule engine/second: DestinationRule "
    assert f"{line}engine/engine-grpc-manifest has a trafficPolicy for the same host, too" in found
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["changed"] is True
    (note,) = outcome["notes"]
    assert note == (
        "wrong already: DestinationRule engine/second: DestinationRule engine/engine-grpc-manifest has a trafficPolicy for "
        "the same host, too: Istio keeps one of the two, by their age"
    )
    world.merge(1)
    assert "wrong already" in world.release("bump", "devel", "v1.0.6", "--direct").out
    assert "wrong already" in world.release("bump", "devel", "v1.0.7", "--dry-run").out
    world.git("pull", "-q", "origin", "main")
    assert "wrong already" in world.release("bump", "devel", "v1.0.7", "--local").out
    found = world.json("check", "--base")
    assert found["findings"] == []
    assert "(so it was before)" in found["warnings"][0]["what"]


def test_many_notes_are_few_lines(world: World) -> None:
    rules = "---\n".join(SECOND.replace("second", f"second-{number}") for number in range(5))
    world.commit({"charts/grpc-manifest/templates/second.yaml": rules}, "Five more rules")
    notes = world.json("bump", "devel", "v1.0.5")["notes"]
    assert len(notes) == 4
    assert notes[-1] == "2 more of this kind; `release check` lists what is wrong"


def test_a_persons_mistake_on_the_branch_does_not_stop_the_next_bump(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    without_v2 = world.tags(ref=BRANCH).replace("- v1.0.2\n", "- v1.0.2@sha256:" + "0a" * 32 + "\n")
    world.commit({TAGS: without_v2}, "Pin the digest", BRANCH)
    world.release("bump", "devel", "v1.0.6")
    assert "v1.0.6" in world.tags(ref=BRANCH)
    found = world.release("check", "--ref", BRANCH)
    assert f"warning: {TAGS}: devel: Deployment engine/engine-grpc-manifest-v2: its pods are made anew" in found.out


def test_the_life_of_a_version_passes_every_check(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=2)
    for number in (5, 6, 7):
        for name in world.release("bump", "devel", f"v1.0.{number}", "--direct").out.splitlines():
            assert "wrong already" not in name
    assert world.release("check").out.count("warning") == 0


# -- check --
def write(world: World, path: str, text: str) -> None:
    (world.clone / path).write_text(text, encoding="utf-8")


def test_check_judges_the_step_from_the_base(world: World) -> None:
    without = WITH_DEFAULT.replace("  - v1.0.4\n", "").replace("default: v4", "default: v3")
    write(world, TAGS, without)
    assert world.release("check").code == 0
    found = world.json("check", "--base", code=1)
    assert found["findings"] == [
        {
            "where": TAGS,
            "what": "devel: DestinationRule engine/engine-grpc-manifest-v4: subset v4 goes, and VirtualService "
            "engine/engine-grpc-manifest leads to it by route v4: calls fail until all proxies know",
            "hint": "take the route away first, and this in a later change: keep it for what is `retired` or `quarantined`",
        }
    ]
    assert found["warnings"] == []
    retired = "image:\n  default: v3\n  tag: {v1: v1.0.1, v2: v1.0.2, v3: v1.0.3}\n  retired: {v4: v1.0.4}\n"
    write(world, TAGS, retired)
    assert "right" in world.release("check", "--base", "main").out


def test_a_name_with_another_tag_than_before_is_found(world: World) -> None:
    write(world, TAGS, WITH_DEFAULT.replace("  - v1.0.1\n", "").replace("default: v4", "default: v3"))
    found = world.json("check", "--base", code=1)["findings"]
    ours = [(one["where"], one["what"]) for one in found if "before" in one["what"]]
    assert ours == [
        (f"{TAGS}:{line}:5", f"the name v{n} is v1.0.{n + 1} here and was v1.0.{n} before")
        for n, line in ((1, 4), (2, 5), (3, 6))
    ]


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (VALUES, "replicaCount: 1\nenv: [{name: A, value: b}]\n", "its pods are made anew"),
        (VALUES, "replicaCount: 0\n", ""),
        (TAGS, WITH_DEFAULT.replace("v1.0.2", "v1.0.2@sha256:" + "0a" * 32), "its pods are made anew"),
    ],
)
def test_people_may_make_pods_anew(path: str, text: str, words: str, world: World) -> None:
    write(world, path, text)
    found = world.json("check", "--base")
    assert found["findings"] == []
    assert all(one["where"] == path for one in found["warnings"])
    assert any(words in one["what"] for one in found["warnings"])
    assert "warning: " in world.release("check", "--base").out


def test_a_pull_request_is_judged_from_where_it_began(world: World) -> None:
    world.commit({VALUES: "replicaCount: 3\n"}, "More of them", "more")
    world.release("bump", "devel", "v1.0.5", "--direct")  # the branch knows nothing of it
    assert "right" in world.release("check", "--ref", "more").out
    world.git("checkout", "-q", "more")
    assert "right" in world.release("check", "--base").out
    world.git("checkout", "-q", "main")


def test_a_pull_request_that_takes_a_live_version_away_is_not_merged(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    edit = world.tags(ref=BRANCH).replace("  - v1.0.4\n  - v1.0.5\n", "").replace("default: v5", "default: v1")
    world.commit({TAGS: edit}, "Away with it", BRANCH)
    with world.unchanged():
        assert "subset v4 goes" in world.release("check", "--ref", BRANCH, code=1).out
        said = world.release("pulls", "merge", "1", code=1).err
    assert "subset v4 goes" in said
    assert TAGS in said


def test_check_needs_a_base_that_is_there(world: World) -> None:
    assert "'nowhere'" in world.release("check", "--base", "nowhere", code=1).err
    assert "'nowhere'" in world.release("check", "--ref", "main", "--base", "nowhere", code=1).err


def test_a_base_that_does_not_render_is_no_base(world: World) -> None:
    world.commit({RULE: "a: {{ .Values.image.nothing.there }}\n"}, "Break it")
    write(world, RULE, (Path(__file__).resolve().parents[2] / RULE).read_text(encoding="utf-8"))
    assert "right" in world.release("check", "--base").out


def test_a_new_environment_has_nothing_before(world: World) -> None:
    config = (world.clone / "release.yaml").read_text(encoding="utf-8")
    write(world, "release.yaml", config + "  lab:\n    promote_from: devel\n")
    (world.clone / "environments/lab").mkdir()
    write(world, "environments/lab/image_tag.yaml", SEED)
    assert "environments/lab/image_tag.yaml" in world.release("check", "--base").out


def test_autoscaling_is_not_switched_on_before_the_number_of_pods_is_handed_over(world: World) -> None:
    world.commit({VALUES: "replicaCount: 3\n"}, "Three of each")
    write(world, VALUES, "autoscaling: {enabled: true}\n")
    (found,) = world.json("check", "--base", code=1)["findings"]
    assert found["where"] == VALUES
    assert "Deployment engine/engine-grpc-manifest-v1: `replicas` leaves its manifest" in found["what"]
    assert "docs/explanation/routing.md" in found["hint"]
    write(world, VALUES, "autoscaling: {enabled: true, handedOver: true}\n")
    assert "right" in world.release("check", "--base").out


def test_a_chart_that_scales_the_default_alone_can_not_move_it(world: World) -> None:
    """The Deployment that becomes the default would run with one pod at that moment."""
    edit = ('if lt (.name | trimPrefix "v" | int) $scaled', "if ne .name $versions.default")
    world.commit({PODS: edited(world, PODS, edit), VALUES: "replicaCount: 3\n"}, "Scale the default")
    assert "`replicas` leaves its manifest" in world.refused("default", "devel", "v2", "--direct")


# -- what the chart refuses, with the line that it means --
IMAGE = "image:\n  tag:\n    v1: v1.0.1\n    v2: v1.0.2\n"
REFUSED = {
    "a tag that is too long for a label": (IMAGE.replace("v1.0.2", "a" * 64), "", f"{TAGS}:4:9", "can't be the value of a label"),
    "a tag that a label can't hold": (IMAGE.replace("v1.0.2", "_rc1"), "", f"{TAGS}:4:9", "_rc1"),
    "the same in a list": ("image:\n  tag:\n  - v1.0.1\n  - v1.0.2-\n", "", f"{TAGS}:4:5", "v1.0.2-"),
    "the same in a retired one": (IMAGE + "  retired:\n    v3: " + "a" * 64 + "\n", "", f"{TAGS}:6:9", "label"),
    "an unknown key": (IMAGE + "  tagg: {}\n", "", f"{TAGS}:5:3", "image.tagg: there is no such key"),
    "an unknown key of the values": (IMAGE, "replicaCuont: 3\n", f"{VALUES}:1:1", "replicaCuont: there is no such key"),
    "a number as a reason": (IMAGE + "  quarantined:\n    v2: {reason: 5}\n", "", f"{TAGS}:6:18", "image.quarantined.v2.reason"),
    "a wrong type": (IMAGE, "replicaCount: many\n", f"{VALUES}:1:15", "replicaCount: got string, want integer"),
    "a wrong type deeper down": (IMAGE, "# more\nservice:\n  port: []\n", f"{VALUES}:3:9", "service.port"),
    "a host that is missing": (IMAGE, "virtualService:\n  hosts: []\n  gateways: [a/b]\n", f"{VALUES}:2:10", "virtualService.hosts is empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_chart_refuses_is_told_with_its_line(name: str, world: World) -> None:
    tags, values, place, words = REFUSED[name]
    write(world, TAGS, tags)
    write(world, VALUES, values)
    found = world.json("check", code=1)["findings"]
    ours = [one for one in found if one["where"] == place]
    assert len(ours) == 1, found
    assert ours[0]["what"].startswith("the chart refuses the values: ")
    assert words in ours[0]["what"]


def test_all_that_the_schema_finds_is_told_each_in_its_file(world: World) -> None:
    write(world, TAGS, IMAGE + "  tagg: {}\n")
    write(world, VALUES, "replicaCount: many\n")
    places = {one["where"] for one in world.json("check", code=1)["findings"] if "refuses" in one["what"]}
    assert places == {f"{TAGS}:5:3", f"{VALUES}:1:15"}


def test_a_bump_to_a_tag_that_the_chart_refuses(world: World) -> None:
    said = world.release("bump", "devel", "a" * 64, "--direct", code=1).err
    assert f"where: {TAGS}:" in said
    assert "_versions" in said or "templates/" in said
