"""What a check of rendered manifests finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from release_tool.manifests.routes.view import Found

_SHOWN = 6


class Finding(NamedTuple):
    """One thing that is wrong, or that somebody should know.

    Attributes:
        rule: the rule that it breaks, in a word.
        about: what breaks it: an object, or the template of many where it would break it with any other name.
        source: the template that the object comes from, `<chart>/templates/<file>`; empty if the rendering doesn't say.
        subject: what of that it is about.
        what: a sentence without a full stop that names the object.
        hint: what to do.
        serious: whether calls fail by it, now or at the next change. What isn't is told and stops nothing.
    """

    rule: str
    about: str
    source: str
    subject: str
    what: str
    hint: str
    serious: bool = True

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes it the same finding in another rendering, whatever words it has there."""
        return self.rule, self.about, self.subject


def about(found: Found, rule: str, subject: str, what: str, hint: str, *, serious: bool = True) -> Finding:
    """A finding about an object."""
    return Finding(rule, found.title, found.source, subject, f"{found.title}: {what}", hint, serious)


def of_template(found: Found, rule: str, what: str, hint: str, *, serious: bool = True) -> Finding:
    """A finding about an object that its template has with all that it renders."""
    return about(found, rule, "", what, hint, serious=serious)._replace(about=found.source or found.title)


def listed(names: Iterable[str]) -> str:
    """Names in one line, the first few of many."""
    every = list(names)
    more = [f"{len(every) - _SHOWN} more"] if len(every) > _SHOWN + 1 else []
    return ", ".join([*every[: _SHOWN if more else None], *more]) or "none"


def written(labels: Iterable[tuple[str, str]]) -> str:
    """Labels in one line, as YAML has them."""
    return ", ".join(f"{key}: {value}" for key, value in labels)
