"""What charts of the kinds that people have can do with versions: the table says just what their renderings show."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from peoples_charts import CHARTS
from rendering import chart_files, small_chart
from world import ROOT

from release_tool.checks.chart import Ability, abilities
from release_tool.errors import ReleaseError
from release_tool.helm import Renderer
from release_tool.helm.request import RenderRequest, ValuesFile
from release_tool.manifests import chance, probe
from release_tool.manifests.templates import Templates
from release_tool.model.records import Name, Tag

TAGS = ("v1.0.1", "v1.0.2", "v1.0.3")
NO_ROUTES = {"routes": "it has no VirtualService, HTTPRoute or GRPCRoute"}
LABEL = "is a label that only the tool keeps: no object follows it"
ONE_STEP = {"retire": "in one step: a retired version doesn't run any more, `image.retired` deploys nothing"}
ALIKE = {**NO_ROUTES, **ONE_STEP, "default": f"`image.default` {LABEL}", "quarantine": f"`image.quarantined` {LABEL}"}
NO_DEFAULT = "warning calls that name no version find no route"
KEEPS_ROUTE = "warning a quarantined version keeps its route"
GOES_AT_ONCE = (
    "warning retiring takes one step: pods and route of a version go together, `image.retired` deploys nothing"
)


def renders(engine: Renderer, files: dict[str, bytes]) -> Callable[[str], str]:
    def render(text: str) -> str:
        values = [ValuesFile("image_tag.yaml", text)]
        return engine.render(RenderRequest("charts/own", files, values, "engine", "engine", "devel"))

    return render


def at(path: str) -> str:
    return f"charts/own/{path}".rstrip("/")


def written(*tags: str, is_list: bool = True, first: int = 1, default: str | None = None) -> probe.Written:
    versions = {Name(f"v{number}"): Tag(tag) for number, tag in enumerate(tags, first)}
    return probe.Written(versions, None if default is None else Name(default), is_list)


def table(engine: Renderer, files: dict[str, bytes], of: probe.Written) -> dict[str, Ability]:
    changed = chance.at_another_time(files)
    later = renders(engine, changed) if chance.may_change(files) else None
    trials = probe.try_out(renders(engine, files), of, "engine", later)
    rows = abilities(trials, Templates(files, at))
    assert len({row.subject for row in rows}) == len(rows)
    for row in rows:
        assert (row.verdict in {"ok", "unknown"}) == (not row.cost), row
        assert row.verdict in {"ok", "unknown"} or (row.mend and row.where), row
    return {row.subject: row for row in rows}


def said(rows: dict[str, Ability], *, wrong: bool = False) -> dict[str, str]:
    """Subject -> what is said, after the verdict where that isn't ok; `wrong`: only those."""
    return {
        row.subject: row.what if row.verdict == "ok" else f"{row.verdict} {row.what}"
        for row in rows.values()
        if not wrong or row.verdict != "ok"
    }


def files_of(chart: str) -> dict[str, bytes]:
    return chart_files() if chart == "shipped" else small_chart(CHARTS[chart])


