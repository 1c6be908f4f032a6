"""Rendering by Helm's own Go code: the wheel `helm-python-sdk`, loaded into this process."""

from __future__ import annotations

import os
from _thread import allocate_lock, start_new_thread  # `threading`, without its import
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.helm.limits import LITTLE_ADDRESS_SPACE, TICK, TIME, Watch, checked_size, little_address_space
from release_tool.helm.request import SEPARATOR, applied, check, single_documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from release_tool.helm.request import RenderRequest


class EmbeddedRenderer(NamedTuple):
    """See `Renderer`. A rendering that goes beyond a limit is given up, and goes on until this process ends.

    Faster than `helm/child.py` by the start of a process; Go ends this process where it gets no memory.
    """

    timeout: float = TIME
    name: str = "embedded"

    def warm_up(self) -> None:
        """Load the engine in a thread: it is some 85 MB of Go, and most of the time is spent outside the GIL."""
        start_new_thread(_load_quietly, ())

    def render(self, request: RenderRequest) -> str:
        """The manifests; see `Renderer`."""
        result: list[str | BaseException] = []
        done = allocate_lock()
        done.acquire()

        def work() -> None:
            try:
                result.append(render_here(request))
            except BaseException as error:  # noqa: BLE001 -- raised below
                result.append(error)
            finally:
                done.release()

        # The caller waits for another thread, because no signal is handled while Go works.
        with STDERR:
            watch = Watch(request, os.getpid(), self.timeout)
            start_new_thread(work, ())
            while not done.acquire(timeout=TICK):
                watch.check()
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]


def render_here(request: RenderRequest) -> str:
    """The manifests, by this thread and without a limit."""
    check(request)
    helm = load_engine()
    try:
        # As an archive, which never touches a disk.
        with helm.Chart.load_archive(packed(_of_directory(_for_its_cluster(helm, request), request))) as chart:
            text = applied(_rendered(helm, chart, request))
    except helm.HelmError as error:
        from release_tool.helm.messages import explained

        raise explained(request, str(error)) from None
    except RecursionError:
        names = ", ".join(values.name for values in request.values)
        raise ReleaseError("the values are nested too deeply", where=names, hint="correct the file") from None
    checked_size(request, len(text))
    return text


# Where an import fails in one thread, Python hands the half-made module to a thread that waited for the import.
_ONE_IMPORT = allocate_lock()


def load_engine() -> ModuleType:
    """The library; ReleaseError: it can't be loaded."""
    try:
        with _ONE_IMPORT:
            import helm_python
    except Exception as error:  # noqa: BLE001 -- it raises classes of its own when its library can't be loaded
        if little_address_space():
            raise ReleaseError("the embedded Helm engine can't be loaded", **LITTLE_ADDRESS_SPACE) from None
        raise ReleaseError(
            "the embedded Helm engine can't be loaded",
            cause=str(error),
            hint="set `render: {engine: helm}` in release.yaml and install Helm (https://helm.sh/docs/intro/install)",
        ) from None
    return helm_python


def _load_quietly() -> None:
    import json  # noqa: F401 -- these are what a rendering needs, too
    import zlib  # noqa: F401
    from contextlib import suppress

    with suppress(ReleaseError):  # told by the rendering
        if not little_address_space():
            load_engine()


def _for_its_cluster(helm: ModuleType, request: RenderRequest) -> Mapping[str, bytes]:
    """The chart's files, where the cluster's version is told without the `kubeVersion` of the chart, which fits it.

    The dry run of an installation would hold it against the engine's own version, and can't be told another one.
    """
    if not request.kube_version or b"kubeVersion" not in request.files["Chart.yaml"]:
        return request.files
    import json

    about = helm.values_from_yaml(request.files["Chart.yaml"].decode("utf-8", "replace"))
    wanted = str(about.pop("kubeVersion", ""))
    question = {
        "Chart.yaml": b'{"apiVersion": "v2", "name": "x", "version": "0.0.0"}',
        "templates/x": b"{{ if .Values.wanted }}{{ semverCompare .Values.wanted .Values.there }}{{ end }}",
    }
    with helm.Chart.load_archive(packed(question)) as chart:
        (answer,) = chart.render({"wanted": wanted, "there": request.kube_version}, name="x").values()
    if answer == "false":
        there = f"v{request.kube_version.removeprefix('v')}"
        raise helm.HelmRenderError(
            f"chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {there}"
        )
    return {**request.files, "Chart.yaml": json.dumps(about).encode()}


def _of_directory(files: Mapping[str, bytes], request: RenderRequest) -> Mapping[str, bytes]:
    """What Helm reads of a directory, for it reads all of an archive."""
    if ".helmignore" in files:
        from release_tool.helm.ignored import kept

        return kept(files, request.chart)
    return {path: content for path, content in files.items() if not path.startswith("templates/.")}


_PLAIN_NAME = 100  # bytes of a path that the header of a tar archive holds as it is


