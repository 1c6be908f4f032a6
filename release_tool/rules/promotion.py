"""The gates of a promotion, each with its reason whether it passes or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from release_tool.model.records import HEALTHY, Gate
from release_tool.model.times import clock, duration_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from release_tool.config import Config
    from release_tool.model.health import Judged
    from release_tool.model.records import GateVerdict, Name, State, Tag

PASSED: Final = "passed"
REFUSED: Final = "refused"
FORCED: Final = "forced"
OFF: Final = "off"

FIRM = frozenset({"quarantine"})
"""Gates that no `--force` opens: a bad version is cleared first, by its own command."""


class Candidate(NamedTuple):
    """What is to be promoted, and what the gates look at."""

    source: str  # the environment that it comes from
    target: str  # the environment that it goes to
    name: Name
    tag: Tag
    state: State  # the versions of the source
    # since when it has been the default of the source, from landing; None: it isn't the default
    default_since: datetime | None
    quarantined: Mapping[str, str]  # environment -> reason, wherever its tag is quarantined
    now: datetime  # the present time
    # why it isn't known to be the default in the cluster, where a delivery tool tells; empty: it is
    unapplied: str = ""


def gates(candidate: Candidate, config: Config, image: Gate, health: Gate) -> tuple[Gate, ...]:
    """All gates in their order; the registry and the health checks of the source were asked before."""
    return (
        order(candidate, config),
        quarantine(candidate),
        soak(candidate, config),
        image,
        health,
    )


def order(candidate: Candidate, config: Config) -> Gate:
    """Versions go from one environment to the next, never backwards and past none."""
    source, target = candidate.source, candidate.target
    wanted = config.environment(target).promote_from
    if wanted == source:
        return Gate("order", PASSED, f"{target} takes promotions from {source}")
    names = list(config.environments)
    if wanted is None:
        reason = f"{target} is the entry: it takes bumps, no promotions"
    elif source == target:
        reason = f"{source} can't be promoted to itself; {target} takes promotions from {wanted}"
    elif names.index(source) > names.index(target):
        reason = f"{target} stands before {source}: that is backwards; {target} takes promotions from {wanted}"
    else:
        reason = f"{target} takes promotions from {wanted}, not from {source}"
    return Gate("order", REFUSED, reason)


def quarantine(candidate: Candidate) -> Gate:
    """A version that is quarantined anywhere goes nowhere."""
    if not candidate.quarantined:
        return Gate("quarantine", PASSED, "quarantined nowhere")
    reasons = "; ".join(f"{where}: {why}" for where, why in candidate.quarantined.items())
    return Gate("quarantine", REFUSED, f"quarantined in {reasons}")


def soak(candidate: Candidate, config: Config) -> Gate:
    """How long a version must have been the default of the environment before, from landing."""
    wanted = config.environment(candidate.target).soak
    if not wanted:
        return Gate("soak", OFF, f"{candidate.target} asks for no soak")
    span = duration_text(wanted)
    since = candidate.default_since
    if since is None:
        default = candidate.state.default
        reason = f"it is not the default of {candidate.source} ({default} is), and {span} as the default are asked for"
        return Gate("soak", REFUSED, reason)
    if candidate.unapplied:
        return Gate("soak", REFUSED, f"the default of {candidate.source} in Git, but {candidate.unapplied}")
    begun = f"the default of {candidate.source} since {clock(since)} UTC"
    if candidate.now - since >= wanted:
        return Gate("soak", PASSED, f"{begun}: longer than {span}")
    over = since + wanted
    return Gate("soak", REFUSED, f"{begun}; {span} are over at {clock(over)} UTC")


def health(source: str, judged: Judged | None, *, judges: bool = True) -> Gate:
    """A version must be known to be healthy where it comes from; nobody promotes on "unknown" without saying so.

    Args:
        source: the environment that it comes from.
        judged: None where the source configures nothing.
        judges: whether somebody is asked about health there, and not only about what is applied.
    """
    if judged is not None and judged.unapplied:
        return Gate("health", REFUSED, f"nothing of it can be judged in {source}: {judged.unapplied}")
    if judged is None or not judges:
        return Gate("health", OFF, f"no health checks are configured for {source}")
    verdict: GateVerdict = PASSED if judged.health == HEALTHY else REFUSED
    return Gate("health", verdict, f"{judged.health} in {source}: {judged.reason}")


def forced(found: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """The same gates after a person overruled those that said no, as far as a person may."""
    return tuple(
        gate._replace(verdict=FORCED) if gate.verdict == REFUSED and gate.name not in FIRM else gate for gate in found
    )


def refusal(found: tuple[Gate, ...]) -> str:
    """Why the gates say no, in a sentence; empty if all are open."""
    closed = [gate for gate in found if gate.verdict == REFUSED]
    return "; ".join(f"{gate.name}: {gate.reason}" for gate in closed)
