"""`release completion SHELL`: a script by which a shell completes commands, options, environments and services.

The script is static: at each TAB a shell looks at the script and at release.yaml, and starts no Python.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from release_tool.cli.parser import MODULES, Command, parser

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from release_tool.cli.call import Run

SHELLS = ("bash", "zsh", "fish")

# The keys below a section of the release.yaml that stands here or in a directory above. Keys in braces, on one line,
# are not read.
_AWK = r"""
  /^[^ \t#]/ { on = index($0, section ":") == 1; depth = 0; next }
  on && match($0, /^ +/) && substr($0, RLENGTH + 1, 1) != "#" {
    if (!depth) depth = RLENGTH
    name = substr($0, depth + 1)
    gsub(/["\047]/, "", name)
    if (RLENGTH == depth && match(name, /^[A-Za-z0-9._-]+[ \t]*:/)) { sub(/[ \t]*:.*/, "", name); print name }
  }
"""
_SH = f"""
_release_names() {{
  local dir="$PWD"
  until [[ -z $dir || -f $dir/release.yaml ]]; do dir="${{dir%/*}}"; done
  awk -v section="$1" '{_AWK}' "$dir/release.yaml" 2> /dev/null
}}
"""
_PREAMBLES = {
    "bash": _SH
    + """
_release_environments() { compgen -W "$(_release_names environments)" -- "$1"; }
_release_services() { compgen -W "$(_release_names services)" -- "$1"; }
""",
    "zsh": _SH
    + """
_release_environments() { compadd -- ${(f)"$(_release_names environments)"} }
_release_services() { compadd -- ${(f)"$(_release_names services)"} }
""",
    "fish": f"""
function _release_names
  set -l dir $PWD
  while test -n "$dir" -a ! -f "$dir/release.yaml"
    set dir (string replace -r '/[^/]*$' '' -- "$dir")
  end
  awk -v section=$argv[1] '{_AWK}' "$dir/release.yaml" 2> /dev/null
end
""",
}
_NAMES = {
    key: {"bash": f"_release_{key}", "zsh": f"_release_{key}", "fish": f"(_release_names {key})"}
    for key in ("environments", "services")
}
_WHERE = """\
where the script goes:
  bash  ~/.local/share/bash-completion/completions/release, with the package bash-completion
  zsh   ~/.zfunc/_release, with fpath=(~/.zfunc $fpath) in ~/.zshrc before compinit
  fish  ~/.config/fish/completions/release.fish

as in:
  release completion bash > ~/.local/share/bash-completion/completions/release

Write it again after an upgrade of this tool."""


def script(shell: str) -> str:
    """The script for a shell, one of SHELLS."""
    import shtab

    top = parser(MODULES)
    _annotate(top)
    text: str = shtab.complete(top, shell, preamble=_PREAMBLES[shell])
    # zsh would complete the first of several names alone.
    return text.replace('"(*)::', '"*:') if shell == "zsh" else text


def _annotate(parser: ArgumentParser) -> None:
    """Say what completes an argument where argparse doesn't know."""
    import shtab

    complete: dict[str, object] = {
        "ENV": _NAMES["environments"],
        "FROM": _NAMES["environments"],
        "TO": _NAMES["environments"],
    }
    complete |= {"DIR": shtab.DIRECTORY, "FILE": shtab.FILE}
    for action in parser._actions:  # noqa: SLF001 -- argparse has no other way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            action.help = None  # `release --help` lists the commands itself
            for command in dict.fromkeys(action.choices.values()):
                _annotate(command)
        found = _NAMES["services"] if action.dest == "service" else complete.get(str(action.metavar))
        if found is not None:
            action.complete = found  # type: ignore[attr-defined]


def _arguments(completion: ArgumentParser) -> None:
    completion.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    completion.epilog = f"{_WHERE}\n\n{completion.epilog}"


def _run(run: Run) -> int:
    text = script(run.arguments.shell)
    run.show(lambda: {"shell": run.arguments.shell, "script": text}, lambda: text.rstrip("\n"), is_data=True)
    return 0


COMMANDS = {
    "completion": Command(
        "a script by which bash, zsh or fish complete commands and names",
        (
            "release completion bash",
            "release completion fish --output json",
        ),
        _arguments,
        _run,
    ),
}
