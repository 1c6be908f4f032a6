"""What one client, or a sick version, may do to everybody else: the trials that settings of the chart are held to.

Few slow pods and small limits, so that the shares don't hang on how fast the machine is.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import cluster as small
import grpc
from cluster import Cluster

IMAGE = """image:
  default: v3
  tag: {v1: v1.0.1, v2: v1.0.2, v3: v1.0.3, v4: v1.0.4}
  quarantined: {v4: {reason: bad}}
"""
# The chart's own times, other than in `cluster.ROUTED`.
VALUES = f"virtualService: {{gateways: [], hosts: [{small.HOST}], grpcWeb: true}}\ngateway: {{enabled: true}}\nreplicaCount: 2\n"
PAUSE = 0.05  # after a call that failed: nobody calls again at once for ever


class Found(NamedTuple):
    """What became of the calls of some callers."""

    calls: int
    failed: int
    elsewhere: int  # answered by another live version
    unserved: int  # answered by a version that is not live

    @property
    def lost(self) -> float:
        """The share that failed."""
        return self.failed / max(self.calls, 1)


class Crowd:
    """Callers that go on until the end, each in a thread of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._over, self._counting = threading.Event(), threading.Event()
        self._counting.set()
        self._threads: list[threading.Thread] = []
        self._running = contextlib.ExitStack()
        self._answers: dict[str, Counter[str]] = {}

    def __enter__(self) -> Crowd:
        self._good = self._running.enter_context(self.cluster.client())
        # Of their own: Envoy closes the connection of a client that gives up most of its calls.
        self.bad = self._running.enter_context(self.cluster.client())
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(20)
        self._running.close()

    def good(self, *sent: str, loops: int, pause: float = 0.0, timeout: float = 5) -> None:
        """Callers that are counted; they name a version, or none."""
        found = self._answers.setdefault(sent[0] if sent else "", Counter())

        def call() -> None:
            answer = self._good.call(*sent, timeout=timeout)
            if self._counting.is_set():
                found[answer.version or answer.status] += 1
            time.sleep(pause if answer.version else max(pause, PAUSE))

        self.others(call, loops)

    def short(self, *sent: str, loops: int, timeout: float = 0.02) -> None:
        """Callers that wait for no answer."""
        self.others(lambda: self.bad.call(*sent, timeout=timeout), loops)

    def others(self, call: Callable[[], object], loops: int) -> None:
        """Callers that nobody counts."""

        def run() -> None:
            while not self._over.is_set():
                call()

        for _ in range(loops):
            self._threads.append(threading.Thread(target=run, daemon=True))
            self._threads[-1].start()

    def during(self, seconds: float) -> None:
        time.sleep(seconds)

    def unheeded(self) -> None:
        """From here on nothing is counted."""
        self._counting.clear()

    def heeded(self) -> None:
        self._counting.set()

    @property
    def found(self) -> dict[str, Found]:
        """What became of the calls, by the version that they named; an empty one for those that named none."""
        return {sent: _told(sent or "v3", answers) for sent, answers in self._answers.items()}


def _told(wanted: str, answers: Counter[str]) -> Found:
    live = {"v1", "v2", "v3"}
    failed = sum(number for who, number in answers.items() if not who.startswith("v"))
    elsewhere = sum(number for who, number in answers.items() if who in live - {wanted})
    return Found(answers.total(), failed, elsewhere, answers["v4"])


# -- bad calls --

GRPC = {"content-type": "application/grpc", "te": "trailers"}
EMPTY = b"\0\0\0\0\0"  # a gRPC message
# Left out: `grpc-timeout: soon`, and a `-bin` header that is no base64. After them a server in Python answers INTERNAL to
# others' calls on the same connection, which no setting of a proxy can help.
MALFORMED: tuple[tuple[str, Mapping[str, str], bytes], ...] = (
    ("POST", {"content-type": "application/grpc"}, EMPTY),
    ("GET", {"content-type": "application/grpc"}, b""),
    ("GET", GRPC, b""),
    ("PUT", GRPC, EMPTY),
    ("OPTIONS", {}, b""),
    ("POST", {**GRPC, "te": "gzip"}, EMPTY),
    ("POST", {**GRPC, "content-type": "application/grpc-web"}, EMPTY),
    ("POST", {**GRPC, "content-type": "application/grpc+unknown"}, EMPTY),
    ("POST", {**GRPC, "grpc-encoding": "nonsense"}, EMPTY),
    ("POST", {**GRPC, "large": "x" * 20_000}, EMPTY),
    ("POST", GRPC, b"\xff" * 9),
    ("POST", GRPC, b""),
)


