"""Rendering by a `helm` program, version 3.14 or newer, or 4."""

from __future__ import annotations

import re
import signal
from _thread import start_new_thread
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.git.process import end, launch
from release_tool.helm.installed import environment, program_version
from release_tool.helm.limits import OUT_OF_MEMORY, TICK, TIME, Watch, checked_size, out_of_memory
from release_tool.helm.messages import INSTALL, bad_values, explained, log
from release_tool.helm.request import SEPARATOR, applied, check, single_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from release_tool.helm.request import RenderRequest


class ProgramRenderer(NamedTuple):
    """See `Renderer`."""

    program: str  # its path
    timeout: float = TIME  # seconds until a rendering is given up
    name: str = "helm"

    def warm_up(self) -> None:
        """Ask for the version in the background; for each rendering the program is started anew."""
        start_new_thread(_ask_quietly, (self.program,))

    def render(self, request: RenderRequest) -> str:
        """The manifests; see `Renderer`."""
        check(request)
        program_version(self.program)
        values = single_documents(request.values)
        with laid_out(request.files) as root:
            for number, part in enumerate(values):
                (root / f"values-{number}.yaml").write_bytes(part.text.encode())
            status, text, remarks = self._run(request, root, self._command(request, len(values)))
        if status:
            if unread := re.search(r"failed to parse values-(\d+)\.yaml: ", remarks):
                raise bad_values(values[int(unread[1])].name, remarks[unread.end() :])
            raise explained(request, remarks or f"helm ended with status {status}")
        log(remarks)
        return applied(_printed(text))

    def _run(self, request: RenderRequest, root: Path, command: Sequence[str]) -> tuple[int, str, str]:
        """Exit status, output and remarks of the program. Both go to files, so that their size can be looked at."""
        import subprocess

        out, err = root / "out", root / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            try:
                process = launch(
                    command,
                    cwd=root,  # relative names only: `--values` takes a comma for a separator
                    env=environment(root),
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                )
            except OSError as error:
                raise ReleaseError(f"{self.program} can't be run: {error.strerror}", hint=INSTALL) from None
            watch = Watch(request, process.pid, self.timeout)
            try:
                while process.poll() is None:
                    try:
                        process.wait(TICK)
                    except subprocess.TimeoutExpired:
                        watch.check()
            finally:
                end(process)
        checked_size(request, out.stat().st_size)
        remarks = err.read_text("utf-8", "replace")
        if process.returncode == -signal.SIGKILL or OUT_OF_MEMORY.search(remarks):
            raise out_of_memory(request)
        return process.returncode, out.read_bytes().decode("utf-8", "replace"), remarks  # line ends as they are

    def _command(self, request: RenderRequest, files: int) -> list[str]:
        values = [f"--values=values-{number}.yaml" for number in range(files)]
        options = ["--include-crds", "--skip-tests", f"--namespace={request.namespace}", *values]
        options += [f"--kube-version={request.kube_version}"] if request.kube_version else []
        options += [f"--api-versions={version}" for version in request.api_versions]
        return [self.program, "template", *options, "--", request.release_name, "./chart"]


@contextmanager
def laid_out(files: Mapping[str, bytes]) -> Iterator[Path]:
    """A private directory with the chart in `chart/`, removed afterwards."""
    from release_tool.git import temporary

    with temporary.lent("release-render-") as root:
        made: set[Path] = set()
        for path, content in files.items():
            target = root / "chart" / path
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            target.write_bytes(content)
        yield root


def _ask_quietly(program: str) -> None:
    with suppress(ReleaseError):  # told by the rendering
        program_version(program)


def _printed(text: str) -> Iterator[tuple[str, str]]:
    """Template and text of each document that was printed. A file of `crds/` has its `# Source:` once for all."""
    source = ""
    for document in SEPARATOR.split(text):
        body = document.lstrip("\r\n")
        if body.startswith("# Source: "):
            line, _, body = body.partition("\n")
            source = line.removeprefix("# Source: ").strip()
        yield source, body
