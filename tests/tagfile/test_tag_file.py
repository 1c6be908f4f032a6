"""`image_tag.yaml`: what is read, and edits that leave everything else as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from model_builders import DIGEST, bump, change, ground, law, meaning, state, states
from tag_cases import KEYS, PATH, edited, mark_text, possible, quoted
from umbrella import under

from release_tool import tagfile
from release_tool.errors import FileProblems
from release_tool.model import times
from release_tool.model.records import Change, Name, State, Tag, name_of
from release_tool.model.states import apply
from release_tool.rules.plan import plan


def bumped(text: str, tag: str, *, default: str, keep: int, key: str = "image") -> str:
    base = ground(tagfile.read(text, PATH, key=key).state, default=default, keep=keep)
    return edited(text, *plan(base, (), bump(tag)).edits, key=key)


# -- the golden cases of the design -----------------------------------------------------------------------------------
SEED = """\
image:
  tag:
  - v1.0.1
  - v1.0.2  # the one with the memory leak
  - v1.0.3
  - v1.0.4
"""
RETIRED = """\
image:
  default: v5
  tag:
    v2: v1.0.2  # the one with the memory leak
    v3: v1.0.3
    v4: v1.0.4
    v5: v1.0.5
  retired:
    v1: v1.0.1
"""
SEED_WITH_DEFAULT = SEED.replace("image:\n", "image:\n  default: v4\n")


def test_where_the_default_is_manual_and_all_are_kept_a_bump_is_one_added_line() -> None:
    assert bumped(SEED, "v1.0.5", default="manual", keep=8) == SEED + "  - v1.0.5\n"


def test_where_the_default_is_newest_a_bump_is_two_added_lines() -> None:
    assert bumped(SEED, "v1.0.5", default="newest", keep=8) == SEED + "  - v1.0.5\n  default: v5\n"


def test_a_bump_that_retires_makes_the_list_a_mapping_in_place_and_no_name_changes() -> None:
    for key in ("image", "engine.image"):
        before = under(key, SEED_WITH_DEFAULT)
        assert bumped(before, "v1.0.5", default="newest", keep=4, key=key) == under(key, RETIRED)


def test_without_a_written_default_the_first_version_is_the_fallback_target_and_stays() -> None:
    assert bumped(SEED, "v1.0.5", default="newest", keep=4) == SEED + "  - v1.0.5\n  default: v5\n"


# -- what is read -----------------------------------------------------------------------------------------------------
def test_all_five_keys_are_read() -> None:
    text = """\
image:
  repository: registry.example.com/engine  # of people; not ours
  default: v4
  tag:
    v3: v1.0.3           # mobile clients 2.x
    v4: v1.0.4
    v5: v1.0.5
  retired:
    v2: v1.0.2
  pinned:
    v3: {reason: mobile clients 2.x, until: 2027-03-31}
  quarantined:
    v5: {reason: error rate 0.12 > 0.05, since: 2026-11-23T05:40:00Z}
