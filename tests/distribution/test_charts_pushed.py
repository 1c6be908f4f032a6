"""Both charts in a real OCI registry, by a real helm: once, not changed afterwards, and as good as those of the repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import real_registry
from fixtures import helm_program, no_proxy  # noqa: F401

from distribution import charts, versions


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Helm program that is `helm` on PATH, with nobody's settings."""
    found = helm_program(request.param)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").symlink_to(found)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"HELM_{kind}_HOME", str(tmp_path / "helm"))
    return found


def test_each_version_is_pushed_once(helm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with real_registry.running(tmp_path) as registry:
        place = registry.url.replace("http://", "oci://") + "/acme/charts"
        told = [charts.push(chart, place, ["--plain-http"]) for chart in versions.CHARTS]
        assert all("pushed to oci://127.0.0.1" in one and "digest: sha256:" in one for one in told)
        again = [charts.push(chart, place, ["--plain-http"]) for chart in versions.CHARTS]
        assert [one.partition(" is ")[2] for one in again] == ["there already"] * 2

        out = tmp_path / "pulled"
        name, version = (str(versions.about(versions.CHARTS[0])[key]) for key in ("name", "version"))
        pull = ["helm", "pull", f"{place}/{name}", "--version", version, "--plain-http", "--untar", "-d", str(out)]
        subprocess.run(pull, check=True, capture_output=True)
        template = ["helm", "template", "engine", "--set", "image.tag[0]=v1.0.1"]
        ours, theirs = (
            subprocess.run([*template, str(chart)], check=True, capture_output=True).stdout
            for chart in (versions.CHARTS[0], out / name)
        )
        assert ours == theirs != b""

        other = tmp_path / "changed" / name
        shutil.copytree(versions.CHARTS[0], other)
        with (other / "values.yaml").open("a", encoding="utf-8") as values:
            values.write("# changed\n")
        with pytest.raises(SystemExit, match="holds other files: raise the version of both charts"):
            charts.push(other, place, ["--plain-http"])


def test_a_registry_that_is_down_is_no_registry_without_the_chart(helm: str) -> None:
    with pytest.raises(SystemExit, match="can't be looked up"):
        charts.push(versions.CHARTS[1], "oci://127.0.0.1:9/acme/charts", ["--plain-http"])