@pytest.mark.parametrize("chart", ["shipped", "whole", "gateway-api"])
@pytest.mark.parametrize("default", [None, "v2"])
@pytest.mark.parametrize("is_list", [True, False])
def test_a_chart_that_does_it_all_has_nothing_but_good_rows(
    engine: Renderer, chart: str, is_list: bool, default: str | None
) -> None:
    rows = table(engine, files_of(chart), written(*TAGS, is_list=is_list, default=default))
    assert said(rows, wrong=True) == {}
    assert rows["retire"].what == "in two steps: its route goes first, and it runs until it is removed"
    assert rows["quarantine"].what == "a quarantined version loses its route, and goes on running"
    assert "grpcsvc: v3" in rows["routes"].what
    assert ("when a list becomes a mapping" in rows["names"].what) == is_list


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ("seed-form", {"default": NO_DEFAULT, "quarantine": KEEPS_ROUTE, "retire": GOES_AT_ONCE}),
        (
            "default-of-its-own",
            {
                "default": "warning calls that name no version go to v1, whatever `image.default` says",
                "quarantine": KEEPS_ROUTE,
                "retire": GOES_AT_ONCE,
            },
        ),
        (
            "seed-filter",
            {
                "default": "warning no route takes calls that name no version, and EnvoyFilter engine/app doesn't "
                "follow `image.default`",
                "quarantine": KEEPS_ROUTE,
                "retire": GOES_AT_ONCE,
            },
        ),
        (
            "subset-goes",
            {
                "retire": "warning with a retired version DestinationRule engine/app: subset v2 goes, and VirtualService "
                "engine/app leads to it by http route 2: calls fail until all proxies know"
            },
        ),
        ("no-mesh", {}),
        ("rollout", {}),
        ("stateful", {}),
        ("inference", {}),
        ("model-in-storage", {}),
        ("image-in-parts", {}),
        ("default-service", {}),
        ("canary-ingress", {}),
        (
            "one-pod",
            {
                "pods": "warning a bump, a retirement and a removal change the pods of versions that stay, "
                "those of Deployment app for example"
            },
        ),
        (
            "settings-of-all",
            {
                "pods": "warning a bump, a retirement, a removal, a move of the default and a quarantine change "
                "the pods of versions that stay, those of Deployment app-v1 for example"
            },
        ),
        ("keeps-removed", {"remove": "error a removed version still runs by Deployment app-v2"}),
        ("random", {"output": "warning the same values give other objects each time: ConfigMap built, Secret app"}),
        (
            "refuses-quarantine",
            {
                "sets": "warning with a quarantined version: the chart refuses the values: no quarantine here",
                "quarantine": "unknown it could not be tried: the chart doesn't render that set",
            },
        ),
        (
            "tag-elsewhere",
            {"versions": "error the chart deploys nothing for any entry of image.tag: no object carries the image tag"},
        ),
    ],
)
@pytest.mark.parametrize("is_list", [True, False])
def test_what_a_chart_cannot_do_is_said_and_no_more(
    engine: Renderer, chart: str, expected: dict[str, str], is_list: bool
) -> None:
    assert said(table(engine, files_of(chart), written(*TAGS, is_list=is_list)), wrong=True) == expected


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ("no-mesh", {**ALIKE, "versions": "each version runs, v3 by Deployment app-v3"}),
        ("rollout", {**ALIKE, "versions": "each version runs, v3 by Rollout app-v3"}),
        ("stateful", {**ALIKE, "versions": "each version runs, v3 by StatefulSet app-v3"}),
        ("inference", {**ALIKE, "versions": "each version runs, v3 by InferenceService app-v3"}),
        ("one-pod", {"versions": "all versions run by one workload, Deployment app", **ONE_STEP}),
        ("default-service", {"default": "a move of `image.default` changes Service app"}),
        (
            "canary-ingress",
            {
                "routes": f"{NO_ROUTES['routes']}; the tool doesn't read the routes of Ingress",
                "bump": "one version more is deployed",
            },
        ),
        (
            "model-in-storage",
            {
                "versions": "the tag of each version is shown, of v3 by InferenceService app-v3; "
                "the tool knows no workload with such an image",
                "bump": "one version more is shown",
            },
        ),
        ("keeps-removed", {"retire": "in two steps: it runs on until it is removed"}),
    ],
)
def test_a_chart_without_routes_is_described_as_it_is(engine: Renderer, chart: str, expected: dict[str, str]) -> None:
    rows = said(table(engine, files_of(chart), written(*TAGS)))
    assert {subject: rows[subject] for subject in expected} == expected


def test_names_by_position_fail_where_the_first_retirement_writes_a_mapping(renderer: Renderer) -> None:
    rows = table(renderer, files_of("by-position"), written(*TAGS))
    assert (rows["sets"].verdict, rows["sets"].where) == ("error", "charts/own/templates/deployment.yaml:1")
    assert "a mapping in place of the list" in rows["sets"].what
    assert "the chart renders Deployment engine-v1 (apps/v1) twice" in rows["sets"].what
    assert rows["sets"].cost == "the first retirement writes a mapping, and from there on every operation fails"
    assert rows["names"].verdict == "unknown"


