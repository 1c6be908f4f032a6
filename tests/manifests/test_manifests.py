"""Renderings as objects, and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from release_tool import manifests
from release_tool.errors import ReleaseError
from release_tool.manifests import ObjectKey

if TYPE_CHECKING:
    import random

    Items = list[tuple[dict[str, Any], bool | None]]  # objects, each with a style of PyYAML's

A = '---\n# Source: c/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: "1"\n'
B = "---\n# Source: c/templates/b.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: b\n  namespace: n\n"
KEY_A = ObjectKey("v1", "ConfigMap", "", "a")
KEY_B = ObjectKey("apps/v1", "Deployment", "n", "b")


def summary(before: str, after: str) -> list[tuple[str, str]]:
    return [(change.action, change.key.name) for change in manifests.difference(before, after)]


# -- objects --
def test_objects_come_in_the_order_of_the_rendering() -> None:
    first, second = manifests.objects(B + "---\n# nothing\n---\n\n" + A)
    assert (first.key, first.source, first.content["kind"]) == (KEY_B, "c/templates/b.yaml", "Deployment")
    assert (second.key, second.source, second.content["data"]) == (KEY_A, "c/templates/a.yaml", {"x": "1"})
    assert str(first.key) == "Deployment n/b (apps/v1)"
    assert str(second.key) == "ConfigMap a (v1)"


@pytest.mark.parametrize(
    "text",
    [
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
        '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}',
        (
            "kind: 'ConfigMap'\r\nmetadata:\r\n\r\n    # its name\r\n    labels:\r\n      name: b\r\n"
            '    name: "a"\r\napiVersion: v1\r\n'
        ),
        "apiVersion: &v v1\nkind: ConfigMap\nmetadata: &m\n  name: a\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: >-\n    a\n",
        'apiVersion: v1\nkind: ConfigMap\n"metadata":\n  name: a\n',
        (
            "apiVersion: v1\nkind: ConfigMap\ndata:\n  text: |\n    kind: Secret\n    metadata:\n      name: b\n"
            "metadata:\n  name: a # b\n"
        ),
        "x: &m {name: a}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  <<: *m\n",
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ntext: "\nkind: Secret"\n',
    ],
)
def test_an_object_is_known_however_it_is_written(text: str) -> None:
    assert [found.key for found in manifests.objects(text)] == [KEY_A]


def test_the_items_of_a_list_are_objects() -> None:
    items = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- "
    items += "{apiVersion: apps/v1, kind: Deployment, metadata: {name: b, namespace: n}}\n"
    assert [found.key for found in manifests.objects(items)] == [KEY_A, KEY_B]
    assert summary(items, items.replace("name: b", "name: c")) == [("added", "c"), ("removed", "b")]


def test_the_same_name_in_another_namespace_is_another_object() -> None:
    assert len(manifests.objects(B + B.replace("namespace: n", "namespace: m"))) == 2


def test_a_lone_equals_sign_and_a_date_are_text() -> None:
    (found,) = manifests.objects("apiVersion: v1\nkind: A\nmetadata: {name: a}\nx: [=, 2026-02-31, 2026-11-23]\n")
    assert found.content["x"] == ["=", "2026-02-31", "2026-11-23"]


def test_a_generated_name_is_a_name() -> None:
    (job,) = manifests.objects("apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: job-\n")
    assert job.key.name == "job-*"


@pytest.mark.parametrize(
    "other", [A, A.replace('"1"', "2"), A.replace("a.yaml", "z.yaml"), A.replace(" a\n", " 'a'\n")]
)
def test_the_same_object_twice_is_an_error(other: str) -> None:
    with pytest.raises(ReleaseError, match=r"the chart renders ConfigMap a \(v1\) twice") as caught:
        manifests.objects(A + B + other)
    assert caught.value.where.startswith("c/templates/a.yaml")
    with pytest.raises(ReleaseError):
        manifests.difference(A, A + B + other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: A\nmetadata:\n  name: a\n", "without apiVersion"),
        ("apiVersion: v1\nmetadata:\n  name: a\n", "without kind"),
        ("apiVersion: v1\nkind: A\nmetadata:\n  labels: {}\n", "without metadata.name"),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name:\n", "without metadata.name"),
        ("apiVersion: v1\nkind: A\nmetadata: a\n", "without metadata.name"),
        ("apiVersion: v1\nkind: A\n", "without metadata.name"),
        ("just text\n", "no object"),
        ("- 1\n", "no object"),
        ("a: [\n", "no YAML"),
    ],
)
def test_what_is_no_object_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message) as caught:
        manifests.objects(f"---\n# Source: c/templates/x.yaml\n{text}")
    assert caught.value.where == "c/templates/x.yaml"


# -- difference --
def test_equal_renderings_differ_in_nothing() -> None:
    assert manifests.difference(A + B, A + B) == ()
    assert manifests.difference_text(()) == ""


def test_added_removed_and_changed_objects_are_told_apart() -> None:
    c = A.replace("name: a", "name: c")
    assert summary(A + B, c + A.replace('"1"', '"2"')) == [("added", "c"), ("changed", "a"), ("removed", "b")]


def test_the_difference_reads_as_a_unified_one() -> None:
    after = (
        A.replace('x: "1"', 'x: "2"\n  y: |\n    several\n    lines')
        + "---\n"
        + "{apiVersion: v1, kind: Pod, metadata: {name: p}}"
    )
    text = manifests.difference_text(manifests.difference(A + B, after))
    assert (
        text
        == """\
