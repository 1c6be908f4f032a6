"""The command line as text: the commands, what each may be given, and what is wrong with a call."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool import __version__
from release_tool.cli.screen import COLOURS
from release_tool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from release_tool.cli.call import Run

GROUPS = {
    "each day, by pipelines and schedules": {
        "bump": "change",
        "promote": "change",
        "guard": "scheduled",
        "cleanup": "scheduled",
        "sync": "scheduled",
    },
    "by hand": {
        "default": "change",
        "downgrade": "change",
        "pin": "change",
        "unpin": "change",
        "retire": "change",
        "restore": "change",
        "quarantine": "change",
        "clear": "change",
        "undo": "change",
    },
    "looking": {
        "status": "read",
        "explain": "read",
        "history": "read",
        "render": "read",
        "diff": "read",
        "check": "read",
    },
    "set-up": {
        "init": "init",
        "doctor": "setup",
        "pulls": "setup",
        "completion": "completion",
        "demo": "setup",
    },
}
"""Every command in the order of `release --help`, with the module of this package that has it in its COMMANDS."""

MODULES = {name: module for group in GROUPS.values() for name, module in group.items()}

LATER = frozenset(["dashboard"])
"""Commands that the documentation speaks of, and that are not there yet."""

_DESCRIPTION = (
    "Keeps the set of live versions of a service in Git: each image build adds its tag, old versions retire by policy,"
    " and one pull request per environment shows all of it."
)

_ENDING = """\
exit status:
  0    done, or nothing to do
  1    refused or failed: a person can mend it
  2    wrong usage
  3    a bug
  75   something outside is down or busy: run it again
  130  interrupted

`release COMMAND --help` shows the options and two examples of a command."""


class Command(NamedTuple):
    """One command. To add one: an entry in GROUPS, and this record in COMMANDS of the module that it names.

    Attributes:
        text: what it does, for `--help`.
        examples: two calls, as a shell takes them.
        arguments: adds its own arguments to its parser.
        run: runs it; the exit status.
    """

    text: str
    examples: tuple[str, str]
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Run], int]


class Parser(ArgumentParser):
    """A parser whose mistakes are printed like all other errors."""

    def error(self, message: str) -> Any:
        """Raise instead of printing and leaving."""
        raise UsageError(message, hint=_likely(message) or f"`{self.prog} --help` shows what is possible")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one call, without the name of the program; `run` among them runs the command.

    Raises:
        UsageError: they are wrong.
        SystemExit: `--help` or `--version`, which were printed.
    """
    name = next((word for word in argv if not word.startswith("-")), "")
    if name in LATER:
        raise UsageError(
            f"`release {name}` is not in this release of the tool yet",
            hint="until then, edit image_tag.yaml by hand: the next operation adopts the edit into the record",
        )
    # The parsers and modules of the other commands would only cost time.
    arguments = parser([name] if name in MODULES else MODULES).parse_args(argv)
    for key, value in vars(arguments).items():
        # Bytes that aren't UTF-8 come in as half surrogate pairs; the record and commit messages take none.
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise UsageError(f"{key} is not UTF-8", hint="give the text in UTF-8")
    if getattr(arguments, "comment", None) is not None and arguments.command == "diff" and arguments.environment:
        raise UsageError("ENV and --comment exclude each other", hint="the comment shows all environments")
    if getattr(arguments, "local", False) and (arguments.direct or arguments.repo):
        other = "--direct" if arguments.direct else "--repo"
        raise UsageError(f"--local and {other} exclude each other", hint="--local edits a working tree and stops there")
    return arguments


class _Version(argparse.Action):
    """`--version`, which asks other programs only when it is given."""

    def __call__(self, parser: ArgumentParser, *_: Any) -> None:
        from release_tool import wiring

        print(f"release {__version__} ({', '.join(wiring.versions())})")
        parser.exit()


def not_empty(text: str) -> str:
    """The value of an option that a script may fill from a variable that nobody has set."""
    if not text:
        raise argparse.ArgumentTypeError("the value is empty; leave the option out, or name something")
    return text


def parser(names: Iterable[str]) -> ArgumentParser:
    """The command line with some commands."""
    top: ArgumentParser = Parser(
        prog="release",
        usage="release [-h] [--version] [shared options] COMMAND …",
        description=_DESCRIPTION,
        formatter_class=_Folded,
        parents=[shared_options(first=True)],
    )
    text = "show the versions of the tool, of the Helm engine, of git and of Python"
    top.add_argument("--version", action=_Version, nargs=0, help=text)
    places = top.add_subparsers(
        dest="command", metavar="COMMAND", prog="release", required=True, help=argparse.SUPPRESS
    )
    shared, texts = shared_options(), {}
    for name in names:
        command: Command = import_module(f"release_tool.cli.{MODULES[name]}").COMMANDS[name]
        texts[name] = command.text
        ending = "\n".join(["examples:", *(f"  {example}" for example in command.examples)])
        one = places.add_parser(
            name, help=command.text, description=command.text, epilog=ending, parents=[shared], formatter_class=_Folded
        )
        command.arguments(one)
        one.set_defaults(run=command.run)
    if len(texts) > 1:
        _describe(top, texts)
    return top


