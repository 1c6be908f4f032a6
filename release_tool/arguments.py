"""The words of the command line: commands, options, and what they are called."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from release_tool import __version__
from release_tool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DESCRIPTION = (
    "Keeps the set of live versions of a service in Git: each image build adds its tag, old versions retire by policy, "
    "one living pull request per environment shows all of it."
)
_EPILOG = (
    "exit status: 0 done, or nothing to do; 1 refused or failed, a person can fix it; 2 wrong usage; 3 a bug; "
    "75 something outside is down or busy, run it again; 130 interrupted"
)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one call.

    Args:
        argv: without the name of the program.

    Raises:
        UsageError: they are wrong.
        SystemExit: `--help` or `--version`, which were printed.
    """
    _refuse_later(argv)
    arguments = parser(argv[0] if argv else None).parse_args(argv)
    _check_texts(arguments)
    if getattr(arguments, "comment", None) is not None and arguments.command == "diff" and arguments.environment:
        raise UsageError("ENV and --comment exclude each other", hint="the comment shows all environments")
    if getattr(arguments, "local", False) and (arguments.direct or arguments.repo):
        other = "--direct" if arguments.direct else "--repo"
        raise UsageError(f"--local and {other} exclude each other", hint="--local edits a working tree and stops there")
    return arguments


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes are told like all others."""

    def error(self, message: str) -> Any:
        """Raise instead of printing and leaving."""
        raise UsageError(message, hint=_likely(message) or f"`{self.prog} --help` lists what there is")


def _refuse_later(argv: Sequence[str]) -> None:
    if argv and argv[0] in _LATER:
        raise UsageError(
            f"`release {argv[0]}` is not in this release of the tool yet",
            hint="until it is, edit image_tag.yaml by hand: the next operation adopts that into the record",
        )


def _check_texts(arguments: argparse.Namespace) -> None:
    """Refuse bytes that aren't UTF-8: the record and commit messages are."""
    for name, value in vars(arguments).items():
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise UsageError(f"{name} is not UTF-8", hint="give the text in UTF-8")


