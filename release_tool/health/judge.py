"""All checks of all versions at once, in threads, with one deadline for the pass."""

from __future__ import annotations

import logging
import time
from concurrent import futures
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from release_tool.health.source import NO_WINDOW, HealthSource, Subject, early
from release_tool.model.health import Judged, Verdict
from release_tool.model.printed_command import installing
from release_tool.model.records import UNKNOWN
from release_tool.net.secret import Secret
from release_tool.safe_text import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from release_tool.config import Health
    from release_tool.config.health import Check
    from release_tool.health.source import ToJudge

_LOG = logging.getLogger("release_tool.health")
_THREADS = 64  # most of them sleep between two attempts


class _Task(NamedTuple):
    """One check of one version."""

    source: HealthSource
    check: str
    subject: Subject
    end: float
    answer: futures.Future[Verdict]


class Unusable:
    """Stands for a source whose library isn't installed, or can't be loaded."""

    def __init__(self, check: str, why: str) -> None:
        self._check = check
        self._why = why

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:  # noqa: ARG002
        return Verdict(self._check, UNKNOWN, self._why)

    def close(self) -> None:
        return


def judge_all(asked: Sequence[ToJudge], now: datetime, environ: Mapping[str, str]) -> list[tuple[Judged, ...]]:
    """What the checks of some environments say of their versions, in the same order.

    Args:
        asked: the versions of each environment, and its checks.
        now: the present time (UTC).
        environ: the environment variables, which hold the tokens.
    """
    sources = [
        {name: source_of(name, check, one.health, environ) for name, check in one.health.checks.items()}
        for one in asked
    ]
    try:
        return judge(asked, sources, now)
    finally:
        for found in sources:
            for source in found.values():
                source.close()


def judge(
    asked: Sequence[ToJudge], sources: Sequence[Mapping[str, HealthSource]], now: datetime
) -> list[tuple[Judged, ...]]:
    """The same with sources that are there; each environment has its own deadline, and all begin now.

    The first versions of all environments are asked about first: those that matter most, should others hang.
    """
    begun = time.monotonic()
    tasks: SimpleQueue[_Task] = SimpleQueue()
    waiting: dict[tuple[int, int, str], _Task] = {}
    for place, (one, found) in enumerate(zip(asked, sources, strict=True)):
        end = begun + one.health.deadline.total_seconds()
        for number, subject in enumerate(one.subjects):
            is_there = subject.delivery is None or subject.delivery.begun
            if is_there and subject.since + one.health.grace <= now:
                for name, source in found.items():
                    task = _Task(source, name, subject, end, futures.Future())
                    waiting[place, number, name] = task
    for _, task in sorted(waiting.items(), key=lambda item: item[0][1::-1]):  # the first of every environment first
        tasks.put(task)
    for _ in range(min(_THREADS, len(waiting))):
        Thread(target=_work, args=(tasks, now), daemon=True).start()  # a daemon holds up no exit
    result = []
    for place, (one, found) in enumerate(zip(asked, sources, strict=True)):
        judged = []
        for number, subject in enumerate(one.subjects):
            verdicts = [
                _answer(waiting[place, number, name], one.health) if (place, number, name) in waiting
                else early(name, one.health, subject, _window(one.health, name))
                for name in found
            ]  # fmt: skip
            told = subject.delivery
            if told is not None:
                verdicts.append(told.verdict)
            judged.append(
                Judged(subject.name, subject.tag, tuple(verdicts), unapplied="" if told is None else told.unapplied)
            )
        result.append(tuple(judged))
    return result


def _window(health: Health, name: str) -> timedelta:
    """How much more than the grace must be over before a check can give a verdict."""
    check = health.checks.get(name)
    if check is None or check.prometheus is None:
        return NO_WINDOW
    return check.prometheus.window or health.window


def _work(tasks: SimpleQueue[_Task], now: datetime) -> None:
    while True:
        try:
            task = tasks.get_nowait()
        except Empty:
            return
        if time.monotonic() < task.end:
            task.answer.set_result(_asked(task, now))


def _asked(task: _Task, now: datetime) -> Verdict:
    try:
        return task.source.judge(task.subject, now, task.end)
    except Exception as error:  # noqa: BLE001 (a bug in one source must not hide what the others say)
        _LOG.debug("check %s of %s", task.check, task.subject.name, exc_info=True)
        return Verdict(task.check, UNKNOWN, f"the check broke: {type(error).__name__}: {phrase(str(error))}")


def _answer(task: _Task, health: Health) -> Verdict:
    try:
        return task.answer.result(max(0.0, task.end - time.monotonic()))
    except futures.TimeoutError:
        return Verdict(task.check, UNKNOWN, f"no answer within {health.deadline.total_seconds():g} s")


def source_of(name: str, check: Check, health: Health, environ: Mapping[str, str]) -> HealthSource:
    """The source of a check. Its libraries are loaded here, and nowhere else."""
    try:
        return _loaded(name, check, health, environ)
    except ImportError:
        return Unusable(name, f"its library is not installed: {installing(check.kind)}")
    except Exception as error:  # noqa: BLE001 (libraries that don't fit each other raise what they like)
        _LOG.debug("the library of check %s", name, exc_info=True)
        return Unusable(name, f"its library can't be loaded: {type(error).__name__}: {phrase(str(error))}")


def _loaded(name: str, check: Check, health: Health, environ: Mapping[str, str]) -> HealthSource:
    if check.prometheus is not None:
        from release_tool.health.prometheus import PrometheusSource
        from release_tool.net.prometheus import TOKEN_VARIABLE

        return PrometheusSource(name, check.prometheus, health, Secret(environ.get(TOKEN_VARIABLE, "")))
    if check.kubernetes is not None:
        from release_tool.health.kubernetes import KubernetesSource

        return KubernetesSource(name, check.kubernetes, health, environ)
    if check.grpc is not None:
        from release_tool.health.grpc import GrpcSource

        return GrpcSource(name, check.grpc, health)
    if check.http is not None:
        from release_tool.health.http import HttpSource

        return HttpSource(name, check.http, health)
    from release_tool.health.command import CommandSource

    assert check.command is not None  # a check is of one kind
    return CommandSource(name, check.command, health, environ)
