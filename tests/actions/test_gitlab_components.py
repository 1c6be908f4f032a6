"""The components for GitLab CI, run by gitlab-ci-local, against a repository whose pull requests are kept in itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from gitlab_ci import Pipelines, caller
from gitlab_standin import GitLab
from origin import git
from world import World

from release_tool.config.reader import load

pytestmark = pytest.mark.slow

BUILD = {
    "environment": "devel",
    "tag": "v1.0.5",
    "image": "registry.example.com/acme/engine",
    "digest": "sha256:" + "a" * 64,
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "build_url": "https://gitlab.example.com/acme/engine/-/pipelines/17",
}


@pytest.fixture(scope="session")
def project(tool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool as a project of GitLab."""
    place = tmp_path_factory.mktemp("project")
    shutil.copytree(tool, place, symlinks=True, dirs_exist_ok=True)
    for command in ("init -q -b main", "add -A", "-c user.name=a -c user.email=a@b.c commit -qm Begin"):
        git(*command.split(), cwd=place)
    return place


@pytest.fixture
def gitlab(world: World, project: Path, tmp_path: Path) -> Pipelines:
    config = load(world.file("release.yaml").encode(), "release.yaml")
    return Pipelines(tmp_path, project, caller(config))


def test_each_pipeline_has_the_jobs_that_it_is_for(gitlab: Pipelines) -> None:
    merge_request = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "3"}
    assert set(gitlab.names("merge_request_event", "feature", merge_request)) == {"release check", "release difference"}
    buttons = {"release promote devel to staging": "manual", "release promote staging to production": "manual"}
    always = "on_success"
    assert gitlab.names("push") == {"release check": always, "release sync": always, **buttons}
    assert gitlab.names("push", "release/devel") == {}
    assert set(gitlab.names("schedule")) == {"release cleanup"}
    assert set(gitlab.names("api", run="bump", environment="devel", tag="v1")) == {"release bump"}
    promote = "release promote devel to staging"
    assert gitlab.names("web", run="promote", to="staging") == {promote: always}
    assert set(gitlab.names("web", run="sync")) == {"release sync"}
    assert gitlab.names("web") == {}


def test_a_build_opens_a_pull_request_and_the_next_one_updates_it(world: World, gitlab: Pipelines) -> None:
    first = gitlab.run("release bump", run="bump", **BUILD)
    (pull,) = world.pulls()
    assert "v1.0.5" in pull["title"]
    (line,) = world.lines("devel", "release/devel")
    assert {line.intent.provenance[key] for key in ("image", "digest", "commit", "build")} == set(BUILD.values()) - {
        "devel",
        "v1.0.5",
    }
    assert line.intent.run == "https://gitlab.example.com/acme/shop/-/jobs/7001"
    assert line.intent.by == "ada"
    url = first.variables["RELEASE_PULL_REQUEST_URL"]
    assert first.variables == {
        "RELEASE_CHANGED": "true",
        "RELEASE_COMMIT": world.refs()["refs/heads/release/devel"],
        "RELEASE_PULL_REQUEST_NUMBER": "1",
        "RELEASE_PULL_REQUEST_URL": url,
    }
    assert "| add | v5 | v1.0.5 | bump |" in first.file("summary.md")
    assert json.loads(first.file("outcome.json"))["changed"] is True
    assert "glcbt-" not in first.log
    second = gitlab.run("release bump", run="bump", **{**BUILD, "tag": "v1.0.6"})
    assert second.variables["RELEASE_PULL_REQUEST_NUMBER"] == "1"
    again = gitlab.run("release bump", run="bump", **{**BUILD, "tag": "v1.0.6"})
    assert again.variables == {
        "RELEASE_CHANGED": "false",
        "RELEASE_PULL_REQUEST_NUMBER": "1",
        "RELEASE_PULL_REQUEST_URL": url,
    }


HOSTILE = [
    {"tag": 'x", expand: true}\n"evil": {script: [touch hacked]}'},
    {"tag": "$CI_JOB_TOKEN"},
    {"tag": "v1\n--direct"},
    {"image": "a\\x"},
    {"environment": "devel'; touch hacked; '"},
    {"run": "bump' || true"},
]


@pytest.mark.parametrize("given", HOSTILE)
def test_what_could_leave_its_quotes_starts_no_pipeline(gitlab: Pipelines, given: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match=r"(?i)regex|allowed options"):
        gitlab.names("api", **{"run": "bump", **BUILD, **given})


@pytest.mark.parametrize("tag", ["--direct", "it's; `touch hacked`", "*"])
def test_a_value_from_outside_is_one_argument_whatever_is_in_it(world: World, gitlab: Pipelines, tag: str) -> None:
    before = world.refs()
    done = gitlab.run("release bump", run="bump", code=1, **{**BUILD, "tag": tag})
    assert "is no image tag" in done.log
    assert world.refs() == before
    assert not list(gitlab.path.rglob("hacked"))


def test_a_promotion_by_its_button_and_by_a_pipeline_for_it(world: World, gitlab: Pipelines) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.merge(1)
    gitlab.run("release promote devel to staging", "push")
    assert world.state("staging", "release/staging").live["v5"] == "v1.0.5"
    done = gitlab.run("release promote devel to staging", run="promote", to="staging", reason="it's `ready`")
    assert done.variables["RELEASE_CHANGED"] == "false"


def test_schedule_and_push_sweep_and_synchronise(world: World, gitlab: Pipelines) -> None:
    world.release("bump", "devel", "v1.0.5")
    world.commit({"environments/devel/image_tag.yaml": world.tags() + "# by hand\n"}, "By hand")
    before = world.refs()["refs/heads/release/devel"]
    gitlab.run("release sync", "push")
    assert world.refs()["refs/heads/release/devel"] != before
    gitlab.run("release cleanup", "schedule")


