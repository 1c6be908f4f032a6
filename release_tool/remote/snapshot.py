"""What the remote holds at one moment: the base branch with its configuration and files, and the other branches."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.config import reader as config_reader
from release_tool.errors import ReleaseError
from release_tool.model import history
from release_tool.remote.source import AtCommit, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.config import Config, Place
    from release_tool.git.repository import RemoteRefs, Repository
    from release_tool.model.records import CommitId, Line, State
    from release_tool.remote.tool import Tool


_UNDECODED = re.compile("[\udc80-\udcff]")  # bytes that were not UTF-8


class Files(NamedTuple):
    """The files of one environment as texts; the missing ones are empty.

    What isn't UTF-8 is told by the one who reads it (`readable`): it stops no other environment.

    Attributes:
        place: where they stand.
        tags: `image_tag.yaml`; None where there is no such file.
        record: `history.jsonl`.
        values: `values.yaml`; None where there is no such file.
    """

    place: Place
    tags: str | None
    record: str
    values: str | None

    def tag_file(self, *, empty: bool = False) -> tagfile.TagFile:
        """The versions.

        Args:
            empty: whether a file without a live version is right.

        Raises:
            FileProblems: the file breaks a rule.
            ReleaseError: there is no such file.
        """
        if self.tags is None:
            raise ReleaseError(
                "there is no such file in the base branch",
                where=self.place.tag_file,
                cause="the environment stands in the configuration, and its versions were never written",
                hint="commit the file with `image:` and below it `tag: {}`; a bump adds the first version",
            )
        return tagfile.read(readable(self.tags, self.place.tag_file), self.place.tag_file, empty=empty)

    def state(self, *, empty: bool = False) -> State:
        """The versions; arguments and errors as for `tag_file`."""
        return self.tag_file(empty=empty).state

    def lines(self) -> tuple[Line, ...]:
        """The record."""
        return history.parse(readable(self.record, self.place.history_file), self.place.history_file)


class Snapshot(NamedTuple):
    """The remote at one moment.

    Attributes:
        refs: its refs.
        base: the tip of the base branch.
        config: the configuration at that tip, as the service sees it.
        config_text: its text.
        source: its files.
        files: environment -> the service's files at that tip.
    """

    refs: RemoteRefs
    base: CommitId
    config: Config
    config_text: str
    source: Source
    files: Mapping[str, Files]


def take(tool: Tool, service: str = "") -> Snapshot:
    """Look at the remote.

    Args:
        tool: the outside world.
        service: the service whose files are wanted; empty: the only one.

    Raises:
        ReleaseError: no base branch, no configuration, a wrong one, no such service; and whatever git says.
    """
    refs, base, config, text = _look(tool)
    return _snapshot(tool, refs, base, config.view(service), text)


def take_all(tool: Tool, service: str = "") -> list[Snapshot]:
    """The same moment, for each service of the repository, or for one; arguments and errors as for `take`."""
    refs, base, config, text = _look(tool)
    views = [config.view(service)] if service else config.views()
    return [_snapshot(tool, refs, base, view, text) for view in views]


def _look(tool: Tool) -> tuple[RemoteRefs, CommitId, Config, str]:
    """The refs, the tip of the base branch, and the configuration there; what the release branches hold is fetched."""
    repository = tool.repository
    refs = tool.look.take()
    head = _tip(refs, refs.head_branch, repository)
    config, text = read_config(AtCommit(repository, head), tool.config_path)
    base = head
    if config.base != refs.head_branch:
        base = _tip(refs, config.base, repository)
        repository.fetch(base)
        config, text = read_config(AtCommit(repository, base), tool.config_path)
    ours = release_branches(config)
    repository.fetch(*(commit for ref, commit in refs.refs.items() if ref.removeprefix("refs/heads/") in ours))
    return refs, base, config, text


def _snapshot(tool: Tool, refs: RemoteRefs, base: CommitId, view: Config, text: str) -> Snapshot:
    source = AtCommit(tool.repository, base)
    return Snapshot(refs, base, view, text, source, read_files(source, view.places()))


def release_branches(config: Config) -> frozenset[str]:
    """The short names of all rolling and downgrade branches, of all services."""
    return frozenset(
        branch
        for view in config.views()
        for place in view.places()
        for branch in (place.branch, place.downgrade_branch)
    )


def _tip(refs: RemoteRefs, branch: str | None, repository: Repository) -> CommitId:
    commit = refs.branch(branch) if branch else None
    if commit is None:
        raise ReleaseError(
            f"the remote has no branch {branch!r}" if branch else "the remote has no default branch, or no commit yet",
            where=repository.display_url,
            cause="the `base` of the configuration names another branch, or the repository is empty",
            hint="set `base` in release.yaml to the branch that the environments are kept on, and push it",
        )
    return commit


def read_config(source: Source, path: str) -> tuple[Config, str]:
    """The configuration of a source, and its text.

    Raises:
        ReleaseError: there is none, or it is wrong.
    """
    data = source.read([path]).get(path)
    if data is None:
        raise ReleaseError(
            "there is no configuration",
            where=f"{source.title}:{path}",
            cause="it was not pushed to the base branch yet, or stands elsewhere",
            hint="push it, or name its path inside the repository with --config",
        )
    return config_reader.load_bytes(data, path), data.decode("utf-8-sig")


def read_files(source: Source, places: Iterable[Place]) -> dict[str, Files]:
    """The files of some environments, by name."""
    places = list(places)
    wanted = [path for place in places for path in (place.tag_file, place.history_file, place.values_file)]
    found = source.read(wanted)
    return {place.environment: files_of(place, found) for place in places}


def files_of(place: Place, found: Mapping[str, bytes]) -> Files:
    """The files of an environment of what was read."""

    def text(path: str) -> str | None:
        return found[path].decode("utf-8", "surrogateescape") if path in found else None

    return Files(place, text(place.tag_file), text(place.history_file) or "", text(place.values_file))


def readable(text: str, path: str) -> str:
    """A text of `Files`, once it is known to be UTF-8; raises as `decode` does."""
    if text.isascii() or not _UNDECODED.search(text):
        return text
    return decode(text.encode("utf-8", "surrogateescape"), path)


def decode(data: bytes, path: str) -> str:
    """A file as text; line ends and a byte order mark stay.

    Raises:
        ReleaseError: it isn't UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ReleaseError(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x}",
            where=f"{path}:{line}:{column}",
            cause="it was saved in another encoding, or isn't a text",
            hint="save it as UTF-8",
        ) from None