def packed(files: Mapping[str, bytes]) -> bytes:
    """Some files below `chart/` as a tar archive in the form of gzip, not compressed: it stays in memory."""
    import zlib

    blocks: list[bytes] = []
    for path, content in files.items():
        name = f"chart/{path}".encode()
        if len(name) > _PLAIN_NAME:
            return _archive_of_long_names(files)
        # POSIX.1-1988, `ustar`: name, mode, owner, group, size, time, checksum, type, …, padded to 512 bytes. The
        # module tarfile would take longer to load than to pack a chart.
        head = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % len(content) + b"%011o\0" % 0
        rest = (b"0" + bytes(100) + b"ustar\x0000").ljust(512 - len(head) - 8, b"\0")
        checksum = b"%06o\0 " % (sum(head) + sum(rest) + 8 * ord(" "))
        blocks += (head, checksum, rest, content, bytes(-len(content) % 512))
    packer = zlib.compressobj(0, wbits=31)  # the form of gzip
    return packer.compress(b"".join([*blocks, bytes(1024)])) + packer.flush()


def _archive_of_long_names(files: Mapping[str, bytes]) -> bytes:
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=0) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(f"chart/{path}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _rendered(helm: ModuleType, chart: Any, request: RenderRequest) -> Iterator[tuple[str, str]]:
    """Template and text of each document."""
    import json

    values: dict[str, Any] = {}
    for file in single_documents(request.values):
        try:
            values = _laid_over(values, helm.values_from_yaml(file.text))
        except helm.HelmValuesError as error:
            from release_tool.helm.messages import bad_values

            raise bad_values(file.name, str(error)) from None
    about = chart.metadata
    if about.get("type") == "library":
        raise helm.HelmRenderError("library charts are not installable")
    if about.get("kubeVersion") or not _plain_dependencies(chart, about, request.files):
        # The plain rendering knows nothing of a subchart's condition and alias, nor of kubeVersion. A dry run of an
        # installation does, and puts the subcharts of the loaded chart itself in order. It reads all YAML and so
        # takes much longer. Nothing is stored: without the driver it would look at HELM_DRIVER.
        with helm.Config(namespace=request.namespace, storage_driver="memory") as config:
            config.install(chart, request.release_name, values, namespace=request.namespace, dry_run="client")
    if request.kube_version or request.api_versions:
        # The library takes them, the wheel's Python has no words for them.
        cluster = {"kube_version": request.kube_version, "api_versions": list(request.api_versions)}
        options = {"name": request.release_name, "namespace": request.namespace, **cluster}
        answer = helm._native.call_string(  # noqa: SLF001 -- as `Chart.render` of the version range that is installed
            "helm_render",
            chart._raw(),  # noqa: SLF001
            json.dumps(values),
            json.dumps(options),
        )
        rendered = json.loads(answer)
    else:
        rendered = chart.render(values, name=request.release_name, namespace=request.namespace)
    for crd in chart.crds:
        yield from ((crd["filename"], text) for text in SEPARATOR.split(crd["data"]))
    for source, text in rendered.items():
        if not source.endswith("NOTES.txt"):
            # Helm's rule: a document begins after three dashes at the start of a line, whatever follows them.
            yield from ((source, document.lstrip()) for document in f"\n{text}".split("\n---"))


def _plain_dependencies(chart: Any, about: Mapping[str, Any], files: Mapping[str, bytes]) -> bool:
    """Whether a rendering takes what is in `charts/` as it stands: nothing, or libraries that nothing switches."""
    vendored, wanted = chart.dependencies, about.get("dependencies") or []
    return (
        all(one.get("type") == "library" for one in vendored)
        and sorted((one["name"], one["version"]) for one in vendored)
        == sorted((one["name"], one["version"]) for one in wanted)
        and not any(set(one) - {"name", "version", "repository"} for one in wanted)
        and not any("/charts/" in path or path.endswith(".tgz") for path in files)  # what a library depends on
    )


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Two mappings merged by Helm's rules: the later one wins, null included."""
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

    _lock = allocate_lock()
    real = 2  # the descriptor of what a person sees
    _inside = 0
    _caught: IO[bytes] | None = None

    def __enter__(self) -> None:
        import sys

        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            try:
                self.real = os.dup(2)
            except OSError:  # there is none to keep clean
                return
            self._caught = unnamed_file()
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(self._caught.fileno(), 2)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            stopped = kind is not None and not issubclass(kind, Exception)  # by Ctrl-C: nobody waits for the others
            self._inside = 0 if stopped else max(0, self._inside - 1)
            if self._inside or self._caught is None:
                return
            os.dup2(self.real, 2)
            real, self.real = self.real, 2
            os.close(real)
            with self._caught as caught:
                self._caught = None
                caught.seek(0)
                remarks = caught.read().decode("utf-8", "replace")
            if remarks.strip():
                from release_tool.helm.messages import log

                log(remarks)


def unnamed_file() -> IO[bytes]:
    """A file that nobody else finds: in memory, where the system has such files."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("helm"), "w+b")  # noqa: PTH123 (a descriptor; whoever asked closes it)
    import tempfile

    return tempfile.TemporaryFile()


STDERR = _CaughtStderr()
