"""Several services in one file: what each takes from the top, its view, its places; images and calls."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from release_tool.config import Config, ConfigError, InUse, RegistryPolicy, ServiceSection, Versions
from release_tool.config.reader import MAX_PLACES, load
from release_tool.errors import ReleaseError

HERE = Path(__file__).parent
HEAD = "version: 1\nchart: charts/grpc-manifest\nenvironments: {devel: , production: {promote_from: devel}}\n"
TWO = f"{HEAD}services: {{engine: , search: }}\n"
ONE = f"{HEAD}services: {{engine: }}\n"
NONE = f"{HEAD}release_name: engine\nnamespace: engine\n"


def services() -> Config:
    return load((HERE / "good" / "services.yaml").read_bytes())


# --- what a service takes from the top --------------------------------------------------------------------------------


def test_what_a_service_leaves_out_is_taken_from_the_top_key_by_key() -> None:
    seconds = timedelta(seconds=5)
    engine, search, ranking = services().services.values()
    assert engine._replace(versions=Versions()) == ServiceSection(
        "engine",
        "charts/engine",
        "engine-main",
        "team-a",
        registry=RegistryPolicy("registry.example.com/team/engine", "digest", True, timedelta(minutes=2)),
    )
    assert engine.versions.order == "number"
    assert [view.place("devel").key for view in services().views()] == ["engine.image", "image", "image"]
    assert {place.service: place.key for place in services().places()}["engine"] == "engine.image"
    assert engine.versions.allows("1.2")
    assert not engine.versions.allows("v1")
    assert search == ServiceSection("search", "charts/grpc-manifest", "search", "search", services().versions, None)
    assert ranking.registry == RegistryPolicy("localhost:5000/ranking", "exists", timeout=seconds)
    assert (ranking.versions.order, ranking.versions.allows("v7")) == ("semver", True)


@pytest.mark.parametrize(
    ("top", "own", "release", "namespace"),
    [
        ("", "", "engine", "engine"),
        ("namespace: shared\n", "", "engine", "shared"),
        ("release_name: top\n", "", "top", "engine"),
        ("release_name: top\nnamespace: shared\n", "release_name: own, namespace: mine", "own", "mine"),
    ],
)
def test_release_and_namespace_are_the_services_name_where_nothing_names_them(
    top: str, own: str, release: str, namespace: str
) -> None:
    view = load(f"{HEAD}{top}services: {{engine: {{{own}}}}}\n").view("engine")
    assert (view.release_name, view.namespace) == (release, namespace)


def test_a_registry_without_an_image_asks_nobody() -> None:
    assert load(f"{NONE}registry: {{verify: off, timeout: 1s}}\n").registry is None
    assert load(f"{NONE}registry:\n").registry is None
    assert load(f"{NONE}registry: {{image: team/engine}}\n").registry == RegistryPolicy("team/engine")


def test_services_may_share_a_namespace_or_a_name_but_not_both() -> None:
    assert len(load(f"{HEAD}namespace: shared\nservices: {{a: , b: }}\n").views()) == 2
    assert len(load(f"{HEAD}release_name: shared\nservices: {{a: , b: }}\n").views()) == 2
    with pytest.raises(ConfigError, match="its Helm release 'x' in the namespace 'z' is that of 'a' too"):
        load(f"{HEAD}release_name: x\nnamespace: z\nservices: {{a: , b: }}\n")


# --- views ------------------------------------------------------------------------------------------------------------


def test_without_services_the_file_is_its_only_view() -> None:
    config = load(NONE)
    assert config.views() == (config,)
    assert config.view("") is config
    assert config.place("devel").service == config.service == ""
    assert config.place("devel").title == "devel"


def test_a_view_is_complete() -> None:
    views = services().views()
    assert [view.service for view in views] == ["engine", "search", "ranking"]
    engine = views[0]
    assert (engine.chart, engine.release_name, engine.namespace) == ("charts/engine", "engine-main", "team-a")
    assert engine.versions.order == "number"
    assert engine.path == "environments/{environment}/engine"
    assert engine.publish.branch == engine.environment("devel").publish.branch == "release/engine/{environment}"
    assert (engine.environment("devel").publish.mode, engine.environment("staging").publish.mode) == (
        "direct",
        "pull_request",
    )
    assert engine.views() == (engine,)
    assert engine.view("engine") is engine.view(engine.service) is engine
    assert engine == services().view("engine")


def test_places_hold_the_name_of_the_service() -> None:
    place = services().view("search").place("staging")
    assert place.title == "search/staging"
    assert place.service == "search"
    assert place.tag_file == "environments/staging/search/image_tag.yaml"
    assert place.branch == "release/search/staging"
    assert place.downgrade_branch == "release/search/staging-downgrade"
    assert place.archive_directory == "environments/staging/search/history"
    assert place.archive(2026) == "environments/staging/search/history/2026.jsonl"


def test_the_templates_of_services_are_their_defaults() -> None:
    written = f"{TWO}path: 'environments/{{environment}}/{{service}}'\npublish: {{branch: 'release/{{service}}/{{environment}}'}}\n"
    assert load(written) == load(TWO)


def test_the_places_of_all_services_come_one_service_after_the_other() -> None:
    titles = [place.title for place in load(TWO).places()]
    assert titles == ["engine/devel", "engine/production", "search/devel", "search/production"]


def test_a_single_service_needs_no_name() -> None:
    assert load(ONE).view() == load(ONE).view("engine")
    assert load(ONE).place("devel").directory == "environments/devel/engine"


@pytest.mark.parametrize(("text", "asked", "what", "hint"), [
    (TWO, "", "which service? there are: engine, search", "add --service engine"),
    (TWO, "enigne", "there is no service 'enigne' in the configuration", "did you mean 'engine'?"),
    (TWO, "x", "there is no service 'x' in the configuration", "there are: engine, search"),
    (NONE, "engine", "the configuration has no services, so there is no 'engine'",
     "leave out --service, or give release.yaml a section `services`"),
])  # fmt: skip
def test_a_service_that_is_not_there_is_refused(text: str, asked: str, what: str, hint: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        load(text).view(asked)
    assert (caught.value.what, caught.value.hint, caught.value.exit_code) == (what, hint, 1)


def test_a_view_knows_no_other_service() -> None:
    with pytest.raises(ReleaseError, match="there is no service 'search'"):
        load(TWO).view("engine").view("search")


def test_the_place_of_an_environment_asks_for_a_view() -> None:
    with pytest.raises(ReleaseError, match="which service"):
        load(TWO).place("devel")
    with pytest.raises(ReleaseError, match="there is no environment 'x'"):
        load(TWO).view("engine").place("x")


def test_of_many_services_an_error_names_some() -> None:
    config = load(f"{HEAD}services: {{{', '.join(f's{number}: ' for number in range(1000))}}}\n")
    with pytest.raises(ReleaseError, match=r"s18, s19, and 980 more$"):
        config.view()


# --- how many, and beside each other ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "environments", "part"),
    [
        (1000, 10, None),
        (1001, 1, "there are 1001 entries, and 1000 are possible"),
        (1000, 11, "1000 services in 11 environments are 11,000 places, and 10,000 are possible"),
    ],
)
def test_so_many_services_are_read(count: int, environments: int, part: str | None) -> None:
    chain = "".join(f"  e{number}: {{promote_from: e{number - 1}}}\n" for number in range(1, environments))
    names = "".join(f"  s{number}: \n" for number in range(count))
    text = f"version: 1\nchart: c\nenvironments:\n  e0: \n{chain}services:\n{names}"
    if part is None:
        assert len(list(load(text).places())) == count * environments == MAX_PLACES
    else:
        with pytest.raises(ConfigError, match=part):
            load(text)


NAMES = st.lists(
    st.sampled_from(["a", "b", "a-b", "b-a", "a-a", "a-downgrade", "downgrade", "lock", "git"]),
    min_size=1,
    max_size=4,
    unique=True,
)
TEMPLATES = st.lists(st.sampled_from(["a", "b", "-", "/", ".", "-downgrade"]), max_size=3).flatmap(
    lambda more: st.permutations(["{environment}", "{service}", *more]).map("".join)
)


@settings(max_examples=300, deadline=None)
@given(environments=NAMES, names=NAMES, path=TEMPLATES, branch=TEMPLATES, base=st.sampled_from(["main", "a", "a/b"]))
def test_what_is_read_has_places_of_its_own(
    environments: list[str], names: list[str], path: str, branch: str, base: str
) -> None:
    data = {
        "version": 1,
        "chart": "c",
        "path": path,
        "base": base,
        "publish": {"branch": branch},
        "environments": {
            name: {"promote_from": environments[0]} if index else {} for index, name in enumerate(environments)
        },
        "services": {name: {} for name in names},
    }
    try:
        config = load(yaml.safe_dump(data, sort_keys=False))
    except ConfigError:
        return
    places = list(config.places())
    assert len({place.directory for place in places}) == len(places) == len(environments) * len(names)
    refs = [base, *(branch for place in places for branch in (place.branch, place.downgrade_branch))]
    assert len(set(refs)) == len(refs)
    assert not [(one, other) for one in refs for other in refs if other.startswith(f"{one}/")]


# --- images and calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image", [
    "engine", "team/engine", "localhost:5000/engine", "registry.example.com/a/b/c",
    "r-1.example.com:443/a__b/c--d.e_f",
])  # fmt: skip
def test_an_image_is_named_as_registries_name_it(image: str) -> None:
    assert load(f"{NONE}registry: {{image: '{image}'}}\n").registry == RegistryPolicy(image)


@pytest.mark.parametrize("image", [
    "a/", "/a", "a//b", "a..b", "a___b", "-a", "a.b:x/c", "a.b:123456/c", "a/b:v1", "a:v1", "é/a", "a?b",
    "[::1]/a", ":/a",
])  # fmt: skip
def test_anything_else_is_no_image(image: str) -> None:
    with pytest.raises(ConfigError, match="is not the repository of an image"):
        load(f"{NONE}registry: {{image: '{image}'}}\n")


def asking(query: str) -> str:
    """A file with a query."""
    in_use = {"prometheus": "http://a", "query": query}
    data = yaml.safe_load(NONE)
    data["environments"]["devel"] = {"retention": {"in_use": in_use}}
    return yaml.safe_dump(data, sort_keys=False)


@pytest.mark.parametrize(
    "query",
    ["up", "up{}", 'up{a="b"}', '{"a.b"}', "up{a='{window}'} {environment}", "x{ a }", "{1}", "a\nb\t", "{a,b}", "}{"],
)
def test_the_braces_of_promql_are_no_placeholders(query: str) -> None:
    assert load(asking(query)).entry.retention.in_use == InUse("http://a", query)


@pytest.mark.parametrize("query", ["up{env}", "{Window}", "up{namespace}{pod_name}", "[{window_}]", "up{environments}"])
def test_an_unknown_placeholder_of_a_query_is_refused(query: str) -> None:
    with pytest.raises(ConfigError, match="is no placeholder; possible: "):
        load(asking(query))


@pytest.mark.parametrize(
    "line",
    [
        "registry: {image: 'https://bot:s3cret@registry.example.com/a'}",
        "registry: {image: 'bot:s3cret@registry.example.com/a'}",
        "registry: {image: 'bot:s3c/ret@x@registry.example.com/a'}",
        "environments: {a: {retention: {in_use: {prometheus: 'https://bot:s3cret@a'}}}}",
        "environments: {a: {retention: {in_use: {prometheus: 'https://s3cret@a/b'}}}}",
        "environments: {a: {retention: {in_use: {prometheus: 'ftp://bot:s3/c@ret@a'}}}}",
        "environments: {a: {retention: {in_use: {window: 'https://bot:s3cret@a'}}}}",
    ],
)
def test_a_credential_is_refused_and_never_shown(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"version: 1\nchart: c\nrelease_name: a\nnamespace: a\n{line}\n")
    assert "s3" not in str(caught.value)
    assert "…@" in str(caught.value)