"""
    found = tagfile.read(text, PATH).state
    assert found.default == "v4"
    assert found.versions == {"v3": "v1.0.3", "v4": "v1.0.4", "v5": "v1.0.5"}
    assert found.retired == {"v2": "v1.0.2"}
    assert str(found.pinned[Name("v3")].until) == "2027-03-31"
    assert times.timestamp(found.quarantined[Name("v5")].since) == "2026-11-23T05:40:00Z"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("image:\n  tag: {v1: a}\n  retired: {v1: b}\n", "3:17", "`tag` and in `retired`"),
        ("image:\n  tag: {v1: a}\n  pinned: {v2: {reason: x}}\n", "3:16", "no version of `image.tag`"),
        ("image:\n  tag: {v1: a}\n  quarantined: {v2: {reason: x}}\n", "3:21", "no version of `image.tag`"),
        ("image:\n  default: v2\n  tag: {v1: a}\n", "2:12", "no version of `image.tag`"),
        ("image:\n  default: v1\n  tag: {v1: a, v2: b}\n  quarantined: {v1: {reason: x}}\n", "2:12", "quarantined"),
        ("image:\n  tag: {v1: a}\n  quarantined: {v1: {reason: x}}\n", "2:8", "quarantined"),
        ("image:\n  tag: []\n", "2:8", "no live version"),
        ("image:\n  tag: {v1: a, v2: a}\n", "2:20", "two names"),
        ("image:\n  tag: {v1: 1.20}\n", "2:13", "something other than a text"),
        ("image:\n  tag: {v01: a}\n", "2:14", "no name of a version"),
        ("image:\n  tag: {v1: a b}\n", "2:13", "no image tag"),
        (f"image:\n  tag:\n  - a\n  - a{DIGEST}\n", "4:5", "two names"),
    ],
)
@pytest.mark.parametrize("key", ["image", "engine.image"])
def test_what_breaks_a_rule_is_an_error_with_its_place(text: str, where: str, says: str, key: str) -> None:
    with pytest.raises(FileProblems) as caught:
        tagfile.read(under(key, text), PATH, key=key)
    line, column = map(int, where.split(":"))
    deeper = key.count(".")
    assert caught.value.where == f"{PATH}:{line + deeper}:{column + 2 * deeper}"
    assert says.replace("image.tag", f"{key}.tag") in caught.value.what


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("engine: v1\n", "1:9", "engine: expected a mapping, found the text 'v1'"),
        ("engine: [a]\n", "1:9", "engine: expected a mapping, found a list"),
        ("engine:\n  image: a\n", "2:10", "engine.image: expected a mapping, found the text 'a'"),
        ("x: &x {image: {tag: [a]}}\nengine: *x\n", "2:9", "an alias or a merge key can't be edited safely here"),
        ("x: &x {tag: [a]}\nengine: {image: *x}\n", "2:17", "an alias or a merge key can't be edited safely here"),
        ("x: &x {image: {}}\nengine: {<<: *x}\n", "2:14", "an alias or a merge key can't be edited safely here"),
        ("engine: {image: {tag: [a]}}\nengine: {}\n", "2:1", "this key stands twice"),
        ("engine: {image: {tag: [a]}}\n---\nb: 1\n", "3:1", "a values file holds one document"),
    ],
)
def test_what_is_in_the_way_of_the_key_is_refused_with_its_place(text: str, where: str, says: str) -> None:
    with pytest.raises(FileProblems) as caught:
        tagfile.read(text, PATH, key="engine.image", empty=True)
    assert caught.value.where == f"{PATH}:{where}"
    assert says in caught.value.what
    assert caught.value.hint


def test_aliases_beside_the_way_to_the_versions_are_no_matter() -> None:
    text = "x: &x {a: 1}\nengine: {other: *x, image: {tag: [a], more: *x}}\nrest: *x\n"
    assert tagfile.read(text, PATH, key="engine.image").state == state("a")


# -- versions below another key than the configured one ---------------------------------------------------------------
@pytest.mark.parametrize("tag", ["[a, b]", "{v1: a, v2: b}"])
def test_versions_that_stand_below_another_key_are_refused_with_the_key_to_set(tag: str) -> None:
    text = f"image: {{repository: x}}\nengine: {{image: {{tag: {tag}}}}}\n"
    with pytest.raises(FileProblems) as caught:
        tagfile.read(text, PATH, empty=True)
    assert caught.value.where == f"{PATH}:2:23"
    assert "the versions seem to stand under `engine.image`, and `versions.key` is `image`" in caught.value.what
    assert caught.value.hint == "set `versions: {key: engine.image}` in release.yaml"
    assert tagfile.read(text, PATH, key="engine.image").state == state("a", "b")


@pytest.mark.parametrize("text", ["proxy: {tag: v1}\n", "proxy: {tag: []}\n", "tag: [a]\n", "'a.b': {c: {tag: [a]}}\n"])
def test_what_is_no_set_of_versions_elsewhere_is_no_matter(text: str) -> None:
    assert tagfile.read(text, PATH, empty=True).state == State()
    written = text + "image: {tag: {}}\nengine: {image: {tag: [a]}}\n"
    assert tagfile.read(written, PATH, empty=True).state == State(), "the key itself says that there are none"


# -- edits ------------------------------------------------------------------------------------------------------------
def test_a_version_travels_with_its_comments_when_it_retires_and_comes_back() -> None:
    head = "image:\n  default: v1\n  tag:\n    v1: a\n"
    own = "    # v2 is for the old clients\n    v2: b  # note\n      # the newer ones use v3\n"
    text = head + own
    retired = edited(text, change("retire", "v2", "b"))
    assert retired == head + "  retired:\n" + own
    assert edited(retired, change("restore", "v2", "b")) == text


def test_comments_stay_with_their_versions_over_a_whole_rotation() -> None:
    """Each bump retires the first entry: blocks that name their version go with it, the head of the list stays."""
    text = "image:\n  default: v9\n  tag:\n    # all engines, newest last\n    v1: a1\n"
    text += "".join(f"    # v{n} is for team {n}\n    v{n}: a{n}  # note {n}\n" for n in range(2, 10))
    for number in range(1, 8):
        text = edited(text, change("retire", f"v{number}", f"a{number}"))
        if number > 2:
            text = edited(text, change("remove", f"v{number - 2}", f"a{number - 2}"))
    assert text == (
        "image:\n  default: v9\n  tag:\n    # all engines, newest last\n"
        "    # v8 is for team 8\n    v8: a8  # note 8\n    # v9 is for team 9\n    v9: a9  # note 9\n"
        "  retired:\n    # v6 is for team 6\n    v6: a6  # note 6\n    # v7 is for team 7\n    v7: a7  # note 7\n"
    )


def test_a_version_that_retires_takes_its_marks_along() -> None:
    text = "image:\n  tag: {v1: a, v2: b}\n  pinned: {v2: {reason: x}}\n  quarantined: {v2: {reason: y}}\n"
    assert edited(text, change("retire", "v2", "b")) == "image:\n  tag: {v1: a}\n  retired:\n    v2: b\n"


@pytest.mark.parametrize("tag", ["1.20", "12e3456", "2026-11-23", "0x1F", "yes", "null", "1_000", "0o17", "1e3", "on"])
def test_a_tag_that_a_reader_could_take_for_something_else_is_quoted(tag: str) -> None:
    for text in ("image:\n  tag:\n  - a\n", "image:\n  tag:\n    v1: a\n", "image:\n  tag: {v1: a}\n"):
        after = edited(text, change("add", "v2", tag))
        assert f'"{tag}"' in after or f"'{tag}'" in after


@pytest.mark.parametrize("tags", ["  tag: []\n", "  tag: {}\n", "  tag:\n", "", None])
@pytest.mark.parametrize("key", ["image", "engine.image"])
def test_the_first_version_comes_into_an_empty_file(tags: str | None, key: str) -> None:
    text = "# ours\n" if tags is None else under(key, f"image:\n{tags}")
    assert tagfile.read(edited(text, change("add", "v1", "a"), key=key), PATH, key=key).state == state("a")
    after = edited(text, change("add", "v7", "a"), key=key)
    assert tagfile.read(after, PATH, key=key).state == state(named={"v7": "a"})


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "engine:\n  image:\n    tag:\n      v1: a\n"),
        ("engine:\n", "engine:\n  image:\n    tag:\n      v1: a\n"),
        ("engine: {}  # ours\n", "engine: {image: {tag: {v1: a}}}  # ours\n"),
        ("engine:\n  # two\n  n: 2\nb: 1\n", "engine:\n  # two\n  n: 2\n  image:\n    tag:\n      v1: a\nb: 1\n"),
    ],
)
def test_the_parents_that_the_first_version_lacks_are_made(text: str, after: str) -> None:
    assert edited(text, change("add", "v1", "a"), key="engine.image") == after


def test_a_default_without_a_value_is_filled_in() -> None:
    assert edited("image:\n  default:\n  tag: [a, b]\n", change("set-default", "v2", "b")) == (
        "image:\n  default: v2\n  tag: [a, b]\n"
    )


def test_line_ends_a_byte_order_mark_and_a_missing_final_one_stay() -> None:
    text = "\ufeff---\r\nimage:\r\n  tag:\r\n  - a\r\n  - b"
    assert edited(text, change("add", "v3", "c")) == "\ufeff---\r\nimage:\r\n  tag:\r\n  - a\r\n  - b\r\n  - c"


# -- laws -------------------------------------------------------------------------------------------------------------
def note(name: str) -> str:
    return f"# about {name}."


def text_of(one: State, *, as_list: bool, flow: bool) -> str:
    """A file that says this, with people's comments; a list where the names are its positions."""
    lines = ["# Keep in step with the clients.", "image:", "  repository: registry.example.com/engine  # not ours"]
    if one.written_default is not None:
        lines.append(f"  default: {one.written_default}  # see the wiki")
    if as_list:
        lines += ["  tag:", *(f"  - {quoted(tag)}  {note(name)}" for name, tag in one.versions.items())]
    elif flow:
        lines.append("  tag: {" + ", ".join(f"{name}: {quoted(tag)}" for name, tag in one.versions.items()) + "}")
    else:
        lines += ["  tag:" + ("" if one.versions else " {}")]
        lines += [f"    {name}: {quoted(tag)}  {note(name)}" for name, tag in one.versions.items()]
    for section, entries in (
        ("retired", {name: quoted(tag) for name, tag in one.retired.items()}),
        ("pinned", {name: mark_text(pin) for name, pin in one.pinned.items()}),
        ("quarantined", {name: mark_text(bad) for name, bad in one.quarantined.items()}),
    ):
        if entries and flow:
            lines.append(f"  {section}: {{" + ", ".join(f"{name}: {value}" for name, value in entries.items()) + "}")
        elif entries:
            lines += [f"  {section}:", *(f"    {name}: {value}" for name, value in entries.items())]
    return "\n".join([*lines, "replicas: 2  # per version", ""])


