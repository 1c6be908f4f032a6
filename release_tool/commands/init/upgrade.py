"""`release init --upgrade`: what this version of the tool would change in the files that an older one wrote.

A three-way merge of each file: the base is the text as `release init` wrote it, one side is what people made of it, the
other is what this version writes for the same answers. Where only one side moved, there is nothing to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool import __version__
from release_tool.commands import check
from release_tool.commands.init import ledger, pipelines
from release_tool.commands.init.files import PlannedFile, made_again
from release_tool.commands.init.planned import AsPlanned, Planned, id_like, noted
from release_tool.commands.init.planning import loaded
from release_tool.errors import ReleaseError, UsageError
from release_tool.git import process
from release_tool.git.merge_file import merge_file
from release_tool.model.records import Name, Tag
from release_tool.model.versions import is_newer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from release_tool.commands.init.request import Answers, InitRequest
    from release_tool.commands.init.survey import Survey
    from release_tool.config import Config
    from release_tool.helm import Renderer

CONFLICTS = {"yours": "ours", "new": "theirs", "mark": ""}
"""What becomes of lines that both sides changed, with git's word for that; `mark`: both, between markers."""


def plan_upgrade(
    found: Survey,
    asked: InitRequest,
    conflicts: str,
    renderer: Callable[[Config], Renderer],
    now: datetime | None = None,
) -> Planned:
    """Decide what is written; nothing is changed.

    Args:
        asked: `config`, and `tool` where the workflows shall call another commit.
        conflicts: a word of CONFLICTS; empty: conflicts are shown, and nothing is to be written.
    """
    path = ledger.path_of(asked.config)
    there = {} if found.tree is None else found.tree.read([path])
    if found.tree is None or path not in there:
        what = "`release init` has left no note here of what it wrote"
        hint = "run `release init`: what stands as this version writes it is noted, and nothing else is changed"
        raise ReleaseError(what, where=path, hint=hint)
    old = ledger.read(there[path], path)
    _demand_newer(old, path)
    answers = _answers(old, asked)
    config = loaded(answers.settings, asked.config) if answers.settings else found.config
    if config is None:
        raise ReleaseError("the file is missing", where=asked.config, hint=f"`git checkout HEAD -- {asked.config}`")
    ours = {one.path: one for one in made_again(asked.config, found.tree, config, answers)}
    theirs = found.tree.read({*ours, *old.files})
    merger = _Merger(found, old, conflicts)
    files = [
        one
        for path in sorted({*ours, *old.files})
        if (one := merger.merged(path, theirs.get(path), ours.get(path))) is not None
    ]
    moved = {path: ledger.remembered(one, merger.id_like) for path, one in ours.items() if merger.follows(path)}
    if moved != old.files or answers != old.answers:
        files.append(noted(ledger.Ledger(__version__, answers, moved), path, there[path]))
    planned = Planned(found, found.config or config, asked.config, tuple(files), check.CheckReport((), ()), old.version)
    if planned.conflicts or merger.marked or not files:
        return planned._replace(marked=tuple(merger.marked))
    source = AsPlanned(found.tree, planned.written)
    return planned._replace(report=check.run(source, asked.config, renderer, now=now))


def _demand_newer(old: ledger.Ledger, path: str) -> None:
    one = Name("v1")
    if is_newer("semver", (one, Tag(old.version)), (one, Tag(__version__))):
        what = f"release {old.version} wrote these files, and this is {__version__}"
        raise ReleaseError(what, where=path, hint=f"install {old.version} or a newer one; nothing is taken back")


def _answers(old: ledger.Ledger, asked: InitRequest) -> Answers:
    if not asked.tool:
        return old.answers
    if not old.answers.tool:
        what = "--tool is for the workflows, and `release init` wrote none here"
        raise UsageError(what, hint=f"`release init --workflows --tool {asked.tool}` writes them")
    return old.answers._replace(tool=pipelines.checked_tool(asked.tool, old.answers.ci))


class _Merger:
    """Decides about one file after the other."""

    def __init__(self, found: Survey, old: ledger.Ledger, choice: str) -> None:
        self.id_like = id_like(found)
        self.marked: list[str] = []
        self._found = found
        self._old = old
        self._choice = choice
        self._left: set[str] = set()

    def follows(self, path: str) -> bool:
        """Whether a file is one that the tool wrote, and not another one that stood in its place."""
        return path not in self._left

    def merged(self, path: str, theirs: bytes | None, ours: PlannedFile | None) -> PlannedFile | None:
        """What becomes of a file; None: nothing."""
        known = self._old.files.get(path)
        new = ours.content if ours else None
        shown = PlannedFile(path, new or b"", ours.what if ours else "no longer written", present=theirs or b"")
        if known is None:
            if theirs is not None and theirs != new:
                self._left.add(path)  # people's own, which stood there before
            return shown if theirs is None else None
        if theirs == new or (ours and ledger.remembered(ours, self.id_like) == known):
            return None
        if theirs is None:
            return shown._replace(state="gone") if ours else None
        base = self._base(known, theirs)
        if base is not None and _plain(base) == _plain(theirs):
            content = _like(new, theirs) if new is not None else b""
            return shown._replace(content=content, state="removed" if new is None else "changed")
        return self._decided(shown, theirs, base, new)

    def _decided(self, shown: PlannedFile, theirs: bytes, base: bytes | None, new: bytes | None) -> PlannedFile | None:
        """Of a file that both sides changed, as far as anybody knows."""
        if new is None:  # and people changed it
            what = "no longer written, and you changed it"
            state = {"new": "removed", "": "conflict"}.get(self._choice)
            return shown._replace(what=what, state=state) if state else None  # type: ignore[arg-type]
        labels = ("yours", f"release {self._old.version}", f"release {__version__}")
        merged = merge_file(_plain(theirs), _plain(base or b""), new, labels, CONFLICTS.get(self._choice, ""))
        if self._choice == "mark" and merged.conflicts:
            self.marked.append(shown.path)
        content = _like(merged.content, theirs)
        if base is None and self._choice == "yours":
            return None
        if merged.conflicts and not self._choice:
            what = shown.what if base is not None else f"{shown.what}; how it was written, nobody knows here"
            return shown._replace(content=content, what=what, state="conflict")
        return None if content == theirs else shown._replace(content=content, state="changed")

    def _base(self, known: str | tuple[str, ...], theirs: bytes) -> bytes | None:
        """The file as it was written; None where Git has it no longer, or not yet."""
        if not isinstance(known, str):
            return "\n".join(known).encode()
        if ledger.object_id(_plain(theirs), known) == known:
            return theirs
        answer = process.run(["cat-file", "blob", known], str(self._found.top))
        return answer.out if answer.code == 0 else None


def _plain(text: bytes) -> bytes:
    """With the line ends that the tool writes."""
    return text.replace(b"\r\n", b"\n")


def _like(text: bytes, other: bytes) -> bytes:
    """With the line ends of another text."""
    return text.replace(b"\n", b"\r\n") if b"\r\n" in other else text
