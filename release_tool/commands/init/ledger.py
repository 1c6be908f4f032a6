"""`.release-init.json`: what `release init` wrote in a repository, and from which answers; `--upgrade` begins there."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool import __version__
from release_tool.commands.init.request import Answers
from release_tool.commands.init.texts import Settings
from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from release_tool.commands.init.files import PlannedFile

_ABOUT = "What `release init` wrote in this repository, and from which answers. `release init --upgrade` reads it."
_SCHEMA = 1


class Ledger(NamedTuple):
    """The file.

    Attributes:
        version: of the tool that wrote last.
        files: path -> the text as it was written; of a chart that was laid in, the id of Git's object alone.
    """

    version: str
    answers: Answers
    files: Mapping[str, str | tuple[str, ...]]

    def text(self) -> str:
        settings = self.answers.settings
        answers = self.answers._replace(settings=settings and settings._asdict())  # type: ignore[arg-type]
        data = {
            "about": _ABOUT,
            "schema": _SCHEMA,
            "version": self.version,
            "answers": {key: value for key, value in answers._asdict().items() if value},
            "files": dict(sorted(self.files.items())),
        }
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def path_of(config: str) -> str:
    """The file beside a configuration: `.release-init.json` beside `release.yaml`."""
    place = PurePosixPath(config)
    return str(place.with_name(f".{place.stem}-init.json"))


def read(data: bytes, path: str) -> Ledger:
    """The file as it stands; ReleaseError where it is not as this tool or an older one wrote it."""
    try:
        found: dict[str, Any] = json.loads(data)
        version, schema = str(found["version"]), int(found["schema"])
    except (ValueError, LookupError, TypeError) as error:
        raise _damaged(path, str(error)) from error
    if schema > _SCHEMA:
        what = f"a newer version of `release` wrote this file: {version}, and this is {__version__}"
        raise ReleaseError(what, where=path, hint="install that version or a newer one")
    try:
        answers = dict(found["answers"])
        if "settings" in answers:
            plain = answers["settings"]
            answers["settings"] = Settings(**{key: _frozen(value) for key, value in plain.items()})
        files = {path: _frozen(was) for path, was in found["files"].items()}
        return Ledger(version, Answers(**{key: _frozen(value) for key, value in answers.items()}), files)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: str, cause: str) -> ReleaseError:
    hint = f"take it back as it was committed, `git checkout HEAD -- {path}`; or remove it and run `release init`"
    return ReleaseError("this file is not as `release init` wrote it", where=path, cause=cause, hint=hint)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(str(one) for one in value)
    if isinstance(value, str | int | Settings):  # a truth value is an int
        return value
    raise TypeError(f"{value!r} is no text and no list of texts")


def after(
    old: Ledger | None, answers: Answers, files: Iterable[PlannedFile], made: Iterable[str], id_like: str
) -> Ledger | None:
    """The file after a run of init; None where nothing of it is to be remembered.

    Args:
        answers: of this run.
        made: the paths of those files that the tool can make again.
        id_like: an id of Git's objects in this repository, for the kind of hash.
    """
    before = dict(old.files) if old else {}
    again, now = set(made), dict(before)
    for one in files:
        if one.path in again and one.state != "kept":
            now[one.path] = remembered(one, id_like)
    if not now:
        return None
    combined = old.answers.after(answers) if old else answers
    same = old is not None and (combined, now) == (old.answers, before)
    return old if same else Ledger(__version__, combined, now)


def remembered(one: PlannedFile, id_like: str) -> str | tuple[str, ...]:
    """A file as it is remembered."""
    return object_id(one.content, id_like) if one.part_of else tuple(one.content.decode("utf-8").split("\n"))


def object_id(content: bytes, like: str) -> str:
    """The id of Git's object for a content: SHA-1 or SHA-256, as another id."""
    kind = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return kind(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
