"""What a person sees of a repository on GitHub, line by line; and a hand that acts amid a command."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

from github_world import GitHubWorld
from standin import Pull, StandIn
from world import SEED

PUSH = ("GET", r"\.git/info/refs\?service=git-receive-pack")
"""The request that a push begins with: the command has looked at everything by then."""
LOOK = ("GET", r"\.git/info/refs\?service=git-upload-pack")
LOOK_AFTER_PUSH = ("GET", r"/pulls\?state=open")
UPDATE = ("PATCH", r"/pulls/\d+$")

TOGETHER = [
    "#1 open devel: bump v1.0.5, v1.0.6 (v5 v1.0.5) (v6 v1.0.6)",
    "main: nothing new; no record",
    "release/devel: v5 v1.0.5, v6 v1.0.6; bump v1.0.5, bump v1.0.6",
]
"""The picture of two bumps that wait in one pull request."""

_ADDED = re.compile(r"^\| add \| (\S+) \| `(\S+)`", re.MULTILINE)


def picture(github: GitHubWorld) -> list[str]:
    """The pull requests, then the branches: `#1 open devel: bump v1.0.5 (v5 v1.0.5)`, `main: v5 v1.0.5; bump v1.0.5`.

    A pull request has its title and, while it is open, what its body adds; a branch the versions of its file beside those
    of the beginning, and the operations of its record. What always holds is asserted: one open pull request a branch,
    which shows its tip, and no operation twice in a record.
    """
    heads = github.repository.bare.heads()
    shown = [pull.head for pull in github.open]
    assert len(shown) == len(set(shown)), "one open pull request a branch"
    assert [pull.head_sha for pull in github.open] == [heads[head] for head in shown]
    return [_pull(pull) for pull in github.repository.pulls.values()] + [
        _branch(github, name) for name in sorted(heads)
    ]


def _pull(pull: Pull) -> str:
    state = "merged" if pull.merged else pull.state
    added = "".join(f" ({name} {tag})" for name, tag in _ADDED.findall(pull.body or ""))
    return f"#{pull.number} {state} {pull.title}{added if state == 'open' else ''}"


def _branch(github: GitHubWorld, name: str) -> str:
    lines = github.world.lines("devel", name)
    assert len({line.id for line in lines}) == len(lines), "no operation twice"
    state = github.world.state("devel", name)
    held = [
        f"{one} {tag}{' quarantined' if one in state.quarantined else ''}"
        for one, tag in state.versions.items()
        if tag not in SEED
    ]
    done = [f"{line.intent.operation} {line.intent.written.get('tag')}" for line in lines]
    return f"{name}: {', '.join(held) or 'nothing new'}; {', '.join(done) or 'no record'}"


@contextlib.contextmanager
def just_before(standin: StandIn, request: tuple[str, str], action: Callable[[], object]) -> Iterator[None]:
    """Somebody does something once, just before the first such request is answered; asserts that it came to it."""
    waiting = [action]
    method, pattern = request
    draw = standin.draw

    def drawn(asked: str, target: str) -> object:
        if waiting and asked == method and re.search(pattern, target):
            waiting.pop()()
        return draw(asked, target)

    standin.draw = drawn  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del standin.draw
    assert not waiting, "the command sent no such request"
