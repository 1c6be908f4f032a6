"""Rendering by a `helm` program, version 3 or 4."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.helm.messages import INSTALL, bad_values, explained, log
from release_tool.helm.request import SEPARATOR, applied, check, single_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from release_tool.helm.request import RenderRequest


class ProgramRenderer(NamedTuple):
    """See `Renderer`."""

    program: str  # its path
    timeout: float = 60.0  # seconds until a rendering is given up
    name: str = "helm"

    def warm_up(self) -> None:
        """Nothing: the program is started anew for each rendering."""

    def render(self, request: RenderRequest) -> str:
        """The manifests; see `Renderer`."""
        import subprocess

        values = single_documents(request.values)
        check(request)
        with laid_out(request.files) as root:
            for number, part in enumerate(values):
                (root / f"values-{number}.yaml").write_bytes(part.text.encode())
            try:
                done = subprocess.run(
                    self._command(request, len(values)),
                    cwd=root,  # relative names only: `--values` takes a comma for a separator
                    env=_environment(root),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=self.timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise ReleaseError(
                    f"helm did not finish in {self.timeout:g} s",
                    where=request.chart,
                    hint="look for an endless template",
                ) from None
            except OSError as error:
                raise ReleaseError(f"{self.program} can't be run: {error.strerror}", hint=INSTALL) from None
        remarks = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            if unread := re.search(r"failed to parse values-(\d+)\.yaml: ", remarks):
                raise bad_values(values[int(unread[1])].name, remarks[unread.end() :])
            raise explained(request, remarks or f"helm ended with status {done.returncode}")
        log(remarks)
        return applied(_printed(done.stdout.decode("utf-8", "replace")))

    def _command(self, request: RenderRequest, files: int) -> list[str]:
        values = [f"--values=values-{number}.yaml" for number in range(files)]
        options = ["--include-crds", "--skip-tests", f"--namespace={request.namespace}", *values]
        return [self.program, "template", *options, "--", request.release_name, "./chart"]


@contextmanager
def laid_out(files: Mapping[str, bytes]) -> Iterator[Path]:
    """A private directory with the chart in `chart/`, removed afterwards."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="release-render-") as name:
        root = Path(name)
        made: set[Path] = set()
        for path, content in files.items():
            target = root / "chart" / path
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            target.write_bytes(content)
        yield root


def _environment(root: Path) -> dict[str, str]:
    """The whole environment of the program. PATH and HOME are there for version managers, which put a script first."""
    import os

    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Plugins, repositories and caches are looked for inside `root`: there are none.
    places = {f"HELM_{kind}_HOME": str(root / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    return {**kept, **places, "KUBECONFIG": str(root / "no-cluster"), "TMPDIR": str(root), "LC_ALL": "C.UTF-8"}


def _printed(text: str) -> Iterator[tuple[str, str]]:
    """Template and text of each document that was printed. A file of `crds/` has its `# Source:` once for all."""
    source = ""
    for document in SEPARATOR.split(text):
        body = document.lstrip("\r\n")
        if body.startswith("# Source: "):
            line, _, body = body.partition("\n")
            source = line.removeprefix("# Source: ").strip()
        yield source, body
