"""What a plan makes of an environment's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool import tagfile
from release_tool.model import history
from release_tool.remote.snapshot import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.remote.snapshot import Files, Source
    from release_tool.rules.plan import Plan

_TOGETHER = 50  # so many old lines are moved at once, or none, so that not every pull request shows some


def new_files(files: Files, plan: Plan, source: Source) -> dict[str, bytes]:
    """The files that a plan changes: path -> bytes."""
    changed: dict[str, bytes] = {}
    before = files.tag_file(empty=True)
    after = tagfile.edit(before, plan.edits)
    if after.text != before.text:
        changed[files.place.tag_file] = after.text.encode("utf-8")
    if not plan.lines:
        return changed
    record, lines = files.record, files.lines()
    archives: dict[str, bytes] = {}
    # Lines of versions long gone move to the archives of their years: each of them with a cleanup, with other
    # operations once there are some dozens.
    least = 1 if any(line.intent.operation == "cleanup" for line in plan.lines) else _TOGETHER
    if len(lines) >= least:
        from release_tool.model import archive

        old = archive.movable(lines, plan.after, plan.lines[-1].at)
        if len(old) >= least:
            record, moved = archive.split(record, files.place.history_file, old)
            found = source.read(map(files.place.archive, moved))
            for year, more in moved.items():
                path = files.place.archive(year)
                text = decode(found[path], path) if path in found else ""
                archives[path] = archive.joined(text, more).encode("utf-8")
    changed[files.place.history_file] = history.append(record, plan.lines).encode("utf-8")
    return changed | archives


def file_difference(files: Files, changed: Mapping[str, bytes]) -> str:
    """The unified difference of the files that a plan changes, for people."""
    from difflib import unified_diff

    before = {files.place.tag_file: files.tags or "", files.place.history_file: files.record}
    parts = []
    for path, data in changed.items():
        if path not in before:
            parts.append(f"old lines of the record move to {path}\n")
            continue
        old, new = before[path].splitlines(keepends=True), data.decode("utf-8").splitlines(keepends=True)
        lines = unified_diff(old, new, f"a/{path}", f"b/{path}", n=2)
        parts += [line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines]
    return "".join(parts)
