"""Rendering of a Helm chart, by the engine inside the process or by a `helm` program.

What comes out is what a GitOps controller applies: the CRDs of `crds/`, the objects, then the hooks (they are applied
as well, at other times), each in the order of the templates' names. NOTES.txt and the pods of `helm test` are no part
of that and are left out: it is `helm template --include-crds --skip-tests`.

Both engines are given the chart's files as they stand in a commit, in memory or in a private directory, and the values
files in order. Neither sees a cluster (`lookup` finds nothing), the network, the user's home or the user's settings.
Nothing of this module is loaded before it is used: the embedded engine takes some 45 ms (`Renderer.warm_up` lets them
pass beside other work), a rendering then a few.
"""

from __future__ import annotations

import re
from _thread import allocate_lock  # `threading`, without its import
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from release_tool.errors import ReleaseError
from release_tool.helm.documents import SEPARATOR, Document, applied, printed
from release_tool.helm.messages import bad_values, explained, log
from release_tool.helm.request import RenderRequest, ValuesFile, check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

__all__ = ["ENGINES", "EmbeddedRenderer", "ProgramRenderer", "RenderRequest", "Renderer", "ValuesFile", "make_renderer"]

ENGINES = ("auto", "embedded", "helm")
"""What `make_renderer` knows: `auto` is the embedded engine where its wheel is installed, else the helm program."""

_INSTALL = (
    "install the embedded engine (`pip install helm-python-sdk`), or Helm 3 or 4 so that `helm` is on PATH "
    "(https://helm.sh/docs/intro/install)"
)


class Renderer(Protocol):
    """Turns a chart and its values into manifests. The same request gives the same objects from every engine.

    `render` may be called any number of times and from several threads. It raises ReleaseError, with the place in the
    chart where Helm tells one, when the chart doesn't render. A template whose text is no YAML may pass: not every
    engine reads what it rendered, but `manifests` does. It prints nothing: what Helm has to remark goes to the logger
    `release_tool.helm`.
    """

    @property
    def name(self) -> str:
        """`embedded` or `helm`."""

    def warm_up(self) -> None:
        """Begin to load in the background what `render` will need. Returns at once; need not be called."""

    def render(self, request: RenderRequest) -> str:
        """The manifests: YAML documents, each after a line `---` and one `# Source: <chart>/<template>`."""


def make_renderer(engine: str = "auto") -> Renderer:
    """The renderer of an engine.

    Args:
        engine: one of ENGINES.

    Raises:
        ReleaseError: the engine isn't installed, or there is none of this name.
    """
    import importlib.util
    import shutil

    if engine not in ENGINES:
        raise ReleaseError(f"no engine is called {engine}", hint=f"render.engine is one of {', '.join(ENGINES)}")
    wheel = engine != "helm" and importlib.util.find_spec("helm_python") is not None
    if wheel:
        return EmbeddedRenderer()
    program = None if engine == "embedded" else shutil.which("helm")
    if program:
        return ProgramRenderer(program)
    missing = {
        "auto": "there is nothing to render charts with: neither the embedded Helm engine nor a helm program",
        "embedded": "the embedded Helm engine is not installed",
        "helm": "there is no program `helm` on PATH",
    }
    raise ReleaseError(missing[engine], hint=_INSTALL)


class EmbeddedRenderer:
    """Helm's own Go code inside this process, by the wheel `helm-python-sdk`."""

    name = "embedded"

    def warm_up(self) -> None:
        """Load the engine in a thread: it is some 85 MB of Go, and most of the time is spent outside the GIL."""
        import threading

        threading.Thread(target=_load_quietly, name="helm", daemon=True).start()

    def render(self, request: RenderRequest) -> str:
        """See Renderer."""
        check(request)
        helm = _load_engine()
        try:
            with _STDERR, _loaded(helm, request.files) as chart:
                documents = _rendered(helm, chart, request)
        except helm.HelmError as error:
            raise explained(request, str(error)) from None
        except RecursionError:
            names = ", ".join(values.name for values in request.values)
            raise ReleaseError("the values are nested too deeply", where=names, hint="correct the file") from None
        return applied(documents)


class ProgramRenderer(NamedTuple):
    """A `helm` program, version 3 or 4.

    Attributes:
        program: its path.
        timeout: seconds until a rendering is given up.
    """

    program: str
    timeout: float = 60.0
    name: str = "helm"

    def warm_up(self) -> None:
        """Nothing: the program is started anew for every rendering."""

    def render(self, request: RenderRequest) -> str:
        """See Renderer."""
        import subprocess

        values = _single_documents(request.values)
        check(request)
        with _laid_out(request.files) as root:
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
                raise ReleaseError(f"{self.program} can't be run: {error.strerror}", hint=_INSTALL) from None
        remarks = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            if unread := re.search(r"failed to parse values-(\d+)\.yaml: ", remarks):
                raise bad_values(values[int(unread[1])].name, remarks[unread.end() :])
            raise explained(request, remarks or f"helm ended with status {done.returncode}")
        log(remarks)
        return applied(printed(done.stdout.decode("utf-8", "replace")))

    def _command(self, request: RenderRequest, files: int) -> list[str]:
        values = [f"--values=values-{number}.yaml" for number in range(files)]
        options = ["--include-crds", "--skip-tests", f"--namespace={request.namespace}", *values]
        return [self.program, "template", *options, "--", request.release_name, "./chart"]


# -- the embedded engine --


