"""Opens a remote: of a checkout, whose objects and configuration are lent, or by its URL alone.

Either way the tool works in a private store: a bare git directory of its own. Nothing is ever written to the checkout:
not to its files, index, refs, configuration, FETCH_HEAD, shallow file or objects. Its objects are lent through
`objects/info/alternates`; its configuration through `include.path`, so that no credential is copied into a file of the
tool's own.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, UsageError
from release_tool.git import temporary
from release_tool.git.errors import explain
from release_tool.git.process import GitCredential, Setting, end, finish, redact, run, start
from release_tool.git.urls import host_of, remote_urls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from release_tool.git.process import GitAnswer
    from release_tool.git.urls import RemoteUrls
    from release_tool.net.secret import Secret

    Entitle = Callable[[str], Secret | None]

# The store's file with all configuration that talks to the remote and commits; given to git as `-c include.path=FILE`.
# The store's own `config` holds the format alone. So `git cat-file` doesn't learn that a remote has what is missing: it
# would fetch it object by object, or (git 2.39 and newer with GIT_NO_LAZY_FETCH) die.
SETTINGS = "settings"

FORMATS = {
    "sha1": "[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n",
    "sha256": "[core]\n\trepositoryFormatVersion = 1\n\tbare = true\n[extensions]\n\tobjectFormat = sha256\n",
}
"""The store's own configuration, by the algorithm of the ids."""

# Wins over the attributes of any other place. A merge driver and a filter are programs of the configuration, and merge
# results are those of a forge, which has none.
_ATTRIBUTES = "* merge -filter -text\n"

