"""A chart as an archive (`.tgz`), as `helm package` makes it: hostile until it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 100 << 20
"""Bytes of a chart with all its dependencies, unpacked: Helm's own limit for one archive."""

_LARGEST = 5 << 20  # bytes of one file, as Helm has it
_MANY = 20_000  # files of one archive
_LONG = 1000  # letters of a path
_HINT = "make the archive anew: `helm package`"
_PACKED = re.compile(r"((?:charts/[^/]+/)*charts/)([^/_.][^/]*)\.tgz")


def unpacked(data: bytes, where: str) -> dict[str, bytes]:
    """The files of an archive, path inside the chart -> content.

    Args:
        data: a tar archive, packed by gzip, with everything below one directory.
        where: what to call it in messages.

    Raises:
        ReleaseError: it is none, or too large; a file lies outside the chart, or is no plain file.
    """
    import io
    import tarfile

    files: dict[str, bytes] = {}
    total = 0
    try:
        # As a whole, for a header can have the size of an archive.
        with tarfile.open(fileobj=io.BytesIO(_inflated(data, where)), mode="r:") as archive:
            for number, entry in enumerate(archive):
                if number >= _MANY:
                    raise ReleaseError(f"the archive holds more than {_MANY:,} files", where=where, hint=_HINT)
                if entry.isdir():
                    continue
                inside = entry.name.partition("/")[2]
                if not inside or "\\" in inside or {"", ".", ".."} & set(inside.split("/")):
                    what = f"the archive holds {entry.name[:200]!r}, which is no file inside a chart"
                    raise ReleaseError(what, where=where, hint=_HINT)
                if not entry.isreg():
                    what = f"the archive holds {entry.name[:200]!r}, which is a link or a device"
                    raise ReleaseError(what, where=where, hint=_HINT)
                if entry.size > _LARGEST:
                    what = f"the file {inside[:200]!r} in the archive has more than {_LARGEST >> 20} MB"
                    raise ReleaseError(what, where=where, cause="Helm reads no such file of a chart", hint=_HINT)
                content = archive.extractfile(entry)
                assert content is not None
                files[inside] = content.read()
                total += len(files[inside])  # more than the archive itself has, where files are sparse
                if total > MOST:
                    raise too_large(where)
    except (tarfile.TarError, ValueError, OverflowError, UnicodeError) as error:
        raise _unreadable(where, error) from None
    if not files:
        raise ReleaseError("the archive is empty", where=where, hint=_HINT)
    return files


def _inflated(data: bytes, where: str) -> bytes:
    import gzip
    import io
    import zlib

    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            content = packed.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(where, error) from None
    if len(content) > MOST:
        raise too_large(where)
    return content


def _unreadable(where: str, error: Exception) -> ReleaseError:
    return ReleaseError("this is no archive of a chart", where=where, cause=str(error), hint=_HINT)


def too_large(where: str) -> ReleaseError:
    """The error of a chart that is larger than Helm reads."""
    what = f"the chart has more than {MOST >> 20} MB"
    return ReleaseError(what, where=where, cause="Helm reads none that is larger", hint="take large files out of it")


def with_archives_unpacked(files: Mapping[str, bytes], where: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """A chart whose packed dependencies, also those of its dependencies, are directories.

    Returns:
        The files; and where each new directory comes from: `charts/common` -> the archive.
    """
    found, origins = dict(files), {}
    waiting = [path for path in files if path.endswith(".tgz")]
    left = MOST
    while waiting:
        path = waiting.pop()
        name = _PACKED.fullmatch(path)
        if name is None:
            continue
        inner = unpacked(found.pop(path), f"{where}/{path}")
        named = re.search(rb"(?m)^name:[ \t]*[\"']?([A-Za-z0-9][\w.-]*)", inner.get("Chart.yaml", b""))
        directory = f"{name[1]}{named[1].decode() if named else name[2]}"  # as Helm calls it in messages
        while any(other.startswith(f"{directory}/") for other in found):
            directory += "-packed"
        left -= sum(max(len(content), 1024) for content in inner.values())
        if left < 0 or len(path) > _LONG:  # an archive can hold itself
            raise too_large(where)
        origins[directory] = f"{where}/{path}"
        found |= {f"{directory}/{one}": content for one, content in inner.items()}
        waiting += [f"{directory}/{one}" for one in inner if one.endswith(".tgz")]
    return found, origins
