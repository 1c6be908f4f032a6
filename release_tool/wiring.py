"""Configuration -> real repository, forge, renderer, clock. The only factory."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta, timezone
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from release_tool.actions.job import Job
    from release_tool.config import Config
    from release_tool.doctor.access import Access
    from release_tool.forges.base import Forge
    from release_tool.forges.probe import FoundServer
    from release_tool.git.working_tree import WorkingTree
    from release_tool.health.source import ToJudge
    from release_tool.helm import Renderer
    from release_tool.model.delivery import Delivered
    from release_tool.model.health import Judged
    from release_tool.model.records import Name, Tag
    from release_tool.net.secret import Secret
    from release_tool.registry import Registry
    from release_tool.remote.tool import Tool

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LONGEST_WAIT = timedelta(seconds=3)


def utc_now() -> datetime:
    """The present time in UTC, to the second, as the record writes it."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def new_id() -> str:
    """A new id of an operation: a ULID, sortable by creation (48 bits of milliseconds, 80 random bits)."""
    number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def wait(tries: int) -> None:
    """Sleep before another try: longer after each, and by chance, so that those who met once don't meet again."""
    import random

    longest = min(_LONGEST_WAIT.total_seconds(), 0.05 * 1.6**tries)
    time.sleep(random.uniform(0.2, 1.0) * longest)  # noqa: S311 (no secret depends on it)


def run_link() -> str:
    """Link to the CI run, by the variables of GitHub Actions, GitLab, Azure Pipelines and Jenkins; empty elsewhere."""
    run = os.environ.get("GITHUB_RUN_ID")
    if run:
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{os.environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}"
    collection, build = os.environ.get("SYSTEM_COLLECTIONURI"), os.environ.get("BUILD_BUILDID")
    if collection and build:
        from urllib.parse import quote

        project = quote(os.environ.get("SYSTEM_TEAMPROJECT", ""))
        return f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"
    return os.environ.get("CI_JOB_URL") or os.environ.get("BUILD_URL") or ""


