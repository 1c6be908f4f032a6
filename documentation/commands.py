"""The reference of the commands: what is made of docs/reference/commands.md, and of a page for each command."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from release_tool.cli import parser
from release_tool.cli.parser import GROUPS, MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from release_tool.cli.parser import Command


def pages() -> dict[str, str]:
    """Path below docs/reference -> what is generated in it."""
    return {"commands.md": _overview(), **{f"commands/{name}.md": _of_command(name) for name in MODULES}}


def _command(name: str) -> Command:
    found: Command = import_module(f"release_tool.cli.{MODULES[name]}").COMMANDS[name]
    return found


def _overview() -> str:
    parts = []
    for title, group in GROUPS.items():
        rows = [f"| [`release {name}`](commands/{name}.md) | {_command(name).text} |" for name in group]
        parts.append("\n".join([f"{title.capitalize()}:", "", "| command | does |", "| --- | --- |", *rows]))
    shared = _table("shared option", list(parser.shared_options(first=True)._actions))  # noqa: SLF001 (argparse has no other list)
    return "\n\n".join([*parts, "Before or behind the command:", shared])


def _of_command(name: str) -> str:
    command = _command(name)
    one = argparse.ArgumentParser(prog=f"release {name}", add_help=False)
    command.arguments(one)
    text = command.text[0].upper() + command.text[1:]
    examples = "\n".join(["Examples:", "", "```text", *command.examples, "```"])
    synopsis, *options = _synopsis_and_options(one)
    below = [synopsis, *options, examples] if synopsis.startswith("```") else [examples, synopsis, *options]
    return "\n\n".join([f"{text}.", *below])


def _synopsis_and_options(one: argparse.ArgumentParser) -> Iterator[str]:
    actions = one._actions  # noqa: SLF001
    below = [action for action in actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    own = [action for action in actions if action not in below]
    if not below:
        yield _synopsis(one.prog, own)
        if own:
            yield _table("argument or option", own)
    for action in below:
        for name, sub in action.choices.items():
            said = next(choice.help for choice in action._choices_actions if choice.dest == name)  # noqa: SLF001
            yield f"## `{one.prog} {name}`\n\n{(said or '')[:1].upper()}{(said or '')[1:]}."
            shared = {option.dest for option in parser.shared_options()._actions}  # noqa: SLF001
            mine = [one for one in sub._actions if one.dest not in shared | {"help"}]  # noqa: SLF001
            yield _synopsis(f"{one.prog} {name}", mine)
            if mine:
                yield _table("argument or option", mine)


def _synopsis(prog: str, actions: list[argparse.Action]) -> str:
    options = " [options]" if any(action.option_strings for action in actions) else ""
    words = "".join(f" {_place(action)}" for action in actions if not action.option_strings)
    return f"```text\n{prog}{options}{words}\n```"


def _place(action: argparse.Action) -> str:
    shown = str(action.metavar or action.dest.upper())
    return {"?": f"[{shown}]", "*": f"[{shown}…]"}.get(str(action.nargs), shown)


def _table(head: str, actions: list[argparse.Action]) -> str:
    """Places before options; no column of defaults where nothing has one."""
    placed = sorted(actions, key=lambda action: bool(action.option_strings))
    rows: list[tuple[str, ...]] = [(head, "default", "meaning"), ("---",) * 3]
    rows += [(f"`{_written(action)}`", _default(action), action.help or "") for action in placed]
    if not any(map(_default, actions)):
        rows = [(first, last) for first, _, last in rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _written(action: argparse.Action) -> str:
    if not action.option_strings:
        return _place(action)
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    takes = action.nargs != 0
    shown = f"[{value}]" if action.nargs == "?" else f"{value}"
    return ", ".join(action.option_strings) + (f" {shown}" if takes else "")


def _default(action: argparse.Action) -> str:
    value = action.default
    return "" if value in (None, "", False, 0, argparse.SUPPRESS) or value == [] else f"`{value}`"
