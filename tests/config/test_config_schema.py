"""The published schema and the reference, held to the definitions and to the reader."""

from __future__ import annotations

import json
import re
import subprocess
import warnings
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from release_tool import config
from release_tool.config import CONFIG, Config, health, kinds
from release_tool.config.kinds import Duration, Key, Listing, Section, Table, Text, Whole, broken_rule, sections
from release_tool.config.reader import load
from release_tool.config.schema import reference, schema, schema_text, with_reference
from release_tool.config.sections import SERVICE, ServiceSection
from release_tool.config.values import Reading
from release_tool.model.times import duration_text
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DOCUMENT = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
PUBLISHED = json.loads((ROOT / "release.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(PUBLISHED, format_checker=Draft202012Validator.FORMAT_CHECKER)
EVERYTHING, SERVICES = (
    yaml.safe_load((HERE / "good" / f"{file}.yaml").read_text(encoding="utf-8")) for file in ("everything", "services")
)
SERVICES["services"]["search"]["registry"]["verify"] = "off"  # which this reader takes for a boolean


def name(path: Path) -> str:
    return path.stem


def data_of(path: Path) -> Any:
    return to_data(parse(path.read_text(encoding="utf-8")))


def all_keys() -> list[tuple[str, Section, Key]]:
    return [
        (f"{title}.{name}" if title else name, part, key)
        for title, part in sections("", CONFIG)
        for name, key in part.keys.items()
    ]


# --- the schema -------------------------------------------------------------------------------------------------------


def test_the_published_schema_is_that_of_the_definitions() -> None:
    assert (ROOT / "release.schema.json").read_bytes() == schema_text().encode(), "run: make schema"
    assert schema() == PUBLISHED


def test_the_published_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(PUBLISHED)


def test_every_key_of_the_schema_has_a_description() -> None:
    def properties(part: dict[str, Any]) -> list[dict[str, Any]]:
        own = list(part.get("properties", {}).values())
        nested = [*own, part["additionalProperties"]] if isinstance(part.get("additionalProperties"), dict) else own
        return own + [inner for one in nested for inner in properties(one)]

    found = properties(PUBLISHED)
    assert len(found) == len(all_keys())
    assert all(one["description"] for one in found)


@pytest.mark.parametrize("path", [*sorted(HERE.glob("good/*.yaml")), ROOT / "release.yaml"], ids=name)
def test_the_schema_accepts_what_the_reader_accepts(path: Path) -> None:
    VALIDATOR.validate(data_of(path))


@pytest.mark.parametrize("path", sorted(HERE.glob("bad/*.yaml")), ids=name)
def test_the_schema_refuses_what_a_single_value_shows(path: Path) -> None:
    assert not VALIDATOR.is_valid(data_of(path))


@pytest.mark.parametrize("path", sorted(HERE.glob("bad-together/*.yaml")), ids=name)
def test_the_schema_accepts_what_only_the_reader_can_see(path: Path) -> None:
    try:
        data = data_of(path)
    except YamlError:
        return  # no reader of YAML gets as far as the schema
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of an expression, where the reader refuses it
        assert VALIDATOR.is_valid(data)
    re.purge()  # or the reader's tests would find the expression compiled, and hear no warning of it


def paths_in(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(data, dict | list):
        pairs = data.items() if isinstance(data, dict) else enumerate(data)
        return [path, *(inner for key, value in pairs for inner in paths_in(value, (*path, key)))]
    return [path]


TEXTS = st.one_of(
    # `.` is written without quotes, and the reader, which sees how it is written, wants them.
    st.text(st.sampled_from("abz019-_./{}\\ ~^:?*[@é"), max_size=8).filter(lambda text: text != "."),
    st.sampled_from(["x" * 51, "x" * 54, "x" * 201, "x" * 1001, "a\tb", "refs/heads/a", ".git/{environment}", "c:/x"]),
    st.sampled_from(["1", "2d", "0s", "123456s", "manual", "direct", "calver", "HEAD", "(", r"\d"]),
    st.sampled_from(["{environment}", "a/{environment}", "{environment}.lock", "{env}/{environment}", "{service}"]),
    st.sampled_from(
        ["a.b/c", "a.b:1/c", "a:1", "A/b", "a@b", "http://a", "https://a:1/b", "http://[::1]/", "http://a b"]
    ),
    st.sampled_from(["off", "exists", "{window}", "up{a='b'}", "up{x}", "up{}\n", "x{service}/{environment}"]),
)
VALUES = st.one_of(
    TEXTS,
    st.none(),
    st.booleans(),
    st.integers(-2, 10_002),
    st.sampled_from([0.5, 1e300]),  # infinity is no JSON
    st.lists(TEXTS, max_size=3),
    st.dictionaries(TEXTS, st.none(), max_size=2),
)
KEYS = st.sampled_from(sorted({path.rpartition(".")[2] for path, _, _ in all_keys()} | {"Path", "x-y"}))


@settings(max_examples=400, deadline=None)
@given(draw=st.data())
def test_reader_and_schema_judge_single_values_alike(draw: st.DataObject) -> None:
    data: Any = deepcopy(draw.draw(st.sampled_from([EVERYTHING, SERVICES])))
    for _ in range(draw.draw(st.integers(1, 3))):
        *way, last = draw.draw(st.sampled_from([path for path in paths_in(data) if path]))
        parent = data
        for step in way:
            parent = parent[step]
        action = draw.draw(st.sampled_from(["set", "set", "delete", "add"]))
        if action == "delete" and isinstance(parent, dict):
            del parent[last]
        elif action == "add" and isinstance(parent, dict):
            parent[draw.draw(KEYS)] = draw.draw(VALUES)
        else:
            parent[last] = draw.draw(VALUES)
    node = parse(yaml.safe_dump(data, allow_unicode=True))
    assert node is not None
    reading = Reading()
    reading.value(CONFIG, node, "")
    complaints = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(data)
    ]
    assert bool(complaints) == bool(reading.problems), (complaints, reading.problems)


# --- the definitions --------------------------------------------------------------------------------------------------


def test_what_a_key_takes_is_the_type_of_its_field() -> None:
    """mypy knows a field by its type, the reader by the kind beside the type."""
    types = {Text: str, Whole: int, Duration: timedelta, Listing: tuple[str, ...]}
    fields = [
        (path, key.kind, get_type_hints(section.record, {**vars(config), **vars(health)})[path.rpartition(".")[2]])
        for path, section, key in all_keys()
        if section.record and path != "version"  # which no field holds
    ]
    assert len(fields) > 60
    for path, kind, hint in fields:
        match kind:
            case dict():  # the words, in one order; the empty one is as something else says
                assert list(kind) == [word for word in get_args(hint) if word], path
            case Table():
                assert hint == Mapping[str, kind.entry.record or ServiceSection], path
            case Section():
                record = kind.record or type(Config._field_defaults[kind.inherits])
                assert record in {hint, *get_args(hint)}, path
            case _:
                wanted = types.get(type(kind), re.Pattern[str] if kind is re.Pattern else kind)
                assert wanted in {hint, *get_args(hint)}, path


def written(section: Section, data: dict[str, Any], path: str = "") -> set[str]:
    """The keys that stand in a file."""
    found = set()
    for name, value in data.items():
        own, kind = f"{path}.{name}".lstrip("."), section.keys[name].kind
        found.add(own)
        if isinstance(kind, Section):
            found |= written(kind, value or {}, own)
        elif isinstance(kind, Table):
            found |= {inner for entry in value.values() for inner in written(kind.entry, entry or {}, f"{own}.<name>")}
    return found


def test_every_key_stands_in_a_good_file() -> None:
    assert {path for path, _, _ in all_keys()} == written(CONFIG, EVERYTHING) | written(CONFIG, SERVICES)


def test_every_field_is_a_key_but_for_names() -> None:
    for section in [part for _, part in sections("", CONFIG) if part.record]:
        assert set(section.record._fields) - set(section.keys) <= {"name", "service"}


def test_a_service_has_the_keys_of_its_record_and_those_of_the_top() -> None:
    assert {"name", *SERVICE.keys} == set(ServiceSection._fields)
    for name, key in SERVICE.keys.items():
        top, kind = CONFIG.keys[name].kind, key.kind
        if isinstance(kind, Section) and isinstance(top, Section):
            assert kind.keys == top.keys
        else:
            assert kind == top


def defaults(part: dict[str, Any]) -> dict[str, Any]:
    """What a person would write who writes every default of a section out."""
    found = {}
    for key, inner in part["properties"].items():
        if "default" in inner:
            found[key] = inner["default"]
        elif "properties" in inner and "required" not in inner:
            found[key] = defaults(inner)
    return found


def test_defaults_that_are_written_out_change_nothing() -> None:
    required = {"version": 1, "chart": "c", "release_name": "e", "namespace": "e"}
    environment = defaults(PUBLISHED["properties"]["environments"]["additionalProperties"])
    del environment["health"]  # without a check, argocd or flux it is refused
    entry = {key: value for key, value in environment.items() if key != "soak"}
    written = {"a": entry, "b": {**environment, "promote_from": "a"}}
    explicit = load(yaml.safe_dump({**required, **defaults(PUBLISHED), "environments": written}, sort_keys=False))
    assert explicit == load(yaml.safe_dump({**required, "environments": {"a": {}, "b": {"promote_from": "a"}}}))
    assert environment["retention"]["drain"] == "1h"


@pytest.mark.parametrize(("text", "duration"), [
    ("0s", timedelta(0)), ("90s", timedelta(seconds=90)), ("2m", timedelta(minutes=2)),
    ("1d", timedelta(hours=24)), ("14d", timedelta(weeks=2)),
])  # fmt: skip
def test_a_default_duration_is_shown_in_its_largest_unit(text: str, duration: timedelta) -> None:
    assert duration_text(duration) == text


def test_patterns_keep_to_what_python_and_editors_read_alike() -> None:
    every = [*vars(kinds).values(), *vars(health).values()]
    patterns = {rule.pattern for text in every if isinstance(text, Text) for rule in text.rules}
    patterns |= {Duration().pattern} | {one.pattern for one in every if isinstance(one, Duration)}
    assert len(patterns) > 50
    for pattern in patterns:
        assert not re.search(r"\(\?[P<#i]|\\[AZzbB]|(?<!\\)\[\[|\(\?\(|[*+?}]\+", pattern), pattern


@pytest.mark.parametrize(
    ("branch", "good"),
    [
        *((text, True) for text in ["main", "a/b", "release/x-1", "é", "a@b", "a{b}", "@a", "x.lockx", "a.b", "#1"]),
        *((text, False) for text in ["", "a..b", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a@{b"]),
        *(
            (text, False)
            for text in ["a b", "a~", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a\tb", "a\x7fb", "-a", "HEAD"]
        ),
    ],
)
def test_the_rules_of_branches_are_those_of_git(branch: str, good: bool) -> None:
    assert (broken_rule(branch, kinds.BRANCH) is None) is good
    assert (subprocess.run(["git", "check-ref-format", "--branch", branch], check=False).returncode == 0) is good


@settings(max_examples=100, deadline=None)
@given(branch=st.text(st.sampled_from("ab/.@{}-lock~ :\\é"), min_size=1, max_size=8))
def test_a_branch_that_passes_is_one_for_git(branch: str) -> None:
    if broken_rule(branch, kinds.BRANCH) is None:
        subprocess.run(["git", "check-ref-format", "--branch", branch], capture_output=True, check=True)


# --- docs/reference/configuration.md --------------------------------------------------------------------------------------------


def test_the_reference_is_that_of_the_definitions() -> None:
    assert DOCUMENT.endswith(f"-->\n\n{reference()}"), "run: make schema"
    assert with_reference(DOCUMENT[:-100]) == DOCUMENT


@pytest.mark.parametrize("path", [path for path, _, key in all_keys() if not isinstance(key.kind, Section | Table)])
def test_every_key_is_documented(path: str) -> None:
    assert f"| `{path}` |" in DOCUMENT


def test_every_example_of_the_documentation_is_read() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        load(example)


def test_the_documented_mistakes_give_the_documented_errors() -> None:
    text = (
        "version: 1\nchrat: charts/grpc-manifest\nrelease_name: engine\nnamespace: engine\nenvironments:\n  devel:\n"
        "    default: newset\n    retention: {keep: 4, min_age: 2}\n"
    )
    with pytest.raises(config.ConfigError) as caught:
        load(text)
    assert f"```text\n{caught.value}\n```" in DOCUMENT
