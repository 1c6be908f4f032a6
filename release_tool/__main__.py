"""Entry point of `release` and `python -m release_tool`."""

from __future__ import annotations

# Nothing that takes time is imported before the signals are taken over: `signal` and `typing` do.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

# A cancelled CI job sends SIGTERM, a closed terminal SIGHUP. The alarm is set by the first of them.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_PATIENCE = 5  # seconds: git gets four to end
_TEMPORARY = "release_tool.git.temporary"
_PROCESS = "release_tool.git.process"
_ENGINE = "release_tool.helm.embedded"
_PROGRESS = "release_tool.cli.progress"
_waiting: list[int] = []  # signals that came while a program was started
_stopped: list[int] = []  # the signal that came


def _stop(number: int, _: FrameType | None) -> None:
    """End in order, so that git is stopped and what is temporary goes; at once, with the same care, by another signal.

    At once, too, while there is nothing to remove: an exception amid an import shows a traceback, or is lost. It may be
    lost later as well, in a callback: so an alarm follows. While a program is started, nobody could end it: the signal
    waits.
    """
    if number != signal.SIGALRM or not _waiting:
        _waiting.append(number)
    starting = getattr(sys.modules.get(_PROCESS), "starting", None)
    if starting is not None and starting._is_owned():  # noqa: SLF001 -- there is no other way to ask
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        return
    number = _waiting.pop(0)
    if _stopped:
        _leave(128 + _stopped[0])
    if number == signal.SIGINT and sys.stderr is not None:
        try:  # amid a rendering, 2 is a file
            real = getattr(getattr(sys.modules.get(_ENGINE), "STDERR", None), "real", 2)
            line = b"\r\x1b[K" if getattr(sys.modules.get(_PROGRESS), "drawn", ()) else b""
            os.write(real, line + b"release: interrupted\n")
        except OSError:
            sys.stderr = None  # nobody reads
    if not getattr(sys.modules.get(_TEMPORARY), "made", ()):
        _leave(128 + number)
    _stopped.append(number)
    sys.unraisablehook = lambda _: None
    signal.setitimer(signal.ITIMER_REAL, 0.01 if _waiting else _PATIENCE)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _leave(status: int) -> None:
    _stopped.append(status - 128)
    # Taking the interpreter and the Helm engine down module by module would only cost milliseconds.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(sys.modules.get(_PROCESS), "end_all"):
        sys.modules[_PROCESS].end_all()
    if getattr(sys.modules.get(_TEMPORARY), "made", ()):
        sys.modules[_TEMPORARY].remove_all()
    os._exit(status)


for _number in _SIGNALS:
    if signal.getsignal(_number) != signal.SIG_IGN:  # `nohup`, and `&` in a script
        signal.signal(_number, _stop)


def run() -> None:
    """Run the command line and leave with its status."""
    import gc
    import io

    # A command makes few cycles and ends soon: looking for them costs more than they do.
    gc.set_threshold(100_000)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that can't show a letter stops nothing
    try:
        from release_tool.cli import main

        status = main(sys.argv[1:])
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # closed by the caller: `>&-`
                stream.flush()
    except MemoryError:  # so little that there is none for more words
        os.write(2, b"release: error: the machine has too little memory\n")
        status = 1
    _leave(128 + _stopped[0] if _stopped else status)


if __name__ == "__main__":
    run()
