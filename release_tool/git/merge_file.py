"""Merges three versions of one text, as `git merge` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.git import process, temporary

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED = 128
"""From here on git's exit status is no number of conflicts."""


class MergedText(NamedTuple):
    """A merged text, and how many places both sides changed in ways of their own."""

    content: bytes
    conflicts: int


def merge_file(yours: bytes, base: bytes, other: bytes, labels: Sequence[str], favour: str = "") -> MergedText:
    """Merge what two sides made of a text.

    Args:
        labels: the names of the three versions, for conflict markers.
        favour: `ours` or `theirs` wins where both changed something; empty: both are written, with markers.
    """
    named = [word for label in labels for word in ("-L", label)]
    with temporary.lent("release-merge-") as folder:
        for name, content in (("yours", yours), ("base", base), ("other", other)):
            (folder / name).write_bytes(content)
        options = ["-p", "-q", *([f"--{favour}"] if favour else []), *named]
        answer = process.run(["merge-file", *options, "yours", "base", "other"], str(folder))
    if answer.code >= _FAILED or answer.code < 0:
        raise ReleaseError("git can't merge a file", cause=answer.err.strip())
    return MergedText(answer.out, answer.code)
