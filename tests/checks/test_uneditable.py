"""Entries that an operation would refuse to move are warned of before that day."""

from __future__ import annotations

import pytest
from umbrella import under

from release_tool import tagfile
from release_tool.checks.environment import held
from release_tool.checks.uneditable import uneditable
from release_tool.config import place_of
from release_tool.errors import EditRefused
from release_tool.model.records import Change, Name, Tag

PLACE = place_of("devel", path="environments/{environment}", branch="release/{environment}")
RETIRED = Change("retire", Name("v1"), Tag("v1.0.1"), "why")


def warned(text: str) -> list[str]:
    found = uneditable(held(PLACE, text, "", {}))
    return [f"{one.where.rpartition('.yaml:')[2]} {one.what}; {one.hint}" for one in found]


REFUSED = {
    "image:\n  default: v2\n  tag:\n    v1: &one v1.0.1\n    v2: v1.0.2\nsidecar: {tag: *one}\n": "4:9 v1 holds the anchor &one, "
    "which line 6 uses: no operation can retire or remove it; write the value out in line 6",
    "image:\n  default: v2\n  tag:\n  - &one v1.0.1\n  - v1.0.2\nother: *one\n": "4:5 v1 holds the anchor &one, which line 6 "
    "uses: no operation can retire or remove it; write the value out in line 6",
    "image:\n  default: v2\n  tag:\n    &k v1: v1.0.1\n    v2: v1.0.2\n  list: [*k]\n": "4:5 v1 holds the anchor &k, which line 6 "
    "uses: no operation can retire or remove it; write the value out in line 6",
}


def test_below_another_key_it_is_warned_of_as_well() -> None:
    text = under("engine.image", next(iter(REFUSED)))
    found = uneditable(held(PLACE._replace(key="engine.image"), text, "", {}))
    assert [(one.where.rpartition(".yaml:")[2], one.what.split(":")[0]) for one in found] == [
        ("5:11", "v1 holds the anchor &one, which line 7 uses"),
    ]
    text = "engine: {image: &i {tag: {v1: a, v2: b}}}\nother: *i\n"
    (one,) = uneditable(held(PLACE._replace(key="engine.image"), text, "", {}))
    assert one.what.startswith("line 2 repeats engine.image by the anchor &i: every operation changes it there, too")


@pytest.mark.parametrize("text", REFUSED)
def test_an_anchor_that_others_use_is_a_warning_before_it_is_a_refusal(text: str):
    assert warned(text) == [REFUSED[text]]
    with pytest.raises(EditRefused, match="which line"):
        tagfile.edit(tagfile.read(text, "image_tag.yaml"), [RETIRED])


def test_a_tag_that_is_an_alias_is_read_and_warned_of():
    text = "x: &one v1.0.1\nimage:\n  default: v2\n  tag:\n    v1: *one\n    v2: v1.0.2\n"
    assert warned(text) == [
        (
            "5:9 the tag of v1 is the alias *one of line 1: what changes there changes v1, and it can't move above that line; "
            "write v1.0.1 here"
        )
    ]
    file = tagfile.read(text, "image_tag.yaml")
    assert file.state.versions == {"v1": "v1.0.1", "v2": "v1.0.2"}
    assert "  retired:\n    v1: *one\n" in tagfile.edit(file, [RETIRED]).text


def test_a_section_that_is_repeated_elsewhere_is_named():
    text = "image:\n  tag: &all\n    v1: v1.0.1\n    v2: v1.0.2\nother: *all\n"
    assert warned(text) == [
        (
            "2:8 line 5 repeats image.tag by the anchor &all: every operation changes it there, too; "
            "write it out there, and take the anchor away"
        )
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "image:\n  default: &d v2\n  tag: {v1: v1.0.1, v2: v1.0.2}\nx: {*d : y}\n",
            "4:5 this key is the alias *d of image.default",
        ),
        ("image: &i\n  tag: {v1: v1.0.1, v2: v1.0.2}\nx:\n  ? *i\n  : y\n", "4:5 this key is the alias *i of image"),
    ],
)
def test_a_key_that_an_operation_would_rename_is_named(text: str, what: str):
    assert warned(text) == [f"{what}: no operation can change that; write the key out here"]
    file = tagfile.read(text, "image_tag.yaml")
    with pytest.raises(EditRefused, match="would rename it"):
        tagfile.edit(file, [Change("set-default", Name("v1"), Tag("v1.0.1"), "why")])


LIVE = "image:\n  default: v2\n  tag:\n    v1: v1.0.1\n    v2: v1.0.2\n"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("image:\n  default: v2\n  tag:\n    ? v1\n    : v1.0.1\n    ? v2\n    : v1.0.2\n", ["4:7", "6:7"]),
        ("image: {default: v2, tag: {? v1 : v1.0.1, v2: v1.0.2}}\n", ["1:30"]),
        (LIVE.replace("  tag:\n", "  ? tag\n  :\n"), ["3:5"]),
        (LIVE.replace("default:", "? default\n  :"), ["2:5"]),
        (LIVE + "  retired:\n    ? v3\n    : v1.0.3\n", ["7:7"]),
        (LIVE + "  pinned:\n    ? v1\n    : {reason: why}\n", ["7:7"]),
        (
            "image:\n  pinned:\n    v1:\n      reason: why\n  default: v2\n  tag:\n    v2: v1.0.2\n    ? v1\n    : v1.0.1\n",
            ["8:7"],
        ),
        (LIVE.replace("tag:", "tag: !x"), ["3:8"]),
    ],
)
def test_what_the_editor_refuses_is_a_warning_today(text: str, where: list[str]):
    found = warned(text)
    assert [one.partition(" ")[0] for one in found] == where
    assert all("an operation that changes what stands here is refused: " in one for one in found)


@pytest.mark.parametrize(
    "text",
    [
        *(LIVE, "image:\n  tag: [v1.0.1]\n", "? a\n: b\n" + LIVE, LIVE + "  retired: {v3: v1.0.3}\n", ""),
        "image:\n  tag:\n    v1: v1.0.1   # *no alias\n",
        "image:\n  tag:\n    v1: &one v1.0.1\n",
        "x: &x [a]\ny: *x\nimage: {tag: {v1: v1.0.1}}\n",
        "image: [*\n",
        "*x : y\n",
    ],
)
def test_all_else_is_silent(text: str):
    assert warned(text) == []