def raw(cluster: Cluster, method: str, headers: Mapping[str, str], body: bytes = EMPTY) -> str:
    """A call in HTTP/1.1, written by hand: its status of HTTP, and of gRPC; empty if there was none."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.envoy.ports[80], timeout=5)
    try:
        connection.request(method, "/engine.Engine/Call", body, {"host": small.HOST, **headers})
        answer = connection.getresponse()
        answer.read()
        return f"{answer.status} {answer.getheader('grpc-status', '')}"
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


# -- trials --


def malformed(crowd: Crowd) -> None:
    """Calls that are no good gRPC: one kind after the other, and POST and GET without `te: trailers`.

    They begin while nobody else calls.
    """
    for sent in ((), ("v1",)):
        named = {"grpcsvc": sent[0]} if sent else {}
        kinds = itertools.cycle(MALFORMED)
        crowd.others(lambda named=named, kinds=kinds: _malformed(crowd.cluster, *next(kinds), named), 1)
        for kind in MALFORMED[:2]:
            crowd.others(lambda named=named, kind=kind: _malformed(crowd.cluster, *kind, named), 2)
    crowd.during(3)
    for sent in ((), ("v1",)):
        crowd.good(*sent, loops=2, pause=0.1)
    crowd.during(4)


def _malformed(
    cluster: Cluster, method: str, headers: Mapping[str, str], body: bytes, named: Mapping[str, str]
) -> None:
    raw(cluster, method, {**headers, **named}, body)
    time.sleep(0.005)


def short_deadlines(crowd: Crowd) -> None:
    """Deadlines of 20 ms for calls of 100 ms, on a service that few others call."""
    for pod in crowd.cluster.pods.values():
        pod.takes = 0.1
    for sent in ((), ("v1",)):
        crowd.short(*sent, loops=3)
        named = {"grpcsvc": sent[0]} if sent else {}
        crowd.others(lambda named=named: raw(crowd.cluster, "POST", {**GRPC, **named, "grpc-timeout": "20m"}), 1)
    crowd.during(2)
    for sent in ((), ("v1",)):
        crowd.good(*sent, loops=2, pause=0.05)
    crowd.during(6)


def bursts(crowd: Crowd) -> None:
    """The same, 32 calls at a time, half of them for v1."""
    for pod in crowd.cluster.pods.values():
        pod.takes = 0.1
    together = threading.Barrier(32)

    def call(*sent: str) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(2)
            crowd.bad.call(*sent, timeout=0.02)
            time.sleep(0.3)

    crowd.others(call, 16)
    crowd.others(lambda: call("v1"), 16)
    for sent in ((), ("v1",)):
        crowd.good(*sent, loops=2, pause=0.05)
    crowd.during(6)


def _crowded(crowd: Crowd, callers: int, *, queues: bool = False, **call: float) -> None:
    """So many callers without a version, and two of v1; each pod takes four calls of 0.1 s at a time."""
    _slots(crowd.cluster, 4, 0.1, queues=queues)
    crowd.good(loops=callers, **call)
    crowd.good("v1", loops=2)
    crowd.during(5)


def overload(crowd: Crowd) -> None:
    """12 callers on the 8 slots of the default, which answers UNAVAILABLE when it is full; v1 has callers of its own."""
    _crowded(crowd, 12)


def overload_that_waits(crowd: Crowd) -> None:
    """24 callers with a deadline of 200 ms on the 8 slots of a default whose calls wait for one."""
    _crowded(crowd, 24, queues=True, timeout=0.2)


def overload_of_everything(crowd: Crowd) -> None:
    """40 callers without a version on the 24 slots of all live versions; v1 has callers of its own."""
    _crowded(crowd, 40)


def dead(crowd: Crowd) -> None:
    """Both pods of the default are gone, and still listed."""
    _calm(crowd)
    for pod in crowd.cluster.of("v3"):
        pod.die()
    crowd.during(4)


def crash_looping(crowd: Crowd) -> None:
    """Both pods of the default run for 0.3 s, and are gone for 0.7 s, and so on."""
    _calm(crowd)
    for _ in range(5):
        for pod in crowd.cluster.of("v3"):
            pod.die()
        crowd.during(0.7)
        for pod in crowd.cluster.of("v3"):
            pod.start()
        crowd.during(0.3)


def half_dead(crowd: Crowd) -> None:
    """One pod of the default is gone, and one of v1; both are still listed."""
    _calm(crowd)
    for name in ("v3", "v1"):
        crowd.cluster.of(name)[0].die()
    crowd.during(4)


def unavailable(crowd: Crowd) -> None:
    """All that the default's pods answer is UNAVAILABLE."""
    _calm(crowd)
    for pod in crowd.cluster.of("v3"):
        pod.fails_every, pod.fails_with = 1, grpc.StatusCode.UNAVAILABLE
    crowd.during(4)


