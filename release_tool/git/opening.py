"""Opens a remote: of a checkout, whose objects and configuration are lent, or by its URL alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.git import store as git_store
from release_tool.git.credential import access
from release_tool.git.process import redact
from release_tool.git.remote import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from release_tool.net.secret import Secret

    Entitle = Callable[[str], Secret | None]


class Opened(NamedTuple):
    """What a repository begins with.

    Attributes:
        store: the private store, made for it.
        remote: the remote, seen from there.
        settings: git's configuration.
        top: the top of the user's working tree; None for a bare repository and with a URL.
    """

    store: Path
    remote: Remote
    settings: Sequence[git_store.Setting]
    top: Path | None


def of_url(url: str, timeout: float, entitle: Entitle) -> Opened:
    """A remote without any checkout; arguments and errors as for `Repository.open`."""
    own = f'[remote "origin"]\n\turl = {git_store.quoted(url)}\n{_promisor("origin")}'
    store = git_store.make_store(None, (), own)
    try:
        settings = git_store.settings((f"--git-dir={store}",), str(store))
        full = git_store.full_url(settings, url)
        link = Remote(
            store,
            str(store),
            "origin",
            redact(full),
            "sha1",
            thin=True,
            partial=True,
            timeout=timeout,
            access=access(full, settings, entitle(full)),
        )
        return Opened(store, link, settings, None)
    except BaseException:
        git_store.remove_store(store)
        raise


def of_checkout(directory: Path, wanted: str, timeout: float, entitle: Entitle) -> Opened:
    """A remote of a checkout; arguments and errors as for `Repository.open`."""
    checkout, settings = git_store.look_at(directory)
    name = git_store.remote_name(settings, wanted, str(checkout.top or checkout.common))
    full = git_store.full_url(settings, git_store.first(settings, f"remote.{name}.url"))
    allowed = access(full, settings, entitle(full))
    # A mirror's push takes no refspecs.
    own = f"[remote {git_store.quoted(name)}]\n\tmirror = false\n" + (_promisor(name) if checkout.shallow else "")
    store = git_store.make_store(checkout, git_store.config_files(checkout, settings), own)
    cwd = str(checkout.top or checkout.common)  # relative URLs count from there
    partial = checkout.shallow or git_store.is_true(git_store.last(settings, f"remote.{name}.promisor"))
    link = Remote(
        store,
        cwd,
        name,
        redact(full),
        checkout.algorithm,
        thin=checkout.shallow,
        partial=partial,
        timeout=timeout,
        access=allowed,
    )
    return Opened(store, link, settings, checkout.top)


def _promisor(name: str) -> str:
    """Marks a remote as the one that has what a filter leaves out; git would write this after the first such fetch."""
    return f"[remote {git_store.quoted(name)}]\n\tpromisor = true\n\tpartialCloneFilter = blob:none\n"
