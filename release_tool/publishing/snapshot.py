"""What the remote holds at one moment: the base branch with its configuration and files, and the other branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import history, tag_file
from release_tool.config import reader as config_reader
from release_tool.errors import ReleaseError
from release_tool.publishing.source import AtCommit, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.config import Config, Place
    from release_tool.publishing.tool import Tool
    from release_tool.records import CommitId, Line, State
    from release_tool.repository import RemoteRefs, Repository


class Files(NamedTuple):
    """The files of one environment as texts; the missing ones are empty.

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

    def tag_file(self, *, empty: bool = False) -> tag_file.TagFile:
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
        return tag_file.read(self.tags, self.place.tag_file, empty=empty)

    def state(self, *, empty: bool = False) -> State:
        """The versions; arguments and errors as for `tag_file`."""
        return self.tag_file(empty=empty).state

    def lines(self) -> tuple[Line, ...]:
        """The record."""
        return history.parse(self.record, self.place.history_file)


class Snapshot(NamedTuple):
    """The remote at one moment.

    Attributes:
        refs: its refs.
        base: the tip of the base branch.
        config: the configuration at that tip.
        config_text: its text.
        source: its files.
        files: environment -> files at that tip.
    """

    refs: RemoteRefs
    base: CommitId
    config: Config
    config_text: str
    source: Source
    files: Mapping[str, Files]


def take(tool: Tool) -> Snapshot:
    """Look at the remote.

    Raises:
        ReleaseError: no base branch, no configuration, or a wrong one; and whatever git says.
    """
    repository = tool.repository
    refs = tool.look.take()
    head = _tip(refs, refs.head_branch, repository)
    config, text = read_config(AtCommit(repository, head), tool.config_path)
    base = head
    if config.base != refs.head_branch:
        base = _tip(refs, config.base, repository)
        repository.fetch(base)
        config, text = read_config(AtCommit(repository, base), tool.config_path)
    repository.fetch(*(commit for ref, commit in refs.refs.items() if is_release_branch(config, ref)))
    source = AtCommit(repository, base)
    return Snapshot(refs, base, config, text, source, read_files(source, config.places()))


def is_release_branch(config: Config, ref: str) -> bool:
    """Whether a ref is the rolling branch, or the downgrade branch, of some environment."""
    return ref.removeprefix("refs/heads/") in {
        branch for place in config.places() for branch in (place.branch, place.downgrade_branch)
    }


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
        return decode(found[path], path) if path in found else None

    return Files(place, text(place.tag_file), text(place.history_file) or "", text(place.values_file))


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
