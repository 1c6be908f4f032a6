"""`release doctor`: the set-up examined. Nothing is written anywhere; what can't be told is said.

The examinations are independent: one that fails is a finding. Once the remote and its configuration were read they run
side by side, and those that are not done when the time is over are left behind.
"""

from __future__ import annotations

import time
from concurrent import futures
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from release_tool.doctor import base_branch as verdicts
from release_tool.doctor import (
    examine_azure,
    examine_base,
    examine_delivery,
    examine_gitea,
    examine_github,
    examine_gitlab,
    examine_services,
)
from release_tool.doctor import git as git_verdicts
from release_tool.doctor.access import AtForge
from release_tool.doctor.diagnosis import Diagnosis, DoctorReport, of_error, ok
from release_tool.errors import ReleaseError, TryAgain, UsageError
from release_tool.forges import advice as advice_for
from release_tool.forges import capabilities, connect, kind_of, known_url
from release_tool.forges.base import ForgeSettings
from release_tool.forges.git_login import with_next_step
from release_tool.git import examine
from release_tool.git.opening import is_true
from release_tool.remote.snapshot import AtCommit, Snapshot, read_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from release_tool.config import Config
    from release_tool.doctor.access import Access, ExaminesForge
    from release_tool.git.repository import RemoteRefs, Repository
    from release_tool.model.records import CommitId

GIT_TIMEOUT = 20.0
"""Seconds that one git command may talk to the remote."""

_FORGES: Mapping[str, ExaminesForge] = {
    "github": examine_github,
    "gitlab": examine_gitlab,
    "gitea": examine_gitea,
    "azure": examine_azure,
}
"""By kind; a forge without an examination has none that is worth one."""

_PATIENCE = 45.0  # seconds for all examinations that run side by side


class _Base(NamedTuple):
    """The base branch: its name, its tip, the configuration there, and what else the remote holds."""

    branch: str
    commit: CommitId
    config: Config
    refs: RemoteRefs  # all branches


class _Examination(NamedTuple):
    """One examination: what it is about, and how it looks."""

    about: str
    look: Callable[[], Iterable[Diagnosis]]


def run(access: Access, service: str = "", patience: float = _PATIENCE) -> DoctorReport:
    """Examine everything.

    Args:
        service: the service whose chart, registry and Prometheus are asked; empty: all of them.
        patience: seconds for all examinations that run side by side.
    """
    findings = _looked(_Examination("git", lambda: [git_verdicts.version(examine.version())]))
    try:
        repository = access.open()
    except UsageError:
        raise
    except ReleaseError as error:
        return DoctorReport((*findings, *of_error("remote", error, _NO_REMOTE)), away=isinstance(error, TryAgain))
    try:
        refs = repository.refs("refs/heads/*")
        findings.append(ok("remote", f"answers, with {_branches(len(refs.refs))}: {repository.display_url}"))
        found: list[_Base] = []
        told = _looked(_Examination("base branch", lambda: _base(access, repository, refs, service, found)))
        base = found[0] if found else None
        away = base is None and any(one.verdict == "unknown" for one in told)  # it went away in between
        findings += told
        findings += _side_by_side(_examinations(access, repository, base, service), patience)
        return DoctorReport(tuple(findings), away)
    except ReleaseError as error:  # of the first look: the others tell theirs themselves
        told = [
            one._replace(verdict="error")
            for one in of_error("remote", with_next_step(error, access.environ), _NO_REMOTE)
        ]
        return DoctorReport((*findings, *told), away=isinstance(error, TryAgain))
    finally:
        repository.close()  # one that was left behind fails then, and nobody hears of it


_NO_REMOTE = "everything is read from it and pushed to it"


def _branches(number: int) -> str:
    return "one branch" if number == 1 else f"{number} branches"


def _base(
    access: Access, repository: Repository, refs: RemoteRefs, service: str, found: list[_Base]
) -> Iterator[Diagnosis]:
    """The base branch and its configuration, which go to `found`."""
    why = "every plan is made on it"
    name = refs.head_branch
    tip = refs.branch(name) if name else None
    if name is None or tip is None:
        where, mend = repository.display_url, "push a branch, and make it the default branch of the repository"
        yield Diagnosis("error", "base branch", "the remote has no default branch, or no commit yet", where, why, mend)
        return
    repository.fetch(tip)
    try:
        config = read_config(AtCommit(repository, tip), access.config_path)
        if config.base != name:
            name, tip = config.base, refs.branch(config.base)
            if tip is None:
                what, mend = f"the remote has no branch `{name}`", f"push it, or correct `base` in {access.config_path}"
                yield Diagnosis("error", "base branch", what, access.config_path, why, mend)
                return
            repository.fetch(tip)
            config = read_config(AtCommit(repository, tip), access.config_path)
        if service:
            config.view(service)
    except ReleaseError as error:
        yield ok("base branch", f"`{name}`")
        yield from of_error("configuration", error, "no command works without it")
        return
    found.append(_Base(name, tip, config, refs))
    yield ok("base branch", f"`{name}` at {tip[:12]}")
    yield ok("configuration", f"{access.config_path}: {', '.join(config.environments)}")


