"""`release doctor` on a project on GitLab: what the token may see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor import base_branch as verdicts
from release_tool.doctor import gitlab_branch, gitlab_project
from release_tool.doctor.diagnosis import Diagnosis, of_error
from release_tool.errors import ReleaseError
from release_tool.forges.answers import Forbidden, Missing
from release_tool.forges.gitlab.address import address_of, find_for
from release_tool.forges.gitlab.settings import GitLabSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from release_tool.doctor.access import AtForge
    from release_tool.forges.gitlab.address import ProjectAddress
    from release_tool.forges.gitlab.settings import ProjectSettings, TokenOwner
    from release_tool.forges.token import Token

_BRANCHES = 5  # of so many release branches the rules are asked; the same ones hold for the others


def begin(at: AtForge) -> Callable[[], Iterable[Diagnosis]]:
    """Everything about the project; nothing of the base branch is needed for it."""
    return lambda: _examine(at)


def pipelines(at: AtForge) -> Iterable[Diagnosis]:  # noqa: ARG001 (the schedules are the project's)
    """Nothing beside what the project's own settings say."""
    return ()


def _examine(at: AtForge) -> Iterator[Diagnosis]:
    access = at.access
    address = address_of(at.url, at.config.forge.url, access.environ)
    token = find_for(address, access.environ)
    if token is None:
        yield gitlab_project.no_token(address.server, of_job=bool(access.environ.get("CI_JOB_TOKEN")))
        return
    looks = GitLabSettings(address, token)
    try:
        settings = looks.project()
        if looks.time is not None:
            yield verdicts.clock(access.now(), looks.time, address.api)
        yield from _Look(at, looks, settings, address).all(token)
    finally:
        looks.close()


class _Look:
    """The parts of it, each on its own: one that fails is a finding."""

    def __init__(self, at: AtForge, looks: GitLabSettings, settings: ProjectSettings, address: ProjectAddress) -> None:
        self._at = at
        self._config = at.config
        self._looks = looks
        self._settings = settings
        self._address = address

    def all(self, token: Token) -> Iterator[Diagnosis]:
        """Every part, in order."""
        web = self._settings.web
        places = [place for view in self._config.views() for place in view.places()]
        branches = [place.branch for place in places[:_BRANCHES]]
        found: list[TokenOwner] = []
        yield from self._guarded(
            "version", lambda: [gitlab_project.version(self._looks.version(), self._address.server)]
        )
        yield from self._guarded("token", lambda: self._token(token, found))
        yield from gitlab_project.project(self._settings, self._config.base, self._address.project)
        yield from gitlab_project.merging(self._settings)
        if found:
            yield from self._guarded("protection", lambda: self._branches(found[0], branches))
        yield from self._guarded("push rules", lambda: self._push_rules(branches))
        guarded = self._at.guarded
        yield from self._guarded(
            "schedules", lambda: [gitlab_project.schedules(self._looks.schedules(), web, guarded=guarded)]
        )

    def _push_rules(self, branches: Sequence[str]) -> Iterator[Diagnosis]:
        rules = self._looks.push_rules()
        yield from gitlab_project.push_rules(rules, branches, self._settings.web, signs=self._at.signs)

    def _guarded(self, about: str, look: Callable[[], Iterable[Diagnosis]]) -> Iterator[Diagnosis]:
        try:
            yield from look()
        except (Forbidden, Missing) as error:
            mend = f"look at {self._settings.web}/edit; a token with the role Maintainer sees it"
            yield Diagnosis("unknown", about, f"it can't be seen: {error.what}", error.where, "", mend)
        except ReleaseError as error:
            yield from of_error(about, error)

    def _token(self, token: Token, found: list[TokenOwner]) -> Iterator[Diagnosis]:
        found.append(self._looks.credential())
        yield from gitlab_project.token(found[0], token.source, self._settings.web, self._at.access.now())

    def _branches(self, who: TokenOwner, branches: list[str]) -> Iterator[Diagnosis]:
        """What holds for the base and for the release branches, and whether a downgrade lands."""
        config, web = self._config, self._settings.web
        environments = list(config.environments.values())
        approvals = self._looks.approvals(config.base)
        try:
            rules = self._looks.protected()
            found = gitlab_branch.demands(rules, config.base, who, approvals, web)
            rolling = gitlab_branch.rolling(rules, branches, who, web)
        except (Forbidden, Missing):  # for Maintainers only
            found = gitlab_branch.seen_by_developers(self._looks.branch(config.base), approvals, web)
            rolling = iter([gitlab_branch.rolling_unseen(web)])
        direct = [one.name for one in environments if one.publish.mode == "direct"]
        reviewed = any(one.publish.reviewers for one in environments)
        yield from gitlab_branch.base(found, config.base, direct, reviewed=reviewed)
        yield from rolling
        yield from gitlab_branch.guard(environments, found)