def run_by() -> str:
    """Who runs the tool: the actor of the CI run, else the user of the machine."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"):
        if actor := os.environ.get(name):
            return actor
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def versions() -> list[str]:
    """What this tool works with: the Helm engine, git and Python, each with its version."""
    import platform

    from release_tool import helm
    from release_tool.git import process

    git = process.version()
    python = ".".join(platform.python_version_tuple()[:2])
    return [helm.engine_there(), f"git {git}" if git else "no git", f"Python {python}"]


def make_job(command: str) -> Job | None:
    """The CI job that a command runs in; None elsewhere."""
    if not {"GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"} & os.environ.keys():  # nothing is loaded for it elsewhere
        return None
    from release_tool.actions.job import Job

    return Job.of(os.environ, command)


def make_tool(
    directory: str | None,
    url: str | None,
    config_path: str,
    now: Callable[[], datetime] = utc_now,
    *,
    renders: bool = False,
    inside: bool = False,
) -> Tool:
    """The tool on a checkout or on a remote; close its repository at the end.

    Args:
        directory: anywhere in a checkout; None: the current directory.
        renders: whether the tool will render: the engine is loaded beside everything else then.
        inside: whether it may render in this process, which saves the start of another one: for an operation, which
            renders the chart of the base branch.
    """
    from release_tool.git.repository import Repository
    from release_tool.remote.first_look import Look
    from release_tool.remote.tool import Tool

    if renders:
        warm_up(inside=inside)
    repository = Repository.open(None if directory is None else Path(directory), url, entitle=header_for_git)
    look = Look(repository)
    forges: dict[tuple[object, ...], Forge] = {}
    look_at = cache(look_at_server)
    applied: dict[tuple[str, str], Delivered] = {}
    called: dict[tuple[str, str, frozenset[tuple[Name, Tag]]], Mapping[Name, str]] = {}

    def forge(config: Config) -> Forge:
        """One for the whole command, so that its connections are kept."""
        from release_tool import forges as kinds
        from release_tool.forges.base import ForgeSettings

        kind, address = config.forge
        patience = config.publish.timeout.total_seconds()
        key = (kind, address, patience)
        if key not in forges:
            settings = ForgeSettings(url=address, patience=patience, environ=os.environ, look=look_at)
            forges[key] = kinds.connect(kind, repository, now, settings)
        return forges[key]

    def in_use(config: Config, environment: str, versions: Mapping[Name, Tag], at: datetime) -> Mapping[Name, str]:
        """Asked once for the whole command, however often it plans again."""
        policy = config.environment(environment).retention.in_use
        assert policy is not None  # else nobody asks
        key = (config.service, environment, frozenset(versions.items()))
        if key not in called:
            from release_tool.health import callers

            called[key] = callers.words(config, environment, policy, versions, at)
        return called[key]

    def delivered(config: Config, environment: str) -> Delivered:
        """The same."""
        key = (config.service, environment)
        if key not in applied:
            from release_tool.health import delivered as delivery

            applied[key] = delivery.ask(config, environment, os.environ)
        return applied[key]

    return Tool(
        repository=repository,
        look=look,
        forge=forge,
        renderer=partial(make_renderer, inside=inside),
        registry=make_registry,
        in_use=in_use,
        delivered=delivered,
        judge=judge,
        now=now,
        wait=wait,
        config_path=config_path,
    )


def look_at_server(url: str) -> FoundServer:
    """Which forge answers at the host of a remote."""
    from release_tool.forges import probe

    return probe.look(url)


def make_access(
    directory: str | None, url: str | None, config_path: str, now: Callable[[], datetime], timeout: float
) -> Access:
    """What `release doctor` works with; `timeout`: seconds that one git command may talk to the remote."""
    from release_tool.doctor.access import Access
    from release_tool.git.repository import Repository

    def opened() -> Repository:
        return Repository.open(Path(directory or "."), url, timeout=timeout, entitle=header_for_git)

    return Access(opened, make_renderer, make_registry, os.environ, look_at_server, now, config_path)


def config_file(directory: str | None, path: str) -> Config:
    """The configuration of any file; `path` is seen from a directory, as with `git -C`."""
    from release_tool.config.reader import load

    file = Path(directory or ".") / path
    if not file.is_file():  # a pipe would never end
        raise ReleaseError("there is no such file", where=path, hint="name a file like release.yaml")
    return load(file.read_bytes(), path)


def config_of_checkout(directory: str | None, path: str) -> tuple[Config, str] | None:
    """The configuration of the checkout around a directory, and its path from there; None where none is right."""
    begin = Path(directory or ".").absolute()
    top = next((place for place in (begin, *begin.parents) if (place / ".git").exists()), None)
    if top is None:
        return None
    seen = os.path.relpath(top / path, begin)
    try:
        return config_file(directory, seen), seen
    except (ReleaseError, OSError):  # `release check` tells why
        return None


def working_tree(directory: str | None) -> WorkingTree:
    """The checkout that a directory belongs to; None: the current directory."""
    from release_tool.git.working_tree import WorkingTree

    return WorkingTree.open(Path(directory or "."))._replace(entitle=header_for_git)


def make_renderer(config: Config, *, inside: bool = False) -> Renderer:
    """The Helm engine that the configuration names; `inside`: it may work in this process."""
    from release_tool import helm

    return helm.make_renderer(config.render.engine, inside=inside)


def warm_up(*, inside: bool = False) -> None:
    """Load the engine beside everything else; a failure shows when the engine is needed."""
    from contextlib import suppress

    from release_tool import helm

    with suppress(ReleaseError):
        helm.make_renderer(inside=inside).warm_up()


def make_registry(config: Config) -> Registry | None:
    """The image registry of a service; None where none is configured."""
    policy = config.registry
    if policy is None:
        return None
    from release_tool.registry import Registry

    return Registry(policy.image, plain_http=policy.plain_http, timeout=policy.timeout.total_seconds())


def judge(asked: Sequence[ToJudge], now: datetime) -> Sequence[tuple[Judged, ...]]:
    """What the checks of some environments say of their versions; everything is asked at once."""
    from release_tool.health.judge import judge_all

    return judge_all(asked, now, os.environ)


def tell_people(text: str) -> None:
    """Send a message to the chat that the environment variable names, if there is one."""
    from release_tool.net import webhook

    webhook.send(text, os.environ)


def with_next_step(error: ReleaseError) -> ReleaseError:
    """The same error; where a remote refused git's login, it names the variable of the token."""
    from release_tool.git.errors import LoginRefused

    if isinstance(error, LoginRefused):
        from release_tool.forges import git_login

        return git_login.with_next_step(error, os.environ)
    return error


def header_for_git(url: str) -> Secret | None:
    """The header with which git shows the token to a forge that it is for; None for every other remote."""
    from release_tool.forges import git_login

    return git_login.header_for_git(url, os.environ)