def merge_request(**more: str) -> dict[str, str]:
    return {
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        **more,
    }


def test_a_merge_request_is_checked_merged_into_its_target(world: World, gitlab: Pipelines) -> None:
    """GitLab checks out the branch alone where no merge result is made: the tool merges."""
    world.commit({"environments/devel/values.yaml": "replicaCount: 2\n"}, "More", "feature")
    bad = world.tags().replace("v1.0.2", "v1.0.2 bad")
    good = gitlab.run("release check", "merge_request_event", "feature", more=merge_request())
    assert {one["severity"] for one in json.loads(good.file("code-quality.json"))} <= {"minor"}
    world.broken.add("devel")
    world.commit({"environments/devel/image_tag.yaml": bad}, "Broken", "feature")
    done = gitlab.run("release check", "merge_request_event", "feature", code=1, more=merge_request())
    (issue,) = [one for one in json.loads(done.file("code-quality.json")) if one["severity"] == "major"]
    assert issue["location"]["path"] == "environments/devel/image_tag.yaml"
    failed = [one for one in ET.fromstring(done.file("junit.xml")).iter("testcase") if one.find("failure") is not None]
    assert [one.get("name") for one in failed] == ["environments/devel/image_tag.yaml"]


def test_a_merge_result_of_gitlab_is_checked_as_it_was_checked_out(world: World, gitlab: Pipelines) -> None:
    git("fetch", "--quiet", str(world.origin), "main", cwd=gitlab.checkout)
    git("remote", "set-url", "origin", str(world.origin), cwd=gitlab.checkout)
    (gitlab.checkout / "environments/devel/image_tag.yaml").write_text("image: {tag: [v1 bad]}\n", "utf-8")
    git("remote", "add", "gcl-origin", "https://gitlab.example.com/acme/shop.git", cwd=gitlab.checkout)
    more = merge_request(CI_MERGE_REQUEST_EVENT_TYPE="merge_train")
    done = gitlab.run("release check", "merge_request_event", "feature", code=1, more=more)
    assert "'v1 bad' is no image tag" in done.log


def test_the_difference_is_a_file_and_no_note_without_a_token(world: World, gitlab: Pipelines) -> None:
    world.release("bump", "devel", "v1.0.5")
    more = merge_request(CI_MERGE_REQUEST_SOURCE_BRANCH_NAME="release/devel")
    done = gitlab.run("release difference", "merge_request_event", "release/devel", more=more)
    assert "v1.0.5" in done.file("difference-devel.diff")
    assert "devel: manifests" in done.file("summary.md")
    refused = gitlab.run(
        "release difference",
        "merge_request_event",
        "release/devel",
        code=None,
        more={**more, "RELEASE_COMMENT_TOKEN": "t"},
    )
    assert "keeps no comment up to date" in refused.log, "the forge of this test has no comments"


def test_a_job_opens_a_merge_request_on_gitlab_and_keeps_one_note(
    world: World, gitlab: Pipelines, forge: GitLab
) -> None:
    shop = forge.add_project("acme/shop", world.origin, members={"ada": "maintainer"})
    forge.add_project("acme/release", gitlab.server / "acme" / "release.git", members={"ada": "maintainer"})
    job = forge.add_token("ada", project="acme/shop", kind="job")
    here = {**forge.environment("acme/shop", job), "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1"}
    token, note = (forge.add_token(project="acme/shop", role=role) for role in ("developer", "reporter"))
    done = gitlab.run("release bump", run="bump", more={**here, "GITLAB_TOKEN": token.value}, **BUILD)
    assert "v1.0.5" in shop.merge_requests[1].title
    assert done.variables["RELEASE_PULL_REQUEST_NUMBER"] == "1"
    more = merge_request(CI_MERGE_REQUEST_SOURCE_BRANCH_NAME="release/devel", CI_MERGE_REQUEST_IID="1", **here)
    checked = gitlab.run("release check", "merge_request_event", "release/devel", more=more)
    for _ in range(2):
        noted = {**more, "RELEASE_COMMENT_TOKEN": note.value}
        shown = gitlab.run("release difference", "merge_request_event", "release/devel", more=noted)
    notes = [one for one in shop.notes.values() if "difference of the manifests" in one.body]
    assert len(notes) == 1
    for secret in (job, token, note):
        assert not any(secret.value in one.log for one in (done, checked, shown))


def test_a_tool_that_cannot_be_fetched_is_an_error_that_says_where(gitlab: Pipelines) -> None:
    text = (gitlab.checkout / ".pipeline.yml").read_text("utf-8")
    (gitlab.checkout / ".pipeline.yml").write_text(text.replace("tool: acme/release@", "tool: acme/other@"), "utf-8")
    done = gitlab.run("release bump", run="bump", code=1, **BUILD)
    assert f"release: error: the tool can't be fetched from file://{gitlab.server}/acme/other at " in done.log
    assert "Job token permissions" in done.log


def test_an_image_without_the_tool_is_an_error_with_the_inputs_to_give(gitlab: Pipelines) -> None:
    text = (gitlab.checkout / ".pipeline.yml").read_text("utf-8")
    (gitlab.checkout / ".pipeline.yml").write_text(
        text.replace(f"tool: acme/release@{gitlab.commit}", "tool: ''"), "utf-8"
    )
    done = gitlab.run("release bump", run="bump", code=1, **BUILD)
    assert "the image of this job doesn't hold the tool" in done.log
