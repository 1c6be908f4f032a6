"""`release doctor` on a repository on GitHub: what the token may see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.doctor import base_branch as verdicts
from release_tool.doctor import github_branch, github_guard, github_repository, workflows
from release_tool.doctor.diagnosis import Diagnosis, of_error
from release_tool.errors import ReleaseError
from release_tool.forges.answers import Forbidden, Missing
from release_tool.forges.github.address import address_of, find_for
from release_tool.forges.github.settings import GitHubSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from release_tool.config import Config
    from release_tool.doctor.access import Access, AtForge
    from release_tool.forges.github.settings import BranchRule, RepositorySettings
    from release_tool.forges.token import Token

_BRANCHES = 5  # of so many release branches the rules are asked; the same ones hold for the others


class OfBase(NamedTuple):
    """What is known beside GitHub.

    Attributes:
        signs: whether commits are signed.
        queue_checked: whether a workflow of the base runs `release check` on merge_group; None: unknown.
        gates: the GitHub environments that its workflows let promotions wait for.
    """

    signs: bool
    queue_checked: bool | None = None
    gates: tuple[str, ...] = ()


def begin(at: AtForge) -> Callable[[], Iterable[Diagnosis]]:
    """The look at the repository; see `ExaminesForge`."""
    try:
        files = _workflow_files(at)
    except ReleaseError:  # `pipelines` tells it
        told = OfBase(at.signs)
    else:
        queue_checked = workflows.starts("check", "merge_group", files)
        told = OfBase(at.signs, queue_checked, workflows.gates(files, at.promoted_to))
    return lambda: examine(at.access, at.config, at.url, told)


def pipelines(at: AtForge) -> Iterable[Diagnosis]:
    """The workflows of GitHub Actions; see `ExaminesForge`."""
    return workflows.workflows(_workflow_files(at), promotes=bool(at.promoted_to), guarded=at.guarded)


def _workflow_files(at: AtForge) -> Mapping[str, str]:
    return workflows.files_of(at.source, workflows.DIRECTORY)


def examine(access: Access, config: Config, url: str, told: OfBase) -> Iterator[Diagnosis]:
    """Everything about the repository."""
    address = address_of(url, config.forge.url, access.environ)
    token = find_for(address, access.environ)
    if token is None:
        yield github_repository.no_token(address.server)
        return
    looks = GitHubSettings(address, token)
    try:
        settings = looks.repository()
        if looks.time is not None:
            yield verdicts.clock(access.now(), looks.time, address.api)
        yield from _Look(access, config, looks, settings, told).all(token)
    finally:
        looks.close()


_SEES = "Administration: read"


class _Look:
    """The parts of it, each on its own: one that fails is a finding."""

    def __init__(
        self, access: Access, config: Config, looks: GitHubSettings, settings: RepositorySettings, told: OfBase
    ) -> None:
        self._access = access
        self._config = config
        self._looks = looks
        self._settings = settings
        self._passed = github_branch.Passed({})
        environments = config.environments.values()
        self.wanted = github_branch.Wanted(
            base=config.base,
            web=settings.web,
            direct=tuple(one.name for one in environments if one.publish.mode == "direct"),
            reviewed=any(one.publish.reviewers for one in environments),
            signs=told.signs,
            queue_checked=told.queue_checked,
        )
        self._gates = told.gates

    def all(self, token: Token) -> Iterator[Diagnosis]:
        """Every part, in order."""
        yield from self._guarded("token", lambda: self._token(token))
        yield from github_repository.repository(self._settings, self._config.base)
        yield from self._guarded("protection", self._base)
        yield from self._guarded("release branches", self._rolling)
        yield from self._guarded(
            "Actions", lambda: github_repository.actions(self._looks.actions(), self._settings.web)
        )
        if self._gates:
            yield from self._guarded("approvals", self._environments)

    def _environments(self) -> Iterator[Diagnosis]:
        """Whether the environments ask somebody that promotions are to wait for."""
        found: dict[str, tuple[str, ...] | None] = {}
        for name in self._gates:
            try:
                found[name] = self._looks.environment(name)
            except Missing:
                found[name] = None
        yield from github_repository.gates(found, self._settings.web)

    def _guarded(self, about: str, look: Callable[[], Iterable[Diagnosis]]) -> Iterator[Diagnosis]:
        try:
            yield from look()
        except (Forbidden, Missing) as error:
            mend = f"look at {self._settings.web}/settings; a token with {_SEES} sees it (GITHUB_TOKEN never does)"
            yield Diagnosis("unknown", about, f"it can't be seen: {error.what}", error.where, "", mend)
        except ReleaseError as error:
            yield from of_error(about, error)

    def _token(self, token: Token) -> Iterator[Diagnosis]:
        credential = self._looks.credential
        try:
            self._looks.try_pulls()
            reads = True
        except (Forbidden, Missing):
            reads = False
        kind = github_repository.kind_of(token.secret.reveal()[:11])
        yield from github_repository.token(
            kind, token.source, credential, self._settings, reads_pulls=reads, now=self._access.now()
        )

    def _base(self) -> Iterator[Diagnosis]:
        """What holds for the base, and what that leaves of ways to merge."""
        hidden, protection = "", None
        try:
            protection = self._looks.protection(self._config.base)
        except (Forbidden, Missing) as error:
            hidden = error.what
        rules = self._rules(self._config.base)
        found = github_branch.demands(protection, rules, self._passed, admin=self._settings.admin)
        yield from github_branch.base(found, self.wanted, hidden=hidden)
        merging = self._settings.merging
        yield from github_repository.merging(merging, found.methods, self._settings.web)
        allowed = None if merging is None else merging.by_itself
        found = found if not hidden else found._replace(pushable=None if found.pushable else found.pushable)
        yield from github_guard.guard(
            self._config.environments.values(), github_guard.Ways(found, allowed, self._settings.web)
        )

    def _rolling(self) -> Iterator[Diagnosis]:
        places = [place for view in self._config.views() for place in view.places()]
        rules = {place.branch: self._rules(place.branch) for place in places[:_BRANCHES]}
        yield from github_branch.rolling(rules, self._passed, self.wanted)

    def _rules(self, branch: str) -> tuple[BranchRule, ...]:
        """The rules of a branch; which of their rulesets may be passed by goes to `_passed`."""
        rules = self._looks.rules(branch)
        for ruleset in {rule.ruleset for rule in rules} - set(self._passed.rulesets):
            try:
                self._passed.rulesets[ruleset] = self._looks.bypass(ruleset)
            except (Forbidden, Missing):
                self._passed.rulesets[ruleset] = ""
        return rules
