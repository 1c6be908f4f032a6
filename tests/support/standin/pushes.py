"""Git over smart HTTP: `git http-backend` with a pre-receive hook that refuses in GitHub's words."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from git_server import GitAnswer, backend

from standin.bare import ZERO
from standin.rules import Refusal, push_refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from standin.records import Repository, Token

# One line per rule in $STANDIN_RULES: when TAB ref TAB name of the file with the message. The reason beside the ref is
# git's "pre-receive hook declined", which the answer gets replaced by GitHub's.
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
        workflows)
            case $new in 0000000000000000000000000000000000000000) continue ;; esac
            since=$old
            case $old in 0000000000000000000000000000000000000000) since=$STANDIN_DEFAULT ;; esac
            [ -n "$since" ] || since=$(git hash-object -t tree /dev/null)
            git diff --quiet "$since" "$new" -- .github/workflows && continue ;;
        esac
        cat "$message" >&2
        printf '%s\t%s\n' "$ref" "$message" >> "$STANDIN_REFUSED"
        status=1
        break
    done < "$STANDIN_RULES"
done
exit $status
"""


def commands(body: bytes) -> list[tuple[str, str, str]]:
    """What a push asks for: (old, new, ref) of each ref."""
    found = []
    for line in _packets(body):
        if line is None:
            break
        if line.startswith(b"shallow "):  # a pusher with a cut history says so first
            continue
        old, new, ref = line.split(b"\0")[0].decode().strip().split(" ", 2)
        found.append((old, new, ref))
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


def serve(repository: Repository, method: str, service_path: str, query: str, headers: dict[str, str], body: bytes,
          token: Token | None) -> GitAnswer:  # fmt: skip
    """An answer of `git http-backend`; of a push, with the rules of the repository."""
    with tempfile.TemporaryDirectory() as folder:
        env = dict(_RULELESS)
        pushes = method == "POST" and service_path == "/git-receive-pack"
        refusals: dict[str, Refusal] = {}
        if pushes:
            assert token is not None
            env, refusals = _with_hook(repository, token, body, Path(folder))
        root, path = repository.path.parent, f"/{repository.path.name}{service_path}"
        answer = backend(root, method, path, query, headers, body, env)
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


_RULELESS = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **_settings("receive.hideRefs=refs/pull"),
}


def _with_hook(
    repository: Repository, token: Token, body: bytes, folder: Path
) -> tuple[dict[str, str], dict[str, Refusal]]:
    """The environment that makes git run the hook, and each message's file -> its refusal."""
    refusals: dict[str, Refusal] = {}
    lines = []
    for old, new, ref in commands(body):
        found = push_refusals(repository, token.user, ref, deletes=new == ZERO, creates=old == ZERO)
        found += _workflows(token)
        for refusal in found:
            file = folder / f"message{len(refusals)}"
            file.write_text(f"{refusal.message}\n" if refusal.message else "")
            refusals[str(file)] = refusal
            lines.append(f"{refusal.when}\t{ref}\t{file}\n")
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / "pre-receive").write_text(_HOOK)
    (hooks / "pre-receive").chmod(0o755)
    (folder / "rules").write_text("".join(lines))
    env = {
        **_RULELESS,
        **_settings("receive.hideRefs=refs/pull", f"core.hooksPath={hooks}"),
        "STANDIN_RULES": str(folder / "rules"),
        "STANDIN_REFUSED": str(folder / "refused"),
        "STANDIN_DEFAULT": repository.bare.tip(repository.default_branch) or "",
    }
    return env, refusals


def _workflows(token: Token) -> list[Refusal]:
    """A push that changes workflow files wants a permission of its own."""
    if token.kind == "classic":
        allowed, who = "workflow" in token.scopes, "an OAuth App"
        need = "`workflow` scope"
    else:
        allowed = token.may("workflows", "write")
        who = "a GitHub App" if token.of_an_app else "a Personal Access Token"
        need = "`workflows` permission" if token.of_an_app else "`workflow` scope"
    reason = f"refusing to allow {who} to create or update workflow `.github/workflows` without {need}"
    return [] if allowed else [Refusal("workflows", reason, "")]


def _reworded(content: bytes, reasons: dict[str, str]) -> bytes:
    """The answer to a push with GitHub's reasons in the place of git's own.

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
