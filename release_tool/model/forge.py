"""What differs between forges, as data: what each can do, and what it makes of Markdown.

The table in docs/forges/index.md is made of these records; `forges/base.py` says what every forge does.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Flavour(NamedTuple):
    """A forge's Markdown. The texts are composed as GitHub reads them, and adapted to this.

    Attributes:
        title: characters that the title of a pull request may have.
        body: UTF-16 code units that its text may have (no way to count characters gives more).
        comment: the same for a comment.
        folds: `<details>` is folded; else all is shown, under headings.
        alerts: `> [!WARNING]` becomes a box; else a quotation.
        mermaid: diagrams of Mermaid are drawn; else left out.
        html: HTML is read at all, comments of it too; else they are seen as text.
        quick_actions: a line that begins with `/` and a word is a command (`/merge`, `/approve`).
        references: characters that make a reference, before a number or a word.
        drafts: beginnings of a title, in lower case, that make a pull request a draft, which nobody can merge.
    """

    title: int = 256
    body: int = 65_536
    comment: int = 65_536
    folds: bool = True
    alerts: bool = True
    mermaid: bool = True
    html: bool = True
    quick_actions: bool = False
    references: str = "#@"
    drafts: tuple[str, ...] = ()


AutoMerge = Literal["forge", "pass", "no"]
"""Who merges a pull request that is allowed to merge with nobody looking: the forge, bound to one head; the next pass
of the tool, bound to one head (the forge's own way would also merge what is pushed later); nobody but a person."""


class Capabilities(NamedTuple):
    """What a forge can do.

    Attributes:
        kind: its name in `forge.kind`.
        title: its name for people.
        proposes: it has pull requests at all. Without, branches are pushed, and people take them from there.
        knows_landings: it tells when a pull request was merged: a commit of the base that it doesn't know was pushed
            there straight.
        noun: what a pull request is called there.
        sigil: what stands before its number there.
        methods: the ways of merging that its API knows: `merge`, `squash`, `rebase`; empty: it leaves that to people.
        auto_merge: who merges with nobody looking.
        opens_once: it refuses to open a second one of a branch, also where two calls come at the same moment.
        opens_empty: it takes a pull request that changes nothing.
        deleting_closes: a pull request is closed when its branch is deleted.
        reopens: a closed pull request can be opened again.
        keeps_comments: comments can be changed, so that one stays up to date.
        labels: pull requests have labels.
        reviewers: people can be asked for a review.
        teams: teams can, too.
        flavour: its Markdown.
    """

    kind: str
    title: str
    proposes: bool = True
    knows_landings: bool = True
    noun: str = "pull request"
    sigil: str = "#"
    methods: tuple[str, ...] = ()
    auto_merge: AutoMerge = "no"
    opens_once: bool = True
    opens_empty: bool = False
    deleting_closes: bool = True
    reopens: bool = True
    keeps_comments: bool = True
    labels: bool = True
    reviewers: bool = True
    teams: bool = False
    flavour: Flavour = Flavour()

    @property
    def splits(self) -> bool:
        """Whether a text is too short for all: the first screen stands in it, the rest in a comment."""
        return self.keeps_comments and self.flavour.body < self.flavour.comment
