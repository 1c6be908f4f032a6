"""How attempts make a verdict, and how all checks of all versions are asked at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from points import NOW, health, subject

from release_tool.config.health import Check, CommandCheck, GrpcCheck, HttpCheck, KubernetesCheck
from release_tool.health.judge import judge, judge_all
from release_tool.health.sampling import BAD, CANNOT_TELL, GOOD, Attempt, Clock, Sampling
from release_tool.health.source import HealthSource, Subject, ToJudge
from release_tool.model.health import Verdict
from release_tool.model.records import HEALTHY, UNHEALTHY, UNKNOWN

BAD_ONE, SILENT = Attempt(BAD, "UNAVAILABLE: no healthy upstream"), Attempt(BAD, "no answer", silent=True)
GOOD_ONE, AWAY = Attempt(GOOD, "it answers"), Attempt(CANNOT_TELL, "can't be reached")


class Time:
    """A clock that goes only when somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def sampled(*attempts: Attempt, time_left: float = 60, takes: float = 0) -> tuple[Verdict, Time]:
    """The verdict of attempts that end so, each after the same time or when its time is over."""
    at, left = Time(), iter(attempts)

    def attempt(until: float) -> Attempt:
        at.now = min(until, at.now + takes)
        return next(left)

    verdict = Sampling("answers", health(timeout=10), at.clock()).verdict(attempt, NOW, at.now + time_left)
    assert next(left, None) is None, "an attempt too few"
    return verdict, at


@pytest.mark.parametrize(
    ("attempts", "said", "reason", "unsettled"),
    [
        ([GOOD_ONE], HEALTHY, "it answers", False),
        ([BAD_ONE] * 3, UNHEALTHY, "3 of 3 attempts failed: UNAVAILABLE: no healthy upstream", False),
        ([BAD_ONE, GOOD_ONE], UNKNOWN, "unsettled: 1 of 2 attempts failed: UNAVAILABLE: no healthy upstream", True),
        ([BAD_ONE, SILENT, GOOD_ONE], UNKNOWN, "unsettled: 2 of 3 attempts failed: no answer", True),
        ([AWAY], UNKNOWN, "can't be reached", False),
        ([SILENT, AWAY], UNKNOWN, "can't be reached; before that 1 failed: no answer", True),
    ],
)
def test_attempts_make_a_verdict(attempts: list[Attempt], said: str, reason: str, unsettled: bool) -> None:
    verdict, at = sampled(*attempts)
    assert verdict == Verdict("answers", said, reason, samples=len(attempts), at=NOW, unsettled=unsettled)
    assert at.slept == [10] * (len(attempts) - 1)


def test_no_wait_goes_past_the_end_of_the_pass() -> None:
    verdict, at = sampled(BAD_ONE, BAD_ONE, time_left=19)
    assert (verdict.health, verdict.unsettled) == (UNKNOWN, True)
    assert verdict.reason == "only 2 of 3 attempts fitted in time: UNAVAILABLE: no healthy upstream"
    assert (at.slept, at.now) == ([10], 110)


def test_who_had_less_than_the_timeout_to_answer_has_not_failed_to() -> None:
    whole, _ = sampled(SILENT, SILENT, SILENT, time_left=50, takes=10)
    assert whole.health == UNHEALTHY
    cut, _ = sampled(SILENT, SILENT, SILENT, time_left=49, takes=10)
    assert (cut.health, cut.unsettled) == (UNKNOWN, True)
    assert cut.reason == "the time of this pass was over: no answer; before that 2 failed: no answer"


# -- all at once ------------------------------------------------------------------------------------------------------
class Says:
    """A source that says what a function says."""

    def __init__(self, answer: Callable[[Subject, float], Any]) -> None:
        self.answer = answer
        self.closed = False

    def judge(self, subject: Subject, now: datetime, end: float) -> Verdict:
        found = self.answer(subject, end)
        return found if isinstance(found, Verdict) else Verdict("one", found, "so it is")

    def close(self) -> None:
        self.closed = True


def asked(*names: str, deadline: float = 30, **more: Any) -> ToJudge:
    settings = health(deadline=timedelta(seconds=deadline), **more)
    return ToJudge(settings, tuple(subject(name) for name in names))


def one_pass(one: ToJudge, /, **sources: HealthSource) -> dict[str, dict[str, Verdict]]:
    (found,) = judge([one], [sources], NOW)
    return {judged.name: dict(zip(sources, judged.verdicts, strict=True)) for judged in found}


def test_a_check_that_waits_holds_up_no_other() -> None:
    """Every one waits for all of them: one thread less, and nobody would ever be done."""
    names = [f"v{number}" for number in range(1, 17)]
    together = threading.Barrier(3 * len(names))

    def answer(*_: Any) -> str:
        together.wait(20)
        return HEALTHY

    found = one_pass(asked(*names), one=Says(answer), two=Says(answer), three=Says(answer))
    assert list(found) == names
    assert {one.health for verdicts in found.values() for one in verdicts.values()} == {HEALTHY}


