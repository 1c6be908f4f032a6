"""Templates without end: every engine gives them up with a sentence, obeys signals, and renders the next chart."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from rendering import request, small_chart

from release_tool.errors import ReleaseError, ValuesRefused
from release_tool.helm import Renderer, child, limits, make_renderer
from release_tool.helm.child import ChildRenderer
from release_tool.helm.embedded import EmbeddedRenderer
from release_tool.helm.program import ProgramRenderer
from release_tool.helm.request import RenderRequest

pytest.importorskip("helm_python", reason="the embedded engine has no wheel for this machine")

LOOP = "{{ range until 100000 }}{{ range until 10000000 }}{{ end }}{{ end }}"


def bomb(template: str) -> RenderRequest:
    return request("a: 1\n", files=small_chart({"templates/a.yaml": template}))._replace(title="devel")


FINE = bomb("kind: A")


@pytest.fixture(params=["child", "program"])
def impatient(request: pytest.FixtureRequest) -> Renderer:
    """Each way of rendering in a process of its own, given up after a moment."""
    if request.param == "child":
        ChildRenderer().render(FINE)  # its start takes longer
        return ChildRenderer(timeout=0.3)
    program = shutil.which("helm")
    if program is None:
        pytest.skip("there is no helm on PATH: go install helm.sh/helm/v4/cmd/helm@v4.2.3")
    return ProgramRenderer(program, timeout=1)


def in_a_process(script: str) -> subprocess.Popen[str]:
    """A Python that has the tests' helpers, and LOOP as a request."""
    here = Path(__file__).parent
    begin = f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parent / 'support')!r}]\nfrom test_limits import *\n"
    return subprocess.Popen(
        [sys.executable, "-c", begin + script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_template_without_end_is_refused(impatient: Renderer) -> None:
    with pytest.raises(
        ReleaseError, match=r"^charts/grpc-manifest: the rendering of devel needs more than [\d.]+ s$"
    ) as caught:
        impatient.render(bomb(LOOP))
    assert "correct environments/devel/values-1.yaml" in caught.value.hint
    assert impatient._replace(timeout=30).render(FINE).endswith("kind: A\n")  # type: ignore[attr-defined]


def test_a_template_that_takes_all_memory_is_refused(impatient: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_ENGINE", -(700 << 20))
    patient = impatient._replace(timeout=30)  # type: ignore[attr-defined]
    with pytest.raises(ReleaseError, match="the rendering of devel needs more than 1 GB of memory"):
        patient.render(bomb('{{ repeat 700000000 "x" }}'))
    assert patient.render(FINE).endswith("kind: A\n")


def test_more_memory_than_there_is_ends_no_other_process(impatient: Renderer) -> None:
    with pytest.raises(ReleaseError, match="needs more than the memory that the machine gives"):
        impatient._replace(timeout=30).render(bomb('{{ repeat 100000000000 "x" }}'))  # type: ignore[attr-defined]


def test_more_text_than_anybody_reads_is_refused(impatient: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = impatient._replace(timeout=30)  # type: ignore[attr-defined]
    if patient.name == "helm":  # the other one has the limit in its own process
        monkeypatch.setattr(limits, "TEXT", 1 << 20)
    with pytest.raises(ReleaseError, match=rf"the rendering of devel needs more than {limits.TEXT >> 20} MB of text"):
        patient.render(bomb(f'a: {{{{ repeat {limits.TEXT + 1} "x" }}}}'))


def test_what_ends_by_itself_is_no_matter_of_limits(renderer: Renderer) -> None:
    with pytest.raises(ReleaseError, match="nested reference name"):
        renderer.render(bomb('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}'))
    assert renderer.render(bomb('a: {{ lookup "v1" "Secret" "" "" }}')).endswith("a: map[]\n")


def test_errors_come_whole_from_the_other_process() -> None:
    chart = small_chart({"values.schema.json": '{"required": ["b"]}'})
    with pytest.raises(ValuesRefused) as there:
        ChildRenderer().render(request("a: 1\n", files=chart))
    with pytest.raises(ValuesRefused) as here:
        EmbeddedRenderer().render(request("a: 1\n", files=chart))
    assert vars(there.value) == vars(here.value)


def test_a_rendering_beside_one_without_end_is_done_again() -> None:
    ChildRenderer().render(FINE)
    refused: list[ReleaseError] = []

    def endless() -> None:
        with pytest.raises(ReleaseError) as caught:
            ChildRenderer(timeout=0.5).render(bomb(LOOP))
        refused.append(caught.value)

    beside = threading.Thread(target=endless)
    beside.start()
    text = ChildRenderer().render(bomb("kind: A\n{{ range until 8000000 }}{{ end }}"))
    beside.join()
    assert text.endswith("kind: A\n")
    assert "needs more than 0.5 s" in refused[0].what


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (signal.SIGKILL, "needs more than the memory that the machine gives"),
        (signal.SIGTERM, "ended while it rendered devel"),
    ],
)
def test_a_process_that_is_ended_from_outside_is_no_result(number: int, what: str) -> None:
    ChildRenderer().render(FINE)
    killer = threading.Timer(0.1, os.kill, (child._children[-1]._process.pid, number))
    killer.start()
    with pytest.raises(ReleaseError, match=what):
        ChildRenderer().render(bomb(LOOP))
    killer.join()


def test_one_process_renders_everything() -> None:
    make_renderer("embedded").render(FINE)
    process = child._children[-1]
    make_renderer("embedded").render(bomb("kind: B"))
    assert child._children[-1] is process


def test_the_other_process_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GH_TOKEN", "DB_PASSWORD", "HELM_NAMESPACE", "KUBECONFIG", "HELM_C_LIB", "HARMLESS"):
        monkeypatch.setenv(name, "x")
    assert {"HELM_C_LIB", "HARMLESS"} == set(child._environment()) & {
        *["GH_TOKEN", "DB_PASSWORD", "HELM_NAMESPACE", "KUBECONFIG", "HELM_C_LIB", "HARMLESS"]
    }


@pytest.mark.parametrize(
    ("template", "limit"), [(LOOP, "0.5 s"), ("{{ range until 400000000 }}{{ end }}", "1 GB of memory")]
)
def test_inside_this_process_a_rendering_is_given_up_too(template: str, limit: str) -> None:
    seconds, engine = (0.5, 256) if limit == "0.5 s" else (30, -600)
    running = in_a_process(
        f"limits._ENGINE = {engine} << 20\n"
        f"try: EmbeddedRenderer({seconds}).render(bomb({template!r}))\n"
        "except ReleaseError as error: print(error, flush=True); os._exit(1)\n"
    )
    assert running.communicate()[0] == f"charts/grpc-manifest: the rendering of devel needs more than {limit}\n"


@pytest.mark.parametrize("engine", ["ChildRenderer()", "EmbeddedRenderer()", "make_renderer('helm')"])
def test_signals_stop_a_rendering(engine: str) -> None:
    if "helm" in engine and shutil.which("helm") is None:
        pytest.skip("there is no helm on PATH: go install helm.sh/helm/v4/cmd/helm@v4.2.3")
    running = in_a_process(
        f"engine = {engine}; engine.render(FINE)\n"
        "print('ready', flush=True)\n"
        "try: engine.render(bomb(LOOP))\n"
        "except KeyboardInterrupt: print('stopped', flush=True); print(*[one.lives for one in child._children])\n"
        "os._exit(0)"
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    time.sleep(0.2)  # else it would not have begun
    running.send_signal(signal.SIGINT)
    assert running.communicate()[0].split() in (["stopped"], ["stopped", "False"])


def test_a_signal_amid_a_rendering_is_told() -> None:
    running = in_a_process(
        "import release_tool.__main__\n"
        "engine = EmbeddedRenderer(); engine.render(FINE); print('ready', flush=True); engine.render(bomb(LOOP))"
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    time.sleep(0.2)  # else it would not have begun
    running.send_signal(signal.SIGINT)
    assert running.communicate()[0] == "release: interrupted\n"
    assert running.returncode == 130


def test_the_other_process_ends_with_this_one() -> None:
    running = in_a_process(
        "ChildRenderer().render(FINE); print(child._children[-1]._process.pid, flush=True)\n"
        "ChildRenderer().render(bomb(LOOP))"
    )
    assert running.stdout is not None
    number = int(running.stdout.readline())
    running.kill()
    running.communicate()
    while True:  # until it has ended, or this test is given up
        try:
            os.kill(number, 0)
            if Path(f"/proc/{number}/stat").read_text(encoding="ascii").split()[2] == "Z":
                break
        except (ProcessLookupError, FileNotFoundError):
            break
        time.sleep(0.01)


def test_what_cant_be_answered_ends_the_other_process_at_once() -> None:
    """Nobody waits for it until a rendering's time is over."""
    script = "from _thread import allocate_lock\nfrom release_tool.helm.serve import _serve_one\n"
    running = in_a_process(f"{script}_serve_one(b'no question', 1, allocate_lock())\n")
    said, _ = running.communicate(timeout=30)
    assert (running.returncode, said.splitlines()[-1]) == (1, "ValueError: bad marshal data (unknown type code)")