def test_positions_in_a_mapping_move_the_versions_behind_the_one_that_goes(engine: Renderer) -> None:
    files = files_of("no-mesh")
    deployment = files["templates/deployment.yaml"].decode()
    begin = deployment.index("{{- range")
    counted = deployment.replace("app-{{ $name }}", "app-{{ len $seen }}").replace(
        "---\n", "---\n{{- $seen = append $seen $name }}\n", 1
    )
    files["templates/deployment.yaml"] = ("{{- $seen := list }}\n" + counted[begin:]).encode()
    rows = table(engine, files, written(*TAGS))
    assert said(rows, wrong=True)["names"] == (
        "error once v2 is retired v3 runs as Deployment app-2, before that as Deployment app-3"
    )
    assert "its selector changes" in rows["retire"].what
    assert rows["retire"].cost == "every retirement is refused"


@pytest.mark.parametrize("moves", [False, True])
def test_a_version_that_comes_as_the_default_is_tried_where_the_policy_brings_it_so(
    engine: Renderer, moves: bool
) -> None:
    rows = table(engine, files_of("gateway-api"), written(*TAGS)._replace(moves=moves))
    assert list(said(rows, wrong=True)) == (["bump"] if moves else [])
    if moves:
        assert "calls fail until those are ready" in rows["bump"].what
        assert rows["bump"].cost == "whatever brings a version as the default is refused"
        assert "`default: manual`" in rows["bump"].mend


@pytest.mark.parametrize("chart", ["by-host", "by-path"])
def test_of_routes_by_something_else_than_a_header_nothing_is_claimed(engine: Renderer, chart: str) -> None:
    rows = table(engine, files_of(chart), written(*TAGS))
    assert rows["routes"].what == (
        "VirtualService: routes lead to single versions by something else than a header (a host, a path, a label of "
        "the caller): who answers which call is not read"
    )
    followed = "a move of `image.default` changes VirtualService app"
    assert rows["default"].what == (followed if chart == "by-host" else f"`image.default` {LABEL}")


def test_places_are_where_the_chart_could_change(renderer: Renderer) -> None:
    rows = table(renderer, files_of("by-position"), written(*TAGS))
    assert rows["quarantine"].where == "charts/own/templates/_helpers.tpl:2"
    rows = table(renderer, files_of("tag-elsewhere"), written(*TAGS))
    assert rows["versions"].where == "charts/own/templates/d.yaml:8"
    rows = table(renderer, files_of("random"), written(*TAGS))
    assert rows["output"].where == "charts/own/templates/time.yaml:4"


def test_places_are_found_in_a_subchart_that_knows_the_last_part_of_the_key_alone(engine: Renderer) -> None:
    inner = {f"charts/engine/{path}": data for path, data in files_of("seed-form").items()}
    inner["charts/engine/Chart.yaml"] = b"apiVersion: v2\nname: engine\nversion: 1.0.0\n"
    rows = table(engine, {**small_chart({}), **inner}, written(*TAGS)._replace(key=("engine", "image")))
    assert rows["default"].where == "charts/own/charts/engine/templates/routes.yaml:7"
    assert "`engine.image.default`" in rows["default"].mend
    assert rows["retire"].where == "charts/own/charts/engine/templates/deployment.yaml:1"


def test_a_chart_that_cannot_be_rendered_at_all_is_told_as_that(engine: Renderer) -> None:
    (row,) = table(engine, files_of("twice"), written(*TAGS)).values()
    assert (row.subject, row.verdict) == ("sets", "unknown")
    assert row.what == "it could not be tried: the chart renders Deployment app-v1 (apps/v1) twice"


def test_pods_that_a_bump_makes_anew_are_an_error_where_calls_would_be_cut(engine: Renderer) -> None:
    files = files_of("seed-form")
    files["templates/deployment.yaml"] = files_of("settings-of-all")["templates/deployment.yaml"]
    row = table(engine, files, written(*TAGS))["pods"]
    assert row.verdict == "error"
    assert row.cost == "they would be made anew, so `release` refuses that: it would cut calls under way"


