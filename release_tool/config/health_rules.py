"""What the sections `health` of `release.yaml` say together: each check is of one kind and can give a verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from release_tool.config.health import Check, Health, HttpCheck
from release_tool.config.mistakes import shown
from release_tool.config.values import BAD, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from release_tool.config.values import Reading

    _Problem = Callable[..., None]
    """Notes a mistake of one check: key (empty: the whole check), what is wrong, perhaps a hint."""

_BOUNDS = {"available": "min", "error-rate": "max", "grpc-status": "max", "latency": "max"}
_ONLY = {"quantile": "latency", "codes": "grpc-status"}


def check_health(environments: Mapping[str, Any], reading: Reading) -> None:
    """Look at the checks of all environments without a mistake, as far as their single values are right."""
    for name, entry in environments.items():
        health = entry.get("health", BAD)
        if health is BAD:
            continue
        path = f"{joined('environments', name)}.health"
        _check_times(health, path, reading)
        _check_delivery(health, path, reading)
        checks = health.get("checks", BAD)
        for check, values in ({} if checks is BAD else checks).items():
            if values is not BAD:
                _check(values, health, joined(f"{path}.checks", check), reading)


def _check_times(health: Mapping[str, Any], path: str, reading: Reading) -> None:
    """All samples of a point check must fit into a pass."""
    usual = Health({})
    values = {key: health.get(key, getattr(usual, key)) for key in ("failures", "interval", "timeout", "deadline")}
    if BAD in values.values():
        return
    wanted = (values["failures"] - 1) * values["interval"] + values["timeout"]
    if wanted > values["deadline"]:
        what = (
            f"{values['failures']} samples, {_seconds(values['interval'])} apart and answered within "
            f"{_seconds(values['timeout'])}, take {_seconds(wanted)}: more than deadline {_seconds(values['deadline'])}"
        )
        written = [key for key in values if key in health]
        node = reading.node(f"{path}.{written[-1] if written else 'checks'}")
        reading.problem(node, path, what, "raise deadline, or lower failures, interval or timeout")


def _check_delivery(health: Mapping[str, Any], path: str, reading: Reading) -> None:
    """Something is asked, and one delivery tool at most, about one object."""
    tools = [key for key in ("argocd", "flux") if key in health]
    if not tools and "checks" not in health:
        reading.problem_at(path, "nothing is asked here", "write checks, argocd or flux below it")
    if len(tools) == 2:
        what = "one tool applies an environment, and here are argocd and flux"
        reading.problem_at(f"{path}.flux", what, "keep the one that applies it")
    checks = health.get("checks", BAD)
    for tool in tools:
        if checks is not BAD and tool in checks:
            what = f"{tool} is the name of what the delivery tool says"
            reading.problem_at(joined(f"{path}.checks", tool), what, "give the check another name")
    flux = health.get("flux", BAD)
    if flux is BAD or BAD in flux.values():
        return
    objects = [key for key in ("helm_release", "kustomization") if key in flux]
    if len(objects) != 1:
        what = f"one object of Flux applies an environment, and here {'are both' if objects else 'is none'}"
        verb = "keep" if objects else "name"
        reading.problem_at(f"{path}.flux", what, f"{verb} one of helm_release, kustomization")


def _check(values: Mapping[str, Any], health: Mapping[str, Any], path: str, reading: Reading) -> None:
    kinds = [kind for kind in Check._fields if kind in values]
    if len(kinds) != 1:
        what = f"a check is of one kind, and this one has {', '.join(kinds) or 'none'}"
        reading.problem_at(path, what, f"keep one of {', '.join(Check._fields)}")
        return
    kind, inner = kinds[0], values[kinds[0]]
    if inner is BAD or BAD in inner.values():
        return

    def problem(key: str, what: str, hint: str = "") -> None:
        reading.problem_at(f"{path}.{kind}.{key}" if key else f"{path}.{kind}", what, hint)

    if kind == "prometheus":
        if "url" not in inner and "prometheus" not in health:
            problem("", "no Prometheus is named", "write its URL as health.prometheus, or as url of this check")
        _check_prometheus(inner, problem)
    elif kind == "command":
        _check_program(inner["argv"][0], problem)
    else:
        _check_probe(kind, inner, problem)


def _check_program(program: str, problem: _Problem) -> None:
    """Nothing is checked out where a guard runs; and what is, isn't always the base."""
    if "/" in program and not program.startswith("/"):
        what = f"{shown(program)} would be looked for in the directory that the guard happens to run in"
        problem("argv", what, "write its whole path, or the name of a program on PATH")


def _check_probe(kind: str, values: Mapping[str, Any], problem: _Problem) -> None:
    """A probe is about one version, and can be sent."""
    places = {"kubernetes": ("deployment",), "http": ("url",), "grpc": ()}[kind]
    named = any(re.search(r"\{(version|tag)\}", values.get(key, "{version}")) for key in places)
    usual = HttpCheck._field_defaults["header"] if kind == "http" else "none"
    if places and not named and values.get("header", usual) == "none":
        problem(places[0], "without {version} or {tag} it judges all versions alike")
    if kind == "grpc":
        port = values["address"].rpartition(":")[2]
        if port.isdecimal() and not 1 <= int(port) <= 65535:
            problem("address", f"there is no port {port}")
        for key in ("header", "answered_by"):
            if values.get(key, "").endswith("-bin") or values.get(key, "").startswith("grpc-"):
                problem(key, "gRPC keeps names that end with -bin or begin with grpc- to itself")


def _check_prometheus(values: Mapping[str, Any], problem: _Problem) -> None:
    preset = values.get("preset", "")
    if ("query" in values) == bool(preset):
        problem("query" if preset else "", "a check has a query or a preset, and one of them alone")
    for key, wanted in _ONLY.items():
        if key in values and preset != wanted:
            problem(key, f"it belongs to the preset {wanted}", "leave it out")
    if "matchers" in values and not preset:
        problem("matchers", "they belong to a preset", "write them into the query")
    if "samples" in values and preset:
        problem("samples", "the preset counts the calls itself", "leave it out")
    if "min_samples" in values and (preset == "available" or not (preset or "samples" in values)):
        hint = "leave it out" if preset else "write samples: the PromQL that counts the calls"
        problem("min_samples", "nothing counts the calls of this check", hint)
    _check_bounds(values, preset, problem)


def _check_bounds(values: Mapping[str, Any], preset: str, problem: _Problem) -> None:
    """Something can be bad, and something good."""
    if "min" not in values and "max" not in values:
        problem("", "it has no bound, so nothing would ever be bad", "for example max: 0.05")
        return
    if values.get("min", float("-inf")) > values.get("max", float("inf")):
        problem("min", "it is more than max, so everything would be bad")
    wanted = _BOUNDS.get(preset)
    if wanted is not None and wanted not in values:
        problem("min" if wanted == "max" else "max", f"of {preset} the other end is bad", f"write it as {wanted}")
    if preset in {"error-rate", "grpc-status"} and values.get("max", 0.0) >= 1:
        problem("max", "a share of calls is never more than 1, so nothing would ever be bad", "5 % is 0.05")


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():g} s"