# Last in the settings, so it wins over what is included.
_SETTINGS = """\
[core]
	# Nobody needs the store after a crash, and git waits for the disk after each pack.
	fsync = none
	hooksPath = /dev/null
	fsmonitor = false
	logAllRefUpdates = false
	# git asks the lender of objects for its refs, by two processes each time. The store holds them already.
	alternateRefsCommand = true
[protocol "ext"]
	# A URL that is a program. GIT_ALLOW_PROTOCOL of the environment allows it.
	allow = never
[gc]
	auto = 0
[maintenance]
	auto = false
[fetch]
	recurseSubmodules = false
	prune = false
	writeCommitGraph = false
	showForcedUpdates = false
	# One pack is removed sooner than a hundred files.
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


class Store(NamedTuple):
    """A private store, and how the remote is seen from there."""

    path: Path  # the bare git directory
    cwd: str  # where git runs: relative URLs count from there
    top: Path | None  # of the user's working tree; None for a bare repository and with a URL
    remote: str  # the name in git's configuration
    url: str  # redacted, for messages
    urls: RemoteUrls  # as git has them
    algorithm: str  # `sha1` or `sha256`
    thin: bool  # no full checkout lends its objects: fetch one commit deep and without files
    partial: bool  # files may be missing that the remote has
    settings: Sequence[Setting]
    credential: GitCredential  # empty: git's own ways (its configuration, a credential helper, SSH)
    entitle: Entitle


def of_url(url: str, entitle: Entitle, known: str | None = None) -> Store:
    """A remote without any checkout; arguments and errors as for `Repository.open`.

    `known`: another address, which the user means. A host that isn't the same gets no login that is for every host:
    it may be a stranger's proposal that names it.
    """
    own = f'[remote "origin"]\n\turl = {quoted(url)}\n{_promisor("origin")}'
    store = _make_store("sha1", _SETTINGS + own)
    try:
        settings = _settings(run((f"--git-dir={store}", *_CONFIG), str(store)), str(store))
        urls = remote_urls(settings, "origin", url)
        if urls.main != url:
            (store / SETTINGS).write_text(_SETTINGS + _at("origin", urls.main) + _promisor("origin"), encoding="utf-8")
        foreign = known is not None and host_of(known) != host_of(urls.main)
        credential = _credential(urls.main, settings, entitle, foreign=foreign)
    except BaseException:
        temporary.remove(store)
        raise
    return Store(
        path=store,
        cwd=str(store),
        top=None,
        remote="origin",
        url=redact(urls.main),
        urls=urls,
        algorithm="sha1",
        thin=True,
        partial=True,
        settings=settings,
        credential=credential,
        entitle=entitle,
    )


def of_checkout(directory: Path, wanted: str, entitle: Entitle) -> Store:
    """A remote of a checkout; arguments and errors as for `Repository.open`."""
    cwd = str(directory)
    asked = ("--show-object-format", "--is-shallow-repository", "--git-common-dir", "--all", "--show-toplevel")
    configuration = start(_CONFIG, cwd, stdin=False)
    try:  # both questions at once
        place = finish(start(("rev-parse", "--path-format=absolute", *asked), cwd, stdin=False))
        if place.code != 0 and "must be run in a work tree" not in place.err:
            if "not a git repository" in place.err:
                raise ReleaseError(
                    "not a git repository",
                    where=cwd,
                    hint="change to a checkout, or name one with -C DIR, or a remote with --repo URL",
                )
            raise explain(place, "read the repository", cwd)
        settings = _settings(finish(configuration), cwd)
    finally:
        end(configuration)
    algorithm, shallow, common, *held = place.lines
    thin, top = shallow == "true", Path(held.pop()) if place.code == 0 else None
    cwd = str(top or common)
    name = _remote_name(settings, wanted, cwd)
    urls = remote_urls(settings, name)
    full = urls.main
    credential = _credential(full, settings, entitle)
    # Of several URLs of a remote, git reads from the first one. More than one pushed to are refused before a push.
    text = "" if full == urls.reads else _at(name, full, pushes=urls.key.endswith(".url"))
    if full.startswith("file://") or ":" not in full.partition("/")[0]:  # elsewhere these run on the server
        named = {setting.key for setting in settings if setting.origin.startswith(f"{common}/")}
        for service in ("upload-pack", "receive-pack"):
            word = service.replace("-", "")
            if f"remote.{name}.{word}" in named:  # git takes the first
                text += f"[remote {quoted(name)}]\n\t{word} = git-{service}\n"
    text += "".join(f"[include]\n\tpath = {quoted(path)}\n" for path in _config_files(Path(common), settings))
    # A mirror's push takes no refspecs.
    text += f"{_SETTINGS}[remote {quoted(name)}]\n\tmirror = false\n{_promisor(name) if thin else ''}"
    store = _make_store(algorithm, text, Path(common), held, cut=thin)
    promisor = [setting.value for setting in settings if setting.key == f"remote.{name}.promisor"]
    return Store(
        path=store,
        cwd=cwd,
        top=top,
        remote=name,
        url=redact(full),
        urls=urls,
        algorithm=algorithm,
        thin=thin,
        partial=thin or is_true("".join(promisor[-1:])),
        settings=settings,
        credential=credential,
        entitle=entitle,
    )


def checked_url(url: str) -> str:
    """A URL from the command line; a path is made absolute. UsageError: empty, an option, or with a credential."""
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


# -- git's configuration

_CONFIG = ("config", "--list", "--show-origin", "-z")


def _settings(answer: GitAnswer, cwd: str) -> list[Setting]:
    """The effective configuration of git, in order: a later value wins over an earlier one of the same key."""
    if answer.code != 0:
        raise explain(answer, "read its configuration", cwd)
    words = answer.text.split("\0")
    found = []
    for origin, setting in zip(words[::2], words[1::2], strict=False):  # the last word is empty
        key, given, value = setting.partition("\n")
        file = os.path.normpath(os.path.join(cwd, origin[5:])) if origin.startswith("file:") else ""  # noqa: PTH118
        found.append(Setting(key, value if given else "true", file))
    return found


def is_true(value: str | None) -> bool:
    """A boolean of git's configuration; None: not set."""
    return (value or "").lower() in ("true", "yes", "on", "1")


