"""What the rejection of a compare-and-swap push means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError, TryAgain
from release_tool.git.errors import Stale, complaint, explain, server_words
from release_tool.git.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from release_tool.git.process import GitAnswer
    from release_tool.model.records import CommitId, RefUpdate

    Look = Callable[[Sequence[str]], Mapping[str, CommitId]]

# A ref that nobody moved was locked by somebody who then didn't move it, or the server only says that it lost a race.
_RACE = (
    r"(?i)stale info|fetch first|cannot lock ref|failed to (update|lock) ref|incorrect old value"
    r"|reference already exists|failed to lock|\.lock': File exists|already been updated by another client"
)
_DISK = r"unpacker error|Permission denied|Read-only file system"
_REJECTED = r"(?m)^!\t[^\t]*:(?P<ref>[^\t]+)\t\[(?P<who>[^]]+)\] \((?P<reason>.*)\)$"


def rejection(answer: GitAnswer, updates: Sequence[RefUpdate], where: str, look: Look) -> ReleaseError | None:
    """The error that a failed push means; None: what it was to do is done (the answer to an earlier try was lost)."""
    # The refs themselves are looked at again, since the words of git's versions and of the hosts differ.
    # One rejected ref fails the others with it ("atomic push failed"): they aren't the cause.
    causes = [found for found in re.finditer(_REJECTED, answer.text) if not found["reason"].startswith("atomic push")]
    rejected = causes[0] if causes else re.search(_REJECTED, answer.text)
    error = explain(answer, "push", where) if rejected is None else None
    if error is not None and not isinstance(error, TryAgain) and "remote ref does not exist" not in answer.err:
        return error
    try:
        refs = look([pattern for update in updates for pattern in _neighbours(update.ref)])
    except ReleaseError:  # the remote is still away: the first complaint says more
        return error or _reason(rejected, answer, where)
    if all(refs.get(update.ref) == update.new for update in updates):
        return None
    return _obstacle(updates, refs, where) or error or _reason(rejected, answer, where)


def _neighbours(ref: str) -> list[str]:
    """The ref, and all names that git can't hold beside it."""
    parts = ref.split("/")
    return [ref, *("/".join(parts[:length]) for length in range(3, len(parts))), f"{ref}/*"]


def _obstacle(updates: Sequence[RefUpdate], refs: Mapping[str, CommitId], where: str) -> ReleaseError | None:
    """What the refs themselves tell: a name in the way, or a ref that somebody moved."""
    for update in updates:
        error = in_the_way(update.ref, refs, where) if update.old is None else None
        if error is not None:
            return error
    for update in updates:
        if refs.get(update.ref) != update.old:
            return Stale(f"`{short(update.ref)}` has moved meanwhile", where=where, hint="run the same command again")
    return None


def in_the_way(ref: str, refs: Collection[str], where: str) -> ReleaseError | None:
    """The error of a branch that git can't make beside those that are there: one is a directory of the other."""
    for other in refs if ref not in refs else ():
        if ref.startswith(f"{other}/") or other.startswith(f"{ref}/"):
            return ReleaseError(
                f"the branch `{short(other)}` is in the way: git can't hold `{short(ref)}` beside it",
                where=where,
                hint=f"rename or delete `{short(other)}`, or choose another name in publish.branch",
                page="reference/configuration.md#rules",
            )
    return None


def _reason(rejected: re.Match[str] | None, answer: GitAnswer, where: str) -> ReleaseError:
    """The error of a ref that stands as expected and was rejected all the same."""
    if rejected is None:
        return explain(answer, "push", where)
    ref, reason = short(rejected["ref"]), rejected["reason"]
    words = f"{reason}: {complaint(answer.err)}"
    if "declined" not in reason:
        if re.search(_DISK, words + answer.err):
            return explain(answer, "push", where)
        if re.search(_RACE, words + answer.err):
            return Stale(f"`{ref}` was being changed by somebody else", where=where, cause=words)
    if "currently checked out" in words:
        return ReleaseError(
            f"`{ref}` is checked out in the remote, which therefore refuses the push",
            where=where,
            hint="use a bare repository as remote",
        )
    return refusal(ref, f"{reason} {server_words(answer.err)}", where, words)


def short(ref: str) -> str:
    """`refs/heads/main` as people say it: `main`."""
    return ref.removeprefix("refs/heads/")
