"""A GitLab for tests: REST and git over HTTP on 127.0.0.1, over a bare repository, merging by real git.

It does what GitLab's documentation and sources say (16 and newer; `version=(16, 11)`); no GitLab was asked. Requests and
answers are compared with `api.yaml`, GitLab's description of its API as far as it is used here (`documented.py`).

    gitlab = GitLab()                                  # or GitLab(version=(16, 11), root="/gitlab", lazy_checks=0)
    project = gitlab.add_project("acme/platform/shop", path_of_a_bare_repository, members={"bo": "developer"})
    token = gitlab.add_token(project="acme/platform/shop")               # a project access token: a bot, a maintainer
    token = gitlab.add_token("bo", scopes=("read_api",), expires=…)      # a person's; kind="job" is CI_JOB_TOKEN
    gitlab.clone_url("acme/platform/shop")             # http://127.0.0.1:PORT/acme/platform/shop.git, oauth2 + the token
    gitlab.environment("acme/platform/shop", token)    # CI_SERVER_URL, CI_API_V4_URL, GITLAB_TOKEN or CI_JOB_TOKEN, …

People act through a hand, with the consequences that GitLab has (requests move along, close, count as merged):

    alice = gitlab.hand("acme/platform/shop", "alice")
    alice.merge(1, squash=True); alice.revert(1); alice.close(2); alice.reopen(2); alice.delete_branch("release/devel")
    alice.edit("release/devel", {"README.md": "by hand"}); alice.push("main", {"a": "b"}); alice.force_push("main", "main~2")
    alice.retarget(2, "next"); alice.rebase(2); alice.approve(2); alice.comment(2, "why?"); alice.thread(2, "Not yet")
    alice.pipeline("release/devel", "success"); alice.merge_train()

Settings are attributes: `project.merge_method = "ff"` (`merge`, `rebase_merge`), `.squash_option`, `.needs_pipeline`,
`.needs_resolved`, `.premium`, `.merge_trains`, `.archived`, `.protected["main"] = ProtectedBranch(1, "main", push=0)`,
`.rules.append(ApprovalRule(1, "Owners"))`, `.pipelines_on_push`, `.moved_from = ("old/shop",)`, … (`records.py`);
`gitlab.maintenance = True`. Faults are those of `forge_standin`: `gitlab.fault("POST", r"/merge_requests$", faults.…)`;
`token.limit = 3` answers 429 from then on.

What was asked: `gitlab.log`, `gitlab.calls("PUT", r"/merge$")`; what there is: `project.merge_requests[1]`,
`project.notes`, `project.bare.heads()`. `gitlab.verify()` asserts that it knew every request and that all agrees.
"""

from forge_standin import faults

import gitlab_standin.api_projects
import gitlab_standin.api_requests  # noqa: F401  these fill the table of routes
from gitlab_standin.changes import Refused
from gitlab_standin.gitlab import GitLab
from gitlab_standin.person import Hand
from gitlab_standin.records import LEVELS, ApprovalRule, MergeRequest, Project, ProtectedBranch, Token

__all__ = [
    "LEVELS",
    "ApprovalRule",
    "GitLab",
    "Hand",
    "MergeRequest",
    "Project",
    "ProtectedBranch",
    "Refused",
    "Token",
    "faults",
]
