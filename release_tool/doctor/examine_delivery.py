"""`release doctor` on what applies the environments: whether it tells what it applied, and how it is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.doctor.diagnosis import Diagnosis, ok
from release_tool.health import delivered as delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from release_tool.config import Config
    from release_tool.doctor.access import Access
    from release_tool.git.repository import Repository
    from release_tool.model.delivery import Delivered
    from release_tool.model.records import CommitId

_MOST = 8  # so many environments are asked about
_STAYS = "retired versions are not removed before it is known that their retirement is applied"
_PAGE = "docs/how-to/applied.md"


def examine(access: Access, repository: Repository, base: CommitId, views: Sequence[Config]) -> Iterator[Diagnosis]:
    """The object of each environment that names one."""
    asked = [
        (view, name)
        for view in views
        for name, one in view.environments.items()
        if one.health is not None and one.health.delivered_by
    ]
    for view, name in asked[:_MOST]:
        told = delivery.ask(view, name, access.environ)
        yield from _told(told, view.place(name).title, view.base, repository.first_parents(base))
    if len(asked) > _MOST:
        what = f"{len(asked) - _MOST} more environments were not asked about"
        yield Diagnosis("unknown", "delivery", what, "", "", "`release doctor --service NAME`")


def _told(told: Delivered, title: str, base: str, line: Sequence[CommitId]) -> Iterator[Diagnosis]:
    about = f"delivery of {title}"
    if told.unknown:
        yield Diagnosis("unknown", about, f"{told.by}: {told.unknown}", "", _STAYS, f"see {_PAGE}")
        return
    commit = told.applied[0].commit if told.applied else ""
    if not commit:
        what = f"{told.by} names no commit that it has applied ({told.state})"
        yield Diagnosis("warning", about, what, "", _STAYS, f"see {_PAGE}")
    elif not any(one.startswith(commit) for one in line):
        what = f"{told.by} has applied {told.commit}, which is none of the last {len(line)} first parents of {base}"
        yield Diagnosis("warning", about, what, "", _STAYS, f"let it follow {base}, or take it out of release.yaml")
    else:
        yield ok(about, f"{told.by} has applied {told.commit} ({told.state})")
    if told.problem:
        yield Diagnosis(
            "warning", about, f"{told.by} doesn't go on: {told.problem}", "", "what lands is not applied", ""
        )
    for advice in told.advice:
        yield Diagnosis("warning", about, f"{told.by}: {advice}", "", "", "change its manifest")
