"""The workflows, run by act on this machine, against a GitHub that stands in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
from acting import REPOSITORY, Act, serve
from standin import StandIn, Token, faults
from test_workflows_run import built, pull_request
from world import CONFIG, World

pytestmark = pytest.mark.slow


class Shop:
    """The repository acme/shop on the stand-in."""

    def __init__(self, path: Path, standin: StandIn, tool: Path) -> None:
        config = CONFIG.format(default="newest", keep=40) + "publish: {labels: [release]}\n"
        self.world = World.make(path, config=config)
        self.standin = standin
        self.repository = standin.add_repository(REPOSITORY, self.world.origin)
        self.alice = standin.hand(REPOSITORY, "alice")
        self.repository.actions_may_open_pull_requests = True
        self.token = standin.add_token("github-actions[bot]", "actions")
        self.act = Act(path, standin.web, tool, token=self.token.value)
        self.act.environ |= {"GITHUB_API_URL": standin.api, "GITHUB_GRAPHQL_URL": standin.graphql}
        # What actions/checkout does with the token; the stand-in lets nobody read without one.
        self.act.environ["CLONE_FROM"] = f"{self.world.origin.parent}/server/"
        serve(path, self.world.origin)

    @property
    def pulls(self) -> list[Any]:
        return self.repository.open_pulls()

    def post(self, path: str, token: Token, body: dict[str, Any]) -> requests.Response:
        headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/vnd.github+json"}
        return requests.post(f"{self.standin.api}/repos/{REPOSITORY}{path}", json=body, headers=headers, timeout=20)


def starting(shop: Shop) -> list[str]:
    """The events that started workflows."""
    return [event.name for event in shop.repository.events if event.starts_workflows]


@pytest.fixture
def shop(tmp_path: Path, tool: Path, standin: StandIn) -> Shop:
    return Shop(tmp_path, standin, tool)


def test_a_build_opens_a_pull_request_and_the_next_one_updates_it(shop: Shop) -> None:
    first = shop.act.run("bump", "repository_dispatch", built())
    (pull,) = shop.pulls
    assert "v1.0.5" in pull.title
    assert "0123456789ab" in pull.body
    assert shop.world.state("devel", "release/devel").live["v5"] == "v1.0.5"
    assert first.output("pull-request-url") == f"{shop.standin.web}/{REPOSITORY}/pull/{pull.number}"
    assert f"[#{pull.number}]" in first.summary

    shop.act.run("bump", "repository_dispatch", built(tag="v1.0.6"))
    (pull,) = shop.pulls
    assert "v1.0.5" in pull.title
    assert "v1.0.6" in pull.title
    shop.alice.merge(pull.number, "squash")
    shop.act.run("bump", "repository_dispatch", built(tag="v1.0.7"))
    (after,) = shop.pulls
    assert after.number != pull.number
    assert {"v5", "v6"} <= set(shop.world.state().live)


def test_an_event_sent_to_github_is_the_one_that_the_workflow_takes(shop: Shop) -> None:
    """The sender's side: `POST /repos/{owner}/{repo}/dispatches` with what the documentation says."""
    sender = shop.standin.add_token(permissions={"contents": "write", "metadata": "read"})
    sent = {"event_type": "image-built", "client_payload": built()["client_payload"]}
    assert shop.post("/dispatches", sender, sent).status_code == 204
    (event,) = [one for one in shop.repository.events if one.name == "repository_dispatch"]
    shop.act.run("bump", event.name, {"action": "image-built", **event.payload})
    assert "v1.0.5" in shop.pulls[0].title


def test_a_token_of_an_app_takes_the_place_of_the_jobs_own(shop: Shop) -> None:
    app = shop.standin.add_token()
    shop.act.environ["APP_TOKEN"] = app.value
    options = ("--var", "RELEASE_APP_CLIENT_ID=Iv1.0123", "-s", "RELEASE_APP_PRIVATE_KEY=a private key")
    shop.act.run("bump", "repository_dispatch", built(), *options)
    (pull,) = shop.pulls
    assert "pull_request" in starting(shop), "what the App does starts workflows"
    assert pull.user.login != "github-actions[bot]"


def test_what_the_jobs_own_token_opens_starts_no_checks(shop: Shop) -> None:
    shop.act.run("bump", "repository_dispatch", built())
    assert shop.pulls
    assert "pull_request" not in starting(shop)


def test_one_comment_shows_the_difference_and_follows_it(shop: Shop) -> None:
    shop.act.run("bump", "repository_dispatch", built())
    (pull,) = shop.pulls
    first = shop.act.run("check", "pull_request", pull_request(pull.number, "release/devel"), "-j", "difference")
    comment = "### What merging this changes in the manifests"
    (said,) = [one.body for one in shop.repository.comments.values() if comment in one.body]
    assert "devel: " in said
    assert "Nothing in staging, production." in said
    assert "+" in first.artifact("difference", "difference-devel.diff")
    shop.act.run("bump", "repository_dispatch", built(tag="v1.0.6"))
    shop.act.run("check", "pull_request", pull_request(pull.number, "release/devel"), "-j", "difference")
    (now,) = [one.body for one in shop.repository.comments.values() if comment in one.body]
    assert now != said
    assert "v1.0.6" in now


def test_a_pull_request_that_changes_no_manifest_gets_no_comment(shop: Shop) -> None:
    shop.alice.edit("words", {"README.md": "By hand\n"})
    body = {"title": "Words", "head": "words", "base": "main"}
    number = shop.post("/pulls", shop.standin.add_token(), body).json()["number"]
    shop.act.run("check", "pull_request", pull_request(number, "words"), "-j", "difference")
    assert not shop.repository.comments


def test_a_right_pull_request_passes_the_check(shop: Shop) -> None:
    shop.act.run("bump", "repository_dispatch", built())
    (pull,) = shop.pulls
    shop.world.git("update-ref", "refs/pull/1/merge", "refs/heads/release/devel", cwd=shop.world.origin)
    shop.act.environ["ORIGIN"] = shop.standin.clone_url(REPOSITORY)
    done = shop.act.run("check", "pull_request", pull_request(pull.number, "release/devel"), "-j", "check")
    assert "### check: right" in done.summary


def test_a_server_that_is_busy_for_a_while_costs_only_time(shop: Shop) -> None:
    shop.standin.fault("*", r"/pulls", faults.status(503), times=4)
    done = shop.act.run("bump", "repository_dispatch", built())
    assert len(shop.pulls) == 1
    assert done.output("pull-request-number") == "1"


def test_a_repository_that_lets_actions_open_no_pull_requests_says_so(shop: Shop) -> None:
    shop.repository.actions_may_open_pull_requests = False
    done = shop.act.run("bump", "repository_dispatch", built(), code=1)
    assert "GitHub Actions is not permitted to create or approve pull requests" in done.summary
    shop.repository.actions_may_open_pull_requests = True
    shop.act.runs -= 1  # the same run, once more
    shutil.rmtree(shop.act.path / "run-1")
    shop.act.run("bump", "repository_dispatch", built())
    assert len(shop.pulls) == 1


def test_a_token_that_may_not_write_is_named_with_the_permission_that_is_missing(shop: Shop) -> None:
    weak = shop.standin.add_token(kind="actions", permissions={"contents": "read", "metadata": "read"})
    shop.act.token = weak.value
    done = shop.act.run("bump", "repository_dispatch", built(), code=1)
    assert "::error title=release bump::" in done.said
    assert weak.value not in done.log
