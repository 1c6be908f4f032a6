"""What commands have in common on the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from release_tool.cli.call import Run


class Command(NamedTuple):
    """One command.

    To add one: a function for its arguments, one that runs it, and a line in the table of `release_tool.cli`.

    Attributes:
        text: what it does, for `--help`.
        arguments: adds its own arguments to its parser.
        run: runs it; the exit status.
    """

    text: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Run], int]


def shared_options() -> ArgumentParser:
    """What every command understands."""
    shared = ArgumentParser(add_help=False)
    group = shared.add_argument_group("shared options")
    group.add_argument("-C", dest="directory", metavar="DIR", help="work in this checkout")
    group.add_argument("--repo", metavar="URL", help="work on a remote, with no checkout")
    group.add_argument("--service", default="", metavar="NAME", help="which service, where the repository has several")
    group.add_argument("--config", default="release.yaml", metavar="FILE", help="path inside the repository")
    group.add_argument("--output", choices=("text", "json"), default="text", help="what to print on standard output")
    group.add_argument("-v", "--verbose", action="count", default=0, help="say what is done; -vv: every git command")
    return shared


def changing_arguments(parser: ArgumentParser, *, local: bool = True) -> None:
    """Of every command that changes something; `local`: also in the files of a working tree."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--dry-run", action="store_true", help="plan, difference, rendering; write nothing anywhere")
    if local:
        group.add_argument("--local", action="store_true", help="edit the files of the working tree and stop there")
    parser.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")


def asked_arguments(parser: ArgumentParser) -> None:
    """Of every operation that somebody asks for."""
    parser.add_argument("--reason", default="", help="why, for the record")
    parser.add_argument("--id", default="", help="id of the operation: the same id is the same operation")


def until_argument(parser: ArgumentParser) -> None:
    """Of what pins."""
    parser.add_argument("--until", default="", metavar="DAY", help="last day of the pin: 2027-03-31, 14d, 6w or never")


def environments_argument(parser: ArgumentParser) -> None:
    """Of what works on several environments."""
    parser.add_argument("environments", nargs="*", metavar="ENV", help="environments; none: all")


def no_arguments(_: ArgumentParser) -> None:
    """Of what has the shared ones only."""
