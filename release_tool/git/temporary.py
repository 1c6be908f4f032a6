"""What this process makes for a while: known before it is made, so that a signal at any moment leaves none behind."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

made: set[Path] = set()
"""Those that are there, or about to be."""


def make(prefix: str = "release-") -> Path:
    """A new directory in the temporary one. `release_tool.__main__` removes what is left at the end of the process."""
    # As `tempfile.mkdtemp`, whose import is a tenth of what the tool does before its first look at the remote.
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    parent = next(filter(None, named), "/tmp")  # noqa: S108 (the directory in it has a random name and mode 0700)
    path = Path(parent).absolute() / f"{prefix}{os.urandom(8).hex()}"
    made.add(path)
    path.mkdir(mode=0o700)
    return path


def remove(path: Path) -> None:
    """Removes a directory or a file; what can't be removed is left to whoever cleans the temporary directory."""
    import shutil

    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):  # a file
        path.unlink()
    if not os.path.lexists(path):  # else once more at the end, when no git works there any more
        made.discard(path)


def remove_all() -> None:
    """Removes what is left. No signal may come amid that."""
    for path in list(made):
        remove(path)


@contextmanager
def lent(prefix: str) -> Iterator[Path]:
    """A directory for as long as a block runs."""
    path = make(prefix)
    try:
        yield path
    finally:
        remove(path)
