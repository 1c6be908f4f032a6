"""Rendering of a Helm chart, by an embedded engine or by a `helm` program.

What comes out is what a GitOps controller applies: the CRDs of `crds/`, the objects, then the hooks (they are applied
as well, at other times), each in the order of the templates' names. NOTES.txt and the pods of `helm test` are no part
of that and are left out: it is `helm template --include-crds --skip-tests`.

Both engines get the chart's files as they stand in a commit, in memory or in a private directory, and the values files
in order. Neither sees a cluster (`lookup` finds nothing), the network, the user's home or the user's settings. The
embedded engine takes some 45 ms to load (`Renderer.warm_up` lets them pass beside other work), a rendering then a few.

A rendering has limits of time, memory and text (`limits.py`), and obeys signals. What can have been changed by anybody
is rendered by another process: `child.py`, `program.py`. An operation renders the chart of the base branch, and saves
the start of a process: `embedded.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from release_tool.helm.request import RenderRequest

ENGINES = ("auto", "embedded", "helm")
"""What `make_renderer` knows: `auto` is the embedded engine where its wheel is installed, else the helm program."""


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


def embedded_there() -> bool:
    """Whether the wheel of the embedded engine is installed."""
    import importlib.util

    return importlib.util.find_spec("helm_python") is not None


def described(renderer: Renderer) -> str:
    """An engine with its version, as `helm 4.2.3 embedded`. No engine is loaded for it.

    Raises:
        ReleaseError: it is a `helm` program that is too old, or tells no version.
    """
    if renderer.name == "embedded":
        try:
            from helm_python import _native

            version = str(_native.EXPECTED_HELM_SDK_VERSION)
        except (ImportError, OSError, AttributeError):
            version = ""
        return " ".join(filter(None, ["helm", version.removeprefix("v"), "embedded"]))
    from release_tool.helm.installed import program_version

    program = getattr(renderer, "program", renderer.name)
    return f"helm {program_version(program).removeprefix('v')} at {program}"


def make_renderer(engine: str = "auto", *, inside: bool = False) -> Renderer:
    """The renderer of an engine.

    Args:
        engine: one of ENGINES.
        inside: whether the embedded engine may work in this process; else, in one of its own.

    Raises:
        ReleaseError: the engine isn't installed, or there is none of this name.
    """
    if engine not in ENGINES:
        raise ReleaseError(f"no engine is called {engine}", hint=f"render.engine is one of {', '.join(ENGINES)}")
    wheel = engine != "helm" and embedded_there()
    if wheel and inside:
        from release_tool.helm.embedded import EmbeddedRenderer
        from release_tool.helm.limits import little_address_space

        if not little_address_space():
            return EmbeddedRenderer()
    if wheel:
        from release_tool.helm.child import ChildRenderer

        return ChildRenderer()
    if engine != "embedded":
        from shutil import which

        program = which("helm")
        if program:
            from release_tool.helm.program import ProgramRenderer

            return ProgramRenderer(program)
    missing = {
        "auto": "there is nothing to render charts with: neither the embedded Helm engine nor a helm program",
        "embedded": "the embedded Helm engine is not installed",
        "helm": "there is no program `helm` on PATH",
    }
    from release_tool.helm.messages import INSTALL

    raise ReleaseError(missing[engine], hint=INSTALL)


def engine_there() -> str:
    """The engine that `auto` takes, or why there is none."""
    from shutil import which

    if not embedded_there() and which("helm") is None:
        return "no Helm engine"
    try:
        return described(make_renderer())
    except ReleaseError as error:
        return f"no Helm engine: {error.what}"
