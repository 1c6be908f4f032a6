"""The rolling pull request: nothing lost, nothing twice, whatever people do to it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from world import SEED, WITH_DEFAULT, World

BRANCH = "release/devel"


def tags_on(world: World, ref: str = BRANCH) -> list[str]:
    return list(world.state(ref=ref).versions.values())


def test_a_second_bump_joins_the_open_pull_request(world: World) -> None:
    first = world.json("bump", "devel", "v1.0.5")
    second = world.json("bump", "devel", "v1.0.6")
    assert second["pull_request"]["number"] == first["pull_request"]["number"]
    assert second["pull_request"]["created"] is False
    assert tags_on(world)[-2:] == ["v1.0.5", "v1.0.6"]
    (pull,) = world.pulls()
    assert pull["title"] == "devel: bump v1.0.5, v1.0.6"
    log = world.git("log", "--format=%s%n%(trailers)", f"main..{BRANCH}", cwd=world.origin)
    assert log.count("Release-Operation:") == 2, "one commit, a trailer for each operation"
    assert world.git("rev-list", "--count", f"main..{BRANCH}", cwd=world.origin) == "1"


def test_the_branch_is_made_again_on_the_tip_of_the_base(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    tip = world.commit({"README.md": "unrelated\n"}, "Something else")
    world.release("bump", "devel", "v1.0.6")
    assert world.git("rev-parse", f"{BRANCH}^", cwd=world.origin) == tip
    assert tags_on(world)[-2:] == ["v1.0.5", "v1.0.6"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_was_merged_is_not_pending_any_more(world: World, method: str) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.merge(1, method)
    assert [line.intent.tag for line in world.lines()] == ["v1.0.5"]
    outcome = world.json("bump", "devel", "v1.0.6")
    assert outcome["pull_request"]["number"] == 2
    assert [line.intent.tag for line in world.lines(ref=BRANCH)] == ["v1.0.5", "v1.0.6"]
    world.merge(2, method)
    assert len(world.lines()) == 2


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_by_a_forge_that_keeps_the_branch(world: World, method: str) -> None:
    world.release("bump", "devel", "v1.0.5")
    tip = world.refs()[f"refs/heads/{BRANCH}"]
    world.merge(1, method)
    world.git("update-ref", f"refs/heads/{BRANCH}", tip, cwd=world.origin)
    outcome = world.json("bump", "devel", "v1.0.6")
    assert [change["tag"] for change in outcome["changes"] if change["action"] == "add"] == ["v1.0.6"]
    assert [line.intent.tag for line in world.lines(ref=BRANCH)] == ["v1.0.5", "v1.0.6"]


def test_what_was_closed_is_not_proposed_again(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.release("pulls", "close", "1", "--comment", "not this one")
    world.release("bump", "devel", "v1.0.6")
    assert tags_on(world)[-2:] == ["v1.0.4", "v1.0.6"]
    assert [pull["number"] for pull in world.pulls()] == [2]


def test_what_was_closed_can_be_asked_for_again(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.release("pulls", "close", "1")
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["changed"] is True
    assert outcome["pull_request"] == {**outcome["pull_request"], "number": 2, "created": True}


def test_what_was_reverted_is_not_proposed_again_and_frees_no_name(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.merge(1, "squash")
    world.revert()
    outcome = world.json("bump", "devel", "v1.0.6")
    assert [(c["version"], c["tag"]) for c in outcome["changes"] if c["action"] == "add"] == [("v6", "v1.0.6")]
    assert tags_on(world) == ["v1.0.1", "v1.0.2", "v1.0.3", "v1.0.4", "v1.0.6"]


def test_a_reverted_name_is_not_given_again_on_a_remote_without_checkout(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.merge(1)
    world.revert("-m", "1")
    outcome = world.json("bump", "devel", "v1.0.6", "--repo", f"file://{world.origin}")
    assert [change["version"] for change in outcome["changes"] if change["action"] == "add"] == ["v6"]


def test_a_persons_commit_makes_the_branch_append_only(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    mine = world.commit({"notes.md": "mine\n"}, "A note of mine", BRANCH)
    other = world.commit({"README.md": "unrelated\n"}, "Something else")
    world.release("bump", "devel", "v1.0.6")
    commits = world.git("rev-list", BRANCH, cwd=world.origin).splitlines()
    assert mine in commits, "nothing is thrown away"
    assert other in commits, "the base is merged in"
    assert world.file("notes.md", BRANCH) == "mine\n"
    assert tags_on(world)[-2:] == ["v1.0.5", "v1.0.6"]
    assert [line.intent.tag for line in world.lines(ref=BRANCH)] == ["v1.0.5", "v1.0.6"]
    world.merge(1)
    assert tags_on(world, "main")[-2:] == ["v1.0.5", "v1.0.6"]
    assert world.file("notes.md") == "mine\n"


def test_a_persons_edit_of_the_tag_file_on_the_branch_stays(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    edited = world.tags(ref=BRANCH).replace("  - v1.0.5\n", "  - v1.0.5   # for the mobile clients\n")
    world.commit({"environments/devel/image_tag.yaml": edited}, "Say what it is for", BRANCH)
    world.release("bump", "devel", "v1.0.6")
    assert "v1.0.5   # for the mobile clients\n" in world.tags(ref=BRANCH)


def test_the_update_branch_button_does_not_make_it_append_only(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"README.md": "unrelated\n"}, "Something else")
    world.git("fetch", "-q", "origin")
    world.git("checkout", "-q", "-B", "button", f"origin/{BRANCH}")
    world.git("merge", "-q", "--no-ff", "-m", f"Merge branch 'main' into {BRANCH}", "origin/main")
    world.git("push", "-q", "origin", f"button:{BRANCH}")
    world.git("checkout", "-q", "main")
    world.release("bump", "devel", "v1.0.6")
    assert world.git("rev-list", "--count", f"main..{BRANCH}", cwd=world.origin) == "1"


def test_a_conflict_with_a_persons_commits_is_refused_and_said_on_the_pull_request(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    edited = world.tags(ref=BRANCH).replace("  - v1.0.1\n", "  - v1.0.1   # mine\n")
    world.commit({"environments/devel/image_tag.yaml": edited}, "Mine", BRANCH)
    base = world.tags().replace("  - v1.0.1\n", "  - v1.0.1   # theirs\n")
    world.commit({"environments/devel/image_tag.yaml": base}, "Theirs")
    tip = world.refs()[f"refs/heads/{BRANCH}"]
    said = world.release("bump", "devel", "v1.0.6", code=1)
    assert "environments/devel/image_tag.yaml" in said.err
    assert "by hand" in said.err
    world.release("bump", "devel", "v1.0.6", code=1)
    assert world.refs()[f"refs/heads/{BRANCH}"] == tip
    assert len(world.json("pulls", "show", "1")["comments"]) == 1, "said once"


def test_a_pushed_branch_without_its_pull_request_is_shown_by_the_next_call(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    for ref in [ref for ref in world.refs() if ref.startswith("refs/pulls/")]:
        world.git("update-ref", "-d", ref, cwd=world.origin)
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["changed"] is False
    assert outcome["pull_request"]["created"] is True
    assert tags_on(world)[-1] == "v1.0.5"


def test_the_same_run_is_the_same_operation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    world.release("bump", "devel", "v1.0.5")
    world.merge(1)
    gone = world.tags().replace("  - v1.0.5\n", "").replace("default: v5", "default: v4")
    world.commit({"environments/devel/image_tag.yaml": gone}, "Take it out by hand")
    world.landed.clear()
    outcome = world.json("bump", "devel", "v1.0.5")
    assert outcome["changed"] is False
    assert "landed already" in outcome["notes"][0]


def test_direct_pushes_to_the_base_and_sync_makes_the_open_branch_again(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    outcome = world.json("bump", "devel", "v1.0.7", "--direct")
    assert outcome["branch"] == "main"
    assert outcome["pull_request"] is None
    assert outcome["commit"] == world.refs()["refs/heads/main"]
    assert tags_on(world, "main")[-1] == "v1.0.7"
    world.release("sync")
    assert tags_on(world)[-2:] == ["v1.0.7", "v1.0.5"]
    assert len({line.id for line in world.lines(ref=BRANCH)}) == 2
    assert set(tags_on(world)) >= {"v1.0.5", "v1.0.7"}
    world.merge(1)
    assert world.state().versions[world.state().default] == "v1.0.7", "an older tag doesn't become the default"


def test_a_name_that_another_one_took_is_renumbered(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    text = world.tags() + "  - v1.0.9\n"
    world.commit({"environments/devel/image_tag.yaml": text}, "v5 by hand")
    world.release("sync")
    versions = world.state(ref=BRANCH).versions
    assert (versions["v5"], versions["v6"]) == ("v1.0.9", "v1.0.5")


def test_sync_is_silent_and_pushes_nothing_when_the_environment_did_not_change(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"README.md": "unrelated\n"}, "Something else")
    with world.unchanged():
        said = world.release("sync")
    assert (said.out, said.err) == ("", "")


def test_sync_closes_a_pull_request_of_which_nothing_is_left(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"environments/devel/image_tag.yaml": world.tags() + "  - v1.0.5\n"}, "By hand")
    world.release("sync")
    assert world.pulls() == []
    shown = world.json("pulls", "show", "1")
    assert shown["state"] == "closed"
    assert "Nothing is left" in shown["comments"][0]


def test_what_people_changed_by_hand_is_adopted_by_the_next_operation(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--direct")
    text = world.tags().replace("  - v1.0.5\n", "  - v1.0.5\n  - v2.0.0\n").replace("default: v5", "default: v3")
    world.commit({"environments/devel/image_tag.yaml": text}, "By hand")
    world.release("bump", "devel", "v2.0.1", "--direct")
    adopted = [(change.action, change.version) for change in world.lines()[-1].adopted]
    assert adopted == [("add", "v6"), ("set-default", "v3")]


def test_retired_versions_are_removed_after_their_drain_and_not_before(tmp_path: Path) -> None:
    world = World.make(tmp_path, tags=WITH_DEFAULT, keep=4)
    world.release("bump", "devel", "v1.0.5")
    world.release("pulls", "merge", "1", later=timedelta(days=1))
    world.release("bump", "devel", "v1.0.6", "--direct", later=timedelta(minutes=30))
    assert set(world.state().retired) == {"v1", "v2"}, "the drain began when it landed, not when it was planned"
    world.release("bump", "devel", "v1.0.7", "--direct", later=timedelta(minutes=40))
    assert set(world.state().retired) == {"v2", "v3"}
    world.release("bump", "devel", "v1.0.8", "--direct", later=timedelta(hours=3))
    assert set(world.state().retired) == {"v4"}


def test_a_dry_run_writes_nothing_anywhere(world: World) -> None:
    before = world.git("count-objects", "-v")
    with world.unchanged():
        said = world.release("bump", "devel", "v1.0.5", "--dry-run")
    assert world.git("count-objects", "-v") == before
    assert "+  - v1.0.5" in said.out
    assert "Deployment" in said.out


def test_local_edits_the_working_tree_and_stops_there(world: World) -> None:
    before = world.refs()
    world.release("bump", "devel", "v1.0.5", "--local")
    assert world.refs() == before
    changed = [line.split()[-1] for line in world.git("status", "--porcelain").splitlines()]
    assert sorted(changed) == ["environments/devel/history.jsonl", "environments/devel/image_tag.yaml"]
    assert (world.clone / "environments/devel/image_tag.yaml").read_text().endswith("  - v1.0.5\n")


def test_the_checkout_is_never_touched(world: World) -> None:
    (world.clone / "environments/devel/image_tag.yaml").write_text("half done: [\n")
    world.git("checkout", "-q", "--detach")
    index = (world.clone / ".git/index").read_bytes()
    refs = world.git("for-each-ref")
    world.release("bump", "devel", "v1.0.5")
    assert (world.clone / "environments/devel/image_tag.yaml").read_text() == "half done: [\n"
    assert (world.clone / ".git/index").read_bytes() == index
    assert world.git("for-each-ref") == refs
    assert not (world.clone / ".git/FETCH_HEAD").exists()


def test_without_checkout_the_same_comes_out(tmp_path: Path) -> None:
    pictures = []
    for where in ("clone", "repo"):
        (tmp_path / where).mkdir()
        world = World.make(tmp_path / where, tags=SEED, keep=3)
        extra = ["--repo", f"file://{world.origin}"] if where == "repo" else []
        for tag in ("v1.0.5", "v1.0.6"):
            world.release("bump", "devel", tag, *extra)
        world.release("pulls", "merge", "1", *extra)
        world.release("bump", "devel", "v1.0.7", *extra)
        pictures.append((world.tags(), world.tags(ref=BRANCH)))
    assert pictures[0] == pictures[1]


def test_sync_renumbers_a_name_that_another_environment_took(world: World) -> None:
    world.release("bump", "production", "v9.9.9", "--force", "--reason", "hotfix")
    text = world.tags() + "  - v1.0.5\n"
    world.commit({"environments/devel/image_tag.yaml": text}, "v5 in devel, by hand")
    world.release("sync")
    assert world.state("production", ref="release/production").versions["v6"] == "v9.9.9"
    world.merge(1)


def test_an_id_belongs_to_one_operation(world: World) -> None:
    world.release("bump", "devel", "v1.0.5", "--id", "build-7")
    assert world.json("bump", "devel", "v1.0.5", "--id", "build-7")["changed"] is False
    said = world.release("bump", "devel", "v1.0.6", "--id", "build-7", code=1)
    assert "bump v1.0.5" in said.err
    world.merge(1)
    world.release("bump", "devel", "v1.0.6", "--id", "build-7", code=1)


def test_an_amended_commit_of_the_tool_is_a_persons(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.git("fetch", "-q", "origin")
    world.git("checkout", "-q", "-B", "mine", f"origin/{BRANCH}")
    (world.clone / "environments/devel/values.yaml").write_text("replicaCount: 3\n")
    world.git("commit", "-qa", "--amend", "--no-edit")
    world.git("push", "-q", "-f", "origin", f"mine:{BRANCH}")
    world.git("checkout", "-q", "main")
    world.release("bump", "devel", "v1.0.6")
    assert world.file("environments/devel/values.yaml", BRANCH) == "replicaCount: 3\n"
    assert tags_on(world)[-2:] == ["v1.0.5", "v1.0.6"]


def test_repeating_an_operation_on_an_append_only_branch_leaves_the_text_as_it_is(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"notes.md": "mine\n"}, "A note of mine", BRANCH)
    world.release("bump", "devel", "v1.0.6")
    before = world.json("pulls", "show", "1")["body"]
    world.release("bump", "devel", "v1.0.6")
    assert world.json("pulls", "show", "1")["body"] == before


def test_a_pull_request_whose_branch_was_deleted_does_not_come_back(world: World) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.git("update-ref", "-d", f"refs/heads/{BRANCH}", cwd=world.origin)
    outcome = world.json("bump", "devel", "v1.0.6")
    assert outcome["pull_request"] == {**outcome["pull_request"], "number": 2, "created": True}
    assert [pull["state"] for pull in world.pulls("all")] == ["open", "closed"]
    assert tags_on(world)[-1] == "v1.0.6"
    assert "v1.0.5" not in tags_on(world), "what was pending on it is gone"


def test_a_reason_can_not_act_on_a_forge_or_a_terminal(world: World) -> None:
    evil = "x [skip ci] fixes #1 @octocat\n\nRelease-Operation: FAKE \x1bc"
    world.release("bump", "devel", "v1.0.5", "--pin", "--reason", evil)
    message = world.git("log", "-1", "--format=%B", BRANCH, cwd=world.origin)
    for words in ("[skip", "#1", "@octocat", "\nRelease-Operation: FAKE", "\x1b"):
        assert words not in message
    said = world.release("pulls", "show", "1").out
    assert "\x1b" not in said
    body = world.pulls()[0]["body"]  # what a forge would act on; a terminal knows no mentions
    assert "@octocat" not in body