class _Folded(argparse.RawDescriptionHelpFormatter):
    """Texts keep their lines, folded at the width of the terminal; examples stay whole: people copy them."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:  # noqa: ARG002 (it is empty)
        import re
        import textwrap

        lines: list[str] = []
        for line in text.split("\n"):
            column = re.match(r" *(?:[^ ]+ {2,})?", line)
            assert column is not None  # it may be empty
            deeper = " " * column.end()
            if not line.startswith("  release "):
                line = textwrap.fill(  # noqa: PLW2901
                    line, width, subsequent_indent=deeper, break_long_words=False, break_on_hyphens=False
                )
            lines.append(line)
        return "\n".join(lines)


def _describe(top: ArgumentParser, texts: dict[str, str]) -> None:
    """List the commands by their groups."""
    groups = (
        "\n".join([f"{title}:", *(f"  {name:12}{texts[name]}" for name in group)]) for title, group in GROUPS.items()
    )
    top.description = "\n\n".join([_DESCRIPTION, *groups])
    top.epilog = _ENDING


def _likely(message: str) -> str:
    """What was meant, where argparse names a wrong choice and the possible ones."""
    import re

    wrong = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
    if wrong is None:
        return ""
    from release_tool.config import closest

    likely = closest(wrong[1], [word.strip("' ") for word in wrong[2].split(",")])
    return f"did you mean `{likely}`?" if likely else ""


# -- what several commands take ---------------------------------------------------------------------------------------


def shared_options(*, first: bool = False) -> ArgumentParser:
    """What every command understands, before it (`first`) or behind it: what is not written there changes nothing."""
    shared = ArgumentParser(add_help=False, argument_default=None if first else argparse.SUPPRESS)
    group = shared.add_argument_group("shared options, before or after the command")
    group.add_argument("-C", dest="directory", metavar="DIR", help="work in this checkout")
    group.add_argument("--repo", metavar="URL", help="work on a remote, with no checkout")
    group.add_argument("--service", metavar="NAME", help="which service, where the repository has several")
    group.add_argument("--config", metavar="FILE", help="path inside the repository")
    group.add_argument("--output", choices=("text", "json"), help="what to print on standard output")
    text = "colours for words and differences; auto: on a terminal, by NO_COLOR and FORCE_COLOR"
    group.add_argument("--color", choices=COLOURS, help=text)
    group.add_argument("--no-pager", action="store_true", help="print long texts at once")
    group.add_argument("-v", "--verbose", action="count", help="say what is done; -vv: every git command")
    if first:
        shared.set_defaults(service="", config="release.yaml", output="text", color="auto", no_pager=False, verbose=0)
    return shared


def wants_json(argv: Sequence[str]) -> bool:
    """Whether a call that may be wrong asks for JSON."""
    return "--output=json" in argv or any(pair == ("--output", "json") for pair in pairwise(argv))


def force_argument(parser: ArgumentParser) -> None:
    """Of what writes a time, and has no `--force` that means more."""
    text = "also where this machine's clock seems wrong; with --reason, also where the chart can't carry it out"
    parser.add_argument("--force", action="store_true", help=text)


def changing_arguments(parser: ArgumentParser, *, local: bool = True, forced: bool = False) -> None:
    """Of every operation that somebody asks for.

    Args:
        local: also in the files of a working tree.
        forced: whether the command has a `--force` of its own.
    """
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--dry-run", action="store_true", help="show plan, difference and rendering; write nothing")
    if local:
        group.add_argument("--local", action="store_true", help="edit the files of the working tree and stop there")
    parser.add_argument("--direct", action="store_true", help="push to the base branch, without a pull request")
    parser.add_argument("--reason", default="", help="why, for the record")
    if not forced:
        force_argument(parser)
    parser.add_argument("--id", default="", help="id of the operation: the same id is the same operation")


def until_argument(parser: ArgumentParser) -> None:
    """Of what pins."""
    parser.add_argument("--until", default="", metavar="DAY", help="last day of the pin: 2027-03-31, 14d, 6w or never")


def environments_argument(parser: ArgumentParser) -> None:
    """Of what works on several environments."""
    parser.add_argument("environments", nargs="*", metavar="ENV", help="environments; none: all")


def no_arguments(_: ArgumentParser) -> None:
    """Of what has the shared ones only."""
