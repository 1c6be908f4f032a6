"""A real image registry on this machine: Debian's `docker-registry`, with images that the test pushes.

    with running(tmp_path) as registry:
        digest = registry.push("team/engine", "v1.0.5")
        registry.retag("team/engine", "v1.0.5", "latest")

`registry.image("team/engine")` is what `release.yaml` names, with `plain_http: true`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
import yaml
from certificates import Certificate
from processes import running as running_process

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def program() -> str:
    """The registry's program; skips the test where there is none."""
    found = shutil.which("docker-registry")
    if found is None:
        pytest.skip("there is no docker-registry: apt-get install docker-registry (Debian, Ubuntu)")
    return found


class RealRegistry:
    """A running registry; `headers` are those of a push, `verify` is the file of the certificate that is trusted."""

    def __init__(self, url: str, headers: Mapping[str, str], verify: str | None) -> None:
        self.url = url
        self.host = url.partition("://")[2]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers)
        self._session.verify = verify or True

    def image(self, repository: str) -> str:
        """The name of a repository as `registry.image` takes it."""
        return f"{self.host}/{repository}"

    def push(self, repository: str, tag: str, content: str = "") -> str:
        """Push an image: a configuration, no layer. Its digest; other content, by default the tag, makes another."""
        blob = json.dumps({"architecture": "amd64", "os": "linux", "author": content or tag}).encode()
        config = {"mediaType": CONFIG, "digest": self._blob(repository, blob), "size": len(blob)}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        return self._manifest(repository, tag, MANIFEST, json.dumps(manifest).encode())

    def push_index(self, repository: str, tag: str) -> str:
        """Push an image for two platforms; the digest of its index."""
        entries = []
        for architecture in ("amd64", "arm64"):
            digest = self.push(repository, f"{tag}-{architecture}")
            size = len(self._call("GET", f"{repository}/manifests/{digest}", headers={"Accept": MANIFEST}).content)
            platform = {"architecture": architecture, "os": "linux"}
            entries.append({"mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform})
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self._manifest(repository, tag, INDEX, json.dumps(index).encode())

    def retag(self, repository: str, tag: str, new: str) -> str:
        """Put another tag on an image, also one that another image has."""
        answer = self._call("GET", f"{repository}/manifests/{tag}", headers={"Accept": f"{MANIFEST}, {INDEX}"})
        return self._manifest(repository, new, answer.headers["Content-Type"], answer.content)

    def delete(self, repository: str, digest: str) -> None:
        """Delete an image, with all its tags."""
        self._call("DELETE", f"{repository}/manifests/{digest}")

    def _blob(self, repository: str, blob: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        place = self._call("POST", f"{repository}/blobs/uploads/").headers["Location"]
        self._call("PUT", place, params={"digest": digest}, data=blob)
        return digest

    def _manifest(self, repository: str, tag: str, kind: str, body: bytes) -> str:
        self._call("PUT", f"{repository}/manifests/{tag}", data=body, headers={"Content-Type": kind})
        return f"sha256:{hashlib.sha256(body).hexdigest()}"

    def _call(self, method: str, path: str, **more: object) -> requests.Response:
        answer = self._session.request(method, urljoin(f"{self.url}/v2/", path), timeout=20, **more)
        answer.raise_for_status()
        return answer


@contextlib.contextmanager
def running(
    directory: Path,
    *,
    auth: Mapping[str, object] | None = None,
    tls: Certificate | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[RealRegistry]:
    """A registry on a free port of 127.0.0.1, with its data in an empty directory; it ends with the block.

    `auth`: that section of its configuration; without one, everybody may do everything. Without `tls`: plain HTTP.
    """
    http: dict[str, object] = {"addr": "127.0.0.1:0", "secret": "of a test"}
    if tls is not None:
        http["tls"] = {"certificate": str(tls.path), "key": str(tls.key)}
    storage = {"filesystem": {"rootdirectory": str(directory / "data")}, "delete": {"enabled": True}}
    config = {"version": 0.1, "log": {"level": "info", "accesslog": {"disabled": True}}, "storage": storage}
    config |= {"http": http} | ({"auth": auth} if auth else {})
    file, log = directory / "config.yml", directory / "log.txt"
    file.write_text(yaml.safe_dump(config), "utf-8")
    with running_process([program(), "serve", str(file)], log, directory) as process:
        port = _port(process, log)
        scheme, verify = ("https", str(tls.path)) if tls else ("http", None)
        found = RealRegistry(f"{scheme}://127.0.0.1:{port}", headers or {}, verify)
        with found._session:
            yield found


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the registry says it listens at: one that it chose itself, so nobody else can be there."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        said = re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text("utf-8", "replace"))
        if said:
            return int(said[1])
        time.sleep(0.02)
    raise AssertionError(f"the registry did not start: {log.read_text('utf-8', 'replace')}")


@contextlib.contextmanager
def guarded(directory: Path, user: str, password: str) -> Iterator[RealRegistry]:
    """A registry with a file of passwords, which knows one user."""
    htpasswd = shutil.which("htpasswd")
    if htpasswd is None:
        pytest.skip("there is no htpasswd: apt-get install apache2-utils")
    file = directory / "htpasswd"
    subprocess.run([htpasswd, "-cbB", str(file), user, password], check=True, capture_output=True, timeout=30)
    auth = {"htpasswd": {"realm": "a registry", "path": str(file)}}
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    with running(directory, auth=auth, headers={"Authorization": f"Basic {basic}"}) as found:
        yield found
