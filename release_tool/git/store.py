"""The private store: a bare git directory of our own, beside the user's checkout or without one.

Nothing is ever written to the checkout: not to its files, index, refs, configuration, FETCH_HEAD, shallow file or
objects. Its objects are lent through `objects/info/alternates`; its configuration through `include.path`, so that no
credential is copied into a file of ours.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, UsageError
from release_tool.git.errors import explain
from release_tool.git.process import redact, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SETTINGS_FILE = "settings"
"""The store's file with all configuration that talks to the remote and commits; given to git as `-c include.path=FILE`.

The store's own `config` holds the format alone. So `git cat-file` doesn't learn that a remote has what is missing: it
would fetch it object by object, or (git 2.39 and newer with GIT_NO_LAZY_FETCH) die.
"""

# Last in the settings, so it wins over what is included. unpackLimit: one pack is removed sooner than a hundred files.
_SETTINGS = """\
[core]
	hooksPath = /dev/null
	fsmonitor = false
	logAllRefUpdates = false
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	recurseSubmodules = false
	prune = false
	writeCommitGraph = false
	showForcedUpdates = false
	unpackLimit = 1
[push]
	recurseSubmodules = no
	followTags = false
	negotiate = false
	useForceIfIncludes = false
[color]
	ui = false
	push = false
	remote = false
	transport = false
	advice = false
[i18n]
	commitEncoding = utf-8
"""


class Setting(NamedTuple):
    """One value of git's configuration: its key with the section in lower case, and the file that it stands in."""

    key: str
    value: str
    origin: str

    def __repr__(self) -> str:
        return f"Setting({self.key!r})"  # a value may be a credential


class Checkout(NamedTuple):
    """The user's repository.

    Attributes:
        top: the top of its working tree; None for a bare one.
        common: its git directory (of a linked worktree: the main one's).
        algorithm: `sha1` or `sha256`.
        shallow: whether its history is cut.
    """

    top: Path | None
    common: Path
    algorithm: str
    shallow: bool


def find_checkout(directory: Path) -> Checkout:
    """The repository that a directory belongs to.

    Raises:
        ReleaseError: none, or one that git refuses.
    """
    asked = ("--show-object-format", "--is-shallow-repository", "--git-common-dir", "--show-toplevel")
    answer = run(("rev-parse", "--path-format=absolute", *asked), str(directory))
    if answer.code != 0 and "must be run in a work tree" not in answer.err:
        if "not a git repository" in answer.err:
            raise ReleaseError(
                "not a git repository",
                where=str(directory),
                hint="change to a checkout, or name one with -C DIR, or a remote with --repo URL",
            )
        raise explain(answer, "read the repository", str(directory))
    algorithm, shallow, common, *top = answer.lines
    return Checkout(Path(top[0]) if answer.code == 0 else None, Path(common), algorithm, shallow == "true")


def look_at(directory: Path) -> tuple[Checkout, list[Setting]]:
    """The repository that a directory belongs to, and its configuration: both questions asked at once.

    Raises:
        ReleaseError: as `find_checkout` and `settings`.
    """
    found: list[list[Setting] | ReleaseError] = []

    def ask() -> None:
        try:
            found.append(settings((), str(directory)))
        except ReleaseError as error:
            found.append(error)

    beside = Thread(target=ask)
    beside.start()
    try:
        checkout = find_checkout(directory)
    finally:
        beside.join()
    if isinstance(found[0], ReleaseError):
        raise found[0]
    return checkout, found[0]


def settings(where: Sequence[str], cwd: str) -> list[Setting]:
    """The effective configuration of git, in order: a later value wins over an earlier one of the same key.

    Args:
        where: options of git that say which repository, as `--git-dir=DIR`; empty: that of the directory.
        cwd: the directory.
    """
    answer = run((*where, "config", "--list", "--show-origin", "-z"), cwd)
    if answer.code != 0:
        raise explain(answer, "read its configuration", cwd)
    words = answer.text.split("\0")
    found = []
    for origin, setting in zip(words[::2], words[1::2], strict=False):  # the last word is empty
        key, given, value = setting.partition("\n")
        file = os.path.normpath(os.path.join(cwd, origin[5:])) if origin.startswith("file:") else ""  # noqa: PTH118
        found.append(Setting(key, value if given else "true", file))
    return found


