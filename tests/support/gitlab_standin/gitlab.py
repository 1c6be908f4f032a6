"""GitLab's stand-in as tests handle it: projects, tokens, people, and the record of what was asked."""

from __future__ import annotations

import re
import secrets
import subprocess
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge_standin import Answer, Bare, Exchange, Request, Site

from gitlab_standin import git_side, rest
from gitlab_standin.changes import MERGE_REF, Changes, Refused, another
from gitlab_standin.person import Hand
from gitlab_standin.quick_actions import without_actions
from gitlab_standin.records import LEVELS, Label, MergeRequest, Note, Project, Token, User
from gitlab_standin.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_GIT = re.compile(r"/(?P<name>.+?)(\.git)?(?P<service>/(info/refs|git-upload-pack|git-receive-pack))")


class GitLab(Site):
    """A GitLab on 127.0.0.1. Use it as a context manager; how-to in `gitlab_standin/__init__.py`.

    Args:
        version: of the server; what came later isn't there.
        root: a path that all addresses begin with, as of a server that has no host of its own: `/gitlab`.
        lazy_checks: how many looks at a merge request say `checking` after each change of it.
        lazy_pushes: how many requests for the API find a project as it was before a push: GitLab takes them in behind it.
    """

    def __init__(
        self, *, version: tuple[int, int] = (19, 4), root: str = "", now: Callable[[], datetime] | None = None,
        lazy_checks: int = 1, lazy_pushes: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(now)
        self.began = self.now()
        self.version = version
        self.root = root
        self.lazy_checks = lazy_checks
        self.lazy_pushes = lazy_pushes
        self.maintenance = False  # read-only for everybody
        self.most_per_page = 100
        self.web += root
        self.api = f"{self.web}/api/v4"
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.projects: dict[str, Project] = {}
        self.ghost = self.user("ghost")
        self.shapes = Shapes(self)
        self.changes = Changes(self)

    # setting up

    def user(self, username: str) -> User:
        """Somebody, made on the first call."""
        with self.lock:
            if username not in self.users:
                self.users[username] = User(username, self.next_id(), bot=bool(re.fullmatch(r".+_bot_\w+", username)))
            return self.users[username]

    def add_project(self, path: str, folder: Path | None = None, **settings: Any) -> Project:
        """A project: over a bare repository that is there already, or a new one without a commit.

        `settings` are its attributes; `members`: user name -> role (`developer`) or access level.
        """
        if folder is None:
            folder = Path(self.folder.name, f"{path}.git")
            subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", folder], check=True)
        bare = Bare(folder)
        members = {name: LEVELS.get(role, role) for name, role in settings.pop("members", {}).items()}
        with self.lock:
            made = Project(
                self.next_id(), path, folder, bare, self.now(), refs=bare.heads(), members=members, **settings
            )
            self.projects[path] = made
        return made

    def add_token(
        self, username: str = "", *, project: str = "", role: str = "maintainer", kind: str = "", **more: Any
    ) -> Token:
        """A token with the scope `api`. With a project and no user name, the project's own with a bot and that role.

        `kind="job"` is CI_JOB_TOKEN of a pipeline that `username` started in the project.
        """
        kind = kind or ("personal" if username else "project")
        with self.lock:
            id_ = self.next_id()
            if kind == "project":
                username = f"project_{self.projects[project].id}_bot_{id_}"
                self.projects[project].members[username] = LEVELS[role]
            heads = {"job": "glcbt-", "deploy": "gldt-"}
            value = heads.get(kind, "glpat-") + secrets.token_hex(10)
            token = Token(value, id_, self.user(username), self.now(), kind, project=project, **more)
            self.tokens[value] = token
        return token

    def clone_url(self, path: str) -> str:
        return f"{self.web}/{path}.git"

    def hand(self, path: str, username: str = "alice", role: str = "maintainer") -> Hand:
        """Somebody who acts in a project; somebody without a role there gets one."""
        self.projects[path].members.setdefault(username, LEVELS[role])
        return Hand(self, self.projects[path], username)

    def environment(self, path: str, token: Token | None = None) -> dict[str, str]:
        """The variables that a job of GitLab CI has; a token of a job is CI_JOB_TOKEN, others are GITLAB_TOKEN."""
        project = self.projects[path]
        found = {
            "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": self.web, "CI_API_V4_URL": self.api,
            "CI_PROJECT_ID": str(project.id), "CI_PROJECT_PATH": path, "CI_PROJECT_URL": f"{self.web}/{path}",
            "CI_DEFAULT_BRANCH": project.default_branch, "CI_SERVER_HOST": "127.0.0.1",
        }  # fmt: skip
        if token:
            found["CI_JOB_TOKEN" if token.kind == "job" else "GITLAB_TOKEN"] = token.value
        return found

    # what a forge is

    def kind_of(self, path: str) -> tuple[str, str]:
        api = f"{self.root}/api/v4"
        if path.startswith(f"{api}/"):
            return "rest", path.removeprefix(api)
        return ("git" if _GIT.fullmatch(path) else "other"), path.removeprefix(self.root)

    def respond(self, request: Request, exchange: Exchange) -> Answer:
        with self.lock:
            try:
                if exchange.kind == "git" and (found := _GIT.fullmatch(exchange.path)):
                    return git_side.respond(self, found["name"], found["service"], request, exchange)
                return rest.respond(self, request, exchange)
            except Exception:
                self.crashes.append(f"{exchange}\n{traceback.format_exc()}")
                return Answer(500, {"message": "500 Internal Server Error"})

    def usual_headers(self) -> dict[str, str]:
        return {"X-Request-Id": secrets.token_hex(13).upper(), "X-Gitlab-Meta": '{"version":"1"}'}

    def verify(self) -> None:
        """Asserts that it knew every request, and that all agrees with what GitLab documents."""
        super().verify()
        from gitlab_standin import documented

        found = documented.violations(self.log)
        assert not found, "against GitLab's documentation of its API:\n" + "\n".join(found)

    # making things; the callers hold the lock

    def find(self, id_or_path: str) -> Project | None:
        """The project of a number or a path; also one that has moved since."""
        for one in self.projects.values():
            if id_or_path in (str(one.id), one.path, *one.moved_from):
                return one
        return None

    def new_request(
        self, project: Project, source: Project, author: User, title: str, description: str | None, branch: str,
        target: str,
    ) -> MergeRequest:  # fmt: skip
        """An open merge request. Refused in the order of GitLab's checks.

        A branch may be level with its target; before 19.0, it needn't be there at all.
        """
        if source is project and branch == target:
            raise Refused(422, ["You can't use same project/branch for source and target"])
        if twin := self.changes.twin(project, source, branch, target):
            raise Refused(409, [another(twin)])
        sha, base = source.bare.tip(branch), project.bare.tip(target)
        missing = {name: ["does not exist"] for name, at in (("source_branch", sha), ("target_branch", base)) if not at}
        if base is None or (sha is None and self.version >= (19, 0)):
            raise Refused(400, missing)
        if sha is None:
            sha, parted = "", base
        else:
            if source is not project:
                project.bare.git("fetch", "--quiet", str(source.folder), sha)
            parted = project.bare.merge_base(base, sha) or base
        now, iid = self.now(), max(project.merge_requests, default=0) + 1
        text, actions = without_actions(description)
        made = MergeRequest(
            self.next_id(), iid, title, text, author, source, branch, target, sha, parted, base, now, now,
            remove_source_branch=project.remove_source_branch, looks=self.lazy_checks,
            squash=project.squash_option in ("always", "default_on"),
        )  # fmt: skip
        project.merge_requests[iid] = made
        if sha:
            project.bare.move(f"{MERGE_REF}/{iid}/head", sha)
        self.act(project, made, author, actions)
        return made

    def retarget(self, project: Project, one: MergeRequest, branch: str) -> None:
        if twin := self.changes.twin(project, one.source, one.source_branch, branch, but=one):
            raise Refused(409, [another(twin)])
        base = project.bare.tip(branch)
        if base is None:
            raise Refused(400, {"target_branch": ["does not exist"]})
        one.target_branch, one.start_sha, one.looks = branch, base, self.lazy_checks
        one.base_sha = project.bare.merge_base(base, one.sha) or base

    def new_note(self, project: Project, one: MergeRequest, author: User, text: str) -> Note:
        now = self.now()
        note = Note(self.next_id(), one.iid, author, text, now, now)
        project.notes[note.id] = note
        one.updated_at = now
        return note

    def set_labels(self, project: Project, one: MergeRequest, names: list[str]) -> None:
        for name in names:
            project.labels.setdefault(name, Label(self.next_id(), name))
        one.labels = list(dict.fromkeys(names))

    def act(self, project: Project, one: MergeRequest, who: User, actions: list[tuple[str, str]]) -> None:
        """Does what quick actions in a text say; those that nobody here needs have no effect."""
        for name, rest_ in actions:
            if name == "close":
                self.changes.close(project, one, who)
            elif name == "reopen":
                self.changes.reopen(project, one)
            elif name == "title":
                one.title = rest_
            elif name == "draft" and not one.draft:
                one.title = f"Draft: {one.title}"
            elif name in ("label", "labels"):
                self.set_labels(project, one, [*one.labels, *re.findall(r'~"?([^~"]+?)"?(?=\s|$)', rest_)])
            elif name == "target_branch":
                self.retarget(project, one, rest_)
            elif name == "approve":
                one.approvals[who.username] = self.now()
            elif name == "merge":
                self.changes.merge_soon(project, one, who)
