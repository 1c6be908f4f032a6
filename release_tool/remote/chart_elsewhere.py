"""A chart that stands elsewhere: in another Git repository at a commit, or in an OCI registry in a version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.errors import Forgotten
from release_tool.git.process import redact
from release_tool.helm.archive import unpacked
from release_tool.model.chart_reference import ChartInGit, elsewhere
from release_tool.model.records import CommitId
from release_tool.remote import dependencies
from release_tool.remote.snapshot import AtCommit, read_chart

if TYPE_CHECKING:
    from release_tool.config import Config
    from release_tool.git.objects import InSubmodule
    from release_tool.git.repository import Repository
    from release_tool.helm import Renderer
    from release_tool.model.chart_reference import ChartInRegistry
    from release_tool.remote.dependencies import ChartParts
    from release_tool.remote.snapshot import Source

_OWN = re.compile(r"(localhost|127\.[0-9.]+)(:|$)")
_known: dict[str, ChartParts] = {}
"""What this process has fetched: a commit, or a digest, always holds the same."""


class NoChart(ReleaseError):
    """There is no such chart outside of the repository, or none that can be read."""

    page = "reference/configuration.md#the-chart"


def fetched(config: Config, source: Source, renderer: Renderer) -> ChartParts:
    """The chart that a configuration names, with its dependencies.

    Args:
        config: its `chart` is no directory.
        source: where the configuration stands, which knows how git logs in elsewhere.
        renderer: see `dependencies.complete`.

    Raises:
        ReleaseError: there is no such chart, or none that can be read.
        TryAgain: the server is busy or down.
    """
    if config.chart in _known:
        return _known[config.chart]
    chart = elsewhere(config.chart)
    assert chart is not None
    if isinstance(chart, ChartInGit):
        found = _from_git(chart, source, renderer)
    else:
        found = _from_registry(chart, config, renderer)
        if found.pinned:  # the version alone can be pushed anew
            return found
    _known[config.chart] = found
    return found


def _from_git(chart: ChartInGit, source: Source, renderer: Renderer) -> ChartParts:
    with source.elsewhere(chart.url) as repository:
        try:
            commit = CommitId(chart.commit)
            _fetch(repository, commit)
            there = AtCommit(repository, commit)
            files = read_chart(there, chart.directory)
            if "Chart.yaml" not in files:
                raise NoChart(
                    "there is no chart: Chart.yaml is missing",
                    where=f"{chart.title}@{chart.commit[:12]}",
                    cause="`chart` in release.yaml names another directory of that repository, or another commit",
                    hint="correct what stands behind `//` or `@` in `chart`",
                )
            return dependencies.complete(files, chart.directory, chart.root, renderer, there)
        except ReleaseError as error:
            if "://" not in error.where:  # a path of that repository, perhaps with the commit
                error.where = f"{chart.root}{error.where.removeprefix(f'{commit[:12]}:')}"
                todo = f"in that repository: {error.hint}; then name the new commit in `chart`"
                error.hint = (
                    todo if error.hint else "name a commit in `chart`, not a tag's own id (`git rev-parse TAG^0`)"
                )
            raise


def _fetch(repository: Repository, commit: CommitId) -> None:
    try:
        if len(commit) > 40:  # the refs tell that the remote has SHA-256
            repository.refs("refs/heads/*")
        try:
            repository.fetch(commit)
        except Forgotten:  # the server gives no commits by their ids: one that a ref names it does
            repository.refs("refs/heads/*", "refs/tags/*")
            repository.fetch(commit)
    except Forgotten as error:
        raise NoChart(
            f"the repository of the chart has no commit {commit[:12]}",
            where=error.where,
            cause="it was never pushed there, or its server gives only commits to which a branch or a tag points",
            hint="correct `chart` in release.yaml, or push the commit, or a tag for it",
        ) from None
    except ReleaseError as error:
        kind = TryAgain if isinstance(error, TryAgain) else ReleaseError
        what = f"the chart can't be fetched: {error.what}"
        raise kind(what, where=error.where, cause=error.cause, hint=error.hint) from None


def _from_registry(chart: ChartInRegistry, config: Config, renderer: Renderer) -> ChartParts:
    try:
        pulled = _pull(chart, config)
        if pulled is None:
            raise NoChart(
                "the registry has no such chart",
                where=chart.title,
                cause="nobody has pushed that version, or it stands under another name",
                hint="correct `chart` in release.yaml, or push the chart: `helm push`",
            )
        archive, digest = pulled
        if chart.digest and digest != chart.digest:
            raise NoChart(
                f"the chart {chart.version} is another one than `chart` names: it has the digest {digest}",
                where=chart.title,
                cause="the version was pushed anew, with other content",
                hint="find out why; if the new chart is right, write its digest into `chart` in release.yaml",
            )
    except ReleaseError as error:
        if isinstance(error, TryAgain):
            error.what = f"the chart can't be pulled: {error.what}"
        error.hint = error.hint.replace("`registry.image`", "`chart`")
        if error.hint.startswith("`docker login"):
            error.hint = f"`helm registry login {chart.repository.partition('/')[0]}`, or {error.hint}"
        if "plain_http" in error.hint:
            error.hint = "give the registry TLS; `registry.plain_http` is for the host of `registry.image` alone"
        raise
    files = unpacked(archive, chart.title)
    if "Chart.yaml" not in files:
        raise NoChart("there is no chart: Chart.yaml is missing in the archive", where=chart.title)
    found = dependencies.complete(files, "", chart.title, renderer, None)
    return found if chart.digest else found._replace(pinned=f"{chart.title}@{digest}")


def _pull(chart: ChartInRegistry, config: Config) -> tuple[bytes, str] | None:
    """The archive and the digest of the manifest that the version, or without one the digest, names."""
    from release_tool.registry import Registry

    host, policy = chart.repository.partition("/")[0], config.registry
    plain = policy is not None and policy.plain_http and policy.image.startswith(f"{host}/")
    timeout = 10.0 if policy is None else policy.timeout.total_seconds()

    def asked(*, plain_http: bool) -> tuple[bytes, str] | None:
        registry = Registry(chart.repository, plain_http=plain_http, timeout=timeout)
        return registry.chart(chart.tag or chart.digest)

    try:
        return asked(plain_http=plain)
    except ReleaseError as error:
        # As Docker does it: what runs on the machine itself needs no TLS.
        if plain or not _OWN.match(host) or "doesn't speak TLS" not in error.cause:
            raise
        return asked(plain_http=True)


def address_of_submodule(error: InSubmodule, chart: str, source: Source) -> str:
    """What to do about a chart in a submodule: name it where it stands, at the commit that the repository holds."""
    text = source.read([".gitmodules"]).get(".gitmodules", b"").decode("utf-8", "replace")
    parts = [dict(re.findall(r"(?m)^\s*(path|url)\s*=\s*(\S+)", part)) for part in re.split(r"(?m)^\[", text)]
    url = next((part["url"] for part in parts if part.get("path") == error.path and "url" in part), "")
    if by_ssh := re.fullmatch(r"([\w.-]+@[\w.-]+):(?!/)(\S+)", url):
        url = f"ssh://{by_ssh[1]}/{by_ssh[2]}"
    if not re.match(r"(https?|ssh|file)://", url) or redact(url) != url:
        url = "URL"
    inside = chart.removeprefix(error.path).strip("/")
    address = f"git+{url}{f'//{inside}' if inside else ''}@{error.commit}"
    return f"write `chart: {address}` in release.yaml, or put the files themselves into this repository"
