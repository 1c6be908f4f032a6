"""`release doctor` on a repository on a Gitea or a Forgejo: what the token may see of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor import base_branch as verdicts
from release_tool.doctor import gitea_repository, workflows
from release_tool.doctor.diagnosis import Diagnosis, of_error
from release_tool.errors import ReleaseError
from release_tool.forges.gitea.address import address_of, find_for
from release_tool.forges.gitea.settings import GiteaSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from release_tool.doctor.access import AtForge

# The first that holds files is the one that the server reads: Gitea's, Forgejo's, GitHub's.
_DIRECTORIES = (".gitea/workflows", ".forgejo/workflows", workflows.DIRECTORY)


def begin(at: AtForge) -> Callable[[], Iterable[Diagnosis]]:
    """The look at the repository; see `ExaminesForge`."""
    return lambda: examine(at)


def pipelines(at: AtForge) -> Iterable[Diagnosis]:
    """The workflows of Actions; see `ExaminesForge`."""
    each = {directory: workflows.files_of(at.source, directory) for directory in _DIRECTORIES}
    directory = next((one for one, files in each.items() if files), _DIRECTORIES[0])
    yield from gitea_repository.called(
        [path for path, text in each[directory].items() if gitea_repository.calls_ours(text)]
    )
    yield from workflows.workflows(
        each[directory],
        promotes=bool(at.promoted_to),
        guarded=at.guarded,
        directory=directory,
        page="forges/gitea.md",
    )


def examine(at: AtForge) -> Iterator[Diagnosis]:
    """Everything about the repository."""
    environ = at.access.environ
    address = address_of(at.url, at.config.forge.url, environ)
    token = find_for(address, environ)
    if token is None:
        yield gitea_repository.no_token(address.server)
        return
    looks = GiteaSettings(address, token, environ)
    try:
        settings = looks.repository()
        if looks.time is not None:
            yield verdicts.clock(at.access.now(), looks.time, address.api)
        yield from gitea_repository.repository(settings, at.config.base)
        yield from _guarded("token", lambda: gitea_repository.token(looks.lacks(), token.source, address.server))
        yield from _guarded(
            "comments", lambda: gitea_repository.comments(token.source, address.server, known=looks.knows_itself())
        )
        yield from _guarded("protection", lambda: gitea_repository.base(looks.branch(at.config.base), at, settings.web))
        yield from gitea_repository.merging(settings)
    finally:
        looks.close()


def _guarded(about: str, look: Callable[[], Iterable[Diagnosis]]) -> Iterator[Diagnosis]:
    try:
        yield from look()
    except ReleaseError as error:
        yield from of_error(about, error)
