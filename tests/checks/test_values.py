"""The five keys where they must not stand, and versions below another key than `versions.key`."""

from __future__ import annotations

import pytest

from release_tool.checks.environment import held
from release_tool.checks.values import files_of_chart, keys_elsewhere, other_versions, unread
from release_tool.config import place_of


@pytest.mark.parametrize(
    ("key", "text", "where"),
    [
        ("image", "image:\n  default: v1\n", ["2:3 image.default"]),
        ("image", "engine:\n  image: {tag: [a]}\n", []),
        ("image", "a: 1\n---\nimage: {tag: [a]}\n", ["3:9 image.tag"]),
        (
            "engine.image",
            "engine:\n  image: {tag: [a], pinned: {}}\n",
            ["2:11 engine.image.tag", "2:21 engine.image.pinned"],
        ),
        ("engine.image", "x: &x {tag: [a]}\nengine: {image: *x}\n", ["2:10 engine.image.tag"]),
        ("engine.image", "image: {tag: v1}\n", []),
        ("engine.image", "engine: v1\n", []),
        ("engine.image", "engine: {image: {tag: a}}\nengine: {image: {tag: a}}\n", ["1:18 engine.image.tag"]),
    ],
)
def test_the_five_keys_are_found_below_the_configured_key(key: str, text: str, where: list[str]) -> None:
    found = [
        (one.where.removeprefix("values.yaml:"), one.what.split()[0])
        for one in keys_elsewhere(text, "values.yaml", key)
    ]
    assert [" ".join(one) for one in found] == where


@pytest.mark.parametrize(
    ("values", "said"), [("tag: 1.16.0", 0), ("tag: [a]", 0), ("tag: {v1: a}", 1), ("default: v1", 1), ("default:", 0)]
)
def test_a_tag_of_the_chart_that_helm_replaces_stands_in_nobodys_way(values: str, said: int) -> None:
    assert len([*keys_elsewhere(f"image:\n  {values}\n", "values.yaml", "image", defaults=True)]) == said


def test_a_subchart_has_values_of_its_own() -> None:
    about = b"name: shop\ndependencies: [{name: grpc-manifest, alias: engine}, {name: web}]\n"
    files = {
        "Chart.yaml": about,
        "values.yaml": b"",
        "charts/grpc-manifest/Chart.yaml": b"name: grpc-manifest\n",
        "charts/grpc-manifest/values.yaml": b"",
        "charts/grpc-manifest/charts/web/Chart.yaml": b"name: web\n",
        "charts/grpc-manifest/charts/web/values.yaml": b"",
        "charts/web/Chart.yaml": b"name: web\n",
        "charts/web/values.yaml": b"",
        "charts/broken/Chart.yaml": b"[",
    }

    def read(key: str) -> list[tuple[str, str]]:
        return list(files_of_chart(files, key))

    assert read("image") == [("values.yaml", "image")]
    assert read("engine.image") == [("values.yaml", "engine.image"), ("charts/grpc-manifest/values.yaml", "image")]
    assert read("web.a.b")[1:] == [("charts/web/values.yaml", "a.b")]
    assert read("engine.web.image")[2:] == [("charts/grpc-manifest/charts/web/values.yaml", "image")]


def test_versions_below_a_second_key_are_told() -> None:
    place = place_of("devel", path="{environment}", branch="release/{environment}")
    text = "image: {tag: {v1: a}}\nengine:\n  image:\n    tag: [b]\n"
    (one,) = other_versions(held(place, text, "", {}))
    assert one.where == "devel/image_tag.yaml:4:10"
    assert "`engine.image` as well, and `versions.key` is `image`" in one.what
    assert list(other_versions(held(place, "image: {tag: {v1: a}}\nproxy: {tag: v1}\n", "", {}))) == []


def test_a_second_document_is_told_for_not_every_helm_reads_it() -> None:
    (one,) = unread("a: 1\n---\nb: 2\n", "values.yaml")
    assert one.where == "values.yaml:3"
    assert list(unread("---\na: 1\n", "values.yaml")) == list(unread("a: [\n---\n", "values.yaml")) == []
