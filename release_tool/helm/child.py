"""Rendering by a process of its own: what a proposal brings can neither stop this process nor fill the machine.

One process serves all renderings of this one, several at once, and ends with it. A request goes to its standard input
and an answer comes from its standard output: eight bytes of length, then what `marshal` makes of plain values. What
Helm remarks stands in its standard error, a file.
"""

from __future__ import annotations

import marshal
import os
import signal
import sys
from _thread import allocate_lock
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import BadValue, ReleaseError, ValuesRefused
from release_tool.git.process import end
from release_tool.helm.embedded import unnamed_file
from release_tool.helm.limits import OUT_OF_MEMORY, TICK, TIME, Watch, out_of_memory
from release_tool.helm.messages import log
from release_tool.helm.serve import SLICE, send

if TYPE_CHECKING:
    from typing import IO

    from release_tool.git.process import Process
    from release_tool.helm.request import RenderRequest

_SCRIPT = "import sys; sys.path[:] = {paths!r}; from release_tool.helm.serve import serve; serve()"


class ChildRenderer(NamedTuple):
    """See `Renderer`. A rendering that goes beyond a limit is ended with its process, and the next one gets another."""

    timeout: float = TIME
    name: str = "embedded"

    def warm_up(self) -> None:
        """Start the process; it loads the engine at once."""
        _running()

    def render(self, request: RenderRequest) -> str:
        """The manifests; see `Renderer`."""
        while True:
            try:
                return _running().render(request, self.timeout)
            except _EndedForAnother:
                continue


class _EndedForAnother(Exception):
    """The process was ended, because a rendering of another thread went beyond a limit."""


class _Child:
    """The process, as long as it lives."""

    def __init__(self, process: Process, remarks: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._remarks = process, remarks
        self._to, self._from = process.stdin.fileno(), process.stdout.fileno()
        self._lock, self._writing, self._reading = allocate_lock(), allocate_lock(), allocate_lock()
        self._asked = 0
        self._read = bytearray()
        self._answers: dict[int, Any] = {}
        self._told = 0  # bytes of the remarks that were logged
        self._waiting = 0  # renderings that wait for an answer
        self._ended_here = False

    @property
    def lives(self) -> bool:
        return not self._ended_here and self._process.poll() is None

    def render(self, request: RenderRequest, timeout: float) -> str:
        watch = Watch(request, self._process.pid, timeout)
        self._enter()
        try:
            text, error, crash = self._answer(self._ask(request), watch)
            self._log_remarks()
        except OSError:  # it has ended
            raise self._ended(request) from None
        except BaseException:  # beyond a limit, or Ctrl-C: nobody waits for it any more
            self._ended_here = True
            self._process.kill()
            raise
        finally:
            self._leave()
        if crash:
            raise RuntimeError(crash)
        if error:
            raise _error_of(error)
        return str(text)

    def _ask(self, request: RenderRequest) -> int:
        plain = {
            **request._asdict(),
            "files": dict(request.files),
            "values": [tuple(one) for one in request.values],
            "places": dict(request.places),
        }
        with self._writing:
            self._asked = number = self._asked + 1
            send(self._to, (number, plain))
        return number

    def _answer(self, number: int, watch: Watch) -> Any:
        """The answer to a question. Whichever thread reads keeps the answers to the others."""
        while number not in self._answers:
            if self._reading.acquire(timeout=TICK):
                try:
                    if number not in self._answers:
                        self._read_some()
                finally:
                    self._reading.release()
            if number not in self._answers:
                watch.check()
        return self._answers.pop(number)

    def _read_some(self) -> None:
        """Reads what there is, for a moment; OSError: there will be no more."""
        import select

        if not select.select([self._from], [], [], TICK)[0]:
            return
        part = os.read(self._from, SLICE)
        if not part:
            raise BrokenPipeError
        self._read += part
        while len(self._read) >= 8 and len(self._read) >= (end := 8 + int.from_bytes(self._read[:8], "big")):
            number, *answer = marshal.loads(self._read[8:end])  # noqa: S302 -- written by `serve`
            self._answers[number] = answer
            del self._read[:end]

    def _log_remarks(self) -> None:
        new = os.pread(self._remarks.fileno(), SLICE, self._told)
        self._told += len(new)
        if new.strip():
            log(new.decode("utf-8", "replace"))

    def _ended(self, request: RenderRequest) -> Exception:
        """Why the process has ended before its answer."""
        if self._ended_here:
            return _EndedForAnother()
        status = self._process.wait()
        said = os.pread(self._remarks.fileno(), SLICE, self._told).decode("utf-8", "replace")
        if status == -signal.SIGKILL or OUT_OF_MEMORY.search(said):
            return out_of_memory(request)
        lines = [line for line in said.splitlines() if line.startswith(("fatal error:", "panic:"))]
        return ReleaseError(
            f"the embedded Helm engine ended while it rendered {request.title} (status {status})",
            where=request.chart,
            cause=(lines or said.splitlines()[-1:] or [""])[0],
            hint="run the command again; if it ends so again, correct the chart, or set `render: {engine: helm}`",
        )

    def _enter(self) -> None:
        with self._lock:
            if self._ended_here:
                raise _EndedForAnother
            self._waiting += 1

    def _leave(self) -> None:
        """The last one at a process that has ended closes its pipes: their numbers may be given anew then."""
        with self._lock:
            self._waiting -= 1
            if not (self._waiting or self.lives):
                self.close()

    def close(self) -> None:
        """End the process."""
        self._ended_here = True
        end(self._process)
        self._remarks.close()


_children: list[_Child] = []
_starting = allocate_lock()


def _running() -> _Child:
    """The process, begun if there is none."""
    with _starting:
        if not (_children and _children[-1].lives):
            import atexit

            _children.append(_start())
            atexit.register(_children[-1].close)
        return _children[-1]


def _start() -> _Child:
    import subprocess

    root = str(Path(__file__).parents[2])  # `sys.path` may not tell it: an editable installation can be a hook
    paths = [root, *map(os.path.abspath, sys.path)]
    remarks = unnamed_file()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _SCRIPT.format(paths=paths)],
        cwd="/",
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=remarks,
        bufsize=0,
        start_new_session=True,  # Ctrl-C of a terminal is for this process
    )
    return _Child(process, remarks)


def _environment() -> dict[str, str]:
    """Nothing that Helm obeys but the path of its library, and no secret."""
    from release_tool.net.child_environment import for_checks

    kept = for_checks(os.environ)
    return {
        name: value
        for name, value in kept.items()
        if name == "HELM_C_LIB" or not name.startswith(("HELM_", "KUBE", "PYTHON"))
    }


def _error_of(told: tuple[Any, ...]) -> ReleaseError:
    what, where, cause, hint, values = told
    if values is None:
        return ReleaseError(what, where=where, cause=cause, hint=hint)
    return ValuesRefused(what, [BadValue(*one) for one in values], where=where, cause=cause, hint=hint)
