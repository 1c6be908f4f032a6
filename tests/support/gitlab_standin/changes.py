"""What follows when a branch moves, and merging by real git: merge commits, semi-linear, fast-forward, squashes, trains."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from forge_standin.bare import Conflict, Person

from gitlab_standin.records import ACTIVE, LEVELS, AutoMerge, MergeRequest, Note, Pipeline

if TYPE_CHECKING:
    from gitlab_standin.gitlab import GitLab
    from gitlab_standin.records import Project, User

MERGE_REF = "refs/merge-requests"


class Refused(Exception):
    """What a person or a client wants can't be done now; `status` and `message` are the API's."""

    def __init__(self, status: int, message: object) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class Changes:
    """The life of branches and merge requests. The callers hold the lock."""

    def __init__(self, gitlab: GitLab) -> None:
        self._gitlab = gitlab

    # branches move

    def notice(self, project: Project, actor: User) -> None:
        """Takes in what has happened to the branches since the last look, whoever did it, and however."""
        actor, project.pusher, project.behind = project.pusher or actor, None, 0
        before, after = project.refs, project.bare.heads()
        if before != after:
            project.refs = after
            moved = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
            for name in moved:
                if project.pipelines_on_push and name in after:
                    self.pipeline(project, name, after[name], "running")
                self._moved(project, name, before.get(name), after.get(name), actor)
        for target in self._gitlab.projects.values():
            self.settle(target)

    def look(self, project: Project) -> None:
        """Before a request for the API: GitLab takes in a push only some time after it."""
        if project.behind:
            project.behind -= 1
        else:
            self.notice(project, self._gitlab.ghost)

    def _moved(self, project: Project, name: str, old: str | None, new: str | None, actor: User) -> None:
        """In GitLab's order: close what lost its branch, count as merged what the base holds now, then reload."""
        requests = [(target, one) for target in self._gitlab.projects.values() for one in target.opened()]
        for target, one in requests:
            if one.source is project and one.source_branch == name:
                if new is None:
                    self.close(target, one, actor)
                elif new != one.sha:
                    self._head_moved(target, one, new, actor)
        for one in project.opened():
            if one.target_branch == name and new is not None:
                one.looks = self._gitlab.lazy_checks
                came = old is not None and old != new and project.bare.ahead(old, new)
                if came and one.sha in came and one.commits(project.bare):
                    self._merged_by_git(project, one, old or "", new, actor)
                elif (wait := one.auto_merge) and self._must_rebase(project, one):
                    one.auto_merge = None if wait.strategy == "merge_when_checks_pass" else wait

    def _head_moved(self, project: Project, one: MergeRequest, new: str, actor: User) -> None:
        if one.source is not project:
            project.bare.git("fetch", "--quiet", str(one.source.folder), new)
        base = project.bare.tip(one.target_branch)
        one.sha, one.merge_error, one.updated_at = new, None, self._gitlab.now()
        one.base_sha = (base and project.bare.merge_base(base, new)) or one.base_sha
        one.start_sha = base or one.start_sha
        one.looks = self._gitlab.lazy_checks
        project.bare.move(f"{MERGE_REF}/{one.iid}/head", new)
        if one.auto_merge and one.auto_merge.sha != new:
            one.auto_merge = None
            self.say(project, one, actor, "aborted the automatic merge because the source branch was updated")
        if project.premium and project.reset_approvals_on_push:
            one.approvals.clear()
        if one.iid in project.train:
            project.train.remove(one.iid)

    def _merged_by_git(self, project: Project, one: MergeRequest, old: str, new: str, actor: User) -> None:
        """Somebody merged by git and pushed: the commit on the base's own line that brought the head."""
        line = project.bare.git("rev-list", "--first-parent", "--reverse", f"{old}..{new}").split()
        commit = next(each for each in line if project.bare.contains(each, one.sha))
        one.landed = [*one.commits(project.bare), commit]
        one.merge_commit = commit
        self._merged(project, one, actor)

    def close(self, project: Project, one: MergeRequest, by: User) -> None:
        one.state, one.closed_by, one.auto_merge = "closed", by, None
        one.closed_at = one.updated_at = self._gitlab.now()
        if one.iid in project.train:
            project.train.remove(one.iid)

    def reopen(self, project: Project, one: MergeRequest) -> None:
        """Opens a closed one again; where its branch is gone, GitLab says nothing and leaves it closed."""
        tip = one.source.bare.tip(one.source_branch)
        if one.state != "closed" or tip is None:
            return
        if twin := self.twin(project, one.source, one.source_branch, one.target_branch, but=one):
            raise Refused(409, [another(twin)])
        one.state, one.closed_at, one.closed_by, one.updated_at = "opened", None, None, self._gitlab.now()
        self._head_moved(project, one, tip, one.author)

    def twin(
        self, project: Project, source: Project, branch: str, target: str, but: MergeRequest | None = None
    ) -> MergeRequest | None:
        return next(
            (
                each for each in project.opened()
                if each is not but and each.source is source
                and (each.source_branch, each.target_branch) == (branch, target)
            ),
            None,
        )  # fmt: skip

    def _merged(self, project: Project, one: MergeRequest, by: User) -> None:
        one.state, one.merged_by, one.auto_merge, one.merge_error = "merged", by, None, None
        one.merged_at = one.updated_at = self._gitlab.now()
        if one.iid in project.train:
            project.train.remove(one.iid)

    def say(self, project: Project, one: MergeRequest, who: User, text: str) -> None:
        """A system note."""
        now = self._gitlab.now()
        note = Note(self._gitlab.next_id(), one.iid, who, text, now, now, system=True)
        project.notes[note.id] = note

    def pipeline(self, project: Project, ref: str, sha: str, status: str) -> Pipeline:
        """The pipeline of a commit gets another status; the first time it is made."""
        now = self._gitlab.now()
        known = next((each for each in reversed(project.pipelines) if each.sha == sha), None)
        if known is None:
            known = Pipeline(self._gitlab.next_id(), len(project.pipelines) + 1, ref, sha, status, now, now)
            project.pipelines.append(known)
        known.status, known.updated_at = status, now
        return known

    # what stands in the way of a merge

    def obstacle(self, project: Project, one: MergeRequest, *, skip_ci: bool = False) -> str:
        """The first check that fails, in the words of `detailed_merge_status`; "" where it can be merged."""
        if found := self._state_obstacle(project, one):
            return found
        if not skip_ci and (found := self._ci_obstacle(project, one)):
            return found
        if self._conflicts(project, one):
            return "conflict"
        return "need_rebase" if self._must_rebase(project, one) else ""

    def _state_obstacle(self, project: Project, one: MergeRequest) -> str:
        if one.state != "opened":
            return "not_open"
        if one.draft:
            return "draft_status"
        base = project.bare.tip(one.target_branch)
        if base is None or one.source.bare.tip(one.source_branch) is None or not project.bare.ahead(base, one.sha):
            return "commits_status"
        threads = [note for note in project.notes.values() if note.iid == one.iid and note.resolved is False]
        if project.needs_resolved and threads:
            return "discussions_not_resolved"
        return "not_approved" if self.approvals_left(project, one) else ""

    def _ci_obstacle(self, project: Project, one: MergeRequest) -> str:
        pipeline = project.head_pipeline(one)
        enough = ("success", "skipped") if project.skipped_pipeline_is_enough else ("success",)
        if not project.needs_pipeline or (pipeline and pipeline.status in enough):
            return ""
        return "ci_still_running" if pipeline and pipeline.status in ACTIVE else "ci_must_pass"

    def _conflicts(self, project: Project, one: MergeRequest) -> bool:
        base = project.bare.tip(one.target_branch)
        if base is None:
            return True
        try:
            project.bare.merged_tree(base, one.sha)
        except Conflict:
            return True
        return False

    def _must_rebase(self, project: Project, one: MergeRequest) -> bool:
        base = project.bare.tip(one.target_branch)
        return project.merge_method != "merge" and base is not None and not project.bare.contains(one.sha, base)

    def approvals_left(self, project: Project, one: MergeRequest) -> int:
        """How many approvals are missing, over all rules that count for its target branch."""
        if not project.premium:
            return 0
        left = 0
        for rule in project.rules:
            if rule.branches and one.target_branch not in rule.branches:
                continue
            given = [
                name for name in one.approvals
                if name in (rule.users or project.members) and (project.author_approves or name != one.author.username)
            ]  # fmt: skip
            left += max(rule.required - len(given), 0)
        return left

    def _old(self, status: str) -> str:
        """Before 17, one word for what can't be merged as it stands."""
        older = self._gitlab.version < (17, 0) and status in ("commits_status", "conflict")
        return "broken_status" if older else status

    def detailed_status(self, project: Project, one: MergeRequest, *, look: bool = True) -> tuple[str, str]:
        """`merge_status` and `detailed_merge_status`. Each look at a single one brings the check nearer its end."""
        if one.state == "opened" and not one.prepared:
            one.prepared = look
            return "checking", "preparing"
        if one.state == "opened" and one.looks:
            one.looks -= look
            return "checking", "checking"
        stuck = self.obstacle(project, one, skip_ci=True)
        broken = one.state == "opened" and (stuck == "commits_status" or self._conflicts(project, one))
        status = self._old(stuck) or self._ci_obstacle(project, one) or "mergeable"
        return "cannot_be_merged" if broken else "can_be_merged", status

    # merging

    def accept(self, project: Project, one: MergeRequest, by: User, wish: AutoMerge | None, now: AutoMerge) -> None:
        """`PUT …/merge`: with `wish` by the auto-merge, else at once as `now` has it. In the order of GitLab's checks.

        Since 19.1, the auto-merge of a project with merge trains is its train.
        """
        if not project.may_merge(by, one.target_branch):
            raise Refused(401, "401 Unauthorized")
        pipeline = project.head_pipeline(one)
        passed = pipeline is not None and pipeline.status == "success"
        train = wish is not None and project.merge_trains and self._gitlab.version >= (19, 1)
        can_wait = wish is not None and (self._can_wait(project, one) or (train and one.state == "opened"))
        at_once = passed if wish else not (self._state_obstacle(project, one) or self._ci_obstacle(project, one))
        if not at_once and not can_wait:
            raise Refused(405, "405 Method Not Allowed")
        if not can_wait and self.obstacle(project, one):
            raise Refused(422, "Branch cannot be merged")
        if (wish or now).sha not in ("", one.sha):
            raise Refused(409, f"SHA does not match HEAD of source branch: {one.sha}")
        if (wish or now).squash:
            one.squash = True
        if at_once and not train:
            self.merge(project, one, by, now)
        elif wish:
            wish.sha = one.sha
            one.auto_merge, one.should_remove = wish, wish.remove_source_branch
            self.say(project, one, by, f"enabled an automatic merge when all merge checks for {one.sha} pass")
            self.settle(project)

    def merge_soon(self, project: Project, one: MergeRequest, by: User) -> None:
        """The quick action `/merge`: by the auto-merge where something is still missing, else at once; or nothing."""
        wish = AutoMerge(by, self.strategy(project), one.sha, None, None, None, None)
        with suppress(Refused):
            self.accept(project, one, by, wish if self._can_wait(project, one) else None, wish)

    def strategy(self, project: Project) -> str:
        if self._gitlab.version < (17, 7):
            return "merge_when_pipeline_succeeds"
        return "add_to_merge_train_when_checks_pass" if project.merge_trains else "merge_when_checks_pass"

    def _can_wait(self, project: Project, one: MergeRequest) -> bool:
        pipeline = project.head_pipeline(one)
        running = pipeline is not None and pipeline.status in ACTIVE
        if one.state != "opened":
            return False
        return running if self._gitlab.version < (17, 7) else running or bool(self.obstacle(project, one))

    def settle(self, project: Project) -> None:
        """Merges what waits for it by itself and may go on now."""
        for one in project.opened():
            wait, pipeline = one.auto_merge, project.head_pipeline(one)
            if wait is None or self.obstacle(project, one) or (pipeline and pipeline.status != "success"):
                continue
            if "merge_train" in wait.strategy:
                if one.iid not in project.train:
                    project.train.append(one.iid)
            else:
                self.merge(project, one, wait.user, wait)

    def merge(self, project: Project, one: MergeRequest, by: User, how: AutoMerge) -> None:
        """Makes the commits, moves the base, removes the branch and sends what targeted it to where it went."""
        bare, base, now = project.bare, project.bare.tip(one.target_branch), self._gitlab.now()
        assert base is not None
        merger = Person(by.name, by.email)
        squashed = project.squash_option == "always" or (one.squash and project.squash_option != "never")
        head, one.landed = one.sha, bare.ahead(base, one.sha)
        try:
            if squashed and (len(one.landed) > 1 or how.squash_message):
                onto = base if project.merge_method == "ff" else one.start_sha
                author, tree = Person(one.author.name, one.author.email), bare.merged_tree(onto, one.sha)
                head = bare.write(tree, [onto], how.squash_message or one.title, author, merger, now)
                one.squash_commit = head
                one.landed.append(head)
            if project.merge_method != "ff":
                words = how.message or (
                    f"Merge branch '{one.source_branch}' into '{one.target_branch}'\n\n{one.title}\n\n"
                    f"See merge request {project.path}!{one.iid}"
                )
                head = bare.write(bare.merged_tree(base, head), [base, head], words, merger, merger, now)
                one.merge_commit = head
                one.landed.append(head)
        except Conflict:
            raise Refused(422, "Branch cannot be merged") from None
        bare.move(f"refs/heads/{one.target_branch}", head, base)
        self._merged(project, one, by)
        remove = how.remove_source_branch if how.remove_source_branch is not None else one.should_remove
        if (remove or one.remove_source_branch) and self._may_remove(one, by):
            one.source.bare.move(f"refs/heads/{one.source_branch}", None)
            for other in project.opened():
                if other.target_branch == one.source_branch and one.source is project:
                    other.target_branch = one.target_branch
        self.notice(project, by)

    def _may_remove(self, one: MergeRequest, by: User) -> bool:
        source, branch = one.source, one.source_branch
        kept = source.protections(branch) or branch == source.default_branch
        return not kept and source.level(by) >= LEVELS["developer"] and source.bare.tip(branch) == one.sha

    def rebase(self, project: Project, one: MergeRequest, by: User) -> None:
        """Makes the head's commits anew on the base. What can't be rebased gets a `merge_error`."""
        base = project.bare.tip(one.target_branch)
        if one.state != "opened" or base is None or not one.source.may_push(by, one.source_branch):
            raise Refused(403, "403 Forbidden - Cannot push to source branch")
        try:
            made = project.bare.rebased(base, one.sha, Person(by.name, by.email), self._gitlab.now())
        except Conflict:
            one.merge_error = "Rebase failed: Rebase locally, resolve all conflicts, then push the branch."
            return
        tip = [base, *made][-1]
        if one.source is not project:
            one.source.bare.git("fetch", "--quiet", str(project.folder), tip)
        one.source.bare.move(f"refs/heads/{one.source_branch}", tip, one.sha)
        self.notice(one.source, by)


def another(twin: MergeRequest) -> str:
    return f"Another open merge request already exists for this source branch: !{twin.iid}"