def test_what_is_not_answered_in_time_is_unknown_and_the_rest_is_kept() -> None:
    over = threading.Event()

    def answer(subject: Subject, end: float) -> str:
        if subject.name == "v5":
            over.wait(20)
        return HEALTHY

    try:
        found = one_pass(asked("v4", "v5", deadline=0.3), slow=Says(answer))
    finally:
        over.set()
    assert found["v4"]["slow"].health == HEALTHY
    assert found["v5"]["slow"] == Verdict("slow", UNKNOWN, "no answer within 0.3 s")


def test_a_source_that_breaks_hides_nothing_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "release_tool.health")
    broken = Says(lambda *_: {}["nothing"])
    found = one_pass(asked("v5"), broken=broken, fine=Says(lambda *_: UNHEALTHY))
    assert found["v5"]["broken"] == Verdict("broken", UNKNOWN, "the check broke: KeyError: 'nothing'")
    assert found["v5"]["fine"].health == UNHEALTHY
    assert "Traceback" in caplog.text


def test_a_version_in_its_grace_is_not_asked_about() -> None:
    fresh = subject("v5", NOW - timedelta(minutes=4))
    seen: list[str] = []
    one = ToJudge(health(), (fresh, subject("v4", NOW - timedelta(minutes=5))))
    found = one_pass(one, one=Says(lambda subject, _: seen.append(subject.name) or HEALTHY))
    assert seen == ["v4"]
    assert found["v5"]["one"].reason == (
        "judged from 2026-11-20 12:01 UTC on: its last operation landed at 2026-11-20 11:56 UTC"
    )


def test_each_environment_has_its_own_deadline() -> None:
    slow, fast = asked("v4", deadline=30), asked("v4", deadline=1)
    ends: list[float] = []
    found = judge([slow, fast], [{"one": Says(lambda _, end: ends.append(end) or HEALTHY)}] * 2, NOW)
    assert [one[0].health for one in found] == [HEALTHY, HEALTHY]
    assert max(ends) - min(ends) == pytest.approx(29)


# -- sources of the configuration -------------------------------------------------------------------------------------
KINDS = {
    "calls": Check(grpc=GrpcCheck("127.0.0.1:1")),
    "cluster": Check(kubernetes=KubernetesCheck()),
    "program": Check(command=CommandCheck(("true",))),
    "page": Check(http=HttpCheck("http://127.0.0.1:1/")),
}


def test_a_missing_library_is_unknown_and_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("grpc", "kubernetes"):
        monkeypatch.setitem(sys.modules, library, None)  # as if it weren't there
        monkeypatch.delitem(sys.modules, f"release_tool.health.{library}", raising=False)
    monkeypatch.delitem(sys.modules, "release_tool.health.cluster", raising=False)
    (found,) = judge_all([asked("v5")._replace(health=health(KINDS, failures=1))], NOW, {"PATH": "/usr/bin:/bin"})
    said = {verdict.check: (verdict.health, verdict.reason) for verdict in found[0].verdicts}
    needs = (
        "its library is not installed: pip install 'gitops-release[{}] @ git+https://github.com/OWNER/release@COMMIT'"
    )
    assert said["calls"] == (UNKNOWN, needs.format("grpc"))
    assert said["cluster"] == (UNKNOWN, needs.format("kubernetes"))
    assert said["program"] == (HEALTHY, "exit status 0")
    assert said["page"][0] == UNKNOWN


def test_a_library_that_breaks_is_unknown_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """grpcio-health-checking does that beside a protobuf that is older than what it was made with."""
    (tmp_path / "grpc_health").mkdir()
    (tmp_path / "grpc_health" / "__init__.py").write_text("raise RuntimeError('gencode is newer')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in [name for name in sys.modules if name.partition(".")[0] == "grpc_health"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "release_tool.health.grpc", raising=False)
    (found,) = judge_all([asked("v5")._replace(health=health({"calls": KINDS["calls"]}))], NOW, {})
    (verdict,) = found[0].verdicts
    assert (verdict.health, verdict.reason) == (UNKNOWN, "its library can't be loaded: RuntimeError: gencode is newer")


def test_only_the_libraries_of_configured_checks_are_loaded() -> None:
    program = """
import sys
from datetime import datetime, timedelta, timezone
from release_tool.config import Health
from release_tool.config.health import Check, CommandCheck
from release_tool.health.source import ToJudge, Subject
from release_tool.health.judge import judge_all
now = datetime.now(timezone.utc)
subject = Subject("prod", "", "shop", "engine", "engine-v5", "v5", "1.0.5", now - timedelta(days=1))
(found,) = judge_all([ToJudge(Health({"own": Check(command=CommandCheck(("true",)))}), (subject,))], now, {})
print(found[0].health, sorted({"grpc", "kubernetes", "requests"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "healthy []\n"


def test_a_hung_check_does_not_hold_up_the_exit() -> None:
    program = """
import time
from datetime import datetime, timedelta, timezone
from release_tool.config import Health
from release_tool.health.source import ToJudge, Subject
from release_tool.health.judge import judge
class Hangs:
    def judge(self, subject, now, end): time.sleep(300)
    def close(self): pass
now = datetime.now(timezone.utc)
subject = Subject("prod", "", "shop", "engine", "engine-v5", "v5", "1.0.5", now - timedelta(days=1))
asked = ToJudge(Health({}, deadline=timedelta(seconds=0.2)), (subject,))
print(judge([asked], [{"one": Hangs()}], now)[0][0].verdicts[0].reason)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "no answer within 0.2 s\n"