def renumbered(one: State) -> State:
    """The same with the names v1, v2, …, in the order of the file, as a list has them; retired ones above."""
    new = {old: name_of(number) for number, old in enumerate((*one.versions, *one.retired), start=1)}
    return State(
        {new[name]: tag for name, tag in one.versions.items()},
        {new[name]: tag for name, tag in one.retired.items()},
        {new[name]: pin for name, pin in one.pinned.items()},
        {new[name]: bad for name, bad in one.quarantined.items()},
        new.get(one.written_default) if one.written_default else None,
    )


@st.composite
def files(draw: Any) -> tuple[State, str, str]:
    one = draw(states(least=1))
    as_list, flow = draw(st.sampled_from([(True, False), (False, False), (False, True)]))
    one = renumbered(one) if as_list else one
    if one.default in one.quarantined:
        one = State(one.versions, one.retired, one.pinned)
    key = draw(KEYS)
    text = under(key, text_of(one, as_list=as_list, flow=flow))
    return one, text.replace("\n", "\r\n") if draw(st.booleans()) else text, key


@law(files(), st.data(), examples=80)
def test_a_file_says_after_its_edits_what_the_changes_make_of_its_state(
    file: tuple[State, str, str], data: Any
) -> None:
    one, text, key = file
    assert meaning(tagfile.read(text, PATH, key=key).state) == meaning(one)
    for _ in range(data.draw(st.integers(1, 5))):
        made = data.draw(possible(one))
        if made is None:
            continue
        before, text = text, edited(text, made, key=key)
        after = apply(one, [made])
        for name in {*one.versions} & {*after.versions, *after.retired}:
            assert before.count(note(name)) == text.count(note(name))
        for ours in ("# Keep in step with the clients.", "# not ours", "# per version", "# see the wiki"):
            assert before.count(ours) == text.count(ours)
        assert ("\r\n" in before) == ("\r\n" in text)
        assert text.count("\r\n") in (0, text.count("\n"))
        one = after
    for name, tag in one.versions.items():
        for row in text.splitlines():
            if note(name) in row:
                assert tag in row


ONE_VERSION = st.sampled_from(["image:\n  tag:\n  - a\n", "image:\n  tag: {v1: a}\n", "image:\n  tag:\n    v1: 'a'\n"])


@law(ONE_VERSION, st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_any_reason_is_written_so_that_it_is_read_again(text: str, reason: str) -> None:
    edited(text, change("pin", "v1", "a", reason), change("pin", "v1", "a", reason + "."))


@law(ONE_VERSION, st.from_regex(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,12}", fullmatch=True).filter(lambda tag: tag != "a"))
def test_any_tag_is_written_so_that_it_is_read_again(text: str, tag: str) -> None:
    edited(text, change("add", "v2", tag), change("retire", "v2", tag), change("restore", "v2", tag))


@law(files(), examples=40)
def test_no_change_leaves_every_byte(file: tuple[State, str, str]) -> None:
    one, text, key = file
    assert edited(text, key=key) == text
    if one.written_default is not None:
        assert edited(text, Change("set-default", one.written_default, Tag("x"), "again"), key=key) == text
