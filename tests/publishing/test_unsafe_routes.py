"""A proposal whose routes would lose calls is not published; what was wrong before does not hold up a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from world import World

from release_tool.helm.limits import BeyondLimit
from release_tool.remote.rendering import NOTHING, Renderings

CHART = "charts/grpc-manifest"
RULE = f"{CHART}/charts/grpc-manifest-routes/templates/_istio.tpl"
DEPLOYMENT = f"{CHART}/templates/deployment.yaml"
SOURCE = Path(__file__).resolve().parents[2] / "charts" / "grpc-manifest"


def with_chart(world: World, path: str, old: str, new: str) -> None:
    """The real chart, with one of its templates changed."""
    files: dict[str, str | None] = {
        f"charts/grpc-manifest/{file.relative_to(SOURCE)}": file.read_text(encoding="utf-8")
        for file in sorted(SOURCE.rglob("*"))
        if file.is_file()
    }
    text = files[path]
    assert text is not None
    assert old in text
    files[path] = text.replace(old, new)
    world.commit(files, "another chart")


SUBSET = "  - name: {{ .name }}\n    labels:\n"


def renamed(name: str) -> tuple[str, str]:
    """An edit of the rule: the subset of one version gets another name than its route leads to."""
    return SUBSET, SUBSET.replace("{{ .name }}", f'{{{{ eq .name "{name}" | ternary "{name}0" .name }}}}')


@pytest.mark.parametrize("how", [(), ("--direct",), ("--dry-run",), ("--local",)])
def test_a_route_to_no_subset_is_not_published(how: tuple[str, ...], world: World) -> None:
    with_chart(world, RULE, *renamed("v5"))
    world.git("pull", "-q", cwd=world.clone)
    with world.unchanged():
        said = world.release("bump", "devel", "v1.0.5", *how, code=1).err
    assert "with this change calls to devel would fail" in said
    assert "v5" in said
    assert "charts/grpc-manifest/templates/" in said
    assert "next: " in said


def test_pods_of_other_versions_that_would_be_made_anew_are_not_published(world: World) -> None:
    grown = (
        "        app.kubernetes.io/type: grpc\n",
        "        app.kubernetes.io/type: grpc\n        versions: {{ len $versions.deployed | quote }}\n",
    )
    with_chart(world, DEPLOYMENT, *grown)
    with world.unchanged():
        said = world.release("bump", "devel", "v1.0.5", code=1).err
    assert "its pods are made anew and lose their streams" in said


def test_what_was_wrong_before_is_told_and_stops_nothing(world: World) -> None:
    with_chart(world, RULE, *renamed("v1"))
    said = world.release("bump", "devel", "v1.0.5")
    assert "wrong already" in said.out + said.err
    assert len(world.pulls()) == 1
    found = world.release("check", code=1)
    assert "v1" in found.out + found.err


def test_check_names_object_file_and_what_to_do(world: World) -> None:
    with_chart(world, RULE, "      app.kubernetes.io/tag: {{ .name }}\n", "      app.kubernetes.io/tag: {{ .tag }}\n")
    found = world.json("check", code=1)
    texts = [f"{one['where']} {one['what']} {one['hint']}" for one in found["findings"]]
    assert any("DestinationRule" in text and "templates/destinationrule.yaml" in text for text in texts), texts


def test_a_base_that_takes_too_long_to_render_is_told_as_nothing_is_compared_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Renderings.render

    def render(self: Renderings, files: Any, changed: Any = NOTHING) -> str:
        if not changed:
            raise BeyondLimit("the rendering of devel needs more than 30 s")
        return real(self, files, changed)

    monkeypatch.setattr(Renderings, "render", render)
    (note,) = world.json("bump", "devel", "v1.0.5")["notes"]
    assert note == "nothing is compared with what stands in main: the rendering of devel needs more than 30 s"