def every_second_unavailable(crowd: Crowd) -> None:
    """Every second answer of the default's pods is UNAVAILABLE."""
    _calm(crowd)
    for pod in crowd.cluster.of("v3"):
        pod.fails_every, pod.fails_with = 2, grpc.StatusCode.UNAVAILABLE
    crowd.during(4)


def slow(crowd: Crowd) -> None:
    """The default takes 300 ms, and its callers wait for 200 ms; v1 is as fast as ever."""
    _calm(crowd, timeout=0.2)
    for pod in crowd.cluster.of("v3"):
        pod.takes = 0.3
    crowd.during(10)


def not_ready(crowd: Crowd) -> None:
    """One pod of the default is not ready."""
    crowd.cluster.of("v3")[0].become_ready(ready=False)
    crowd.cluster.push()
    _calm(crowd)
    crowd.during(3)


def cascade(crowd: Crowd) -> None:
    """The default is gone; its 16 callers meet the 8 slots of v1 and v2 together. v1 has callers of its own."""
    _slots(crowd.cluster, 2, 0.1)
    crowd.good(loops=16)
    crowd.good("v1", loops=2)
    for pod in crowd.cluster.of("v3"):
        pod.die()
    crowd.during(5)


def shared_outage(crowd: Crowd) -> None:
    """What all versions need is gone for two seconds; counted is what comes after it."""
    _calm(crowd)
    crowd.unheeded()
    pods = list(crowd.cluster.pods.values())
    for pod in pods:
        pod.fails_every, pod.fails_with = 1, grpc.StatusCode.UNAVAILABLE
    crowd.during(2)
    for pod in pods:
        pod.fails_every = 0
    crowd.during(0.5)
    crowd.heeded()
    crowd.during(3)


def _calm(crowd: Crowd, timeout: float = 5) -> None:
    for pod in crowd.cluster.pods.values():
        pod.takes = 0.02
    crowd.good(loops=4, pause=0.02, timeout=timeout)
    crowd.good("v1", loops=2, pause=0.02)
    crowd.during(0.3)


def _slots(cluster: Cluster, number: int, takes: float, *, queues: bool = False) -> None:
    for pod in cluster.pods.values():
        pod.slots, pod.takes, pod.queues = number, takes, queues


TRIALS: dict[str, Callable[[Crowd], None]] = {
    "malformed calls": malformed,
    "short deadlines": short_deadlines,
    "... in bursts": bursts,
    "overload, refused": overload,
    "overload, queued": overload_that_waits,
    "overload of all": overload_of_everything,
    "dead": dead,
    "crash-looping": crash_looping,
    "half dead": half_dead,
    "UNAVAILABLE": unavailable,
    "... every second": every_second_unavailable,
    "slow": slow,
    "one of two not ready": not_ready,
    "cascade": cascade,
    "after an outage of all": shared_outage,
}


def described() -> str:
    """The rows of a table that says what happens in each trial."""
    return "".join(f"| {title} | {' '.join((trial.__doc__ or '').split())} |\n" for title, trial in TRIALS.items())


def run(cluster: Cluster, trial: Callable[[Crowd], None], *values: str, image: str = IMAGE) -> dict[str, Found]:
    """What became of the good callers' calls in one trial, in an empty cluster."""
    cluster.sync(image, VALUES, *values)
    with Crowd(cluster) as crowd:
        trial(crowd)
    return crowd.found