def _load_engine() -> ModuleType:
    try:
        import helm_python
    except Exception as error:  # noqa: BLE001 -- it raises classes of its own when its library can't be loaded
        raise ReleaseError(
            "the embedded Helm engine can't be loaded",
            cause=str(error),
            hint="set `render: {engine: helm}` in release.yaml and install Helm (https://helm.sh/docs/intro/install)",
        ) from None
    return helm_python


def _load_quietly() -> None:
    import gzip  # noqa: F401 -- these are what a rendering needs, too
    import json  # noqa: F401
    import tarfile  # noqa: F401
    import tempfile  # noqa: F401
    from contextlib import suppress

    with suppress(ReleaseError):  # told by the rendering
        _load_engine()


@contextmanager
def _loaded(helm: ModuleType, files: Mapping[str, bytes]) -> Iterator[Any]:
    """The chart in the engine's memory, and out of it again.

    Handed over as an archive, which never touches a disk and takes a fifth of the time. But Helm leaves out what
    `.helmignore` names only when it reads a directory.
    """
    if ".helmignore" in files:
        with _laid_out(files) as root, helm.Chart.load(root / "chart") as chart:
            yield chart
    else:
        with helm.Chart.load_archive(_archive(files)) as chart:
            yield chart


def _archive(files: Mapping[str, bytes]) -> bytes:
    import gzip
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in files.items():
            if not path.startswith("templates/."):  # as Helm reads a directory
                entry = tarfile.TarInfo(f"chart/{path}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), compresslevel=1)


def _rendered(helm: ModuleType, chart: Any, request: RenderRequest) -> list[Document]:
    values = _merged(helm, _single_documents(request.values))
    if chart.metadata.get("type") == "library":
        raise helm.HelmRenderError("library charts are not installable")
    if _needs_rehearsal(request.files):
        # The plain rendering knows nothing of a subchart's condition and alias, nor of kubeVersion. A dry run of an
        # installation does, and puts the subcharts of the loaded chart itself in order. It reads all YAML and so
        # takes much longer. Nothing is stored: without the driver it would look at HELM_DRIVER.
        with helm.Config(namespace=request.namespace, storage_driver="memory") as config:
            config.install(chart, request.release_name, values, namespace=request.namespace, dry_run="client")
    rendered = chart.render(values, name=request.release_name, namespace=request.namespace)
    found = [Document(crd["filename"], text) for crd in chart.crds for text in SEPARATOR.split(crd["data"])]
    for source, text in rendered.items():
        if not source.endswith("NOTES.txt"):
            # Helm's rule: a document begins after three dashes at the start of a line, whatever follows them.
            found.extend(Document(source, document.lstrip()) for document in f"\n{text}".split("\n---"))
    return found


def _needs_rehearsal(files: Mapping[str, bytes]) -> bool:
    about = files["Chart.yaml"] + files.get("requirements.yaml", b"")
    return any(word in about for word in (b"dependencies", b"kubeVersion")) or any(
        path.startswith("charts/") for path in files
    )


def _merged(helm: ModuleType, files: Sequence[ValuesFile]) -> dict[str, Any]:
    """The values files as one mapping, read and merged by Helm's rules (the later one wins, null included)."""
    merged: dict[str, Any] = {}
    for values in files:
        merged = _laid_over(merged, _mapping(helm, values))
    return merged


def _mapping(helm: ModuleType, values: ValuesFile) -> dict[str, Any]:
    try:
        mapping: dict[str, Any] = helm.values_from_yaml(values.text)
    except helm.HelmValuesError as error:
        raise bad_values(values.name, str(error)) from None
    return mapping


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


class _CaughtStderr:
    """Sends what Helm's Go code writes to file descriptor 2 to the log.

    Helm warns there when values of different types meet, and offers no other way. The descriptor belongs to the whole
    process, so it is redirected only while something is rendered: the first rendering begins that, the last one ends
    it, and several may run at once.
    """

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._inside = 0
        self._real = -1
        self._caught: IO[bytes] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._begin()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._caught is not None:
                self._end(self._caught)

    def _begin(self) -> None:
        import os
        import sys
        import tempfile

        try:
            self._real = os.dup(2)
        except OSError:  # there is none to keep clean
            return
        self._caught = tempfile.TemporaryFile()  # noqa: SIM115 (closed by _end, which another thread may call)
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(self._caught.fileno(), 2)

    def _end(self, caught: IO[bytes]) -> None:
        import os

        self._caught = None
        os.dup2(self._real, 2)
        os.close(self._real)
        with caught:
            caught.seek(0)
            log(caught.read().decode("utf-8", "replace"))


_STDERR = _CaughtStderr()


# -- both engines --


@contextmanager
def _laid_out(files: Mapping[str, bytes]) -> Iterator[Path]:
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


def _single_documents(files: Sequence[ValuesFile]) -> list[ValuesFile]:
    """The files with one YAML document each, at the lines where they stand.

    Helm 4 merges the documents of a values file. Helm 3 and the wheel's reader take the first alone.
    """
    single = []
    for values in files:
        line = 0
        for document in re.split(r"(?m)^---[ \t\r]*$", values.text):
            if document.strip():
                single.append(ValuesFile(values.name, "\n" * line + document))
            line += document.count("\n")
    return single


def _environment(root: Path) -> dict[str, str]:
    """The whole environment of the program. PATH and HOME are there for version managers, which put a script first."""
    import os

    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Plugins, repositories and caches are looked for inside `root`: there are none.
    places = {f"HELM_{kind}_HOME": str(root / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    return {**kept, **places, "KUBECONFIG": str(root / "no-cluster"), "TMPDIR": str(root), "LC_ALL": "C.UTF-8"}
