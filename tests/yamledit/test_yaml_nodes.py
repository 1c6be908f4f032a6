"""Texts to nodes: places, bounds, errors; the same from both parsers."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from release_tool.errors import EditRefused
from release_tool.yamledit.data import to_data
from release_tool.yamledit.edits import set_value
from release_tool.yamledit.parser import MAX_DEPTH, MAX_SIZE, documents, parse, stream
from release_tool.yamledit.tree import Mark, YamlError, scalar_value


def place(mark: Mark) -> tuple[int, int, int]:
    return mark.index, mark.line, mark.column


def text_of(text: str, node: object) -> str:
    return text[node.start.index : node.end.index]


def test_marks_count_characters_lines_and_columns(parser: str):
    text = "a: 1\nключ:\n  - 😀x # c\n  - 'y'\n"
    key, value = parse(text).pairs[1]
    assert place(key.start) == (5, 2, 1)
    item = value.items[0]
    assert (place(item.start), place(item.end)) == ((15, 3, 5), (17, 3, 7))
    assert text_of(text, value.items[1]) == "'y'"


def test_a_byte_order_mark_counts_as_a_character_but_takes_no_column(parser: str):
    root = parse("\ufeffa: b\n")
    assert (root.start.index, root.start.column) == (1, 1)
    assert place(root.pairs[0][1].start) == (4, 1, 4)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a: b # c\n\n# d\n", "a: b"),
        ("a:\n  - b\n\n  # c\n", "a:\n  - b"),
        ("a: |\n  b\n\n\n# c\n", "a: |\n  b"),
        ("a: |+\n  b\n\n\n# c\n", "a: |+\n  b\n\n"),
        ("a: |\n  b\n     \n\n", "a: |\n  b\n     "),
        ("a: |  # c\nb: 1\n", "a: |  # c\nb: 1"),
        ("a: >-\n    b\n\n    c\n   \n", "a: >-\n    b\n\n    c"),
        ("a: {b: [c]}  # d\n", "a: {b: [c]}"),
        ("a: [b: c]\n", "a: [b: c]"),
        ("a: 'b\n\n  c' # d\n", "a: 'b\n\n  c'"),
        ("a: b\n  c # d\n", "a: b\n  c"),
        ("a:   # c\n", "a:"),
        ("a  :\n\n", "a  :"),
        ("- # c\n", "-"),
        ("a: &x\n", "a: &x"),
        ("a: &x # c\n  b: *x\n", "a: &x # c\n  b: *x"),
    ],
)
def test_a_node_ends_behind_its_last_leaf(text: str, ends: str, parser: str):
    assert text_of(text, parse(text)) == ends


def test_a_node_starts_at_its_anchor_or_tag(parser: str):
    text = "a: &x !!str b\nc: !!str &y d\ne: !t f\n"
    assert [text_of(text, value) for _, value in parse(text).pairs] == ["&x !!str b", "!!str &y d", "!t f"]
    assert [value.anchor for _, value in parse(text).pairs] == ["x", "y", None]
    assert parse(text).pairs[2][1].tag == "!t"


def test_styles_and_kinds(parser: str):
    root = parse("a: [x]\nb: {}\nc: 'x'\nd: \"x\"\ne: |\n  x\nf: >\n  x\ng: x\nh: &i x\nj: *i\n")
    found = [(value.kind, value.style) for _, value in root.pairs]
    scalars = [("scalar", style) for style in ("'", '"', "|", ">", None, None)]
    assert found == [("sequence", True), ("mapping", True), *scalars, ("alias", None)]
    assert root.pairs[8][1].target is root.pairs[7][1]
    assert root.style is False


def test_documents(parser: str):
    assert documents("") == documents("# c\n") == []
    assert [document and scalar_value(document) for document in documents("a\n---\n---\nb\n...\n# c\n")] == [
        "a",
        None,
        "b",
    ]
    assert documents("a\n---\nb\n")[1].value == "b"
    assert parse("") is None
    bounds = [(d.start, d.end, d.explicit) for d in stream("a\n---\nb\n...\n--- c\n")]
    assert bounds == [(0, 2, False), (5, 8, True), (15, 18, True)]
    with pytest.raises(EditRefused, match="no document 1"):
        set_value("a\n", (), "b", 1)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("a: [1\n", (2, 1), "not YAML"),
        ("a: b: c\n", (1, 5), "mapping values"),
        ("a:\n\tb: 1\n", (2, 1), "a tab where only spaces may stand"),
        ("a: *b\n", (1, 4), r"the alias \*b names no anchor"),
        ("a: \x07\n", (1, 4), "characters are not allowed"),
        ("é: \ud800\n", (1, 4), "not YAML"),
        ("\ufeffa: 'b\n", None, "not YAML"),
        ("a: %\n", None, "not YAML"),
        ("%FOO\n", None, "not YAML"),
        ('"\\q"', None, "not YAML"),
        ('a: "\\UFFFFFFFF"\n', None, "not YAML"),
        ("a: &b.c d\n", None, "not YAML"),
        ("[" * 100_000, None, "inside each other"),  # libyaml looks ahead, and newer ones have a limit of their own
        ("{a: " * 100_000, (1, 4 * MAX_DEPTH + 1), "inside each other"),
        ("- " * 100_000, (1, 2 * MAX_DEPTH + 1), "inside each other"),
        ("a" * (MAX_SIZE + 1), (1, 1), "the limit is"),
    ],
)
def test_what_can_not_be_read_says_where_and_why(text: str, place: tuple[int, int] | None, says: str, parser: str):
    with pytest.raises(YamlError, match=says) as caught:
        documents(text)
    error = caught.value
    if place is not None:
        assert (error.line, error.column) == place
    assert error.exit_code == 1
    found = error.in_file("values.yaml")
    assert str(found).startswith(f"values.yaml:{error.line}:{error.column}: ")
    assert (found.reason, found.hint) == (error.reason, error.hint)


def test_many_values_are_bounded(parser: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("release_tool.yamledit.parser.MAX_EVENTS", 50)
    assert len(parse("- a\n" * 40).items) == 40
    with pytest.raises(YamlError, match="more than 50 values") as caught:
        parse("- a\n" * 60)
    assert caught.value.line == 48


def test_the_hint_tells_the_usual_mistakes():
    hints = []
    for text in ("a:\n\tb: 1", "a: {{ .x }}\n b", "<<<<<<< x\na: 1", "a: b: c"):
        with pytest.raises(YamlError) as caught:
            documents(text)
        hints.append(caught.value.hint)
    for hint, word in zip(hints, ["tab", "template", "merge conflict", "quotes"], strict=True):
        assert word in hint


def laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(lines)


def test_a_billion_laughs_cost_nothing(parser: str):
    started = time.process_time()
    root = parse(laughs())
    assert root.pairs[29][1].items[0].kind == "alias"
    with pytest.raises(YamlError, match="expand too far"):
        to_data(root)
    assert time.process_time() - started < 20  # unbounded, it would take longer than the universe has lasted


def test_an_anchor_inside_itself():
    with pytest.raises(YamlError, match="expand too far"):
        to_data(parse("a: &x [*x]\n"))


def test_to_data(parser: str):
    text = "base: &b {x: 1, y: two}\nuse:\n  <<: *b\n  y: [true, ~, 1.5, yes, '1']\nagain: *b\n80: on\nlist: &l [{p: 1}, {p: 2, q: 3}]\nall: {<<: *l}\n"
    assert to_data(parse(text)) == {
        "base": {"x": 1, "y": "two"},
        "use": {"x": 1, "y": [True, None, 1.5, "yes", "1"]},
        "again": {"x": 1, "y": "two"},
        80: "on",
        "list": [{"p": 1}, {"p": 2, "q": 3}],
        "all": {"p": 1, "q": 3},
    }
    assert to_data(None) is None


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "the key a stands twice", 3),
        ("[a]: 1\n", "a key that is a list or a mapping", 1),
        ("a: {<<: 1}\n", "<< merges mappings only", 1),
        ("1: a\n0x1: b\n", "stands twice", 2),
    ],
)
def test_data_that_readers_would_not_agree_on(text: str, says: str, line: int):
    with pytest.raises(YamlError, match=says) as caught:
        to_data(parse(text))
    assert caught.value.line == line


def test_importing_loads_no_parser():
    code = "import sys, release_tool.yamledit.edits; print([m for m in sys.modules if m.split('.')[0] in ('yaml', 'ruamel')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_c_library_the_pure_parser_reads(tmp_path: object):
    code = (
        "import sys; sys.modules['yaml._yaml'] = None\n"
        "from release_tool.yamledit.edits import add_entry\n"
        "print(repr(add_entry('a: [x]', ('a',), '1.0')))\n"
        "print('yaml.loader' in sys.modules, 'ruamel.yaml' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == repr('a: [x, "1.0"]')
    assert done.stdout.splitlines()[1].endswith("True")