def _examinations(access: Access, repository: Repository, base: _Base | None, service: str) -> Iterator[_Examination]:
    """All that is looked at once the remote answers; without a base, what needs none."""
    url = known_url(repository, access.environ)
    yield _Examination("committer", lambda: _committer(repository))
    yield _Examination("protocol", lambda: git_verdicts.talk(examine.capabilities(repository), url))
    if base is None:
        return
    config = base.config
    views = [config.view(service)] if service else list(config.views())
    kind = kind_of(url, access.environ) if config.forge.kind == "auto" else config.forge.kind
    yield _Examination("push", lambda: _push(access, repository, base, url, kind))
    modes = {environment.publish.mode for environment in config.environments.values()}
    direct = modes == {"direct"}
    yield _Examination("forge", lambda: [_forge(access, repository, config, kind, direct=direct)])
    signs = examine.signing(repository.config).wanted
    at = AtForge(access, config, url, AtCommit(repository, base.commit), signs)
    if kind in _FORGES:
        yield _Examination(capabilities(kind).title, _FORGES[kind].begin(at))
    elif url.startswith(("http://", "https://")):
        yield _Examination("clock", lambda: examine_services.clock(url, access.now))
    # One after the other: the store serves one reader.
    pipelines = _FORGES[kind].pipelines if kind in _FORGES else lambda _: ()
    yield _Examination("base", lambda: _of_base(repository, base, views, at, lambda: pipelines(at)))
    for about, look in examine_services.examinations(access, views):
        yield _Examination(about, look)


def _committer(repository: Repository) -> Iterator[Diagnosis]:
    strict = is_true(repository.config.get("user.useconfigonly"))
    yield git_verdicts.identity(examine.nameless(repository), strict=strict)
    yield git_verdicts.signing(examine.signing(repository.config))


def _of_base(
    repository: Repository,
    base: _Base,
    views: Sequence[Config],
    at: AtForge,
    pipelines: Callable[[], Iterable[Diagnosis]],
) -> Iterator[Diagnosis]:
    """What the base branch holds, and the release branches that its configuration doesn't reach."""
    access, source = at.access, at.source
    yield from examine_base.in_the_way(base.config, base.refs.refs, repository.display_url)
    yield from examine_base.examine(access, base.config, views, source, pipelines)
    yield from examine_delivery.examine(access, repository, base.commit, views)
    snapshot = Snapshot(base.refs, base.commit, base.config, source, {}, base.config, access.config_path)
    settings = ForgeSettings(url=base.config.forge.url, environ=access.environ)
    yield from examine_base.left_over(
        repository, lambda _: connect(base.config.forge.kind, repository, access.now, settings), snapshot
    )


def _push(access: Access, repository: Repository, base: _Base, url: str, kind: str) -> Iterator[Diagnosis]:
    try:
        atomic = examine.try_push(repository, base.branch, base.commit)
    except ReleaseError as error:
        raise with_next_step(error, access.environ) from error
    yield from git_verdicts.push(url, atomic=atomic, local=kind == "local")
    if kind_of(url, {}) == "local":
        direct = any(one.publish.mode == "direct" for one in base.config.environments.values())
        out = examine.checked_out(url, repository.cwd)
        found = git_verdicts.checked_out(out, base.branch, url, pushed=direct or kind == "local")
        if found is not None:
            yield found


def _forge(access: Access, repository: Repository, config: Config, kind: str, *, direct: bool) -> Diagnosis:
    url, how, advice = repository.display_url, "", None
    if config.forge.kind == "auto":
        how = "by the remote's URL" if kind_of(known_url(repository, {})) == kind else "by the environment"
        if kind == "none" and not direct:
            settings = ForgeSettings(environ=access.environ, look=access.look)
            advice = advice_for(repository, settings)
    return verdicts.forge(capabilities(kind), how, url, direct=direct, advice=advice)


# -- running them -----------------------------------------------------------------------------------------------------


def _looked(one: _Examination, found: list[Diagnosis] | None = None) -> list[Diagnosis]:
    """What an examination finds, up to what stops it; it goes to `found` one by one."""
    found = [] if found is None else found
    try:
        for finding in one.look():
            found.append(finding)
    except ReleaseError as error:
        found.extend(of_error(one.about, error))
    return found


def _side_by_side(examinations: Iterable[_Examination], patience: float) -> list[Diagnosis]:
    """What all of them find, in their order; threads that are not done in time are left behind."""
    end = time.monotonic() + patience
    begun = [_begin(one) for one in examinations]
    told: list[Diagnosis] = []
    for about, found, outcome in begun:
        try:
            outcome.result(max(0.0, end - time.monotonic()))
            told += found
        except futures.TimeoutError:
            what = f"not done within {patience:g} s"
            told += [*found, Diagnosis("unknown", about, what, "", "", "run `release doctor` again")]
    return told


def _begin(one: _Examination) -> tuple[str, list[Diagnosis], futures.Future[None]]:
    """Begins an examination in a thread: its subject, where its findings go, and its end."""
    found: list[Diagnosis] = []
    outcome: futures.Future[None] = futures.Future()

    def work() -> None:
        try:
            _looked(one, found)
            outcome.set_result(None)
        except Exception as error:  # noqa: BLE001 (raised again by whoever waits)
            outcome.set_exception(error)

    Thread(target=work, daemon=True).start()
    return one.about, found, outcome