def test_pods_that_change_with_each_rendering_are_no_good_row(engine: Renderer) -> None:
    files = files_of("rolls-always")
    rows = table(engine, files, written(*TAGS))
    assert said(rows, wrong=True).keys() >= {"pods", "output"}
    assert rows["pods"].what == "each rendering changes the pods, those of Deployment app-v1 for example"


def test_a_set_that_has_no_end_stops_the_trials() -> None:
    from release_tool.manifests.routes.reach import Reach

    without_end = ReleaseError("the rendering needs more than 30 s", where="charts/own")
    base = probe.Tried(written(*TAGS).versions, Name("v1"), "", Reach(shown=frozenset(written(*TAGS).versions)))
    sets = {name: base._replace(error=without_end) for name in (probe.MORE, probe.RETIRED)}
    trials = probe.Trials(written(*TAGS), {probe.AS_IT_IS: base, **sets}, Name("v1"))
    rows = {row.subject: row for row in abilities(trials, Templates({}, at))}
    assert rows["sets"].what == "with one version more: the rendering needs more than 30 s"
    assert rows["sets"].cost == "a bump fails; a retired version could not be tried"


def test_the_chart_of_the_documentation_does_it_all(engine: Renderer) -> None:
    page = (ROOT / "docs" / "how-to" / "own-chart.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^`(templates/[^`]+)`:[^\n]*\n\n```yaml\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    assert [path for path, _ in blocks] == [
        "templates/_versions.tpl",
        "templates/deployment.yaml",
        "templates/routes.yaml",
    ]
    for is_list, first in ((True, 1), (False, 1), (False, 9)):
        of = written(*TAGS, is_list=is_list, first=first)
        assert said(table(engine, small_chart(dict(blocks)), of), wrong=True) == {}
    assert all(f"| `{subject}` |" in page for subject in table(engine, small_chart(dict(blocks)), written(*TAGS)))


# -- the sets --


def asked(of: probe.Written) -> list[str]:
    """The texts that a chart is rendered for, one that never does what it should."""
    texts: list[str] = []

    def render(text: str) -> str:
        texts.append(text)
        return "---\n# Source: own/templates/x.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"

    probe.try_out(render, of, "engine")
    return texts


@pytest.mark.parametrize(
    ("tags", "following"),
    [
        (("v1.0.1",), ["v1.0.2", "v1.0.3", "v1.0.4", "v1.0.5"]),
        (("2026.11.09-rc9",), ["2026.11.09-rc10"]),
        (("build-099",), ["build-100"]),
        (("1.4.0-a1b2c",), ["1.4.0-a1b3c"]),
        (("latest",), ["latest-1", "latest-2"]),
        ((), ["v1.0.1", "v1.0.2"]),
    ],
)
def test_the_sets_are_made_of_tags_of_the_same_form(tags: tuple[str, ...], following: list[str]) -> None:
    text = "".join(asked(written(*tags)))
    assert all(f'"{tag}"' in text for tag in (*tags, *following))


def test_a_digest_is_followed_by_digests() -> None:
    tag = f"v1.0.1@sha256:{'1' * 64}"
    for text in asked(written(tag)):
        assert text.count("v1.0.") == text.count("@sha256:")


def test_names_of_a_mapping_go_on_where_they_are() -> None:
    texts = asked(written("a1", "a2", is_list=False, first=7, default="v8"))
    assert '"v9"' in texts[0]
    assert '"v6"' not in texts[0]
    assert '"default": "v8"' in texts[0]


def test_what_else_the_file_holds_stays_in_every_set() -> None:
    rest = {"image": {"repository": "r/x"}, "replicaCount": 3}
    for text in asked(written("v1.0.1")._replace(rest=rest, key=("image",))):
        assert '"repository": "r/x"' in text
        assert '"replicaCount": 3' in text


def test_the_keys_stand_where_the_configuration_says() -> None:
    of = written("v1.0.1")._replace(rest={"engine": {"on": True}}, key=("engine", "image"))
    assert of.text(tag=["a"]) == '{"engine": {"on": true, "image": {"tag": ["a"]}}}'
