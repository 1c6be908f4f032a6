"""Clients that nobody here wrote do a whole merge request on the stand-in of GitLab: python-gitlab and gitbeaker."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import gitlab as python_gitlab
import pytest
from gitlab import GitlabCreateError, GitlabMRClosedError
from gitlab_shop import PATH, Desk
from gitlab_standin.documented import GITBEAKER, MISSING


@pytest.fixture
def client(desk: Desk) -> Iterator[python_gitlab.Gitlab]:
    with python_gitlab.Gitlab(
        desk.gitlab.web, private_token=desk.token.value, per_page=2, retry_transient_errors=False
    ) as one:
        yield one


def test_python_gitlab_does_a_whole_merge_request(desk: Desk, client: python_gitlab.Gitlab) -> None:
    client.auth()
    assert client.user is not None
    assert client.user.username == desk.token.user.username
    assert client.version()[0] == "19.4.0-ee"
    project = client.projects.get(PATH)
    assert project.permissions["project_access"]["access_level"] == 40
    for name in ("devel", "staging", "prod"):
        desk.bo.push(f"release/{name}", {f"{name}.yaml": "tag: v4\n"})
    new = {"title": "Release", "target_branch": "main", "description": "What changes", "labels": ["release"]}
    made = project.mergerequests.create({**new, "source_branch": "release/devel", "reviewer_ids": [desk.alice.user.id]})
    with pytest.raises(GitlabCreateError, match="Another open merge request already exists"):
        project.mergerequests.create({**new, "source_branch": "release/devel"})
    others = [project.mergerequests.create({**new, "source_branch": f"release/{one}"}) for one in ("staging", "prod")]
    assert [one.iid for one in project.mergerequests.list(state="opened", iterator=True)] == [3, 2, 1]  # two pages
    assert made.asdict()["reviewers"][0]["username"] == "alice"
    note = made.notes.create({"body": "Look at this"})
    note.body = "Look at that"
    note.save()
    assert [one.body for one in made.notes.list(get_all=True)] == ["Look at that"]
    made.title, made.labels = "Release v5", ["release", "devel"]
    made.save()
    desk.alice.approve(made.iid)
    assert made.approvals.get().approved_by[0]["user"]["username"] == "alice"
    with pytest.raises(GitlabMRClosedError):
        made.merge(sha="0" * 40)
    made.merge(squash=True, should_remove_source_branch=True, sha=made.sha, merge_commit_message="Merged by a client")
    assert (made.state, desk.bare.message("main")) == ("merged", "Merged by a client")
    assert [one["iid"] for one in project.commits.get("main").merge_requests()] == [made.iid]
    assert {one.name for one in project.branches.list(get_all=True)} == {"main", "release/staging", "release/prod"}
    others[0].state_event = "close"
    others[0].save()
    project.branches.delete("release/prod")
    states = {one.iid: one.state for one in project.mergerequests.list(get_all=True)}
    assert states == {1: "merged", 2: "closed", 3: "closed"}


GITBEAKER_SCRIPT = """
import { Gitlab } from "@gitbeaker/rest";
const [host, token, path] = process.argv.slice(2);
const api = new Gitlab({ host, token });
const said = {};
const project = await api.Projects.show(path);
said.project = project.path_with_namespace;
const made = await api.MergeRequests.create(project.id, "release/devel", "main", "Release", { labels: "release" });
await api.MergeRequests.create(project.id, "release/devel", "main", "Again").catch((error) => {
  said.twin = [error.cause.response.status, error.cause.description];
});
await api.MergeRequestNotes.create(project.id, made.iid, "Look at this");
said.notes = (await api.MergeRequestNotes.all(project.id, made.iid)).map((note) => note.body);
await api.MergeRequests.edit(project.id, made.iid, { title: "Release v5" });
const found = await api.MergeRequests.all({ projectId: project.id, state: "opened", sourceBranch: "release/devel" });
said.found = found.map((one) => one.title);
const merged = await api.MergeRequests.merge(project.id, made.iid, { sha: made.sha });
said.merged = [merged.state, merged.merge_commit_sha];
said.branch = (await api.Branches.show(project.id, "main")).commit.id;
console.log(JSON.stringify(said));
"""


@pytest.mark.skipif(not GITBEAKER.exists() or not shutil.which("node"), reason=MISSING)
def test_gitbeaker_does_a_whole_merge_request(desk: Desk) -> None:
    desk.bo.push("release/devel", {"tags.yaml": "tag: v4\n"})
    done = subprocess.run(
        ["node", "--input-type=module", "-", desk.gitlab.web, desk.token.value, PATH],
        input=GITBEAKER_SCRIPT, cwd=GITBEAKER.parents[1], capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not done.stderr
    tip = desk.bare.tip("main")
    assert json.loads(done.stdout) == {
        "project": PATH, "twin": [409, '["Another open merge request already exists for this source branch: !1"]'],
        "notes": ["Look at this"], "found": ["Release v5"], "merged": ["merged", tip], "branch": tip,
    }  # fmt: skip
