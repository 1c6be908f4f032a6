"""How long a rendering may take, and how much memory: a template can be without end, and a fork's is read too."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from release_tool.helm.request import RenderRequest

TIME = 30.0
"""Seconds that one rendering may take."""

MEMORY = 1 << 30
"""Bytes that renderings may take beside the engine."""

TEXT = 32 << 20
"""Bytes of manifests that one rendering may give: half a minute of work for whoever reads them."""

TICK = 0.05
"""Seconds between two looks at a rendering."""

LITTLE_ADDRESS_SPACE = {
    "cause": "`ulimit -v` limits the address space, and Helm's engine reserves more than a gigabyte of it",
    "hint": "raise that limit: `ulimit -v unlimited`",
}
"""Cause and next step where `little_address_space`."""

OUT_OF_MEMORY = re.compile(r"^(?:(?:fatal error|runtime):.*(?:memory|stack overflow)|MemoryError)", re.MULTILINE)
"""What Go and Python say at their end where they get no memory."""

_ENGINE = 256 << 20  # what Python and Go take of memory, generously
_HINT = "look for a loop, a `repeat`, or a template that calls itself, in the chart; or correct {values}"


class BeyondLimit(ReleaseError):
    """A rendering needs more than it may have."""


class Watch:
    """One rendering by a process, watched from its beginning.

    Resident memory is counted, and not limited by the kernel: Go reserves address space by the gigabyte, and macOS
    limits nothing else.
    """

    def __init__(self, request: RenderRequest, process: int, seconds: float) -> None:
        self._request = request
        self._process = process
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raises BeyondLimit where the rendering has gone there; whoever asks ends it."""
        if time.monotonic() > self._end:
            raise exceeded(self._request, f"{self._seconds:g} s")
        if _resident(self._process) > MEMORY + _ENGINE:
            raise exceeded(self._request, f"{MEMORY >> 30} GB of memory")


def out_of_memory(request: RenderRequest) -> ReleaseError:
    """The error about an engine that the system, or Go itself, ended."""
    if little_address_space():
        return ReleaseError(f"the rendering of {request.title} got too little memory", **LITTLE_ADDRESS_SPACE)
    return exceeded(request, "the memory that the machine gives")


def exceeded(request: RenderRequest, limit: str) -> BeyondLimit:
    """The error about a rendering that needs more than it may have."""
    names = " or ".join(values.name for values in request.values)
    return BeyondLimit(
        f"the rendering of {request.title or names} needs more than {limit}",
        where=request.chart,
        cause="a template has no end, or makes too much of the values",
        hint=_HINT.format(values=names or "the values"),
    )


def checked_size(request: RenderRequest, size: int) -> None:
    """Raises BeyondLimit about manifests of too many bytes."""
    if size > TEXT:
        raise exceeded(request, f"{TEXT >> 20} MB of text")


def little_address_space() -> bool:
    """Whether the address space is limited: Go reserves a lot of it, and ends a process that can't have it."""
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY


def _resident(process: int) -> int:
    """Bytes of memory that a process holds; 0: it has ended, or the system doesn't tell."""
    try:
        with open(f"/proc/{process}/statm", "rb") as told:  # noqa: PTH123 -- pathlib isn't loaded for this
            return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    import subprocess

    try:  # there is no /proc on macOS
        told_by_ps = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(process)],  # noqa: S607
            capture_output=True,
            check=False,
        )
        return int(told_by_ps.stdout) * 1024
    except (OSError, ValueError):
        return 0
