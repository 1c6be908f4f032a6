"""A real Envoy and real gRPC servers in the place of simulated pods, told of a cluster's changes as by istiod."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from envoy import Envoy
from envoy_parts import Object
from recording import proxies
from servers import Client, Pod
from watcher import Watcher, is_ready

QUIET, LATEST = 0.1, 10.0  # istiod pushes when nothing changed for so many seconds, and after so many at the latest
_PORT = 80


class Mesh:
    """Follows a watcher: a server for each pod, and the gateway that callers reach.

    A pod's server runs while the pod is ready, and for its preStop pause once it is being deleted.
    """

    def __init__(self, folder: Path, watcher: Watcher) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.envoy = Envoy(folder)
        self.pushes: Counter[str] = Counter()  # what changed -> how often
        self._watcher = watcher
        self._servers: dict[str, Pod] = {}  # by the pod's address
        self._ending: dict[str, float] = {}  # when a server has to stop
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failed: list[BaseException] = []

    def __enter__(self) -> Mesh:
        self.envoy.__enter__()
        for target in (self._keep_servers, self._keep_told):
            thread = threading.Thread(target=self._run, args=(target,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)
        self.envoy.__exit__()
        for server in self._servers.values():
            server.die()
        assert not self._failed, self._failed

    @property
    def servers(self) -> list[Pod]:
        """Those that run now."""
        return list(self._servers.values())

    def client(self, host: str) -> Client:
        """A caller through the gateway, once that has routes."""
        end = time.monotonic() + 30
        while _PORT not in self.envoy.ports:
            assert time.monotonic() < end, f"the gateway has no listener: {self._failed}"
            time.sleep(0.05)
        return Client(self.envoy.ports[_PORT], host)

    def settle(self) -> None:
        """Wait until the gateway knows of all that stood when this was called."""
        before = self.pushes["looks"]
        while self.pushes["looks"] < before + 2 and not self._failed:
            time.sleep(0.02)

    def _run(self, target: Callable[[], None]) -> None:
        try:
            while not self._over.is_set():
                target()
        except BaseException as error:
            self._failed.append(error)
            self._over.set()

    # -- as a node --

    def _keep_servers(self) -> None:
        for pod in self._pods():
            address, metadata = pod["status"].get("podIP"), pod["metadata"]
            if not address:
                continue
            if metadata.get("deletionTimestamp"):
                self._ending.setdefault(address, time.monotonic() + _pause(pod))
            elif is_ready(pod) and address not in self._servers:
                labels = metadata["labels"]
                version = labels.get("app.kubernetes.io/tag", "")
                self._servers[address] = Pod(metadata["name"], version, metadata["namespace"], labels)
            elif not is_ready(pod) and address in self._servers:
                self._servers.pop(address).die()
        for address, due in list(self._ending.items()):
            if time.monotonic() >= due:
                del self._ending[address]
                if address in self._servers:
                    self._servers.pop(address).end()
        time.sleep(0.02)

    def _pods(self) -> list[Object]:
        # One that is gone altogether, without a moment in which it was going, has lost its server too.
        with self._watcher.changed:
            objects, known = self._watcher.objects, self._watcher.known
            gone = {
                key: {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": "gone"}} for key, pod in known.items()
            }
            standing = {key: pod for key, pod in objects.items() if key[0] == "Pod"}
        return [pod for pod in {**gone, **standing}.values() if pod.get("status")]

    def _locate(self, address: str, port: int) -> tuple[str, int]:
        server = self._servers.get(address)
        return ("127.0.0.1", server.port) if server else ("127.0.0.1", 1)  # nobody listens there

    # -- as istiod --

    def _keep_told(self) -> None:
        self._until_quiet()
        with self._watcher.changed:
            objects, known = dict(self._watcher.objects), dict(self._watcher.known)
        found = proxies(objects, known, self._watcher.extra, self._locate)
        if found.routes:
            self.pushes.update(self.envoy.apply(found))
        self.pushes["looks"] += 1

    def _until_quiet(self) -> None:
        latest = time.monotonic() + LATEST
        with self._watcher.changed:
            while self._watcher.changed.wait(QUIET) and time.monotonic() < latest and not self._over.is_set():
                pass


def _pause(pod: Object) -> float:
    hook = pod["spec"]["containers"][0].get("lifecycle", {}).get("preStop", {})
    return float(hook.get("sleep", {}).get("seconds", 0))
