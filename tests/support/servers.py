"""gRPC servers in the place of pods, and a client that tells where its calls went."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from translator import Endpoint

WORKERS = 64  # of a pod; they begin when they are needed


class Pod:
    """One server of the service `engine.Engine`, with grpc.health.v1; it answers its version."""

    def __init__(self, name: str, version: str, namespace: str, labels: Mapping[str, str]) -> None:
        self.name, self.version, self.namespace, self.labels = name, version, namespace, labels
        self.listed = True
        self.fails_every = 0  # each so manieth call fails; 0: none
        self.fails_with = grpc.StatusCode.INTERNAL
        self.takes = 0.0  # seconds that a call takes
        self.slots = WORKERS  # calls at a time
        self.queues = False  # the next one waits; else it is answered UNAVAILABLE
        self._busy = 0
        self._free = threading.Condition()
        self._calls = itertools.count(1)
        self._health = health.HealthServicer()
        self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self.port = 0
        self.start()

    def start(self) -> None:
        """Serve, after `die` at the same port again."""
        self._pool = ThreadPoolExecutor(max_workers=WORKERS)
        self._server = grpc.server(self._pool, options=[("grpc.so_reuseport", 0)])
        handlers = {
            "Call": grpc.unary_unary_rpc_method_handler(self._call),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("engine.Engine", handlers)])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()
        self._running = True

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, self.namespace, self.labels, self.listed)

    def become_ready(self, *, ready: bool) -> None:
        """What its readiness probe says; Kubernetes takes it out of the endpoints."""
        states = health_pb2.HealthCheckResponse
        self._health.set("", states.SERVING if ready else states.NOT_SERVING)
        self.listed = ready

    def die(self) -> None:
        """Stop at once; whether it is still listed is another matter."""
        self._running = False
        self._server.stop(0).wait(5)

    def end(self) -> None:
        """Stop as a pod does after its preStop pause: calls under way may finish."""
        self._running = False
        self._server.stop(2).wait(5)
        self._pool.shutdown(wait=False)

    def _seen(self, context: Any) -> bytes:
        sent = [value for key, value in context.invocation_metadata() if key == "grpcsvc"]
        return json.dumps({"version": self.version, "pod": self.name, "grpcsvc": sent}).encode()

    def _call(self, _: bytes, context: Any) -> bytes:
        if self.fails_every and next(self._calls) % self.fails_every == 0:
            context.abort(self.fails_with, "broken")
        with self._free:
            if self._busy >= self.slots and not self.queues:
                context.abort(grpc.StatusCode.UNAVAILABLE, "full")
            self._free.wait_for(lambda: self._busy < self.slots)
            self._busy += 1
        if self.takes:
            time.sleep(self.takes)
        with self._free:
            self._busy -= 1
            self._free.notify()
        return self._seen(context)

    def _watch(self, _: bytes, context: Any) -> Iterator[bytes]:
        while self._running and context.is_active():
            yield self._seen(context)
            time.sleep(0.05)


class Answer(NamedTuple):
    """What a call came to."""

    version: str  # empty if nobody answered
    status: str  # the name of the gRPC status
    seen: tuple[str, ...] = ()  # the values of `grpcsvc` that the server saw
    told: str = ""  # the value of `grpcsvc` in the response's headers


class Client:
    """Calls for a host through a proxy on 127.0.0.1; `versions` are always the values of `grpcsvc`."""

    def __init__(self, port: int, host: str) -> None:
        options = [("grpc.default_authority", host), ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        self._call = self._channel.unary_unary("/engine.Engine/Call")
        self._watch = self._channel.unary_stream("/engine.Engine/Watch")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def call(self, *versions: str, timeout: float = 5) -> Answer:
        try:
            data, call = self._call.with_call(b"", metadata=_metadata(versions), timeout=timeout)
        except grpc.RpcError as error:
            return Answer("", error.code().name, told=_told(error.initial_metadata()))
        found = json.loads(data)
        return Answer(found["version"], "OK", tuple(found["grpcsvc"]), _told(call.initial_metadata()))

    def unknown(self, *versions: str) -> str:
        """A call of a method that the service doesn't have: the name of its status."""
        try:
            self._channel.unary_unary("/engine.Engine/Nothing")(b"", metadata=_metadata(versions), timeout=5)
        except grpc.RpcError as error:
            name: str = error.code().name
            return name
        return "OK"

    def watch(self, *versions: str) -> Any:
        """A stream that ends when its server does."""
        return self._watch(b"", metadata=_metadata(versions))


def _metadata(versions: Sequence[str]) -> list[tuple[str, str]]:
    return [("grpcsvc", value) for value in versions]


def _told(metadata: Any) -> str:
    return ",".join(value for key, value in metadata or () if key == "grpcsvc")