def quoted(value: str) -> str:
    """A value of a git configuration file."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def _config_files(common: Path, settings: Sequence[Setting]) -> list[str]:
    """The configuration files that the store must include to see what the checkout sees."""
    # First the files behind `includeIf` conditions that hold in the checkout: the store lies elsewhere, so `gitdir:`
    # conditions don't hold there, and `actions/checkout` keeps its credentials in such a file.
    origins = {setting.origin for setting in settings}
    conditional = []
    for setting in settings:
        if setting.key.startswith("includeif.") and setting.key.endswith(".path"):
            path = Path(setting.origin).parent / Path(setting.value).expanduser()
            if os.path.normpath(path) in origins:
                conditional.append(os.path.normpath(path))
    worktree = [origin for origin in origins if origin.endswith("/config.worktree")]
    return [*dict.fromkeys(conditional), str(common / "config"), *worktree]


def _remote_name(settings: Sequence[Setting], wanted: str, where: str) -> str:
    """The remote to work with: the wanted one, or the only one."""
    found = (setting.key for setting in settings if setting.key.startswith("remote.") and setting.key.endswith(".url"))
    names = list(dict.fromkeys(key[len("remote.") : -len(".url")] for key in found))
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


def _credential(url: str, settings: Sequence[Setting], entitle: Entitle, *, foreign: bool = False) -> GitCredential:
    if not url.startswith("http"):  # SSH and paths know no header
        return GitCredential()
    from release_tool.git import credential

    if foreign:
        return credential.for_foreign(url, settings, entitle(url))
    return credential.credential_for(url, settings, entitle(url))


def _at(name: str, url: str, *, pushes: bool = True) -> str:
    """Settings by which git reads at one address; `pushes`: and pushes to that. Nothing rewrites the address again."""
    there = quoted(url)
    pushed = f"\tpushurl = {there}\n" if pushes else ""
    return f"[remote {quoted(name)}]\n\turl = {there}\n{pushed}[url {there}]\n\tinsteadOf = {there}\n"


def _promisor(name: str) -> str:
    """Marks a remote as the one that has what a filter leaves out; git would write this after the first such fetch."""
    return f"[remote {quoted(name)}]\n\tpromisor = true\n\tpartialCloneFilter = blob:none\n"


# -- the private store


def _make_store(
    algorithm: str, settings: str, common: Path | None = None, held: Sequence[str] = (), *, cut: bool = False
) -> Path:
    """The private store, in a new directory.

    Args:
        algorithm: of the ids.
        settings: the text of the file with all configuration.
        common: the git directory that lends its objects.
        held: the ids that its refs hold: a fetch tells the remote of them, and asks for what is new.
        cut: its history is.
    """
    # Written by hand: `git init` does the same in four times the time.
    try:
        store = temporary.make()
        (store / "refs").mkdir()
        (store / "objects" / "info").mkdir(parents=True)
        (store / "info").mkdir()
        (store / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")
        (store / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        (store / "config").write_text(FORMATS[algorithm], encoding="ascii")
        (store / SETTINGS).write_text(settings, encoding="utf-8", errors="surrogateescape")
        if common is not None:
            lent = os.fsencode(common / "objects")
            if lent.startswith(b'"') or b"\n" in lent:  # gitrepository-layout: only such a path is read as a C string
                lent = b'"%s"' % lent.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
            (store / "objects" / "info" / "alternates").write_bytes(lent + b"\n")
            refs = "".join(f"{name} refs/lent/{name}\n" for name in sorted(set(held)))
            (store / "packed-refs").write_text(f"# pack-refs with: sorted\n{refs}", "ascii")
            if cut:
                (store / "shallow").write_bytes((common / "shallow").read_bytes())
    except OSError as error:
        raise ReleaseError(
            f"can't make a temporary directory: {error.strerror}",
            where=str(error.filename or ""),
            hint="free space, or point TMPDIR at another disk",
        ) from error
    return store
