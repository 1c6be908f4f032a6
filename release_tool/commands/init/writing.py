"""Writes what was planned, and says which commands come next."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from release_tool import __version__
from release_tool.commands.init import extras
from release_tool.errors import ReleaseError
from release_tool.git import process, temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from release_tool.commands.init.planned import Planned
    from release_tool.commands.init.survey import Survey
    from release_tool.git.working_tree import WorkingTree


def demand_clean(planned: Planned) -> None:
    """ReleaseError where a change that no commit has would be lost."""
    paths = [one.path for one in planned.files if one.state in {"changed", "removed"}]
    tree = planned.survey.tree
    if tree is not None and paths and (dirty := tree.changed(paths)):
        what = "what is not committed would be overwritten"
        raise ReleaseError(what, where=", ".join(dirty[:10]), hint="commit it, or put it aside: `git stash -u`")


def write(planned: Planned, open_tree: Callable[[str], WorkingTree]) -> None:
    """Write what was planned: all of it, or (where the machine refuses) nothing."""
    found = planned.survey
    if found.tree is not None:
        found.tree.write(planned.written)
        return
    made = found.top / ".git"  # there was none: see `survey`
    temporary.made.add(made)  # until all is written: nothing half made stays, whatever happens
    try:
        answer = process.run(["init", "--quiet", f"--initial-branch={planned.config.base}"], str(found.top))
        if answer.code != 0:
            hint = "look at the permissions and the free space there; then run the command again"
            raise ReleaseError("git can't make a repository", where=str(found.top), cause=answer.err.strip(), hint=hint)
        open_tree(str(found.top)).write(planned.written)
        temporary.made.discard(made)
    finally:
        if made in temporary.made:
            temporary.remove(made)


def no_repository(top: Path) -> ReleaseError:
    """The error where there is no git repository."""
    hint = "`release init --yes` makes one, and so does `git init --initial-branch=main`"
    return ReleaseError("this is no git repository yet", where=str(top), hint=hint)


def own_command(planned: Planned, *, here: bool) -> str:
    """The command that writes what was shown."""
    return shlex.join(["release", *_at(planned, here=here)[1], "init", "--upgrade", "--yes"])


def _at(planned: Planned, *, here: bool) -> tuple[list[str], list[str]]:
    """The words that name the directory: for git, and for `release`."""
    at = [] if here else ["-C", str(planned.survey.top)]
    return at, [*at, *(["--config", planned.path] if planned.path != "release.yaml" else [])]


def next_commands(planned: Planned, *, here: bool) -> list[str]:
    """The commands that come next, as a shell takes them; the last one is for each image, and names none.

    Args:
        here: whether the current directory is that of the repository.
    """
    found, base = planned.survey, planned.config.base
    at, own = _at(planned, here=here)
    git = shlex.join(["git", *at])
    branch = found.branch or (base if found.tree is None else "set-up-release")
    commands = []
    if not found.branch and found.tree is not None:  # a detached HEAD: a push of the base would leave the commit out
        commands.append(f"{git} switch --create {branch}")
    if planned.marked:
        commands.append(shlex.join(["release", *own, "check"]))
    if paths := _uncommitted(planned):
        message = shlex.quote(f"Take over the files of release {__version__}" if planned.upgraded else "Set release up")
        alone = f" -- {shlex.join(paths)}" if _others_staged(found) else ""
        commands.append(f"{git} add {shlex.join(paths)} && {git} commit -m {message}{alone}")
    if found.remote[1]:
        commands.append(f"{git} push -u {shlex.quote(found.remote[0])} {shlex.quote(branch)}")
    else:
        bare = found.top.with_name(f"{found.top.name}.git")
        number = 1
        while bare.exists():
            number += 1
            bare = found.top.with_name(f"{found.top.name}-{number}.git")
        made = shlex.join(["git", "init", "--quiet", "--bare", f"--initial-branch={base}", str(bare)])
        serves = shlex.join(["git", "-C", str(bare), "config", "uploadpack.allowFilter", "true"])
        push = f"{git} push -u origin {shlex.quote(branch)}"
        commands.append(f"{made} && {serves} && {git} remote add origin {shlex.quote(str(bare))} && {push}")
    commands.append(shlex.join(["release", *own, "doctor" if branch == base else "check"]))
    commands.append(shlex.join(["release", *own, "bump", planned.config.entry.name, "TAG"]))
    return commands


def _others_staged(found: Survey) -> bool:
    """Whether a commit would take along what somebody else put into the index."""
    return found.tree is not None and process.run(["diff", "--cached", "--quiet"], str(found.top)).code == 1


def _uncommitted(planned: Planned) -> list[str]:
    """What no commit has yet of all that the tool reads and that was written; a directory that is new, as a whole."""
    found = planned.survey
    files = [one.path for one in planned.files if one.state != "kept"]
    owned = [path.rstrip("/") for path in extras.owned(planned.config)]
    command = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--", *files, *owned]
    changed = {entry[3:] for entry in process.run(command, str(found.top)).text.split("\0") if entry}
    above = {path: next((one for one in owned if path.startswith(f"{one}/")), path) for path in changed}
    new = {path: _topmost_new(path, found.folders) or above[path] for path in changed}
    ordered = [*(path for path in files if path in changed), *sorted(changed)]
    return list(dict.fromkeys(new[path] for path in ordered))


def _topmost_new(path: str, folders: Collection[str]) -> str:
    """The topmost directory above a file that was not there; empty where all were."""
    above = reversed(PurePosixPath(path).parents)
    return next((str(folder) for folder in above if str(folder) not in {".", *folders}), "")