def _likely(message: str) -> str:
    """What was meant, where argparse names a wrong choice and the possible ones."""
    import re

    wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
    if wrong is None:
        return ""
    from release_tool.config import closest

    likely = closest(wrong[1], [word.strip("' ") for word in wrong[2].split(",")])
    return f"did you mean `{likely}`?" if likely else ""


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The command line.

    Args:
        only: build this command alone, if there is one of this name: the others would only cost time.
    """
    top = _Parser(prog="release", description=_DESCRIPTION, epilog=_EPILOG)
    top.add_argument("--version", action="version", version=f"release {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    shared = _shared()
    for name, (text, add_arguments) in _ARGUMENTS.items():
        if only not in _ARGUMENTS or name == only:
            add_arguments(commands.add_parser(name, help=text, description=text, parents=[shared]), shared)
    return top


def _bump_arguments(bump: _Parser, _: _Parser) -> None:
    _changing_arguments(bump)
    bump.add_argument("environment", metavar="ENV", help="the environment that takes the bumps")
    bump.add_argument("tag", metavar="TAG", nargs="?", default="", help="image tag, `tag` or `tag@sha256:…`")
    text = "instead of TAG: every allowed tag of the registry that is newer than the newest known one"
    bump.add_argument("--from-registry", action="store_true", help=text)
    bump.add_argument("--image", default="", help="repository of the image, for the record")
    bump.add_argument("--digest", default="", help="digest of the image, for the record")
    bump.add_argument("--commit", default="", help="commit that was built, for the record")
    bump.add_argument("--build-url", default="", metavar="URL", help="link to the build, for the record")
    bump.add_argument("--pin", action="store_true", help="never retire it, until it is unpinned")
    bump.add_argument("--force", action="store_true", help="where the configuration takes no such bump; with --reason")
    _asked_arguments(bump)


def _promote_arguments(promote: _Parser, _: _Parser) -> None:
    _changing_arguments(promote, local=False)
    promote.add_argument("source", metavar="FROM", help="the environment that the version comes from")
    promote.add_argument("environment", metavar="TO", help="the environment that it goes to")
    promote.add_argument(
        "--version", default="", metavar="NAME", dest="wanted", help="not the default of FROM, but this"
    )
    promote.add_argument("--pin", action="store_true", help="never retire it in TO, until it is unpinned")
    promote.add_argument("--force", action="store_true", help="overrule gates that say no; with --reason")
    _asked_arguments(promote)


def _one_version_arguments(parser: _Parser, _: _Parser) -> None:
    _changing_arguments(parser)
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument("wanted", metavar="NAME", help="name of the version (v5), or its tag")
    _asked_arguments(parser)


def _until_arguments(parser: _Parser, _: _Parser) -> None:
    _one_version_arguments(parser, _)
    _until_argument(parser)


def _until_argument(parser: _Parser) -> None:
    parser.add_argument("--until", default="", metavar="DAY", help="last day of the pin: 2027-03-31, 14d, 6w or never")


def _downgrade_arguments(parser: _Parser, _: _Parser) -> None:
    _changing_arguments(parser, local=False)
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument("--to", default="", metavar="NAME", help="the version to go back to, not the fallback target")
    text = "the version to leave; nothing happens where it is not the default"
    parser.add_argument("--from", default="", metavar="NAME", dest="leave", help=text)
    parser.add_argument("--no-quarantine", action="store_true", help="leave what is left live")
    _asked_arguments(parser)


def _undo_arguments(parser: _Parser, _: _Parser) -> None:
    _changing_arguments(parser, local=False)
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument(
        "operation", nargs="?", default="", metavar="ID", help="of a landed operation; none: the last one"
    )
    _until_argument(parser)
    _asked_arguments(parser)


def _cleanup_arguments(cleanup: _Parser, _: _Parser) -> None:
    _environments_argument(cleanup)
    cleanup.add_argument("--dry-run", action="store_true", help="plan, difference, rendering; write nothing anywhere")
    cleanup.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")
    cleanup.add_argument("--reason", default="", help="why, for the record")


def _guard_arguments(guard: _Parser, _: _Parser) -> None:
    _environments_argument(guard)
    guard.add_argument("--dry-run", action="store_true", help="judge and explain; write nothing anywhere")
    guard.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")
    guard.add_argument("--watch", action="store_true", help="pass after pass, until SIGTERM or SIGINT")
    text = "seconds between two passes of --watch; 60 by default"
    guard.add_argument("--interval", type=_seconds, default=60.0, metavar="SECONDS", help=text)


def _seconds(text: str) -> float:
    """Seconds to wait; argparse tells a ValueError as the usage error that it is."""
    seconds = float(text)
    if not 1 <= seconds <= 86_400:
        raise ValueError
    return seconds


def _asked_arguments(parser: _Parser) -> None:
    parser.add_argument("--reason", default="", help="why, for the record")
    parser.add_argument("--id", default="", help="id of the operation: the same id is the same operation")


def _sync_arguments(sync: _Parser, _: _Parser) -> None:
    _environments_argument(sync)
    sync.add_argument("--dry-run", action="store_true", help="plan and render; write nothing anywhere")


def _status_arguments(status: _Parser, _: _Parser) -> None:
    _environments_argument(status)
    text = "also ask who calls the versions, where `retention.in_use` says how"
    status.add_argument("--in-use", action="store_true", help=text)
    text = "also judge the health of the live versions, where `health` says how"
    status.add_argument("--health", action="store_true", help=text)


def _history_arguments(history: _Parser, _: _Parser) -> None:
    _environments_argument(history)
    text = "only what is about this version, name or tag"
    history.add_argument("--version", default="", metavar="NAME|TAG", dest="wanted", help=text)
    text = "only this operation: bump, promote, …; may be given several times"
    history.add_argument("--operation", action="append", default=[], metavar="OP", help=text)
    text = "from then on: 2026-11-23, 2026-11-23T12:00:00Z, or 14d (12h, 6w) back"
    history.add_argument("--since", default="", metavar="TIME", help=text)
    history.add_argument("--until", default="", metavar="TIME", help="up to then; a day is included")
    history.add_argument("--limit", type=int, metavar="N", help="the newest N; none: all")
    history.add_argument("--pending", action="store_true", help="also what waits on release branches, marked")


def _environments_argument(parser: _Parser, _: _Parser | None = None) -> None:
    parser.add_argument("environments", nargs="*", metavar="ENV", help="environments; none: all")


def _rendering_arguments(parser: _Parser, _: _Parser) -> None:
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument("--ref", metavar="BRANCH", help="look at this branch of the remote")


def _diff_arguments(diff: _Parser, _: _Parser) -> None:
    diff.add_argument("environment", metavar="ENV", nargs="?", default="", help="none: all environments")
    text = "what merging this branch of the remote would change; none: the release branch of the environment"
    diff.add_argument("--ref", metavar="BRANCH", help=text)
    text = "keep one comment on pull request N up to date that shows it (GitHub; without ENV)"
    diff.add_argument("--comment", type=int, metavar="N", help=text)


def _check_arguments(check: _Parser, _: _Parser) -> None:
    check.add_argument("--ref", metavar="BRANCH", help="check this branch of the remote instead")
    text = "judge the step from this branch of the remote, too; without BRANCH: from the base branch"
    check.add_argument("--base", metavar="BRANCH", nargs="?", const="", help=text)


def _pulls_arguments(pulls: _Parser, shared: _Parser) -> None:
    actions = pulls.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    listing = actions.add_parser("list", help="the open ones", parents=[shared])
    listing.add_argument("--all", action="store_true", help="the finished ones too")
    for name, text in (("show", "one, whole"), ("merge", "merge one"), ("close", "close one without merging it")):
        sub = actions.add_parser(name, help=text, parents=[shared])
        sub.add_argument("number", type=int, metavar="N")
        if name == "merge":
            sub.add_argument("--method", choices=("merge", "squash", "rebase"), default="merge")
        if name == "close":
            sub.add_argument("--comment", default="", help="why")


def _demo_arguments(demo: _Parser, _: _Parser) -> None:
    text = "the story of a default that turns bad, instead of that of the pipeline"
    demo.add_argument("--downgrade", action="store_true", help=text)


def _no_arguments(_: _Parser, __: _Parser) -> None:
    pass


_ARGUMENTS: dict[str, tuple[str, Callable[[_Parser, _Parser], None]]] = {
    "bump": ("on each image build: add a tag, retire by policy, render, publish", _bump_arguments),
    "promote": ("carry a version to the next environment, with its name", _promote_arguments),
    "default": ("move the default to a live version, either way", _one_version_arguments),
    "downgrade": ("move the default back, and quarantine what it leaves", _downgrade_arguments),
    "guard": ("judge the health of the versions; move the default back when it is bad", _guard_arguments),
    "cleanup": ("the sweep everywhere: for a schedule; silent without work", _cleanup_arguments),
    "pin": ("never retire a version", _until_arguments),
    "unpin": ("take the pin of a version away", _one_version_arguments),
    "retire": ("take the route of a version away; it drains, then it is removed", _one_version_arguments),
    "restore": ("bring a retired or removed version back, pinned for a week", _until_arguments),
    "quarantine": ("take the route of a bad version away until it is cleared", _one_version_arguments),
    "clear": ("lift a quarantine", _one_version_arguments),
    "undo": ("the inverse of a landed operation, as a new operation", _undo_arguments),
    "sync": ("make each open release branch again on the base's tip; silent without work", _sync_arguments),
    "status": ("the version x environment matrix; what stands, waits and comes in each", _status_arguments),
    "history": ("who moved what, when, why, with which run; newest first", _history_arguments),
    "render": ("the manifests of an environment, as the base branch gives them", _rendering_arguments),
    "diff": ("how the manifests differ from the base branch, object by object", _diff_arguments),
    "check": ("every file, policy and rendering of the working tree is right", _check_arguments),
    "pulls": ("the pull requests of the `local` forge", _pulls_arguments),
    "doctor": ("the set-up examined: remote, forge, token, rules, workflows; what mends it", _no_arguments),
    "demo": ("the whole pipeline in a temporary repository", _demo_arguments),
}


def _shared() -> _Parser:
    shared = _Parser(add_help=False)
    group = shared.add_argument_group("shared options")
    group.add_argument("-C", dest="directory", metavar="DIR", help="work in this checkout")
    group.add_argument("--repo", metavar="URL", help="work on a remote, with no checkout")
    group.add_argument("--service", default="", metavar="NAME", help="which service, where the repository has several")
    group.add_argument("--config", default="release.yaml", metavar="FILE", help="path inside the repository")
    group.add_argument("--output", choices=("text", "json"), default="text", help="what to print on standard output")
    group.add_argument("-v", "--verbose", action="count", default=0, help="say what is done; -vv: every git command")
    return shared


def _changing_arguments(parser: _Parser, *, local: bool = True) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--dry-run", action="store_true", help="plan, difference, rendering; write nothing anywhere")
    if local:
        group.add_argument("--local", action="store_true", help="edit the files of the working tree and stop there")
    parser.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")


_LATER = frozenset(
    [
        "init",
        "dashboard",
    ]
)
