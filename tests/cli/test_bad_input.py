"""What people and machines get wrong: a clear error, the right exit status, and nothing changed anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from world import CONFIG, WITH_DEFAULT, World

TAGS = "environments/devel/image_tag.yaml"
RECORD = "environments/devel/history.jsonl"


@pytest.mark.parametrize(
    "tag", ["", "-v1", ".v1", "v1 2", "a/b", "v1:2", "v" * 129, "v1@sha256:abc", "vé", "v1\n", "../v1", "$(id)"]
)
def test_a_tag_outside_the_oci_rule_is_wrong_usage(tag: str, world: World) -> None:
    world.refused("bump", "devel", "--", tag, code=2)


def test_an_unknown_environment_gets_a_suggestion(world: World) -> None:
    assert "did you mean 'devel'" in world.refused("bump", "devle", "v1.0.5")


@pytest.mark.parametrize("name", ["../devel", "/etc", "devel/../../x", ".", ""])
def test_a_path_is_no_environment(name: str, world: World) -> None:
    world.refused("bump", name, "v1.0.5")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("bmp",), "bmp"),
        (("bump", "devel"), "TAG"),
        (("bump", "devel", "v1", "--fast"), "--fast"),
        (("bump", "devel", "v1", "--force"), "--reason"),
        (("dashboard", "devel"), "not in this release"),
        (("bump", "devel", "v1", "--local", "--direct"), "exclude each other"),
        (("bump", "devel", "v1", "--local", "--repo", "/nonexistent"), "exclude each other"),
        (("bump", "devel", "v1", "--id", "two words"), "id"),
        ((), "COMMAND"),
        (("downgrade", "devel", "--from", "", "--direct"), "--from: the value is empty"),
        (("downgrade", "devel", "--to="), "--to: the value is empty"),
        (("cleanup", "--dry-run", "--policy", ""), "--policy: the value is empty"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str, world: World) -> None:
    assert words in world.refused(*arguments, code=2)


def test_only_the_entry_takes_bumps(world: World) -> None:
    assert "bump devel" in world.refused("bump", "staging", "v1.0.5")
    world.release("bump", "staging", "v1.0.5", "--force", "--reason", "hotfix")


def test_a_tag_that_the_configuration_does_not_allow(tmp_path: Path) -> None:
    config = CONFIG.format(default="newest", keep=8) + "versions: {allow: '^v\\d+\\.\\d+\\.\\d+$'}\n"
    world = World.make(tmp_path, config=config)
    assert "versions.allow" in world.refused("bump", "devel", "latest")


FILES = {
    "malformed": ("image:\n  tag: [v1.0.1\n", ":"),
    "a tab": ("image:\n\ttag: {v1: v1.0.1}\n", ":2:"),
    "a list at the root": ("- v1.0.1\n", ":1:1"),
    "billion laughs": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "image: {tag: *i}\n",
        ":",
    ),
    "deep": ("image: {tag: " + "[" * 5000 + "]" * 5000 + "}\n", ":"),
    "two documents": ("image: {tag: {v1: v1.0.1}}\n---\nimage: {}\n", ":3:"),
    "a default that is not there": (WITH_DEFAULT.replace("v4\n", "v9\n", 1), ":2:12"),
    "a number as a tag": ("image:\n  tag:\n    v1: 1.20\n", ":3:9"),
    "a name that is none": ("image:\n  tag:\n    main: v1.0.1\n", ":3:11"),
    "a tag with two names": ("image:\n  tag:\n    v1: v1.0.1\n    v2: v1.0.1\n", ":4:9"),
    "live and retired": ("image:\n  tag: {v1: v1.0.1, v2: v1.0.2}\n  retired: {v1: v1.0.1}\n", ":3:17"),
    "a quarantined default": (
        "image:\n  default: v1\n  tag: {v1: v1.0.1}\n  quarantined: {v1: {reason: bad}}\n",
        ":2:12",
    ),
    "a pin of nothing": ("image:\n  tag: {v1: v1.0.1}\n  pinned: {v7: {reason: x}}\n", ":3:16"),
    "a wrong day": ("image:\n  tag: {v1: v1.0.1}\n  pinned: {v1: {until: soon}}\n", ":3:24"),
    "a key twice": ("image:\n  tag: {v1: v1.0.1}\n  tag: {v2: v1.0.2}\n", ":3:3"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_tag_file_that_is_wrong_is_refused_with_its_place(name: str, world: World) -> None:
    text, place = FILES[name]
    world.broken.add("devel")
    world.commit({TAGS: text}, "Break it")
    assert f"{TAGS}{place}" in world.refused("bump", "devel", "v1.0.5")
    assert TAGS in world.release("check", code=1).out


def test_a_file_that_is_not_utf8(world: World) -> None:
    world.broken.add("devel")
    (world.clone / TAGS).write_bytes(b"image:\n  tag:\n    v1: v1.0.1 # caf\xe9\n")
    world.git("commit", "-qam", "Latin 1")
    world.git("push", "-q", "origin", "main")
    assert f"{TAGS}:3:21" in world.refused("bump", "devel", "v1.0.5")


def test_a_file_of_fifty_megabytes(world: World) -> None:
    world.broken.add("devel")
    (world.clone / TAGS).write_bytes(b"image:\n  tag:\n    v1: v1.0.1\n" + b"# filler\n" * 5_600_000)
    world.git("commit", "-qam", "Large")
    world.git("push", "-q", "origin", "main")
    assert TAGS in world.refused("bump", "devel", "v1.0.5")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../secret.yaml"])
def test_a_symlink_is_never_followed(target: str, world: World) -> None:
    world.broken.add("devel")
    (world.path / "secret.yaml").write_text("image: {tag: {v1: secret}}\n")
    (world.clone / TAGS).unlink()
    (world.clone / TAGS).symlink_to(target)
    world.git("add", "-A")
    world.git("commit", "-qm", "A link")
    world.git("push", "-q", "origin", "main")
    said = world.refused("bump", "devel", "v1.0.5")
    assert TAGS in said
    assert "secret" not in said.replace("secret.yaml", "")
    assert "symbolic link" in said
    world.release("bump", "devel", "v1.0.5", "--local", code=1)
    assert (world.path / "secret.yaml").read_text() == "image: {tag: {v1: secret}}\n"


def test_a_chart_that_fails_to_render_is_never_published(world: World) -> None:
    world.commit({"charts/grpc-manifest/templates/broken.yaml": "a: {{ .Values.image.nothing.there }}\n"}, "Break it")
    assert "broken.yaml" in world.refused("bump", "devel", "v1.0.5")


def test_a_chart_that_is_not_there(world: World) -> None:
    config = CONFIG.format(default="newest", keep=8).replace("grpc-manifest", "grpc-manifst")
    world.commit({"release.yaml": config}, "Misspell it")
    assert "charts/grpc-manifst" in world.refused("bump", "devel", "v1.0.5")


def test_a_read_only_remote(world: World) -> None:
    world.hook("echo 'this repository is read-only' >&2\nexit 1\n")
    assert "read-only" in world.refused("bump", "devel", "v1.0.5")
    assert "read-only" in world.refused("bump", "devel", "v1.0.5", "--direct")


def test_a_branch_called_release(world: World) -> None:
    world.git("push", "-q", "origin", "main:refs/heads/release")
    said = world.refused("bump", "devel", "v1.0.5")
    assert "release" in said
    assert "release/devel" in said


def test_no_remote(world: World) -> None:
    world.git("remote", "remove", "origin")
    assert "remote" in world.refused("bump", "devel", "v1.0.5")


def test_no_repository(world: World, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    said = world.release("status", "-C", str(tmp_path / "elsewhere"), code=1)
    assert "not a git repository" in said.err


def test_a_remote_that_is_gone(world: World) -> None:
    world.git("remote", "set-url", "origin", str(world.path / "gone.git"))
    said = world.release("bump", "devel", "v1.0.5", code=None)
    assert said.code in (1, 75)
    assert "gone.git" in said.err


def test_a_credential_in_the_url_is_refused_and_not_repeated(world: World) -> None:
    said = world.release("status", "--repo", "https://me:s3cret@127.0.0.1:1/x.git", code=2)
    assert "s3cret" not in said.err + said.out


def test_a_dirty_checkout_a_detached_head_and_a_shallow_clone_all_work(world: World) -> None:
    shallow = world.path / "shallow"
    world.git("clone", "-q", "--depth", "1", f"file://{world.origin}", str(shallow), cwd=world.path)
    world.git("checkout", "-q", "--detach", cwd=shallow)
    (shallow / TAGS).write_text("dirty\n")
    world.release("bump", "devel", "v1.0.5", "-C", str(shallow))
    assert (shallow / TAGS).read_text() == "dirty\n"
    assert "v1.0.5" in world.tags(ref="release/devel")


def test_a_missing_git(world: World) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "release_tool", "status", "-C", str(world.clone)],
        env={**os.environ, "PATH": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "git" in done.stderr
    assert "install" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"schema": 1, "id": "01K", "at": "2026-11', "not JSON"),
        ('{"schema": 2, "id": "01K"}', "schema 2"),
        ('{"schema": 1, "id": "01K"}', "missing"),
        ("<<<<<<< HEAD", "conflict"),
        ("[]", "schema"),
    ],
)
def test_a_line_of_the_record_that_is_wrong(line: str, words: str, world: World) -> None:
    world.broken.add("devel")
    world.commit({RECORD: line + "\n"}, "Break it")
    said = world.refused("bump", "devel", "v1.0.5")
    assert f"{RECORD}:1" in said
    assert words in said


def test_no_configuration(world: World) -> None:
    world.commit({"release.yaml": None}, "Remove it")
    assert "release.yaml" in world.refused("bump", "devel", "v1.0.5")


def test_a_misspelt_key_of_the_configuration(world: World) -> None:
    config = CONFIG.format(default="newest", keep=8).replace("retention", "retenton")
    world.commit({"release.yaml": config}, "Misspell it")
    said = world.refused("bump", "devel", "v1.0.5")
    assert "retention" in said
    assert "release.yaml:8" in said


def test_an_environment_without_its_file(world: World) -> None:
    world.commit({TAGS: None}, "Remove it")
    assert TAGS in world.refused("bump", "devel", "v1.0.5")


def test_the_first_version_of_an_empty_environment(world: World) -> None:
    for text in ("image:\n  tag: []\n", "image:\n  tag: {}\n", "image:\n  tag:\n", "image: {}\n"):
        world.commit({TAGS: text}, "Empty it")
        world.landed.clear()
        world.release("bump", "devel", "v9.0.0", "--direct")
        assert list(world.state().versions.values()) == ["v9.0.0"]
        world.commit({RECORD: None}, "Forget it")


def test_the_five_keys_elsewhere_are_found(world: World) -> None:
    world.commit({"environments/devel/values.yaml": "image:\n  repository: x\n  default: v1\n"}, "Misplace it")
    assert "environments/devel/values.yaml:3:3" in world.release("check", code=1).out


def test_a_merge_that_would_break_the_base_is_refused(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({TAGS: world.tags(ref="release/devel").replace("v1.0.5", "1.0")}, "Break it", "release/devel")
    with world.unchanged():
        said = world.release("pulls", "merge", "1", code=1)
    assert TAGS in said.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_can_not_show_a_letter_stops_nothing(encoding: str, world: World) -> None:
    arguments = ["bump", "devel", "v1.0.5", "--pin", "--reason", "grün →", "-C", str(world.clone)]
    done = subprocess.run(
        [sys.executable, "-m", "release_tool", *arguments],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u2192" in done.stdout


def test_a_closed_standard_output_stops_nothing(world: World) -> None:
    command = f"{sys.executable} -m release_tool bump devel v1.0.5 -C {world.clone} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "v1.0.5" in world.tags(ref="release/devel")


def test_a_name_that_leaves_none_for_new_versions_is_found_before_it_lands(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    edited = world.tags(ref="release/devel") + "  retired:\n    v999999999: v0.0.1\n"
    world.commit({TAGS: edited}, "A name by hand", "release/devel")
    assert "v999999999" in world.release("check", "--ref", "release/devel", code=1).out
    assert "v999999999" in world.release("pulls", "merge", "1", code=1).err
