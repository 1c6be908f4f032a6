"""The life of pull requests on the stand-in is that of pull requests on GitHub."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from standin import Refused, StandIn
from standin_shop import Shop

# merges


@pytest.fixture
def diverged(shop: Shop) -> int:
    """A pull request of two commits; the base has moved on."""
    number = shop.propose()
    shop.bob.push("release/devel", {"values.yaml": "a: 1\n"}, "Add values")
    shop.bob.push("main", {"README.md": "Hello there\n"})
    return number


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_leaves_the_files_that_git_itself_would(shop: Shop, diverged: int, method: str, tmp_path: Path) -> None:
    clone = shop.clone(tmp_path / "clone")
    clone.git("checkout", "--quiet", "-b", "mine", "origin/release/devel" if method == "rebase" else "origin/main")
    words = {
        "merge": ("merge", "--quiet", "--no-edit", "origin/release/devel"),
        "squash": ("merge", "--quiet", "--squash", "origin/release/devel"),
        "rebase": ("rebase", "--quiet", "origin/main"),
    }
    clone.git(*words[method])
    expected = clone.git("write-tree")
    before = shop.bare.tip("main")
    answer = shop.json("PUT", f"/pulls/{diverged}/merge", json={"merge_method": method})
    tip = shop.bare.tip("main")
    assert answer["sha"] == tip
    assert shop.bare.tree("main") == expected
    parents = shop.bare.git("rev-list", "--parents", "--first-parent", f"{before}..{tip}").splitlines()
    assert [len(line.split()) - 1 for line in parents] == {"merge": [2], "squash": [1], "rebase": [1, 1]}[method]
    pull = shop.json("GET", f"/pulls/{diverged}")
    assert (pull["state"], pull["merged"], pull["merge_commit_sha"]) == ("closed", True, tip)


def test_the_words_of_merges_are_githubs(shop: Shop, diverged: int) -> None:
    shop.alice.merge(diverged, "squash")
    assert shop.bare.message("main") == f"Release v4 (#{diverged})\n\n* Add v4\n\n* Add values"
    second = shop.propose("release/staging", {"x": "1"})
    shop.alice.merge(second)
    assert shop.bare.message("main") == f"Merge pull request #{second} from acme/release/staging\n\nRelease v4"
    third = shop.propose("release/production", {"y": "1"})
    shop.alice.merge(third, "squash")
    assert shop.bare.message("main") == f"Add v4 (#{third})"


def test_a_rebase_keeps_authors_and_makes_new_commits_even_without_need(shop: Shop) -> None:
    number = shop.propose()
    head = shop.bare.tip("release/devel")
    shop.bob.merge(number, "rebase")
    assert shop.bare.tip("main") != head
    assert shop.bare.git("log", "-1", "--format=%an %cn", "main") == "alice bob"


def test_a_conflict_is_told_and_never_merged(shop: Shop) -> None:
    number = shop.propose()
    shop.bob.push("main", {"tags.yaml": "- v9\n"})
    pull = shop.pull(number)
    assert (pull["mergeable"], pull["mergeable_state"]) == (False, "dirty")
    answer = shop.ask("PUT", f"/pulls/{number}/merge", json={})
    assert (answer.status_code, answer.json()["message"]) == (405, "Pull Request is not mergeable")
    assert shop.ask("PUT", f"/pulls/{number}/update-branch", json={}).status_code == 422


def test_whether_it_can_be_merged_is_null_at_first(shop: Shop) -> None:
    number = shop.propose()
    shop.alice.push("release/devel", {"a": "b"})
    assert [shop.json("GET", f"/pulls/{number}")["mergeable"] for _ in range(3)] == [None, True, True]


def test_a_merge_of_another_head_than_named_is_409(shop: Shop) -> None:
    number = shop.propose()
    sha = shop.bare.tip("release/devel")
    shop.alice.edit("release/devel", {"a": "b"})
    answer = shop.ask("PUT", f"/pulls/{number}/merge", json={"sha": sha})
    assert answer.status_code == 409


def test_a_method_that_the_repository_forbids_is_405(shop: Shop) -> None:
    shop.repository.allow_squash_merge = False
    number = shop.propose()
    answer = shop.ask("PUT", f"/pulls/{number}/merge", json={"merge_method": "squash"})
    assert (answer.status_code, answer.json()["message"]) == (405, "Squash merges are not allowed on this repository.")


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_revert_undoes_each_kind_of_merge(shop: Shop, diverged: int, method: str) -> None:
    before = shop.bare.tree("main")
    shop.alice.merge(diverged, method)
    made = shop.alice.revert(diverged)
    assert shop.bare.tree("main") == before
    assert made.merged
    assert (made.title, made.body) == ('Revert "Release v4"', f"Reverts acme/shop#{diverged}")


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_commit_tells_its_pull_request(shop: Shop, diverged: int, method: str) -> None:
    shop.alice.merge(diverged, method)
    found = shop.json("GET", f"/commits/{shop.bare.tip('main')}/pulls")
    assert [(pull["number"], bool(pull["merged_at"])) for pull in found] == [(diverged, True)]
    assert shop.json("GET", f"/commits/{shop.bare.git('rev-list', '--max-parents=0', 'main')}/pulls") == []


# what closes, opens and moves by itself


def test_an_empty_pull_request_closes_itself_and_stays_closed(shop: Shop) -> None:
    number = shop.propose()
    shop.alice.force_push("release/devel", "main")
    pull = shop.json("GET", f"/pulls/{number}")
    assert (pull["state"], pull["merged"]) == ("closed", False)
    shop.alice.push("release/devel", {"a": "b"})
    answer = shop.ask("PATCH", f"/pulls/{number}", json={"state": "open"})
    assert answer.status_code == 200, "the branch still descends from what it was when it was closed"


def test_a_closed_one_whose_branch_was_made_anew_cannot_be_opened_again(shop: Shop) -> None:
    number = shop.propose()
    shop.alice.close(number)
    shop.alice.force_push("release/devel", "main", {"tags.yaml": "- v7\n"})
    answer = shop.ask("PATCH", f"/pulls/{number}", json={"state": "open"})
    assert answer.status_code == 422
    assert "was force-pushed or recreated" in answer.json()["errors"][0]["message"]
    shop.alice.delete_branch("release/devel")
    with pytest.raises(Refused, match="has been deleted"):
        shop.alice.reopen(number)


def test_a_deleted_branch_closes_its_pull_request_and_keeps_the_commits(shop: Shop) -> None:
    number = shop.propose()
    head = shop.bare.tip("release/devel")
    shop.alice.delete_branch("release/devel")
    pull = shop.json("GET", f"/pulls/{number}")
    assert (pull["state"], pull["merged"], pull["head"]["sha"]) == ("closed", False, head)
    assert shop.bare.commit(f"refs/pull/{number}/head") == head
    shop.alice.restore_branch(number)
    shop.alice.reopen(number)
    assert shop.json("GET", f"/pulls/{number}")["state"] == "open"


def test_a_push_to_the_base_that_brings_the_head_counts_as_a_merge(shop: Shop) -> None:
    number = shop.propose()
    shop.alice.force_push("main", "release/devel")
    pull = shop.json("GET", f"/pulls/{number}")
    assert (pull["state"], pull["merged"], pull["merge_commit_sha"]) == ("closed", True, shop.bare.tip("main"))


def test_what_changes_behind_its_back_is_noticed(shop: Shop) -> None:
    number = shop.propose()
    commit = shop.bare.git("commit-tree", "main^{tree}", "-p", "release/devel", "-m", "x",
                           env={f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")})  # fmt: skip
    shop.bare.git("update-ref", "refs/heads/release/devel", commit)
    assert shop.json("GET", f"/pulls/{number}")["head"]["sha"] == commit


def test_a_merge_may_delete_the_branch_and_lets_others_go_to_its_base(shop: Shop) -> None:
    shop.repository.delete_branch_on_merge = True
    first = shop.propose()
    shop.alice.push("next", {"a": "b"})
    shop.alice.force_push("next", "release/devel", {"a": "b"})
    second = shop.json("POST", "/pulls", json={"title": "Next", "head": "next", "base": "release/devel"})["number"]
    shop.alice.merge(first)
    assert shop.bare.tip("release/devel") is None
    pull = shop.json("GET", f"/pulls/{second}")
    assert (pull["state"], pull["base"]["ref"]) == ("open", "main")


def test_update_branch_merges_the_base(shop: Shop, diverged: int) -> None:
    base = shop.bare.tip("main")
    answer = shop.ask("PUT", f"/pulls/{diverged}/update-branch", json={})
    assert answer.status_code == 202
    assert shop.bare.git("rev-parse", "release/devel^2") == base
    assert shop.json("GET", f"/pulls/{diverged}")["head"]["sha"] == shop.bare.tip("release/devel")


# opening


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"head": "nowhere"}, {"field": "head", "code": "invalid"}),
        ({"base": "nowhere"}, {"field": "base", "code": "invalid"}),
        ({"head": "main"}, {"code": "custom", "message": "No commits between main and main"}),
        ({"title": ""}, {"field": "title", "code": "missing_field"}),
        ({"body": "x" * 65537}, {"field": "body", "message": "body is too long (maximum is 65536 characters)"}),
        ({}, {"code": "custom", "message": "A pull request already exists for acme:release/devel."}),
    ],
)
def test_what_can_not_be_opened_is_422_with_githubs_reason(
    shop: Shop, body: dict[str, str], error: dict[str, str]
) -> None:
    shop.propose()
    sent = {"title": "Again", "head": "release/devel", "base": "main", **body}
    answer = shop.ask("POST", "/pulls", json=sent)
    assert answer.status_code == 422
    assert answer.json()["message"] == "Validation Failed"
    assert error.items() <= answer.json()["errors"][0].items()


def test_of_many_at_once_one_opens_it(shop: Shop) -> None:
    shop.alice.push("release/devel", {"a": "b"})
    body = {"title": "x", "head": "release/devel", "base": "main"}
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: shop.ask("POST", "/pulls", json=body).status_code, range(32)))
    assert sorted(answers) == [201, *[422] * 31]


def test_a_filter_by_head_counts_only_with_its_owner(shop: Shop) -> None:
    first, second = shop.propose(), shop.propose("release/staging", {"b": "1"})

    def found(**query: str) -> list[int]:
        return [pull["number"] for pull in shop.json("GET", "/pulls", params=query)]

    assert found(head="acme:release/devel") == [first]
    assert found(head="release/devel") == [second, first]
    assert found(base="release/devel") == []
    shop.alice.close(first)
    assert found(state="closed", head="acme:release/devel", sort="updated", direction="desc") == [first]
    assert found(state="all", sort="created", direction="asc") == [first, second]


def test_a_list_has_pages_and_links_to_the_others(shop: Shop) -> None:
    number = shop.propose()
    for at in range(65):
        shop.alice.comment(number, f"{at}")
    answer = shop.ask("GET", f"/issues/{number}/comments", params={"per_page": 30})
    texts = [comment["body"] for comment in answer.json()]
    assert set(answer.links) == {"next", "last"}
    while "next" in answer.links:
        headers = {"Authorization": f"Bearer {shop.token.value}"}
        answer = requests.get(answer.links["next"]["url"], headers=headers, timeout=20)
        texts += [comment["body"] for comment in answer.json()]
    assert texts == [str(at) for at in range(65)]
    assert set(answer.links) == {"prev", "first"}


def test_a_pull_request_from_a_fork(shop: Shop, standin: StandIn) -> None:
    fork = standin.add_repository("carol/shop", parent="acme/shop")
    fork.bare.git("fetch", "--quiet", str(shop.repository.path), "+refs/heads/*:refs/heads/*")
    standin.hand("carol/shop", "carol").push("mine", {"c": "d"})
    body = {"title": "Mine", "head": "carol:mine", "base": "main"}
    number = shop.json("POST", "/pulls", json=body)["number"]
    standin.hand("carol/shop", "carol").push("mine", {"c": "e"})
    pull = shop.json("GET", f"/pulls/{number}")
    assert (pull["head"]["repo"]["full_name"], pull["head"]["label"]) == ("carol/shop", "carol:mine")
    assert pull["head"]["sha"] == fork.bare.tip("mine")
    shop.alice.merge(number)
    assert shop.bare.blob("main", "c") == b"e"
