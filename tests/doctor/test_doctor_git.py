"""`release doctor` on plain git: a path, and HTTP with a credential; and what stands in the base branch."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from doctor_world import look
from git_server import GitServer, serving
from world import CONFIG, ENVIRONMENTS, World

SECRET = base64.b64encode(b"person:s3cret").decode()


def test_a_bare_repository_on_this_machine_has_nothing_to_mend(world: World) -> None:
    found = look(world)
    assert (found.code, found.bad()) == (0, [])
    assert found.one("forge", "ok")["what"].startswith("local")


def test_an_open_pull_request_whose_branch_nobody_has_fetched_is_nothing_to_mend(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    found = look(world)
    assert (found.code, found.bad()) == (0, [])


def test_the_same_without_a_checkout(world: World, tmp_path: Path) -> None:
    found = look(world, "--repo", str(world.origin))
    assert (found.code, found.bad()) == (0, [])


@pytest.mark.parametrize(("there", "wanted"), [("release", "release/devel"), ("release/devel/x", "release/devel")])
def test_a_branch_in_the_way_is_found_before_a_push_is(world: World, there: str, wanted: str) -> None:
    world.git("push", "-q", "origin", f"main:refs/heads/{there}", "main:refs/tags/release/staging")
    found = look(world)
    assert found.code == 1
    assert f"the branch `{there}` is in the way" in found.one("branches", "error")["what"]
    assert world.release("bump", "devel", "v1.0.5", code=1).err.split("\n")[0].endswith(f"`{wanted}` beside it")


def test_a_server_without_partial_clones_is_a_warning(world: World) -> None:
    world.git("config", "uploadpack.allowFilter", "false", cwd=world.origin)
    assert look(world).one("partial clone", "warning")["mend"].endswith("uploadpack.allowFilter true`")


@pytest.mark.parametrize("version", ["0", "1"])
def test_an_old_protocol_is_a_warning(world: World, version: str) -> None:
    world.git("config", "protocol.version", version)
    found = look(world)
    assert found.one("protocol", "warning")["what"].endswith(f"version {version}")
    assert found.one("partial clone", "ok")


def test_the_local_forge_needs_atomic_pushes(world: World) -> None:
    world.git("config", "receive.advertiseAtomic", "false", cwd=world.origin)
    found = look(world)
    assert found.code == 1
    assert "local" in found.one("atomic push", "error")["why"]


def test_a_remote_that_is_somebodys_checkout_takes_no_merges(world: World, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    world.git("clone", "-q", str(world.origin), str(theirs))
    world.git("remote", "set-url", "origin", str(theirs))
    assert "bare" in look(world).one("remote", "error")["mend"]
    world.git("config", "receive.denyCurrentBranch", "updateInstead", cwd=theirs)
    assert look(world).code == 0


def test_a_directory_without_a_repository_is_an_error(world: World, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = world.release("doctor", "-C", str(tmp_path / "empty"), code=1)
    assert "error    remote" in result.out
    assert "not a git repository" in result.out


def test_a_remote_that_is_not_there_is_an_error(world: World, tmp_path: Path) -> None:
    world.git("remote", "set-url", "origin", str(tmp_path / "nothing.git"))
    found = look(world)
    assert found.code == 1
    assert "no git repository" in found.one("remote", "error")["what"]


def test_a_url_with_a_credential_is_wrong_usage(world: World) -> None:
    result = world.release("doctor", "--repo", "https://me:s3cret@example.com/a.git", code=2)
    assert "s3cret" not in result.out + result.err


# the committer


def test_who_commits_and_with_which_key_is_told(world: World) -> None:
    world.git("config", "--global", "--unset", "user.email")
    world.git("config", "user.useConfigOnly", "true")
    world.git("config", "commit.gpgSign", "true")
    world.git("config", "gpg.format", "ssh")
    found = look(world)
    assert "git config user.name" in found.one("committer", "error")["mend"]
    assert "user.signingKey" in found.one("signing", "warning")["what"]
    world.git("config", "user.signingKey", "~/.ssh/id_ed25519.pub")
    assert "ssh" in look(world).one("signing", "ok")["what"]


# the base branch


def test_an_empty_repository_has_no_base(world: World, tmp_path: Path) -> None:
    world.git("init", "-q", "--bare", str(tmp_path / "empty.git"))
    result = look(world, "--repo", str(tmp_path / "empty.git"))
    assert result.code == 1
    assert result.one("base branch", "error")
    assert result.one("protocol", "ok"), "the rest is examined"


def test_a_base_that_is_not_there_is_an_error(world: World) -> None:
    world.commit({"release.yaml": f"base: trunk\n{world.file('release.yaml')}"}, "Another base")
    assert look(world).one("base branch", "error")["what"] == "the remote has no branch `trunk`"


def test_each_mistake_of_the_configuration_has_its_line(world: World) -> None:
    world.commit({"release.yaml": world.file("release.yaml").replace("keep: 8", "keep: none, drian: 1h")}, "Typing")
    found = look(world)
    assert len(found.of("configuration", "error")) == 2
    assert all(one["where"].startswith("release.yaml:") for one in found.of("configuration", "error"))
    assert found.one("protocol", "ok")


def test_an_unknown_service_is_an_error(world: World) -> None:
    assert "no services" in look(world, "--service", "engine").one("configuration", "error")["what"]


def test_a_union_merge_of_the_record_is_an_error(world: World) -> None:
    world.commit({".gitattributes": "*.jsonl merge=union\n"}, "Never conflict")
    found = look(world)
    assert found.one("record", "error")["where"] == ".gitattributes:1"
    assert found.code == 1
    world.commit({".gitattributes": None}, "Conflict")
    assert look(world).one("record", "ok")


def test_an_environment_without_its_file_is_an_error(world: World) -> None:
    world.commit({"environments/devel/image_tag.yaml": None}, "Gone")
    found = look(world)
    assert found.one("environments", "error")["where"] == "environments/devel/image_tag.yaml"
    assert found.one("chart", "unknown")


def test_versions_below_another_key_are_an_error_with_the_key_to_set(world: World) -> None:
    world.broken.add("staging")
    world.commit({"environments/staging/image_tag.yaml": "engine: {image: {tag: [a]}}\n"}, "An umbrella")
    found = look(world).one("environments", "error")
    assert found["where"] == "environments/staging/image_tag.yaml:1:23"
    assert found["mend"] == "set `versions: {key: engine.image}` in release.yaml"


def test_a_chart_that_fails_to_render_is_an_error(world: World) -> None:
    world.commit({"charts/grpc-manifest/templates/broken.yaml": '{{ fail "not today" }}\n'}, "Break")
    assert "not today" in str(look(world).one("chart", "error"))


def test_an_engine_that_is_not_there_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world.commit({"release.yaml": f"render: {{engine: helm}}\n{world.file('release.yaml')}"}, "A program")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert "helm" in look(world).one("chart", "error")["what"]


def test_registry_and_prometheus_that_are_away_are_unknown(world: World) -> None:
    text = CONFIG.format(default="newest", keep="8, in_use: {prometheus: 'http://127.0.0.1:9'}")
    text += "registry: {image: '127.0.0.1:9/team/engine', plain_http: true}\n"
    world.commit({"release.yaml": text}, "Ask")
    found = look(world)
    assert "127.0.0.1:9" in found.one("registry", "unknown")["where"]
    assert "127.0.0.1:9" in found.one("Prometheus", "unknown")["where"]
    assert found.code == 0


# over HTTP


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[GitServer]:
    with serving(tmp_path) as found:
        found.token = SECRET
        world.git("remote", "set-url", "origin", found.url)
        yield found


def test_over_http_the_credential_is_examined(world: World, server: GitServer) -> None:
    found = look(world)
    assert "credentials" in found.one("remote", "error")["what"]
    assert found.code == 1
    world.git("config", f"http.{server.url}.extraHeader", f"Authorization: Basic {SECRET}")
    world.git("config", "http.receivepack", "true", cwd=world.origin)
    found = look(world)
    assert found.bad() == [("warning", "forge")], "no forge is known for it"
    assert found.one("clock", "ok")
    assert found.one("push", "ok")


def test_a_credential_that_only_reads_is_an_error(world: World, server: GitServer) -> None:
    server.token = ""
    server.answers["service=git-receive-pack"] = 403
    found = look(world)
    assert "no permission" in found.one("push", "error")["what"]
    assert found.code == 1


def test_a_server_that_is_down_is_status_75(world: World, server: GitServer) -> None:
    server.answers["info/refs"] = 503
    found = look(world)
    assert found.code == 75
    assert "run it again" in world.release("doctor", code=75).out


def test_a_server_that_goes_down_in_between_is_status_75(world: World, server: GitServer, tmp_path: Path) -> None:
    server.token = ""
    # Then `/git-upload-pack` is what fetches, and nothing else.
    world.git("config", "--global", "protocol.version", "0")
    server.answers["/origin.git/git-upload-pack"] = 503
    found = look(world, "--repo", server.url)
    assert found.code == 75
    assert found.one("base branch", "unknown")


def test_the_clock_of_a_server_that_differs_is_told(world: World, server: GitServer) -> None:
    server.token = ""
    world.now -= timedelta(hours=1)
    assert "behind" in look(world).one("clock", "warning")["what"]


# what is printed


def test_piped_text_has_one_line_for_what_is_right(world: World) -> None:
    lines = world.release("doctor").out.splitlines()
    assert lines[-1] == f"0 errors, 0 warnings, 0 unknown, {len(lines) - 2} right"
    assert all(line.startswith("ok  ") for line in lines[:-2])


def test_tags_that_the_order_can_not_read_are_a_warning_with_what_could(world: World) -> None:
    tags = "image:\n  tag:\n  - engine-v1.0.2\n  - engine-v1.0.3\n"
    world.commit({f"environments/{one}/image_tag.yaml": tags for one in ENVIRONMENTS}, "Other tags")
    found = look(world).one("order", "warning")
    assert "can't read 2 of 2 live tags (engine-v1.0.2)" in found["what"]
    said = world.release("check").out
    assert "the order semver can't read 2 of 2 live tags (engine-v1.0.2, engine-v1.0.3)" in said
    assert "pattern: 'engine-v(?P<version>.+)'" in said
    config = world.file("release.yaml") + "versions: {pattern: 'engine-v(?P<version>.+)'}\n"
    world.commit({"release.yaml": config}, "A pattern")
    assert world.changes("bump", "devel", "engine-v1.0.10") == [("add", "v5"), ("set-default", "v5")]
