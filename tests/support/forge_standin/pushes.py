"""Git over smart HTTP: `git http-backend` with a pre-receive hook that refuses in a forge's words."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from git_server import GitAnswer, backend

from forge_standin.bare import ZERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forge_standin.bare import Bare
    from forge_standin.site import Request


@dataclass(frozen=True)
class Refusal:
    """Why a push of a ref is refused."""

    when: str  # `always`, `force` (a push that isn't a fast-forward) or `changes:PATH` (one that changes files there)
    reason: str  # what git shows beside the ref
    message: str  # what the server says in lines that begin with `remote:`


class Command(NamedTuple):
    """What a push asks for, of one ref."""

    old: str
    new: str
    ref: str

    @property
    def creates(self) -> bool:
        return self.old == ZERO

    @property
    def deletes(self) -> bool:
        return self.new == ZERO


# One line per rule in $STANDIN_RULES: when TAB ref TAB name of the file with the message. The reason beside the ref is
# git's "pre-receive hook declined", which the answer gets replaced by the forge's own.
_HOOK = r"""#!/bin/sh
status=0
while read -r old new ref; do
    while IFS='	' read -r when rule_ref message; do
        [ "$rule_ref" = "$ref" ] || continue
        case $when in
        always) ;;
        force)
            case $old$new in *0000000000000000000000000000000000000000*) continue ;; esac
            git merge-base --is-ancestor "$old" "$new" && continue ;;
        changes:*)
            case $new in 0000000000000000000000000000000000000000) continue ;; esac
            since=$old
            case $old in 0000000000000000000000000000000000000000) since=$STANDIN_DEFAULT ;; esac
            [ -n "$since" ] || since=$(git hash-object -t tree /dev/null)
            git diff --quiet "$since" "$new" -- "${when#changes:}" && continue ;;
        esac
        cat "$message" >&2
        printf '%s\t%s\n' "$ref" "$message" >> "$STANDIN_REFUSED"
        status=1
        break
    done < "$STANDIN_RULES"
done
exit $status
"""


def commands(body: bytes) -> list[Command]:
    """What a push asks for, ref by ref."""
    found = []
    for line in _packets(body):
        if line is None:
            break
        if line.startswith(b"shallow "):  # a pusher with a cut history says so first
            continue
        old, new, ref = line.split(b"\0")[0].decode().strip().split(" ", 2)
        found.append(Command(old, new, ref))
    return found


def _packets(data: bytes) -> Iterator[bytes | None]:
    """The lines of git's packet format; None is a flush."""
    at = 0
    while at + 4 <= len(data):
        size = int(data[at : at + 4], 16)
        yield data[at + 4 : at + size] if size >= 4 else None
        at += max(size, 4)


def _packet(line: bytes) -> bytes:
    return b"%04x%s" % (len(line) + 4, line)


def serve(
    bare: Bare, request: Request, service: str, rules: Callable[[Command], Sequence[Refusal]], *, default: str = "",
    settings: Sequence[str] = (),
) -> GitAnswer:  # fmt: skip
    """An answer of `git http-backend`; of a push, with the rules of the repository.

    Args:
        bare: the repository.
        request: what was asked for.
        service: the end of its path: `/info/refs`, `/git-upload-pack` or `/git-receive-pack`.
        rules: why a command of a push is refused, where it is.
        default: the tip of the default branch: what a new branch is compared with.
        settings: git's, of this server: `receive.hideRefs=refs/pull`.
    """
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, **_settings(*settings)}
        pushes = request.method == "POST" and service == "/git-receive-pack"
        refusals: dict[str, Refusal] = {}
        if pushes:
            refusals = _rules(request.body, rules, Path(folder))
            env |= _settings(*settings, f"core.hooksPath={folder}/hooks")
            env |= {"STANDIN_RULES": f"{folder}/rules", "STANDIN_REFUSED": f"{folder}/refused"}
            env |= {"STANDIN_DEFAULT": default}
        path = f"/{bare.path.name}{service}"
        answer = backend(bare.path.parent, request.method, path, request.query, request.headers, request.body, env)
        if not pushes:
            return answer
        refused = Path(folder, "refused")
        reasons = {}
        for line in refused.read_text().splitlines() if refused.exists() else ():
            ref, file = line.split("\t")
            reasons[ref] = refusals[file].reason
        return answer._replace(content=_reworded(answer.content, reasons)) if reasons else answer


def _settings(*more: str) -> dict[str, str]:
    """Settings of git, and those that every server has here, as variables."""
    found = ["uploadpack.allowFilter=true", "uploadpack.allowAnySHA1InWant=true", "receive.advertiseAtomic=true", *more]
    variables = {"GIT_CONFIG_COUNT": str(len(found))}
    for number, setting in enumerate(found):
        variables[f"GIT_CONFIG_KEY_{number}"], _, variables[f"GIT_CONFIG_VALUE_{number}"] = setting.partition("=")
    return variables


def _rules(body: bytes, rules: Callable[[Command], Sequence[Refusal]], folder: Path) -> dict[str, Refusal]:
    """Writes the hook and what it reads; each message's file -> its refusal."""
    refusals: dict[str, Refusal] = {}
    lines = []
    for command in commands(body):
        for refusal in rules(command):
            file = folder / f"message{len(refusals)}"
            file.write_text(f"{refusal.message}\n" if refusal.message else "")
            refusals[str(file)] = refusal
            lines.append(f"{refusal.when}\t{command.ref}\t{file}\n")
    hook = folder / "hooks" / "pre-receive"
    hook.parent.mkdir()
    hook.write_text(_HOOK)
    hook.chmod(0o755)
    (folder / "rules").write_text("".join(lines))
    return refusals


def _reworded(content: bytes, reasons: dict[str, str]) -> bytes:
    """The answer to a push with the forge's reasons in the place of git's own.

    A push to several refs of which one is refused is refused as a whole; the others keep git's words.
    """
    report, rest = b"", []
    for line in _packets(content):
        if line is not None and line[:1] == b"\x01":  # the first band holds the report
            report += line[1:]
        else:
            rest.append(b"0000" if line is None else _packet(line))
    written = b""
    for line in _packets(report):
        if line is not None and line.startswith(b"ng "):
            ref, reason = line[3:].rstrip(b"\n").split(b" ", 1)
            written += _packet(b"ng %s %s\n" % (ref, reasons.get(ref.decode(), reason.decode()).encode()))
        else:
            written += b"0000" if line is None else _packet(line)
    return b"".join([*rest[:-1], _packet(b"\x01" + written), *rest[-1:]])


def options(body: bytes) -> list[str]:
    """The options of a push (`git push -o`), which follow what it asks for where both sides know such."""
    packets = _packets(body)
    asked = list(takewhile(lambda line: line is not None, packets))  # a pusher with a cut history says so first
    if not any(b"push-options" in (line or b"") for line in asked):
        return []
    return [line.decode().strip("\n") for line in takewhile(lambda line: line is not None, packets) if line]


def remarked(content: bytes, text: str) -> bytes:
    """The answer to a push with lines of the server's own: git shows them behind `remote:`."""
    if not text or not content.startswith(b"0"):
        return content
    return b"".join(_packet(b"\x02" + line.encode()) for line in text.splitlines(keepends=True)) + content
