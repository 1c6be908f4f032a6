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
    if plan.lines:
        record, archives = _without_old_lines(files, plan, source)
        changed[files.place.history_file] = history.append(record, plan.lines).encode("utf-8")
        changed |= archives
    return changed


def _without_old_lines(files: Files, plan: Plan, source: Source) -> tuple[str, dict[str, bytes]]:
    """The record without the lines of versions long gone, and the archives of their years with them."""
    # A cleanup moves every one; other operations wait until there are some dozens.
    lines = files.lines()
    least = 1 if any(line.intent.operation == "cleanup" for line in plan.lines) else _TOGETHER
    if len(lines) < least:
        return files.record, {}
    from release_tool.model import archive

    old = archive.movable(lines, plan.after, plan.lines[-1].at)
    if len(old) < least:
        return files.record, {}
    record, moved = archive.split(files.record, files.place.history_file, old)
    paths = {year: files.place.archive(year) for year in moved}
    found = source.read(paths.values())
    texts = {path: decode(found[path], path) if path in found else "" for path in paths.values()}
    return record, {path: archive.joined(texts[path], moved[year]).encode("utf-8") for year, path in paths.items()}


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