--- ConfigMap a (v1)
+++ ConfigMap a (v1)
@@ -3,4 +3,7 @@
 metadata:
   name: a
 data:
-  x: '1'
+  x: '2'
+  y: |
+    several
+    lines
--- /dev/null
+++ Pod p (v1)
@@ -0,0 +1,4 @@
+apiVersion: v1
+kind: Pod
+metadata:
+  name: p
--- Deployment n/b (apps/v1)
+++ /dev/null
@@ -1,5 +0,0 @@
-apiVersion: apps/v1
-kind: Deployment
-metadata:
-  name: b
-  namespace: n
"""
    )


@pytest.mark.parametrize(
    "after",
    [
        A.replace("a.yaml", "other.yaml"),
        A.replace('"1"', "'1'"),
        A.replace("data:\n  x:", "# a comment\ndata:\n\n    x:"),
        A.replace('data:\n  x: "1"', 'data: {x: "1"}'),
        A.replace("\n", "\r\n"),
        A.removeprefix("---\n") + "---\n# nothing\n",
    ],
)
def test_the_way_of_writing_is_no_change(after: str) -> None:
    assert manifests.difference(A, after) == ()


@pytest.mark.parametrize(
    "after", [A.replace('"1"', "1"), A.replace('"1"', '"1 "'), A.replace("x:", "X:"), A + "  y: null\n"]
)
def test_everything_else_is_a_change(after: str) -> None:
    assert summary(A, after) == [("changed", "a")]


def test_values_are_shown_as_they_are_written() -> None:
    change = A.replace('x: "1"', "x: 0644\n  y: yes\n  z: 1_000\n  w: 1.10")
    assert manifests.difference(A, change)[0].after.splitlines()[-4:] == [
        "  x: 0644",
        "  y: yes",
        "  z: 1_000",
        "  w: 1.10",
    ]


def test_the_order_of_keys_is_kept() -> None:
    (change,) = manifests.difference("", "{zebra: 1, apiVersion: v1, kind: A, metadata: {name: a, alpha: 1}}")
    assert change.after == "zebra: 1\napiVersion: v1\nkind: A\nmetadata:\n  name: a\n  alpha: 1\n"


def test_long_lines_are_not_folded() -> None:
    (change,) = manifests.difference("", A.replace('"1"', f'"{"word " * 100}"'))
    assert len(change.after.splitlines()) == 6


def test_anchors_do_not_blow_up() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (change,) = manifests.difference("", f"apiVersion: v1\nkind: A\nmetadata:\n  name: a\n{bomb}")
    assert len(change.after) < 10_000


# -- laws --
NAMES = st.sampled_from(["a", "b", "c", "1e3", "x.y", "true", "v1-0"])
SCALARS = st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
OBJECTS = st.builds(
    lambda kind, name, namespace, data, style: (
        {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"labels": {"name": "other"}, "name": name, **({"namespace": namespace} if namespace else {})},
            "data": data,
        },
        style,
    ),
    st.sampled_from(["ConfigMap", "Secret"]),
    NAMES,
    st.one_of(st.none(), NAMES),
    st.dictionaries(st.text(min_size=1, max_size=8), SCALARS, max_size=3),
    st.sampled_from([False, True, None]),
)
RENDERINGS = st.lists(
    OBJECTS,
    max_size=6,
    unique_by=lambda item: (item[0]["kind"], *map(str, sorted(map(repr, item[0]["metadata"].items())))),
)


def written(items: Items) -> str:
    return "".join(
        "---\n" + yaml.safe_dump(content, sort_keys=False, default_flow_style=style, allow_unicode=True)
        for content, style in items
    )


@given(RENDERINGS)
def test_the_key_is_the_one_that_yaml_reads(items: Items) -> None:
    for found in manifests.objects(written(items)):
        metadata = found.content["metadata"]
        assert found.key == ("v1", found.content["kind"], metadata.get("namespace", ""), metadata["name"])


@given(RENDERINGS, RENDERINGS)
def test_the_way_back_is_the_inverse(before: Items, after: Items) -> None:
    there = {change.key: change for change in manifests.difference(written(before), written(after))}
    back = {change.key: change for change in manifests.difference(written(after), written(before))}
    inverse = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {key: inverse[change.action] for key, change in there.items()} == {k: c.action for k, c in back.items()}
    for key, change in there.items():
        assert (change.before, change.after) == (back[key].after, back[key].before)


@given(RENDERINGS, st.randoms())
def test_moving_objects_about_is_no_change(items: Items, chance: random.Random) -> None:
    shuffled = list(items)
    chance.shuffle(shuffled)
    assert manifests.difference(written(items), written([(content, False) for content, _ in shuffled])) == ()
