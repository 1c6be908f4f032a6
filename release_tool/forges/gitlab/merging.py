"""How merge requests stand with merging, GitLab's auto-merge, and its merge trains.

Sources (docs.gitlab.com): "Merge requests API" (sections "Merge status" and "Merge a merge request"), "Auto-merge",
"Merge trains API", "Merge methods".
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from release_tool.errors import Refused, ReleaseError, TryAgain
from release_tool.forges.answers import AGAIN, AnswerLost, Purpose
from release_tool.forges.gitlab import pulls
from release_tool.forges.gitlab.dialect import API, MERGE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from release_tool.forges.client import ForgeClient
    from release_tool.forges.gitlab.address import ProjectAddress
    from release_tool.forges.gitlab.pulls import MergeRequestStanding
    from release_tool.model.records import CommitId

_STANDING = Purpose("read how a merge request stands", "read_api")
_PROJECT = Purpose("read how the project merges", "read_api")
_MERGE = Purpose(MERGE, API)
_CANCEL = Purpose("cancel auto-merge", API)

_PAUSES = (0.5, 1.0, 2.0, 3.0)  # seconds; GitLab finds out in the background, within a second or two
_UNSETTLED = frozenset({"", "unchecked", "checking", "preparing", "approvals_syncing"})
_BEHIND = frozenset({"need_rebase"})
# What no waiting of ours or GitLab's changes, each with what stands in the way.
_NEVER = {
    "conflict": "it conflicts with the base",
    "broken_status": "it conflicts with the base",
    "draft_status": "it is a draft: mark it as ready",
    "commits_status": "its source branch has no commits, or doesn't exist",
    "not_open": "it is not open",
    "requested_changes": "a reviewer asked for changes",
    "blocked_status": "another merge request must be merged before it",
    "merge_request_blocked": "another merge request must be merged before it",
    "jira_association_missing": "its title or description must name an issue of Jira",
    "locked_paths": "somebody locked a path that it changes",
    "locked_lfs_files": "somebody locked a file that it changes",
    "title_regex": "its title does not match the pattern that the project demands",
    "title_not_matching": "its title does not match the pattern that the project demands",
    "security_policy_violations": "a security policy of the project is against it",
}
# What an older GitLab doesn't wait for by itself.
_WAITED_FOR = {
    "not_approved": "it lacks an approval",
    "ci_must_pass": "its pipeline must succeed, and there is none that runs",
    "ci_still_running": "its pipeline is still running",
    "discussions_not_resolved": "a thread is not resolved",
    "external_status_checks": "an external status check must pass",
    "status_checks_must_pass": "an external status check must pass",
    "security_policy_pipeline_check": "a security policy waits for a pipeline",
    "merge_time": "it may be merged only after a set time",
}


class MergeRequestMerging:
    """Looks at what a merge still needs, and leaves the merge to GitLab. Errors as of every method in `base.py`."""

    def __init__(
        self, address: ProjectAddress, client: ForgeClient, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._address = address
        self._client = client
        self._sleep = sleep

    def standing(self, number: int) -> MergeRequestStanding:
        path = f"{self._address.path}/merge_requests/{number}"
        return pulls.standing(self._client.get(path, _STANDING), self._address.url(number))

    def project(self) -> Mapping[str, Any]:
        """The project's settings, as the API names them."""
        found = self._client.get(self._address.path, _PROJECT)
        return found if isinstance(found, dict) else {}

    def when_ready(self, number: int, head_commit: CommitId) -> str:
        """Merges a merge request at once where nothing is demanded, else leaves it to GitLab, bound to its head.

        Arguments, result and refusals are those of `Forge.merge_when_ready`.
        """
        now = self._settled(number, head_commit)
        if now.state == "merged":
            return "merged"
        self._demand_ready(number, now, head_commit)
        if now.auto_merge:  # a push takes it back, unless it brings the same head
            return "waiting"
        trains = self.project().get("merge_trains_enabled") is True
        if now.status in _BEHIND and not trains:  # a train makes the merge anew itself
            raise TryAgain(
                f"{self._name(number)} is behind the base, and the project merges by fast-forward only",
                where=self._address.url(number),
                hint="`release sync` makes its branch again on the base's tip",
            )
        if trains:
            return self._train(number, head_commit)
        if now.status == "mergeable":
            return self.merge(number, {"sha": head_commit, "should_remove_source_branch": True})
        return self._by_itself(number, head_commit)

    def merge(self, number: int, body: Mapping[str, Any]) -> str:
        """Merges now. The body binds it to a head; `waiting`: GitLab took it for auto-merge instead."""
        path = f"{self._address.path}/merge_requests/{number}/merge"
        try:
            found = self._client.change("PUT", path, body, _MERGE)
        except TryAgain:
            if self.standing(number).state == "merged":  # by the attempt whose answer was lost
                return "merged"
            raise
        except ReleaseError as error:
            now = self.standing(number)
            if now.state == "merged":
                return "merged"
            raise self._refused(number, now, error) from error
        return self._became(number, pulls.standing(found, self._address.url(number)))

    def now(self, number: int, method: str, head_commit: CommitId) -> None:
        """Merges a head at once: by `merge` in the project's own way, by `squash`, by `rebase` if that is its way.

        Raises:
            Refused: the project merges in another way, or GitLab does not merge it.
        """
        project, where = self.project(), self._address.url(number)
        if project.get("merge_trains_enabled") is True:
            what = "the project merges by merge trains, and a merge past the train would stop it"
            raise Refused(what, where=where, hint="start the merge train on that page")
        other = "leave --method out, or change Settings, Merge requests"
        if method == "squash" and project.get("squash_option") == "never":
            raise Refused("the project does not squash commits", where=where, hint=other)
        if method == "rebase" and project.get("merge_method") != "ff":
            raise Refused("the project merges by a merge commit", where=where, hint=other)
        body: dict[str, Any] = {"sha": head_commit, "should_remove_source_branch": True}
        self.merge(number, {**body, "squash": True} if method == "squash" else body)

    def disable(self, number: int) -> None:
        now = self.standing(number)
        if now.auto_merge and now.state == "opened":  # also takes it off a merge train
            path = f"{self._address.path}/merge_requests/{number}/cancel_merge_when_pipeline_succeeds"
            self._client.change("POST", path, {}, _CANCEL)

    # -- one step each

    def _by_itself(self, number: int, head_commit: CommitId) -> str:
        # Both names of one switch: `auto_merge` since 17.11, the other one before. Each version ignores what it
        # doesn't know.
        both = {"auto_merge": True, "merge_when_pipeline_succeeds": True}
        return self.merge(number, {"sha": head_commit, "should_remove_source_branch": True, **both})

    def _train(self, number: int, head_commit: CommitId) -> str:
        path = f"{self._address.path}/merge_trains/merge_requests/{number}"
        body = {"sha": head_commit, "auto_merge": True, "when_pipeline_succeeds": True}
        tries = 0
        while True:
            try:
                self._client.create(path, body, _MERGE)
            except (AnswerLost, ReleaseError) as error:
                now = self.standing(number)
                if now.state == "merged":
                    return "merged"
                if now.auto_merge:  # by the attempt whose answer was lost, or by somebody else
                    return "waiting"
                if isinstance(error, AnswerLost):
                    self._client.pause(error, tries)
                    tries += 1
                elif isinstance(error, TryAgain):
                    raise
                else:
                    raise self._refused(number, now, error) from error
            else:
                return "waiting"

    def _became(self, number: int, now: MergeRequestStanding) -> str:
        """What became of a merge that GitLab took: some versions do it in the background."""
        for pause in _PAUSES:
            if now.state == "merged":
                return "merged"
            if now.state == "closed" or now.error:
                said = now.error or "it was closed"
                raise Refused(f"GitLab could not merge it: {said}", where=self._address.url(number), hint=_HINT)
            if now.auto_merge:
                return "waiting"
            self._sleep(pause)
            now = self.standing(number)
        if now.state == "merged":
            return "merged"
        raise TryAgain(f"{self._name(number)} is still being merged", where=self._address.url(number), hint=AGAIN)

    def _settled(self, number: int, head_commit: CommitId) -> MergeRequestStanding:
        """How it stands, once GitLab knows: it takes in a push, and tries a merge, in the background."""
        now = self.standing(number)
        for pause in _PAUSES:
            if now.state not in {"opened", "locked"} or (
                now.state == "opened" and now.status not in _UNSETTLED and now.head_commit == head_commit
            ):
                return now
            self._sleep(pause)
            now = self.standing(number)
        if now.state == "locked" or (now.head_commit == head_commit and now.status in _UNSETTLED):
            what = f"GitLab has not found out yet whether {self._name(number)} can be merged"
            raise TryAgain(what, where=self._address.url(number), hint=AGAIN)
        return now

    def _demand_ready(self, number: int, now: MergeRequestStanding, head_commit: CommitId) -> None:
        where = self._address.url(number)
        if now.state != "opened":
            raise Refused(f"{self._name(number)} is {now.state}", where=where)
        if now.head_commit != head_commit:
            raise Refused(f"the head of {self._name(number)} has moved", where=where)
        if now.status in _NEVER:
            raise Refused(f"{self._name(number)} can't be merged: {_NEVER[now.status]}", where=where)

    def _refused(self, number: int, now: MergeRequestStanding, error: ReleaseError) -> Refused:
        """The refusal of a merge: what GitLab says of it, and how the merge request stands."""
        behind = "its source branch is behind the base" if now.status in _BEHIND else ""
        why = _NEVER.get(now.status) or _WAITED_FOR.get(now.status) or behind
        where = self._address.url(number)
        if why:
            hint = "`release sync` makes its branch again on the base's tip" if behind else "see to that on its page"
            return Refused(f"{self._name(number)} can't be merged: {why}", where=where, cause=error.what, hint=hint)
        return Refused(error.what, where=where, cause=error.cause, hint=_HINT)

    @staticmethod
    def _name(number: int) -> str:
        return f"merge request {pulls.SIGIL}{number}"


_HINT = (
    "let the owner of the token merge into the base (Settings, Repository, Protected branches, Allowed to merge), "
    "or merge it by hand"
)
