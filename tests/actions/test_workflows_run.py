"""The workflows, run by act on this machine, against a repository whose pull requests are kept in itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import real_registry
from acting import COMMIT, REPOSITORY, Act, callers, calling, shown
from origin import git
from world import WITH_DEFAULT, World

pytestmark = pytest.mark.slow

BASE = "ba5e" * 10  # the commit that a proposal is to be merged to

BUILD = {
    "environment": "devel",
    "tag": "v1.0.5",
    "image": "registry.example.com/acme/engine",
    "digest": "sha256:" + "a" * 64,
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "build_url": "https://github.com/acme/engine/actions/runs/17",
    "source": "https://github.com/acme/engine",
}


def built(**changed: Any) -> dict[str, Any]:
    """The event that a build sends."""
    return {"action": "image-built", "client_payload": {**BUILD, **changed}}


def inputs(asked: dict[str, str]) -> list[str]:
    return [word for name, value in asked.items() for word in ("--input", f"{name}={value}")]


def test_a_build_opens_a_pull_request_and_the_next_one_updates_it(world: World, act: Act) -> None:
    first = act.run("bump", "repository_dispatch", built())
    (pull,) = world.pulls()
    assert "v1.0.5" in pull["title"]
    assert world.state("devel", "release/devel").live["v5"] == "v1.0.5"
    (line,) = world.lines("devel", "release/devel")
    assert (line.intent.provenance["image"], line.intent.provenance["digest"]) == (BUILD["image"], BUILD["digest"])
    assert (line.intent.provenance["commit"], line.intent.provenance["build"]) == (BUILD["commit"], BUILD["build_url"])
    assert line.intent.provenance["source"] == BUILD["source"]
    assert line.intent.run.endswith(f"/{REPOSITORY}/actions/runs/1001")
    assert line.intent.by == "octo"
    assert first.output("changed") == "true"
    assert first.output("pull-request-number") == "1"
    assert first.output("commit") == world.refs()["refs/heads/release/devel"]
    assert "| add | v5 | v1.0.5 | bump |" in first.summary
    assert json.loads(first.artifact("bump-devel-v1.0.5", "outcome.json")) == json.loads(first.output("json") or "")
    assert "+ " in first.artifact("bump-devel-v1.0.5", "difference-devel.diff").replace("+", "+ ")

    second = act.run("bump", "repository_dispatch", built(tag="v1.0.6"))
    (pull,) = world.pulls()
    assert "v1.0.5" in pull["title"]
    assert "v1.0.6" in pull["title"]
    assert second.output("pull-request-number") == "1"
    assert {"v5", "v6"} <= set(world.state("devel", "release/devel").live)

    again = act.run("bump", "repository_dispatch", built(tag="v1.0.6"))
    assert again.output("changed") == "false"
    assert again.output("commit") == ""


def test_a_value_that_would_be_two_arguments_stays_one(world: World, act: Act) -> None:
    before = world.refs()
    done = act.run("bump", "repository_dispatch", built(tag="v1.0.5\n--direct", image="x\n--force"), code=1)
    assert "is no image tag" in done.said
    assert world.refs() == before
    done = act.run("bump", "repository_dispatch", built(tag="--direct"), code=1)
    assert "'--direct' is no image tag" in done.said
    done = act.run("bump", "repository_dispatch", built(environment="$(touch hacked)`id`"), code=1)
    assert "there is no environment '$(touch hacked)`id`'" in done.said
    assert world.refs() == before


def test_an_event_without_a_tag_is_a_clear_error(world: World, act: Act) -> None:
    payload = {key: value for key, value in BUILD.items() if key != "tag"}
    done = act.run("bump", "repository_dispatch", {"action": "image-built", "client_payload": payload}, code=1)
    assert "TAG is missing" in done.said


def test_a_person_bumps_by_hand(world: World, act: Act) -> None:
    asked = {"environment": "devel", "tag": "v1.0.7"}
    done = act.run("bump", "workflow_dispatch", {"inputs": asked}, *inputs(asked))
    assert done.output("changed") == "true"
    assert "v1.0.7" in world.pulls()[0]["title"]


def test_a_promotion_goes_on_with_its_reason(world: World, act: Act) -> None:
    world.now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    world.release("bump", "devel", "v1.0.5", "--direct")
    asked = {"from": "devel", "to": "staging", "reason": 'it works, "really"\n--force', "version": "", "service": ""}
    asked |= {"pin": "true", "force": "false"}
    done = act.run("promote", "workflow_dispatch", {"inputs": asked}, *inputs(asked))
    (line,) = world.lines("staging", "release/staging")
    assert line.intent.arguments.reason == 'it works, "really" --force'
    assert not line.intent.arguments.force
    assert "v5" in world.state("staging", "release/staging").pinned
    assert "| order |" in done.summary


def test_a_push_to_the_base_makes_the_release_branch_again(world: World, act: Act) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"environments/devel/image_tag.yaml": world.tags() + "# by hand\n"}, "A comment")
    before = world.refs()["refs/heads/release/devel"]
    act.run("sync", "push", {"ref": "refs/heads/main"})
    after = world.refs()["refs/heads/release/devel"]
    assert after != before
    assert world.git("merge-base", "main", after, cwd=world.origin) == world.refs()["refs/heads/main"]


def test_the_schedule_cleans_up(world: World, act: Act) -> None:
    world.now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    world.release("retire", "devel", "v2", "--direct")
    done = act.run("cleanup", "schedule", {})
    assert "v2" not in world.state("devel", "release/devel").retired
    assert "| remove | v2 |" in done.summary
    fork = act.run("cleanup", "schedule", {"repository": {"full_name": REPOSITORY, "fork": True}}, code=None)
    assert "Release" not in {one.get("step") for one in fork.records}


def test_the_guard_moves_a_bad_default_back(world: World, act: Act) -> None:
    world.now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    text = world.file("release.yaml")
    health = "    health: {failures: 1, checks: {up: {command: {argv: [sh, -c, 'test $RELEASE_VERSION != v4']}}}}\n"
    files = {"release.yaml": text.replace("  staging:\n", f"{health}  staging:\n")}
    world.commit({**files, "environments/devel/image_tag.yaml": WITH_DEFAULT}, "Guard")
    alert = {"action": "health-alert", "client_payload": {"environment": "devel"}}
    done = act.run("guard", "repository_dispatch", alert)
    assert (world.state().default, set(world.state().quarantined)) == ("v3", {"v4"})
    assert done.output("changed") == "true"
    assert "| v4 (default) | v1.0.4 | up | unhealthy |" in done.summary
    again = act.run("guard", "schedule", {})
    assert again.output("changed") == "false"
    assert json.loads(again.output("json") or "")[0]["decision"] == "stay"


CALLED = f"acme/release/.github/workflows/{{}}.yml@{COMMIT}"


def test_a_gitops_repository_of_its_own_calls_them(world: World, act: Act) -> None:
    """As the documentation shows it: the repository holds the callers alone, and all six run where it says.

    act takes no notice of environments: that a job waits for its reviewers is for GitHub to do.
    """
    gates = {
        "bump": "github_environment",
        "guard": "github_environment",
        "sync": "environment",
        "cleanup": "environment",
    }
    texts = {**callers(CALLED), "promote": gated()}
    act.label = "acme-linux"
    there = act.call(
        *(
            calling(
                text, runs_on='["self-hosted", "acme-linux"]', **({gates[name]: "release"} if name in gates else {})
            )
            for name, text in texts.items()
        )
    )
    world.now = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(days=1)
    world.release("bump", "devel", "v1.0.9", "--direct")
    world.release("retire", "devel", "v2", "--direct")
    swept = act.run("cleanup", "schedule", {}, *there)
    assert "v2" not in world.state("devel", "release/devel").retired
    assert "| remove | v2 |" in swept.summary
    asked_there = act.run("bump", "workflow_dispatch", {"inputs": BUILD}, *inputs(BUILD), *there)
    assert asked_there.output("changed") == "true"
    assert world.lines("devel", "release/devel")[-1].intent.provenance["digest"] == BUILD["digest"]
    world.git("update-ref", "refs/pull/1/merge", world.refs()["refs/heads/release/devel"], cwd=world.origin)
    done = act.run("check", "pull_request", pull_request(1, "release/devel"), *there, code=None)
    assert "### check: right" in done.summary, done.said
    asked = {"from": "devel", "to": "staging"}
    act.run("promote", "workflow_dispatch", {"inputs": asked}, *inputs(asked), *there)
    assert world.lines("staging", "release/staging")[-1].intent.operation == "promote"
    for name, event in (("sync", "push"), ("guard", "workflow_dispatch")):
        ran = act.run(name, event, {"ref": "refs/heads/main"}, *there, code=None)
        assert f"release {name} --" in ran.said


def gated() -> str:
    """The caller of promote that names the environment."""
    (text,) = [one for name, one in shown(CALLED) if name == "promote" and "\n      environment: " in one]
    return text


def test_a_sender_of_repository_dispatch_is_heard(world: World, act: Act) -> None:
    (text,) = [one for name, one in shown(CALLED) if name == "bump" and "client_payload.tag" in one]
    done = act.run("bump", "repository_dispatch", built(), *act.call(text))
    assert done.output("changed") == "true"
    assert world.state("devel", "release/devel").live["v5"] == "v1.0.5"


def test_the_variables_of_an_organisation_say_how_jobs_run(world: World, act: Act) -> None:
    act.label = "acme-linux"
    variables = {"RUNS_ON": "acme-linux", "PYTHON_VERSION": "3.12", "COMMITTER": "Bot <bot@acme.test>"}
    options = [word for name, value in variables.items() for word in ("--var", f"RELEASE_{name}={value}")]
    there = act.call(callers(CALLED)["bump"])
    done = act.run("bump", "workflow_dispatch", {"inputs": BUILD}, *inputs(BUILD), *options, *there)
    assert "Python 3.12 is set up" in done.said
    assert world.git("log", "-1", "--format=%cn <%ce>", "release/devel", cwd=world.origin) == variables["COMMITTER"]


def test_a_job_of_ones_own_needs_nothing_but_the_action(world: World, act: Act) -> None:
    """What the documentation shows for a server that tells a called workflow nothing of its own repository."""
    (text,) = [one for _, one in shown() if "platform/release@" in one]
    act.label = "self-hosted"
    asked = {"environment": "devel", "tag": "v1.0.5", "digest": ""}
    act.run("bump", "workflow_dispatch", {"inputs": asked}, *inputs(asked), *act.call(text))
    assert world.state("devel", "release/devel").live["v5"] == "v1.0.5"


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="there is no OpenSSH: apt install openssh-client")
def test_secrets_that_a_caller_hands_on_log_in_and_sign(world: World, act: Act, tmp_path: Path) -> None:
    with real_registry.guarded(tmp_path, "robot$ci", "s3cret:of the robot") as registry:
        digest = registry.push("team/engine", "v1.0.5")
        image = f"registry: {{image: {registry.image('team/engine')}, verify: digest, plain_http: true}}\n"
        world.commit({"release.yaml": world.file("release.yaml") + image}, "Verify")
        given = {"registry": registry.host, "registry_username": "robot$ci", "from_registry": True}
        given |= {"committer": "Bot <bot@acme.test>", "tag": ""}
        names = ("RELEASE_REGISTRY_PASSWORD", "RELEASE_SIGNING_KEY")
        there = act.call(calling(callers(CALLED)["bump"], secrets=names, **given))
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True, timeout=60
        )
        key = (tmp_path / "key").read_text("utf-8")
        secrets = ("-s", "RELEASE_REGISTRY_PASSWORD=s3cret:of the robot", "-s", f"RELEASE_SIGNING_KEY={key}")
        asked = {"environment": "devel", "tag": ""}
        done = act.run("bump", "workflow_dispatch", {"inputs": asked}, *inputs(asked), *secrets, *there)
    assert world.state("devel", "release/devel").versions["v5"] == f"v1.0.5@{digest}"
    (tmp_path / "allowed").write_text(f"bot@acme.test {(tmp_path / 'key.pub').read_text('utf-8')}", "utf-8")
    allowed = ("-c", f"gpg.ssh.allowedSignersFile={tmp_path / 'allowed'}")
    git(*allowed, "verify-commit", world.refs()["refs/heads/release/devel"], cwd=world.origin)
    assert not [word for word in ("s3cret", key.splitlines()[1]) if word in done.log]


def pull_request(number: int, head: str) -> dict[str, Any]:
    whole = {"full_name": REPOSITORY}
    sides = {"head": {"ref": head, "repo": whole}, "base": {"ref": "main", "repo": whole, "sha": BASE}}
    return {"action": "opened", "number": number, "pull_request": {"number": number, **sides}}


def test_a_pull_request_that_breaks_a_rule_is_annotated_at_its_line(world: World, act: Act) -> None:
    broken = world.tags().replace("v1.0.2", "v1.0.2 bad")
    tip = world.commit({"environments/devel/image_tag.yaml": broken}, "By hand", "hand")
    world.git("update-ref", "refs/pull/7/merge", tip, cwd=world.origin)
    done = act.run("check", "pull_request", pull_request(7, "hand"), "-j", "check", code=1)
    assert "::error file=environments/devel/image_tag.yaml,line=4,col=5,title=release check::" in done.said
    assert "### check: 1 findings" in done.summary


def test_a_right_pull_request_passes_the_check(world: World, act: Act) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.git("update-ref", "refs/pull/1/merge", world.refs()["refs/heads/release/devel"], cwd=world.origin)
    done = act.run("check", "pull_request", pull_request(1, "release/devel"), "-j", "check")
    assert "### check: right" in done.summary
    assert f"the tool of {REPOSITORY} at {BASE}" in done.said, "and never the proposal's own"


def test_a_group_of_the_merge_queue_is_checked(world: World, act: Act) -> None:
    world.release("bump", "devel", "v1.0.5")
    queued = "refs/heads/gh-readonly-queue/main/pr-1-0123"
    world.git("update-ref", queued, world.refs()["refs/heads/release/devel"], cwd=world.origin)
    group = {"head_ref": queued, "base_ref": "refs/heads/main", "base_sha": BASE}
    event = {"action": "checks_requested", "merge_group": group}
    done = act.run("check", "merge_group", event, "-j", "check", code=None)
    assert "### check: right" in done.summary, done.said
    assert f"the tool of {REPOSITORY} at refs/heads/main" in done.said, "of what has landed, not of the group before"


def test_a_pull_request_from_a_fork_gets_no_comment(world: World, act: Act) -> None:
    event = pull_request(1, "main")
    event["pull_request"]["head"]["repo"] = {"full_name": "somebody/shop"}
    done = act.run("check", "pull_request", event, "-j", "difference")
    assert "Show the difference" not in {one.get("step") for one in done.records}


def test_the_token_is_in_no_log(world: World, act: Act) -> None:
    done = act.run("bump", "repository_dispatch", built(), "--insecure-secrets", "--env", "RUNNER_DEBUG=1")
    assert act.token not in done.log
    assert all(act.token not in path.read_text("utf-8") for path in done.uploads.rglob("*") if path.is_file())
