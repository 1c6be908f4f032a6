"""Every test that takes `renderer` runs once with each engine."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING

import pytest

from release_tool.helm import make_renderer

if TYPE_CHECKING:
    from release_tool.helm import Renderer


@pytest.fixture(params=["embedded", "helm"])
def renderer(request: pytest.FixtureRequest) -> Renderer:
    if request.param == "embedded" and importlib.util.find_spec("helm_python") is None:
        pytest.skip("the embedded engine has no wheel for this machine (pip install helm-python-sdk)")
    if request.param == "helm" and shutil.which("helm") is None:
        pytest.skip("there is no helm on PATH: go install helm.sh/helm/v4/cmd/helm@v4.2.3")
    return make_renderer(request.param)


@pytest.fixture
def engine() -> Renderer:
    """One engine, for what is the chart's doing and not the engine's."""
    return make_renderer("auto")
