"""Fixtures for several folders: what a folder uses, its `conftest.py` imports."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator

import pytest
from azure_standin import Azure
from calls import ALL
from gitlab_standin import GitLab
from hostile import Hostile
from real_prometheus import real_prometheus
from standin import StandIn

from release_tool.helm import Renderer, make_renderer
from release_tool.helm.installed import program_version
from release_tool.helm.program import ProgramRenderer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stands between a test and its server on 127.0.0.1, and nobody is logged in to a registry."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in (
            "RELEASE_CA_BUNDLE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "DOCKER_CONFIG",
            "DOCKER_AUTH_CONFIG",
        ):
            monkeypatch.delenv(name)


HELM = {"helm3": "helm.sh/helm/v3/cmd/helm@v3.22.0", "helm4": "helm.sh/helm/v4/cmd/helm@v4.2.3"}
"""The Helm programs that charts are rendered with: `.ci/run` builds both from these modules."""


def helm_program(name: str) -> str:
    """A Helm program of one major version, `helm3` or `helm4`; the test is skipped where there is none."""
    for candidate in ("helm", name):
        path = shutil.which(candidate)
        if path and program_version(path).startswith(f"v{name[-1]}."):
            return path
    pytest.skip(f"there is no {name} on PATH: go install {HELM[name]}")


@pytest.fixture(params=["embedded", *HELM])
def renderer(request: pytest.FixtureRequest) -> Renderer:
    """Each engine in turn."""
    if request.param != "embedded":
        return ProgramRenderer(helm_program(request.param))
    if importlib.util.find_spec("helm_python") is None:
        pytest.skip("the embedded engine has no wheel for this machine (pip install helm-python-sdk)")
    return make_renderer(request.param)


@pytest.fixture
def engine() -> Renderer:
    """One engine, for what is the chart's doing and not the engine's."""
    return make_renderer("auto")


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    """A server that answers as it likes."""
    with Hostile() as server:
        yield server


@pytest.fixture(scope="session")
def prometheus_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus with the calls of `calls.py`."""
    with real_prometheus(tmp_path_factory.mktemp("prometheus"), ALL) as url:
        yield url


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A GitHub without repositories. At the end: every request was modelled and agrees with GitHub's description."""
    with StandIn() as found:
        yield found
    found.verify()


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    """A GitLab without projects. At the end: every request was modelled and agrees with what GitLab documents."""
    with GitLab() as found:
        yield found
    found.verify()


@pytest.fixture
def azure() -> Iterator[Azure]:
    """An Azure DevOps without repositories. At the end: every request agrees with Microsoft's description."""
    with Azure() as found:
        yield found
    found.verify()
