"""What follows when a branch moves or somebody votes: trial merges, policies, completing, system threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forge_standin import Conflict, Person

from azure_standin import problems
from azure_standin.records import Comment, Identity, Policy, Pull, Repository, Reviewer, Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

SYSTEM = Identity("Microsoft.VisualStudio.Services.TFS")
STRATEGIES = {
    "noFastForward": "allowNoFastForward",
    "squash": "allowSquash",
    "rebase": "allowRebase",
    "rebaseMerge": "allowRebaseMerge",
}
"""Ways of completing, and the setting of the policy that allows each."""


class Life:
    """The life of all branches and pull requests.

    `lag`: after how many requests a merge is over; `push_lag`: after how many more a pull request shows a pushed head.
    """

    def __init__(
        self, now: Callable[[], datetime], next_id: Callable[[], int], repositories: Sequence[Repository]
    ) -> None:
        self.now = now
        self.next_id = next_id
        self._repositories = repositories
        self.lag = 1
        self.push_lag = 0

    def notice(self, repository: Repository, actor: Identity) -> None:
        """Takes in what has happened to the branches since the last look, whoever did it, and however.

        A branch that is deleted, or whose commits came into the target by a push, leaves its pull request active.
        """
        before, after = repository.refs, repository.bare.heads()
        if before == after:
            return
        repository.refs = after
        for name in before.keys() | after.keys():
            if name not in before:
                repository.creators[name] = actor
            if name not in after:
                repository.creators.pop(name, None)
        for target in self._repositories:
            for pull in target.active():
                tip = after.get(pull.source) if (pull.fork or target) is repository else None
                if tip is None or tip == pull.source_commit:
                    continue
                if self.push_lag and pull.job != "push":
                    pull.job, pull.wait = "push", self.push_lag
                elif not self.push_lag:
                    self._source_moved(target, pull, tip)

    def _source_moved(self, repository: Repository, pull: Pull, tip: str) -> None:
        self._fetch(repository, pull, tip)
        pull.source_commit = tip
        self.tell(pull, "RefUpdate", f"The reference refs/heads/{pull.source} was updated.")
        if any(one.settings.get("resetOnSourcePush") for one in repository.policies_of(pull.target)):
            for reviewer in pull.reviewers:
                reviewer.vote = 0
        self.try_merge(repository, pull)

    @staticmethod
    def _fetch(repository: Repository, pull: Pull, tip: str) -> None:
        if pull.fork:
            repository.bare.git("fetch", "--quiet", str(pull.fork.bare.path), tip)

    def try_merge(self, repository: Repository, pull: Pull) -> None:
        """Queues the merge that shows whether there are conflicts."""
        self._fetch(repository, pull, pull.source_commit)
        pull.target_commit = repository.bare.tip(pull.target) or pull.target_commit
        pull.merge_status, pull.merge_commit = "queued", None
        pull.job, pull.wait = "merge", self.lag

    def tell(self, pull: Pull, kind: str, words: str) -> None:
        """A thread of the system's."""
        now = self.now()
        properties = {"CodeReviewThreadType": {"$type": "System.String", "$value": kind}}
        comment = Comment(1, SYSTEM, words, now, now, kind="system")
        pull.threads.append(Thread(self.next_id(), now, [comment], None, properties))

    # jobs

    def work(self, repository: Repository) -> None:
        """A request has come: what is under way comes nearer to its end."""
        for pull in repository.active():
            if pull.job:
                pull.wait -= 1
                if pull.wait <= 0:
                    self._finish(repository, pull)
            elif self._completes_itself(repository, pull):
                assert pull.auto_complete is not None
                self.complete(repository, pull, pull.auto_complete)

    def _completes_itself(self, repository: Repository, pull: Pull) -> bool:
        """Auto-complete isn't bound to a head: it outlives pushes."""
        ready = pull.auto_complete is not None and pull.merge_status == "succeeded"
        return ready and not self.obstacles(repository, pull, automatic=True) and pull.tip(repository) is not None

    def _finish(self, repository: Repository, pull: Pull) -> None:
        job, pull.job = pull.job, ""
        if job == "complete":
            self._completed(repository, pull)
        elif job == "merge":
            self._merged(repository, pull)
        elif tip := pull.tip(repository):
            self._source_moved(repository, pull, tip)

    def _merged(self, repository: Repository, pull: Pull) -> None:
        bare = repository.bare
        try:
            tree = bare.merged_tree(pull.target_commit, pull.source_commit)
        except Conflict:
            pull.merge_status = "conflicts"
            return
        who = Person(pull.by.name, pull.by.unique_name)
        words = f"Merge pull request {pull.id} from {pull.source} into {pull.target}"
        commit = bare.write(tree, [pull.target_commit, pull.source_commit], words, who, who, self.now())
        pull.merge_status, pull.merge_commit = "succeeded", commit
        bare.move(pull.ref(), commit)

    # policies

    def obstacles(self, repository: Repository, pull: Pull, *, automatic: bool = False) -> list[Policy]:
        """The blocking policies that aren't met; auto-complete waits for optional ones too, unless told to ignore them."""
        ignored = (pull.options or {}).get("autoCompleteIgnoreConfigIds") or ()
        return [
            one
            for one in repository.policies_of(pull.target)
            if (one.blocking or (automatic and one.id not in ignored))
            and self.verdict(pull, one) not in ("approved", "notApplicable")
        ]

    def verdict(self, pull: Pull, policy: Policy) -> str:
        """What the evaluation of a policy says."""
        settings = policy.settings
        if policy.kind == "Minimum number of reviewers":
            counts = bool(settings.get("creatorVoteCounts"))
            votes = [one.vote for one in pull.reviewers if counts or one.identity.name != pull.by.name]
            down = any(vote == -10 for vote in votes) and not settings.get("allowDownvotes")
            enough = sum(vote >= 5 for vote in votes) >= settings.get("minimumApproverCount", 1)
            return "rejected" if down else "approved" if enough else "running"
        if policy.kind == "Required reviewers":
            wanted = settings.get("requiredReviewerIds", ())
            votes = [one.vote for one in pull.reviewers if one.identity.id in wanted]
            return "approved" if votes and min(votes) >= 5 else "running"
        if policy.kind == "Comment requirements":
            return "rejected" if any(one.status in ("active", "pending") for one in pull.threads) else "approved"
        if policy.kind == "Require a merge strategy":
            strategy = STRATEGIES[(pull.options or {}).get("mergeStrategy", "noFastForward")]
            return "approved" if settings.get(strategy) else "rejected"
        if policy.kind == "Work item linking":
            return "rejected"  # there are none here
        said = [one.state for one in pull.statuses if one.name == settings.get("statusName", "build")]
        return {"succeeded": "approved", "failed": "rejected", "error": "rejected"}.get((said or [""])[-1], "queued")

    # completing

    def complete(self, repository: Repository, pull: Pull, by: Identity) -> None:
        """Queues the completing, as the API and the buttons do."""
        pull.options = {"mergeStrategy": "noFastForward", **(pull.options or {})}
        pull.closed_by, pull.queued = by, self.now()
        pull.merge_status, pull.merge_commit = "queued", None
        pull.job, pull.wait = "complete", self.lag

    def _completed(self, repository: Repository, pull: Pull) -> None:
        """Merges by real git. A pull request that can't be completed is active again, and its merge status says why."""
        bare, options, by = repository.bare, pull.options or {}, pull.closed_by
        assert by is not None
        target, source = bare.tip(pull.target), pull.tip(repository)
        bypasses = options.get("bypassPolicy") and repository.may(by, "PullRequestBypassPolicy")
        why = "rejectedByPolicy" if not bypasses and self.obstacles(repository, pull) else ""
        if target is None or source != pull.source_commit:
            why = "failure"
        if not why:
            assert target is not None
            try:
                made = self._commits(repository, pull, by, target, options)
            except Conflict:
                why = "conflicts"
        if why:
            pull.merge_status, pull.closed_by, pull.queued = why, None, None
            return
        tip = made[-1] if made else target
        assert tip is not None
        before = set(bare.ahead(target, pull.source_commit))
        bare.move(f"refs/heads/{pull.target}", tip, target)
        pull.commits_landed = [*(before if options["mergeStrategy"] == "noFastForward" else ()), *made]
        pull.target_commit, pull.merge_status, pull.merge_commit = target, "succeeded", tip
        pull.status, pull.closed = "completed", self.now()
        self.tell(pull, "StatusUpdate", f"{by.name} updated the pull request status to Completed")
        others = [one for one in repository.active() if pull.source in (one.source, one.target)]
        if options.get("deleteSourceBranch") and not others:
            (pull.fork or repository).bare.move(f"refs/heads/{pull.source}", None)
        self.notice(repository, by)

    def _commits(
        self, repository: Repository, pull: Pull, by: Identity, target: str, options: dict[str, Any]
    ) -> list[str]:
        """What comes on top of the target."""
        bare, source, now = repository.bare, pull.source_commit, self.now()
        who = Person(by.name, by.unique_name)
        words = options.get("mergeCommitMessage") or f"Merged PR {pull.id}: {pull.title}\n\n{pull.description or ''}"
        strategy = options["mergeStrategy"]
        if strategy in ("rebase", "rebaseMerge"):
            linear = bare.contains(source, target) and not bare.git("rev-list", "--merges", f"{target}..{source}")
            made = bare.ahead(target, source) if linear else bare.rebased(target, source, who, now)
            if strategy == "rebase":
                return made
            tip = (made or [target])[-1]
            return [*made, bare.write(bare.tree(tip), [target, tip], words, who, who, now)]
        tree = bare.merged_tree(target, source)
        parents = [target] if strategy == "squash" else [target, source]
        return [bare.write(tree, parents, words, who, who, now)]

    def abandon(self, pull: Pull, by: Identity) -> None:
        pull.status, pull.closed, pull.closed_by = "abandoned", self.now(), by
        pull.merge_status = pull.merge_commit = pull.auto_complete = None
        pull.job = ""
        self.tell(pull, "StatusUpdate", f"{by.name} updated the pull request status to Abandoned")

    def reactivate(self, repository: Repository, pull: Pull, by: Identity) -> None:
        """Refused where a branch is gone, or another from and to the same branches is active."""
        source, target = pull.tip(repository), repository.bare.tip(pull.target)
        if source is None or target is None:
            raise problems.cannot_be_activated()
        if repository.twin(pull.source, pull.target, pull.fork):
            raise problems.exists()
        pull.status, pull.closed, pull.closed_by, pull.source_commit = "active", None, None, source
        self.tell(pull, "StatusUpdate", f"{by.name} updated the pull request status to Active")
        self.try_merge(repository, pull)

    def vote(self, pull: Pull, identity: Identity, vote: int, *, required: bool | None = None) -> Reviewer:
        found = next((one for one in pull.reviewers if one.identity.name == identity.name), None)
        if found is None:
            found = Reviewer(identity)
            pull.reviewers.append(found)
            self.tell(pull, "ReviewersUpdate", f"{identity.name} joined as a reviewer")
        if vote != found.vote:
            found.vote = vote
            self.tell(pull, "VoteUpdate", f"{identity.name} voted {vote}")
        found.required = found.required if required is None else required
        return found
