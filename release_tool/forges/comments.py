"""What some forges can beside the contract of `base.py`: keep one comment of a pull request up to date."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class KeepsComments(Protocol):
    """A forge whose comments can be changed."""

    def keep_comment(self, number: int, marker: str, text: str, *, only_if_there: bool = False) -> None:
        """Let a pull request have one comment of ours that begins with a marker, and let it say this.

        What others wrote stays as it is, whatever it begins with.

        After a lost answer it may be called again: the comment is looked for first.

        Args:
            number: of the pull request, which may be finished.
            marker: what the comment begins with, an HTML comment that is seen by nobody.
            text: the whole comment; begins with the marker.
            only_if_there: change the comment if there is one, and make none.

        Raises:
            TryAgain: the forge is away, busy or limits the rate.
            ReleaseError: what a person must fix: a permission, an unknown number.
        """
