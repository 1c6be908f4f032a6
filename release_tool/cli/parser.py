"""The command line as text: what it may hold, and what is wrong with it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from release_tool import __version__
from release_tool.cli.options import shared_options
from release_tool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from release_tool.cli.options import Command

_DESCRIPTION = (
    "Keeps the set of live versions of a service in Git: each image build adds its tag, old versions retire by policy, "
    "one living pull request per environment shows all of it."
)
_EPILOG = (
    "exit status: 0 done, or nothing to do; 1 refused or failed, a person can fix it; 2 wrong usage; 3 a bug; "
    "75 something outside is down or busy, run it again; 130 interrupted"
)
LATER = frozenset(["init", "dashboard"])
"""Commands that the documentation speaks of, and that are not there yet."""


def parse(argv: Sequence[str], commands: Mapping[str, Command]) -> argparse.Namespace:
    """The arguments of one call.

    Args:
        argv: without the name of the program.
        commands: name -> command, in the order of `--help`.

    Raises:
        UsageError: they are wrong.
        SystemExit: `--help` or `--version`, which were printed.
    """
    _refuse_later(argv)
    arguments = parser(commands, argv[0] if argv else None).parse_args(argv)
    _check_texts(arguments)
    if getattr(arguments, "comment", None) is not None and arguments.command == "diff" and arguments.environment:
        raise UsageError("ENV and --comment exclude each other", hint="the comment shows all environments")
    if getattr(arguments, "local", False) and (arguments.direct or arguments.repo):
        other = "--direct" if arguments.direct else "--repo"
        raise UsageError(f"--local and {other} exclude each other", hint="--local edits a working tree and stops there")
    return arguments


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are told like all others."""

    def error(self, message: str) -> Any:
        """Raise instead of printing and leaving."""
        raise UsageError(message, hint=_likely(message) or f"`{self.prog} --help` lists what there is")


def _refuse_later(argv: Sequence[str]) -> None:
    if argv and argv[0] in LATER:
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


def parser(commands: Mapping[str, Command], only: str | None = None) -> argparse.ArgumentParser:
    """The command line.

    Args:
        commands: name -> command, in the order of `--help`.
        only: build this command alone, if there is one of this name: the others would only cost time.
    """
    top: argparse.ArgumentParser = Parser(prog="release", description=_DESCRIPTION, epilog=_EPILOG)
    top.add_argument("--version", action="version", version=f"release {__version__}")
    places = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    shared = shared_options()
    for name, command in commands.items():
        if only not in commands or name == only:
            command.arguments(places.add_parser(name, help=command.text, description=command.text, parents=[shared]))
    return top
