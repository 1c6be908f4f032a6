"""`release.yaml` to records, and the errors.

Cases are files: `good/*.yaml` are read; `bad/*.yaml` are refused, also by the published schema; `bad-together/*.yaml`
are refused for what no single value shows, or for how the YAML is written. The `.txt` beside a bad one is the whole
error. `python tests/config/test_config_reader.py` writes those texts anew, for review with `git diff`.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release_tool.config import (
    Config,
    ConfigError,
    DowngradePolicy,
    Environment,
    ForgeChoice,
    Health,
    InUse,
    Publish,
    RegistryPolicy,
    Render,
    Retention,
    Versions,
)
from release_tool.config.health import (
    ArgoCdDelivery,
    Check,
    CommandCheck,
    FluxDelivery,
    GrpcCheck,
    HttpCheck,
    KubernetesCheck,
    PrometheusCheck,
)
from release_tool.config.reader import load
from release_tool.errors import ReleaseError

HERE = Path(__file__).parent
GOOD = sorted(HERE.glob("good/*.yaml"))
BAD = sorted([*HERE.glob("bad/*.yaml"), *HERE.glob("bad-together/*.yaml")])

HEAD = "version: 1\nchart: charts/grpc-manifest\nrelease_name: engine\nnamespace: engine\n"
SMALLEST = f"{HEAD}environments: {{production: }}\n"


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def error_of(data: bytes) -> str:
    """The error as people see it, with its hint."""
    with pytest.raises(ConfigError) as caught:
        load(data)
    hint = f"\nhint: {caught.value.hint}" if caught.value.hint else ""
    return f"{caught.value}{hint}\n"


def outcome(text: str) -> Config | ConfigError:
    try:
        return load(text)
    except ConfigError as error:
        return error


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_a_good_file_is_read(path: Path) -> None:
    assert load(path.read_bytes()).entry.name in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=name)
def test_a_bad_file_is_refused_with_all_its_mistakes(path: Path) -> None:
    assert error_of(path.read_bytes()) == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "key"), [("command", "argv"), ("grpc", "address")])
def test_an_empty_key_hides_no_missing_one(kind: str, key: str) -> None:
    checks = f"environments: {{devel: {{health: {{checks: {{a: {{{kind}: {{'': ''}}}}}}}}}}}}\n"
    with pytest.raises(ConfigError, match=f"{kind}.{key}: the key is missing"):
        load(HEAD + checks)


def test_the_smallest_file_has_the_defaults_of_the_records() -> None:
    assert load(SMALLEST) == Config(
        chart="charts/grpc-manifest",
        release_name="engine",
        namespace="engine",
        environments={"production": Environment("production")},
    )


def test_every_key_reaches_its_record() -> None:
    config = load((HERE / "good" / "everything.yaml").read_bytes())
    assert config.versions.allow is not None
    publish = Publish(
        "direct",
        "bot/{environment}/rolling",
        ("release", "needs: review", "🚀"),
        ("alice", "Example-Org/plat.form_2"),
        timedelta(seconds=90),
    )
    assert config._replace(versions=config.versions._replace(allow=None), environments={}) == Config(
        chart="deploy/chart é",
        release_name="engine-2",
        namespace="team-a",
        environments={},
        path="stages/{environment}/engine",
        values=("common.yaml", "stages/{environment}/values é.yaml"),
        base="trunk/stable",
        versions=Versions("arrival", pattern="engine-(?P<version>.+)", key="global.engine_a.image-x"),
        publish=publish,
        downgrade=DOWNGRADE,
        forge=ForgeChoice("none", "https://github.example.com:8443/api/v3"),
        render=Render("helm", "v1.33.2", ("v1", "monitoring.coreos.com/v1", "apps/v1/Deployment")),
        registry=RegistryPolicy("registry.example.com:5000/team_a/engine-x.y", "digest", True, timedelta(minutes=2)),
    )
    devel = Environment(
        "devel",
        default="newest",
        retention=Retention(
            keep=1,
            keep_per_minor=10_000,
            min_age=timedelta(0),
            max_age=timedelta(weeks=99_999),
            drain=timedelta(minutes=15),
            warm_up=timedelta(minutes=2),
            quarantine_for=timedelta(days=1),
        ),
        publish=publish._replace(mode="pull_request", labels=(), reviewers=()),
        downgrade=DOWNGRADE,
    )
    in_use = config.environment("staging").retention.in_use
    assert in_use is not None
    assert in_use.query.startswith("sum by (version) (increase(calls_total{")
    assert in_use._replace(query="") == InUse(
        "https://prometheus.example.com:9090/select/0/", "", timedelta(hours=36), timedelta(seconds=90)
    )
    staging = Environment(
        "staging", "devel", "promoted", timedelta(hours=2), retention=Retention(in_use=in_use), publish=publish,
        downgrade=DOWNGRADE,
        health=Health(argocd=ArgoCdDelivery("{service}{release}-{environment}", "gitops", "control")),
    )  # fmt: skip
    production = Environment("production-eu", "devel", "manual", publish=publish, health=HEALTH)
    assert list(config.environments.values()) == [
        devel,
        staging,
        production._replace(downgrade=DowngradePolicy("pull_request", max_downgrades=1)),
    ]
    assert (staging.downgrade_mode, production.downgrade_mode) == ("direct", "direct")
    assert config.environment("production-eu").downgrade_mode == "pull_request"
    assert config.entry == devel


DOWNGRADE = DowngradePolicy("direct", auto_merge=False, max_downgrades=5, quarantine_unhealthy=True)
HEALTH = Health(
    checks={
        "errors": Check(
            prometheus=PrometheusCheck(
                preset="grpc-status", codes=("UNAVAILABLE", "INTERNAL"), max=0.25, min_samples=7,
                window=timedelta(minutes=5),
                matchers='cluster="{environment}", zone!~"x|y"',
            )
        ),
        "slow": Check(prometheus=PrometheusCheck("http://other:9090", "latency", quantile=99, max=250.0)),
        "own": Check(
            prometheus=PrometheusCheck(
                query='sum(rate(a{version="{version}"}[{range}])) / sum(rate(b{tag="{tag}"}[{window}]))',
                samples='sum(increase(b{tag="{tag}"}[{window}]))',
                min=-1.0,
                max=1500.0,
            )
        ),
        "pods": Check(kubernetes=KubernetesCheck("eu", "{environment}", "{release}-{version}", 0)),
        "call": Check(
            grpc=GrpcCheck(
                "{environment}.example.com:443", "engine.Engine", "/engine.Engine/Ping", False, "engine.example.com",
                "/etc/ca.pem", "x-version", "none", "tag",
            )
        ),
        "page": Check(http=HttpCheck("https://{version}.example.com/healthz", 204, "none", "x-by", "tag")),
        "own-program": Check(command=CommandCheck(("/opt/probe", "{version}", "{version}", "a b"))),
    },
    flux=FluxDelivery("{release}", "", "{environment}", "eu"),
    prometheus="https://prometheus.example.com",
    window=timedelta(minutes=20),
    grace=timedelta(minutes=2),
    failures=2,
    interval=timedelta(seconds=5),
    timeout=timedelta(seconds=3),
    deadline=timedelta(seconds=45),
)  # fmt: skip


def test_the_longest_age_can_be_taken_from_any_time_of_now() -> None:
    from datetime import datetime, timezone

    now = datetime(2026, 11, 23, tzinfo=timezone.utc)
    assert now - timedelta(weeks=99_999) < now < now + timedelta(weeks=99_999)


def test_an_alias_is_the_value_that_it_stands_for() -> None:
    config = load((HERE / "good" / "anchors.yaml").read_bytes())
    assert config.release_name == config.namespace == "engine"
    assert (
        config.environment("staging").retention
        == config.environment("devel").retention
        == Retention(3, drain=config.environment("staging").soak)
    )


def test_the_repositorys_own_file_is_read() -> None:
    config = load((HERE.parents[1] / "release.yaml").read_bytes())
    assert list(config.environments) == ["devel", "staging", "production"]
    assert config.entry.retention.keep == 4


def test_only_a_file_with_mistakes_or_health_sections_loads_what_these_need() -> None:
    program = (
        "import sys; from release_tool.config.reader import load; load(sys.argv[1])\n"
        "print([name for name in ('health', 'health_rules', 'mistakes') if f'release_tool.config.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, SMALLEST], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- the records ------------------------------------------------------------------------------------------------------


def test_files_and_branches_of_an_environment_follow_the_templates() -> None:
    place = load((HERE / "good" / "everything.yaml").read_bytes()).place("staging")
    assert place.directory == "stages/staging/engine"
    assert place.tag_file == "stages/staging/engine/image_tag.yaml"
    assert place.key == "global.engine_a.image-x"
    assert place.values_files == ("common.yaml", "stages/staging/values é.yaml")
    assert place.history_file == "stages/staging/engine/history.jsonl"
    assert place.branch == "bot/staging/rolling"
    assert place.downgrade_branch == "bot/staging/rolling-downgrade"


def test_places_stand_in_promotion_order() -> None:
    config = load((HERE / "good" / "everything.yaml").read_bytes())
    assert [place.environment for place in config.places()] == ["devel", "staging", "production-eu"]


@pytest.mark.parametrize(("asked", "hint"), [
    ("productoin", "did you mean 'production'?"), ("Production", "did you mean 'production'?"),
    ("x", "there are: production"),
])  # fmt: skip
def test_an_unknown_environment_is_refused_with_a_suggestion(asked: str, hint: str) -> None:
    config = load(SMALLEST)
    for ask in (config.environment, config.place):
        with pytest.raises(ReleaseError, match="there is no environment") as caught:
            ask(asked)
        assert caught.value.exit_code == 1
        assert caught.value.hint == hint


@pytest.mark.parametrize(("tag", "allowed"), [
    ("v1.0.5", True), ("v1.0.5@sha256:" + "0" * 64, True), ("v1.0.5-rc.1", False), ("xv1.0.5", False),
    ("v1.0.5\n", False), ("", False),
])  # fmt: skip
def test_allow_must_match_the_whole_tag_without_its_digest(tag: str, allowed: bool) -> None:
    for expression in (r"^v\d+\.\d+\.\d+$", r"v\d+\.\d+\.\d+"):
        assert load(f"{SMALLEST}versions: {{allow: '{expression}'}}\n").versions.allows(tag) is allowed


def test_without_allow_every_tag_is_taken() -> None:
    assert load(SMALLEST).versions.allows("anything")


# --- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_names_the_file_that_was_read() -> None:
    with pytest.raises(ConfigError) as caught:
        load("version: 1\n", "deploy/other.yaml")
    assert str(caught.value).splitlines()[0] == "deploy/other.yaml: 4 problems"
    assert caught.value.exit_code == 1
    assert [problem.key for problem in caught.value.problems] == ["chart", "release_name", "namespace", "environments"]


def test_a_single_problem_stands_on_one_line_with_its_hint_apart() -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"{SMALLEST}render: {{engine: helmm}}\n")
    assert caught.value.where == "release.yaml:6:18"
    assert caught.value.what == "render.engine: expected auto, embedded or helm, found the text 'helmm'"
    assert caught.value.hint == "did you mean 'helm'?"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version: 1\nchart: gr\xfcn\n", "release.yaml:2:10: not UTF-8: the byte 0xfc can't stand here"),
        ("version: 1\n# ü".encode() + b"\xff", "release.yaml:2:4: not UTF-8: the byte 0xff can't stand here"),
        ("version: 1\n".encode("utf-16"), "release.yaml:1:1: not UTF-8: the byte 0xff can't stand here"),
    ],
)
def test_bytes_that_are_not_utf_8_are_refused_with_their_place(data: bytes, message: str) -> None:
    assert error_of(data).splitlines()[0] == message


LAUGHS = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))


@pytest.mark.parametrize(("text", "part"), [
    ("[" * 10_000, "collections inside each other"),
    ("- " * 10_000 + "x", "collections inside each other"),
    ("version: 1\n" + "#" * 50_000_000, "characters, and 1,000,000 are possible"),
    ("a0: &a0 x\n" + LAUGHS, "unknown key"),
    ("".join(f"key{i}: 1\n" for i in range(50_000)), "100 mistakes; the rest of the file is not looked at"),
    (f"{HEAD}environments: {{{', '.join(f'e{i}: ' for i in range(60_000))}}}",
     "60000 entries, and 1000 are possible"),
    (f"{SMALLEST}publish: {{labels: [{'a, ' * 100_000}]}}", "100000 entries, and 100 are possible"),
    (f"{SMALLEST}versions: {{allow: {'(' * 900 + ')' * 100}}}", "not a regular expression"),
    (f"{SMALLEST}versions: {{allow: 'a{{99999999999}}'}}", "not a regular expression"),
    (f"{SMALLEST}? {'k' * 500_000}\n: 1\n", "unknown key"),
    (f"{SMALLEST}base: {'k' * 500_000}\n", "it has 500000 characters, and 200 are possible"),
    (f"{SMALLEST}render: {{engine: {'helm' * 100_000}}}\n", "expected auto, embedded or helm"),
    (f"version: {'9' * 90}\n", "written for a newer release tool"),
    (f"version: {'9' * 900_000}\n", "expected the number 1"),
    ("version: 1\x00\n", "not YAML"),
    ("version: *x\n", "names no anchor"),
    ("? [a, b]\n: 1\n", "a key, which is a plain word"),
    ("? {a: b}\n: 1\n", "a key, which is a plain word"),
    ("&a version: 1\n*a : 2\n", "a key, which is a plain word"),
    (f'{SMALLEST}base: "\\ud800"\n', "release.yaml:"),
    (f'{SMALLEST}"a\\nb: c": "x"\n', r"'a\nb: c': unknown key"),
])  # fmt: skip
def test_hostile_yaml_is_refused_in_few_words(text: str, part: str) -> None:
    message = error_of(text.encode())
    assert part in message
    assert max(len(line) for line in message.splitlines()) < 600


def test_a_thousand_environments_are_read() -> None:
    chain = "".join(f"  e{i}: {{promote_from: e{i - 1}}}\n" for i in range(1, 1000))
    assert len(load(f"{HEAD}environments:\n  e0:\n{chain}").environments) == 1000


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([path.read_text(encoding="utf-8") for path in (*GOOD, *BAD)]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    inserted = data.draw(
        st.one_of(st.text(max_size=8), st.sampled_from(["{", "]", "&a ", "*a", ": ", "\n", "\t", "<<: ", "---\n"]))
    )
    damaged = text[:start] + inserted + text[end:]
    result = outcome(damaged)
    if isinstance(result, ConfigError):
        lines = sum(map(damaged.count, "\n\r\x85\u2028\u2029")) + 2
        assert all(1 <= problem.line <= lines and problem.column >= 1 for problem in result.problems)
        assert result.problems
    else:
        config = result
        assert config.entry.name == next(iter(config.environments))
        places = list(config.places())
        branches = [branch for place in places for branch in (place.branch, place.downgrade_branch)]
        assert len(places) == len(config.environments) * len(config.views())
        assert len({config.base, *branches}) == 1 + 2 * len(places)
        assert len({place.directory for place in places}) == len(places)
        assert places == [place for view in config.views() for place in view.places()]


if __name__ == "__main__":
    for case in BAD:
        case.with_suffix(".txt").write_text(error_of(case.read_bytes()), encoding="utf-8")
