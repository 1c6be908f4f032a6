"""The credentials that `docker login` or `helm registry login` left, from their own files and helpers.

Sources: https://docs.docker.com/reference/cli/docker/login/ (files, stores, helpers),
https://github.com/docker/docker-credential-helpers (what is said to a helper), and
https://docs.docker.com/reference/cli/docker/ (the variable DOCKER_AUTH_CONFIG, which comes before the files).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError, TryAgain
from release_tool.net.child_environment import for_helpers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE = "DOCKER_AUTH_CONFIG"
"""Holds `auths` of such a file: for a CI job, whose secrets need no file then."""

_HELPER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # the end of a program's name, never a path
_UNKNOWN = b"credentials not found in native keychain"  # what a helper says that knows none
_IDENTITY = "<token>"  # the user that a helper names where the secret is an identity token


class CredentialsError(ReleaseError):
    """Credentials for a registry can't be had."""

    page = "reference/configuration.md#images-and-calls"


class Credentials(NamedTuple):
    """What `docker login` keeps of a registry: a user with a password, or one of two kinds of token."""

    user: str = ""
    password: str = ""
    identity_token: str = ""  # is exchanged for a token at the registry's token server (OAuth 2, a refresh token)
    registry_token: str = ""  # is sent to the registry as it is

    def __repr__(self) -> str:
        return "Credentials(***)"


def find(login: str, timeout: float) -> Credentials | None:
    """The credentials for a registry: of `VARIABLE`; else of its helper in `credHelpers`, of `credsStore`, of `auths`.

    None where nobody is logged in, by Docker or by Helm. `login` is what `docker login` calls the registry.

    Raises:
        ReleaseError: such a file can't be read, or the helper that it names fails.
        TryAgain: the helper gives no answer in so many seconds.
    """
    if given := os.environ.get(VARIABLE):
        place = Path(VARIABLE)
        if found := _decoded(_of_host(_parsed(given, place), "auths", login, place), place):
            return found
    return next(filter(None, (_find(path, login, timeout) for path in _files())), None)


def _find(path: Path, login: str, timeout: float) -> Credentials | None:
    settings = _read(path)
    helper = _of_host(settings, "credHelpers", login, path) or settings.get("credsStore")
    found = _ask(helper, login, path, timeout) if helper else None
    return found or _decoded(_of_host(settings, "auths", login, path), path)


def _files() -> Iterator[Path]:
    """Docker's file of the user, whose directory DOCKER_CONFIG names; then Helm's, in the same form."""
    yield Path(os.environ.get("DOCKER_CONFIG") or Path("~/.docker").expanduser()) / "config.json"
    usual = "~/Library/Preferences" if sys.platform == "darwin" else "~/.config"
    above = os.environ.get("XDG_CONFIG_HOME") or usual
    home = Path(os.environ.get("HELM_CONFIG_HOME") or Path(above).expanduser() / "helm")
    yield Path(os.environ.get("HELM_REGISTRY_CONFIG") or home / "registry" / "config.json")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _unusable(path, error.strerror or "it can't be read") from None
    return _parsed(text, path)


def _parsed(text: bytes | str, path: Path) -> Mapping[str, Any]:
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):  # not chained: some of these hold the text of the file
        raise _unusable(path, "it is no JSON") from None
    if not isinstance(settings, dict):
        raise _unusable(path, "it holds no JSON object")
    return settings


def _of_host(settings: Mapping[str, Any], key: str, login: str, path: Path) -> Any:
    """The entry of a registry in `auths` or `credHelpers`; old files name it with a scheme and a path."""
    entries = settings.get(key) or {}
    if not isinstance(entries, dict):
        raise _unusable(path, f"`{key}` is no JSON object")
    if login in entries:
        return entries[login]
    return next((entry for name, entry in entries.items() if _host(name) == _host(login)), None)


def _host(name: str) -> str:
    host = re.sub(r"^https?://", "", name).partition("/")[0]
    return "index.docker.io" if host in ("docker.io", "registry-1.docker.io") else host


def _decoded(entry: Any, path: Path) -> Credentials | None:
    """The credentials in an entry of `auths`; None: it is there as a mark only, or not at all."""
    if not entry:
        return None
    try:
        user, _, password = base64.b64decode(entry.get("auth") or "", validate=True).decode().partition(":")
        found = Credentials(
            user or entry.get("username", ""),
            # Docker pads what it decodes with zero bytes, and takes them away again
            (password or entry.get("password", "")).rstrip("\0"),
            entry.get("identitytoken", ""),
            entry.get("registrytoken", ""),
        )
        _check_texts(*found)
    except (ValueError, TypeError, AttributeError):
        raise _unusable(path, "an entry of `auths` is damaged") from None
    return found if any(found) else None


def _ask(helper: Any, login: str, path: Path, timeout: float) -> Credentials | None:
    """What a credential helper knows of a registry. Its words are not repeated: they may hold what it keeps."""
    if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
        raise _unusable(path, "the name of a credential helper is none")
    program = f"docker-credential-{helper}"
    code, out = _run(program, login, path, timeout)
    if code != 0 and _UNKNOWN in out:
        return None
    try:
        answer = json.loads(out) if code == 0 else {}
        user, secret = answer["Username"], answer["Secret"]
        _check_texts(user, secret)
    except (ValueError, LookupError, TypeError, RecursionError):
        raise CredentialsError(
            f"the credential helper {program} fails",
            where=str(path),
            cause=f"exit status {code}",
            hint=f"`echo {login} | {program} get` says why",
        ) from None
    return Credentials(identity_token=secret) if user == _IDENTITY else Credentials(user, secret)


def _run(program: str, login: str, path: Path, timeout: float) -> tuple[int, bytes]:
    """Run a helper; its exit status and output."""
    try:
        process = subprocess.Popen(
            [program, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=for_helpers(os.environ),
            start_new_session=True,  # what it starts ends with it
        )
    except OSError as error:
        hint = "install it, or correct `credsStore` and `credHelpers` of that file"
        cause = error.strerror or "it can't be started"
        raise CredentialsError(
            f"the program `{program}` can't be run", where=str(path), cause=cause, hint=hint
        ) from None
    with process:
        try:
            out, _ = process.communicate(login.encode(), timeout)
        except subprocess.TimeoutExpired:
            what = f"the credential helper {program} gave no answer within {timeout:g} s"
            hint = "it may wait for a keychain to be unlocked; unlock it, then run the same command again"
            raise TryAgain(what, where=str(path), hint=hint) from None
        finally:
            if process.poll() is None:  # time is up, or a person has ended this
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out


def _check_texts(*values: object) -> None:
    if not all(isinstance(value, str) for value in values):
        raise TypeError


def _unusable(path: Path, cause: str) -> ReleaseError:
    if path == Path(VARIABLE):
        hint = 'give it the form {"auths": {"HOST": {"auth": "BASE64 OF USER:PASSWORD"}}}, or unset it'
        return ReleaseError(f"the variable {VARIABLE} can't be used", cause=cause, hint=hint)
    whose, again = ("Helm", "helm registry login") if path.parent.name == "registry" else ("Docker", "docker login")
    hint = f"mend it, or remove it and run `{again}` again"
    return CredentialsError(f"{whose}'s file with credentials can't be used", where=str(path), cause=cause, hint=hint)
