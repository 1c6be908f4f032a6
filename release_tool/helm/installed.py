"""Whether a `helm` program is new enough. It needs no other package: `actions/install.py` asks before there is any."""

from __future__ import annotations

import re
from _thread import allocate_lock
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError
from release_tool.git import temporary
from release_tool.git.process import end, launch
from release_tool.helm.messages import INSTALL

if TYPE_CHECKING:
    from pathlib import Path

OLDEST = (3, 14)
"""The oldest Helm whose renderings are held against those of the other engines."""

_PATIENCE = 20  # seconds: a version manager's script may download the program first
_known: dict[str, str] = {}
_asking = allocate_lock()


def program_version(program: str) -> str:
    """The version of a `helm` program, as `v3.22.1`. It is asked once for each process.

    Raises:
        ReleaseError: it is too old, or tells none.
    """
    with _asking:
        if program not in _known:
            _known[program] = _asked(program)
        return _known[program]


def environment(root: Path) -> dict[str, str]:
    """The whole environment of the program. PATH and HOME are there for version managers, which put a script first."""
    import os

    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Plugins, repositories and caches are looked for inside `root`: there are none.
    places = {f"HELM_{kind}_HOME": str(root / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    return {**kept, **places, "KUBECONFIG": str(root / "no-cluster"), "TMPDIR": str(root), "LC_ALL": "C.UTF-8"}


def _asked(program: str) -> str:
    import subprocess

    command = [program, "version", "--template", "{{.Version}}"]
    with temporary.lent("release-helm-") as root, (root / "told").open("w+b") as told:
        try:
            process = launch(
                command, cwd=root, env=environment(root), stdin=subprocess.DEVNULL, stdout=told, stderr=told
            )
        except OSError as error:
            raise ReleaseError(f"{program} can't be run: {error.strerror}", hint=INSTALL) from None
        try:
            status = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            what = f"`{program} version` gives no answer within {_PATIENCE} s"
            raise ReleaseError(what, hint=INSTALL) from None
        finally:
            end(process)
        text = (root / "told").read_bytes()[:2000].decode("utf-8", "replace").strip()
    found = re.search(r"(?m)^v?(\d+)\.(\d+)(?:\.\S+)?$", text)
    if status or found is None:
        cause = f"`helm version` ended with status {status}: {text[:300] or 'it said nothing'}"
        raise ReleaseError(f"{program} tells no version, so it can't render charts", cause=cause, hint=INSTALL)
    if (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        what = f"{program} is Helm {found[0]}: too old to render charts, Helm {oldest} or newer is needed"
        raise ReleaseError(what, hint=INSTALL)
    return found[0]