def make_store(checkout: Checkout | None, included: Iterable[str], own: str) -> Path:
    """Makes the private store in a new directory that only this user can read.

    Written by hand: `git init` does the same in four times the time.

    Args:
        checkout: whose objects and cut history it uses.
        included: configuration files to include, in order.
        own: more settings, last.
    """
    text = "".join(f"[include]\n\tpath = {quoted(path)}\n" for path in included) + _SETTINGS + own
    try:
        store = _private_directory()
        (store / "refs").mkdir()
        (store / "objects" / "info").mkdir(parents=True)
        (store / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        (store / "config").write_text(own_config(checkout.algorithm if checkout else "sha1"), encoding="ascii")
        (store / SETTINGS_FILE).write_text(text, encoding="utf-8", errors="surrogateescape")
        if checkout is not None:
            _borrow(store, checkout)
    except OSError as error:
        raise ReleaseError(
            f"can't make a temporary directory: {error.strerror}",
            where=str(error.filename or ""),
            hint="free space, or point TMPDIR at another disk",
        ) from error
    return store


def remove_store(store: Path) -> None:
    """Removes a private store; what can't be removed is left to whoever cleans the temporary directory."""
    import shutil

    shutil.rmtree(store, ignore_errors=True)


def _private_directory() -> Path:
    """A new directory that only this user can read, where the machine wants temporary ones.

    As `tempfile.mkdtemp`, whose import is a tenth of what the tool does before its first look at the remote.
    """
    named = (os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    parent = next(filter(None, named), "/tmp")  # noqa: S108 (the directory in it has a random name and mode 0700)
    while True:
        path = Path(parent).absolute() / f"release-{os.urandom(8).hex()}"
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return path


def _borrow(store: Path, checkout: Checkout) -> None:
    """Lends the objects of a checkout to the store, and copies where its history is cut."""
    lent = os.fsencode(checkout.common / "objects")
    if lent.startswith(b'"') or b"\n" in lent:  # gitrepository-layout: only such a path is read as a C string
        lent = b'"%s"' % lent.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    (store / "objects" / "info" / "alternates").write_bytes(lent + b"\n")
    if checkout.shallow:
        (store / "shallow").write_bytes((checkout.common / "shallow").read_bytes())


def own_config(algorithm: str) -> str:
    """The store's own configuration: its format."""
    if algorithm == "sha1":
        return "[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n"
    return f"[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = {algorithm}\n"


def config_files(checkout: Checkout, found: Sequence[Setting]) -> list[str]:
    """The configuration files that the store must include to see what the checkout sees.

    Those are the files behind `includeIf` conditions that hold in the checkout (the store lies elsewhere, so
    `gitdir:` conditions don't hold there; `actions/checkout` keeps its credentials in such a file), then the
    repository's own, then the worktree's.
    """
    origins = {setting.origin for setting in found}
    conditional = []
    for setting in found:
        if setting.key.startswith("includeif.") and setting.key.endswith(".path"):
            path = Path(setting.origin).parent / Path(setting.value).expanduser()
            if os.path.normpath(path) in origins:
                conditional.append(os.path.normpath(path))
    own = [str(checkout.common / "config")]
    worktree = [origin for origin in origins if origin.endswith("/config.worktree")]
    return [*dict.fromkeys(conditional), *own, *worktree]


def remote_name(found: Sequence[Setting], wanted: str, where: str) -> str:
    """The remote to work with: the wanted one, or the only one.

    Raises:
        ReleaseError: there is none, or the choice isn't clear.
    """
    names = list(
        dict.fromkeys(
            setting.key[len("remote.") : -len(".url")]
            for setting in found
            if setting.key.startswith("remote.") and setting.key.endswith(".url")
        )
    )
    if wanted in names:
        return wanted
    if not names:
        raise ReleaseError(
            "the repository has no remote",
            where=where,
            hint="run `git remote add origin URL`; `release` reads and pushes branches of the remote",
        )
    if len(names) > 1:
        raise ReleaseError(
            f"the repository has several remotes ({', '.join(sorted(names))}) and none is `{wanted}`",
            where=where,
            hint=f"name the right one: `git remote rename {min(names)} {wanted}`",
        )
    return names[0]


def last(found: Sequence[Setting], key: str) -> str:
    """The value of a key, as git takes it: the last one; empty where it isn't set."""
    return next((setting.value for setting in reversed(found) if setting.key == key), "")


def first(found: Sequence[Setting], key: str) -> str:
    """The first value of a key: of several URLs of a remote, git reads from that one."""
    return next((setting.value for setting in found if setting.key == key), "")


def is_true(value: str) -> bool:
    """A boolean of git's configuration."""
    return value.lower() in ("true", "yes", "on", "1")


def full_url(found: Sequence[Setting], url: str) -> str:
    """The URL after the longest matching `url.<base>.insteadOf`."""
    matching = [
        (setting.value, setting.key[len("url.") : -len(".insteadof")])
        for setting in found
        if setting.key.startswith("url.") and setting.key.endswith(".insteadof") and url.startswith(setting.value)
    ]
    if not matching:
        return url
    prefix, base = max(matching, key=lambda pair: len(pair[0]))
    return base + url[len(prefix) :]


def checked_url(url: str) -> str:
    """A URL from the command line; a path is made absolute.

    Raises:
        UsageError: empty, an option in disguise, or with a credential.
    """
    if not url or url.startswith("-"):
        raise UsageError("--repo wants a URL or a path", where=url)
    if redact(url) != url:
        raise UsageError(
            "a URL with a credential is refused: it would stand in the process list and in logs",
            where=redact(url),
            hint="leave the credential out of the URL and give it to git: a credential helper, or http.extraheader",
        )
    before_colon = url.partition(":")[0]
    if re.match(r"\w[\w+.-]*://", url) or (":" in url and "/" not in before_colon):  # the second: host:path of ssh
        return url
    return str(Path(url).expanduser().absolute())


def quoted(value: str) -> str:
    """A value of a git configuration file."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
