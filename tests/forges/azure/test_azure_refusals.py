"""What Azure DevOps refuses, in the words of its own settings; and what only looks like a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from azure_shop import BASE, HEAD, AzureShop
from azure_standin import READER, Token, faults

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges import connect
from release_tool.forges.azure import client
from release_tool.forges.azure.forge import AzureForge
from release_tool.forges.base import ForgeSettings
from release_tool.git.repository import Repository
from release_tool.model.records import CommitId
from release_tool.wiring import header_for_git

Connect = Callable[..., AzureForge]


@pytest.fixture
def connected(shop: AzureShop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """The tool's forge, with a token (None: the shop's own; empty: none) in a variable."""
    with ExitStack() as ending:

        def make(token: Token | str | None = None, variable: str = "AZURE_DEVOPS_TOKEN") -> AzureForge:
            value = token.value if isinstance(token, Token) else shop.token.value if token is None else token
            environ = {"AZURE_DEVOPS_URL": shop.azure.collection, **({variable: value} if value else {})}
            for name, said in environ.items():
                monkeypatch.setenv(name, said)
            url = shop.azure.clone_url("shop/gitops")
            repository = ending.enter_context(Repository.open(None, url, entitle=header_for_git))
            settings = ForgeSettings(patience=1.0, environ=environ)
            forge = connect("auto", repository, shop.azure.now, settings)
            assert isinstance(forge, AzureForge)
            ending.callback(forge.close_connections)
            return forge

        yield make


def told(error: ReleaseError) -> str:
    return f"{error.what} | {error.cause} | {error.hint}"


def test_without_a_token_the_way_to_one_is_told(connected: Connect) -> None:
    with pytest.raises(ReleaseError) as caught:
        connected("").list()
    said = told(caught.value)
    assert "wants a token" in said
    assert "Code (Read & write)" in said
    assert "/acme/_usersSettings/tokens" in said
    assert "SYSTEM_ACCESSTOKEN: $(System.AccessToken)" in said


@pytest.mark.parametrize("how", ["wrong", "expired", "revoked", "without the scope", "sign-in page"])
def test_a_token_that_is_no_good_is_named_with_its_variable(shop: AzureShop, connected: Connect, how: str) -> None:
    token: Token | str = shop.azure.add_token("ada")
    if how == "wrong":
        token = "0" * 52
    elif how == "expired":
        token = shop.azure.add_token("ada", expires=shop.azure.now() - timedelta(days=1))
    elif how == "revoked":
        token = shop.azure.add_token("ada", revoked=True)
    elif how == "without the scope":
        token = shop.azure.add_token("ada", scopes=("vso.build",))
    else:
        shop.azure.fault("GET", r"/pullrequests", faults.sign_in())
    with pytest.raises(ReleaseError) as caught:
        connected(token, "AZURE_DEVOPS_EXT_PAT").list()
    said = told(caught.value)
    assert "does not accept the token of AZURE_DEVOPS_EXT_PAT" in said
    assert "`Code (Read & write)`" in said
    assert caught.value.exit_code == 1
    if how == "expired":
        assert "expired" in caught.value.what


def test_a_permission_is_called_as_the_settings_call_it(shop: AzureShop, connected: Connect) -> None:
    shop.repository.rights["release-bot"] = READER
    shop.alice.push(HEAD, {"a": "b"})
    with pytest.raises(ReleaseError) as caught:
        connected().open(HEAD, BASE, "Title", "Body")
    said = told(caught.value)
    assert "lacks the permission `Contribute to pull requests`" in said
    assert "give `release-bot@example.com`" in said
    assert "_settings/repositories" in said
    assert caught.value.exit_code == 1


def test_a_repository_that_may_not_be_seen_is_told_with_the_servers_words(shop: AzureShop, connected: Connect) -> None:
    shop.repository.rights["release-bot"] = frozenset()
    with pytest.raises(ReleaseError) as caught:
        connected().list()
    assert "TF401019" in caught.value.what
    assert "`Read`" in caught.value.hint
    job = connected(shop.azure.add_token("release-bot", kind="job"), "SYSTEM_ACCESSTOKEN")
    with pytest.raises(ReleaseError) as caught:
        job.list()
    assert "Limit job authorization scope" in caught.value.hint


def test_an_old_server_is_told(shop: AzureShop, connected: Connect) -> None:
    shop.azure.version = "5.0"
    with pytest.raises(ReleaseError, match="too old") as caught:
        connected().list()
    assert "2020" in caught.value.hint
    shop.azure.version = "6.0"
    assert connected().list() == ()


def test_a_version_that_is_a_preview_there_is_asked_for_as_one(
    shop: AzureShop, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_PREVIEWS", ())
    forge = connected()
    number = shop.propose()
    shop.azure.add_policy(shop.repository, "Minimum number of reviewers", minimumApproverCount=1)
    assert forge.merge_when_ready(number, CommitId(shop.repository.pulls[number].source_commit)) == "waiting"


def test_a_limit_of_the_rate_is_waited_for_or_told(shop: AzureShop, connected: Connect) -> None:
    shop.azure.fault("GET", r"/pullrequests", faults.limited(0), times=1)
    forge = connected()
    assert forge.list() == ()
    shop.azure.fault("GET", r"/pullrequests", faults.limited(1800))
    with pytest.raises(TryAgain, match="limits the rate"):
        forge.list()


# -- merging


def test_a_draft_is_not_completed(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose()
    pull = shop.repository.pulls[number]
    pull.draft = True
    with pytest.raises(Refused, match=f"!{number} is a draft") as caught:
        connected().merge_when_ready(number, CommitId(pull.source_commit))
    assert "publish" in caught.value.hint
    assert pull.status == "active"


@pytest.mark.parametrize(("allows", "parents"), [("allowSquash", 1), ("allowRebaseMerge", 2), ("allowRebase", 1)])
def test_the_way_of_merging_is_one_that_the_policy_allows(
    shop: AzureShop, connected: Connect, allows: str, parents: int
) -> None:
    shop.azure.add_policy(shop.repository, "Require a merge strategy", **{allows: True})
    number = shop.propose()
    forge = connected()
    assert forge.merge_when_ready(number, CommitId(shop.repository.pulls[number].source_commit)) == "merged"
    tip = shop.bare.tip(BASE)
    assert tip is not None
    assert len(shop.bare.git("show", "-s", "--format=%P", tip).split()) == parents
    assert shop.bare.tip(HEAD) is None


def test_a_way_that_no_policy_allows_is_refused_with_those_that_are(shop: AzureShop, connected: Connect) -> None:
    shop.azure.add_policy(shop.repository, "Require a merge strategy", allowSquash=True)
    number = shop.propose()
    with pytest.raises(Refused, match=r"Limit merge types.*allows squash"):
        connected().merge(number, "merge")
    assert shop.repository.pulls[number].status == "active"


def test_a_required_build_is_waited_for_and_an_optional_one_is_not(shop: AzureShop, connected: Connect) -> None:
    shop.azure.add_policy(shop.repository, "Build", displayName="check")
    shop.azure.add_policy(shop.repository, "Status", blocking=False, statusName="slow")
    number = shop.propose()
    head = CommitId(shop.repository.pulls[number].source_commit)
    forge = connected()
    assert forge.merge_when_ready(number, head) == "waiting"
    assert shop.repository.pulls[number].auto_complete is None
    with pytest.raises(Refused, match="waits for policies of `main`: check"):
        forge.merge(number)
    shop.alice.status(number, "build", "succeeded")
    assert forge.merge_when_ready(number, head) == "merged"


def test_a_merge_that_takes_the_server_long_is_waited_for_and_then_left(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose()
    head = CommitId(shop.repository.pulls[number].source_commit)
    forge = connected()
    pauses: list[float] = []
    forge.merging._sleep = pauses.append
    shop.azure.life.lag = 1000
    with pytest.raises(TryAgain, match="still being completed"):
        forge.merge_when_ready(number, head)
    assert sum(pauses) > 10


def test_a_push_that_the_server_takes_in_later_is_waited_for(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose()
    forge = connected()
    forge.merging._sleep = lambda _: None
    shop.azure.life.push_lag = 4
    head = CommitId(shop.alice.push(HEAD, {"a": "b"}))
    assert shop.repository.pulls[number].source_commit != head
    found = forge.find_open(HEAD, BASE)
    assert found is not None
    assert (found.head_commit, forge.update(number, "Title", "Body").head_commit) == (head, head)
    assert forge.merge_when_ready(number, head) == "merged"


def test_a_push_that_the_server_does_not_take_in_is_tried_again_later(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose()
    forge = connected()
    forge.merging._sleep = lambda _: None
    shop.azure.life.push_lag = 1000
    head = CommitId(shop.alice.push(HEAD, {"a": "b"}))
    with pytest.raises(TryAgain, match="not taken in yet"):
        forge.merge_when_ready(number, head)
    assert forge.get(number).head_commit == head


def test_the_message_of_a_merge_is_short(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose(title="Add v4", description="A long text")
    connected().merge_when_ready(number, CommitId(shop.repository.pulls[number].source_commit))
    assert shop.bare.git("show", "-s", "--format=%B", BASE).strip() == f"Merged PR {number}: Add v4"


# -- finding


def test_one_that_was_abandoned_again_after_many_others_is_the_last_finished(
    shop: AzureShop, connected: Connect
) -> None:
    first = shop.propose()
    shop.alice.abandon(first)
    for number in range(25):
        made = shop.alice.propose(HEAD, title=f"Number {number}")
        shop.alice.complete(made.id)
        shop.alice.push(HEAD, {"a": str(number)})
    forge = connected()
    found = forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.state) == (made.id, "merged")
    shop.alice.reactivate(first)
    shop.alice.abandon(first)
    found = forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.state) == (first, "closed")


def test_one_whose_branch_is_gone_counts_as_closed(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose()
    shop.alice.delete_branch(HEAD)
    forge = connected()
    assert forge.find_open(HEAD, BASE) is None
    found = forge.last_finished(HEAD, BASE)
    assert found is not None
    assert (found.number, found.state, found.closed_at) == (number, "closed", None)
    assert forge.close(number, "gone").closed_at is not None
    assert shop.repository.pulls[number].status == "abandoned"


def test_the_whole_text_of_an_open_one_is_told(shop: AzureShop, connected: Connect) -> None:
    text = "line\n" * 700
    shop.propose(description=text)
    found = connected().find_open(HEAD, BASE)
    assert found is not None
    assert found.body == text


def test_people_and_groups_are_found_by_their_names(
    shop: AzureShop, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    shop.azure.identity("[shop]\\Platform", group=True)
    guid = shop.azure.identity("carol").id
    shop.alice.push(HEAD, {"a": "b"})
    wanted = ["bob@example.com", "shop/Platform", guid, "nobody"]
    token = shop.azure.add_token(scopes=("vso.code_write", "vso.identity"))
    pull = connected(token).open(HEAD, BASE, "Title", "Body", reviewers=wanted).pull_request
    asked = [one.identity.name for one in shop.repository.pulls[pull.number].reviewers]
    assert asked == ["bob", "[shop]\\Platform", "carol"]
    assert "nobody can't be asked" in caplog.text


def test_without_the_scope_for_names_nobody_is_asked_and_it_is_opened(
    shop: AzureShop, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    shop.alice.push(HEAD, {"a": "b"})
    token = shop.azure.add_token(scopes=("vso.code_write",))
    opened = connected(token).open(HEAD, BASE, "Title", "Body", reviewers=["bob"])
    assert opened.created
    assert "the token needs the scope `Identity (Read)`, too" in caplog.text


def test_of_two_comments_of_ours_that_two_calls_made_one_stays(shop: AzureShop, connected: Connect) -> None:
    number = shop.propose()
    marker = "<!-- release: kept -->"
    for _ in range(2):
        body: dict[str, Any] = {"comments": [{"content": f"{marker}\nold", "commentType": "text"}]}
        shop.json("POST", f"/pullRequests/{number}/threads", json=body)
    connected().keep_comment(number, marker, f"{marker}\nnew")
    assert connected().get(number).comments == (f"{marker}\nnew",)


def test_comments_of_the_tool_hold_no_pull_request_up(shop: AzureShop, connected: Connect) -> None:
    shop.azure.add_policy(shop.repository, "Comment requirements")
    number = shop.propose()
    forge = connected()
    forge.comment(number, "a word")
    assert forge.merge_when_ready(number, CommitId(shop.repository.pulls[number].source_commit)) == "merged"
