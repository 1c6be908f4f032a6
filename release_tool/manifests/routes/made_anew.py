"""Pods that a change makes anew, and numbers of pods that it takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool import manifests
from release_tool.manifests.routes.one_rendering import RouteFinding, about, listed
from release_tool.manifests.routes.view import comparable, mapping, mappings, text
from release_tool.model.versions import is_name, tag_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes.view import Found, RoutingView

BESIDE = "run a second service beside this one and move the clients (docs/how-to/several-services.md)"
_FORCED = "Force=true"
_HANDED_OVER = ("gitops-release/replicas", "handed-over")
"""The annotation of a Deployment by which people say that applying its manifest leaves the number of its pods alone."""


# What the API server never changes in kinds of `apps/v1`; all but the first in a StatefulSet alone.
_IMMUTABLE = (
    ("selector", "selector"),
    ("serviceName", "service"),
    ("podManagementPolicy", "order of pods"),
    ("volumeClaimTemplates", "claims of volumes"),
)


def check(before: RoutingView, after: RoutingView, texts: tuple[str, str]) -> Iterator[RouteFinding]:
    """Deployments whose selector or number of pods goes, and those of versions whose pods would be made anew."""
    versions = _of_versions(before)
    both = {
        key: tuple(mapping(content.get("spec")) for content in pair)
        for key, old in before.pods.items()
        if (new := after.pods.get(key)) is not None and (pair := manifests.pair(*texts, (old.rendered, new.rendered)))
    }
    for key, (was, now) in both.items():
        new = after.pods[key]
        yield from _refused(new, was, now)
        if key in versions:
            yield from _rolled(new, mapping(was.get("template")), mapping(now.get("template")))
    yield from _unscaled(before, after, both)


def _refused(new: Found, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[RouteFinding]:
    forced = _FORCED in text(new.annotations.get("argocd.argoproj.io/sync-options"))
    if new.key.api_version.startswith("apps/") and not forced:
        for field, title in _IMMUTABLE if new.key.kind == "StatefulSet" else _IMMUTABLE[:1]:
            change = _change(was.get(field), now.get(field), f"spec.{field}")
            if change:
                what = f"its {title} changes ({change}), which Kubernetes refuses"
                hint = f"keep the {title}, or give it another name"
                if field == "selector":
                    hint = (
                        f"keep the selector (in many charts `nameOverride` and the release's name make it), or {BESIDE}"
                    )
                yield about(new, "immutable", "", what, hint)


def _rolled(new: Found, one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[RouteFinding]:
    change = _change(one, other, "spec.template")
    if change:
        rule = "rolled" if _change(_without_digests(one), _without_digests(other), "") else "digest"
        what = f"its pods are made anew and lose their streams ({change})"
        yield about(new, rule, "", what, "let nothing in the template of a version's pods depend on the other versions")


def _unscaled(
    before: RoutingView, after: RoutingView, both: Mapping[ObjectKey, tuple[Mapping[str, Any], ...]]
) -> Iterator[RouteFinding]:
    """Numbers of pods that pass to an autoscaler, and back."""
    gone: list[Found] = []
    for key, (was, now) in both.items():
        new, one, other = after.pods[key], was.get("replicas"), now.get("replicas")
        named = (key.namespace, key.kind, key.name)
        if isinstance(one, int) and other is None and new.annotations.get(_HANDED_OVER[0]) != _HANDED_OVER[1]:
            gone += [new] if one > 1 or named in before.scaled else []
        if isinstance(other, int) and one is None and named in before.scaled and named not in after.scaled:
            what = f"its autoscaler goes, and it gets {other} pods, however many run now"
            yield about(new, "rescaled", "", what, "name the number that the busiest version needs", serious=False)
    if gone:
        more = f" (so does that of {listed([one.key.name for one in gone[1:]])})" if gone[1:] else ""
        what = f"`replicas` leaves its manifest{more}: where this is applied it runs with one pod, the API's default"
        done = ": ".join(_HANDED_OVER)
        hint = (
            "scale the versions to come alone (in the chart grpc-manifest: `autoscaling.since`), or hand the number "
            f"over to the autoscaler first, then annotate it `{done}` (docs/explanation/routing.md)"
        )
        yield about(gone[0], "unscaled", "", what, hint)


def _of_versions(view: RoutingView) -> set[ObjectKey]:
    """The pods that clients choose by the name of a version, and those that they once chose so."""
    found: set[ObjectKey] = set()
    for owner in view.owners:
        for route in owner.routes:
            if any(is_name(value) for _, value in route.exact):
                ends = [end for end in route.destinations if is_name(end.subset) or owner.is_gateway_route]
                found.update(key for end in ends for key in view.pods_of(end))
    for rule in view.rules:
        service = view.services.get(rule.service) if rule.service else None
        for subset in rule.subsets.values():
            if service is not None and service.selector is not None and is_name(subset.name):
                found |= view.behind(service, subset.labels)
    return found


_ABSENT = object()
_SHOWN = 60  # letters of a value


def _change(one: Any, other: Any, path: str) -> str:
    """The first difference of two values; empty where they are the same."""
    if one == other:
        return ""
    if isinstance(one, dict) and isinstance(other, dict):
        key = next(key for key in {**one, **other} if one.get(key) != other.get(key) or (key in one) != (key in other))
        return _change(one.get(key, _ABSENT), other.get(key, _ABSENT), f"{path}.{key}")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        place = next(place for place in range(len(one)) if one[place] != other[place])
        return _change(one[place], other[place], f"{path}[{place}]")
    return f"{path}: {_short(one)} becomes {_short(other)}"


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    shown = comparable(value) if isinstance(value, (dict, list)) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]} …"


def _without_digests(template: Mapping[str, Any]) -> dict[str, Any]:
    spec = dict(mapping(template.get("spec")))
    for kind in ("containers", "initContainers"):
        if kind in spec:
            spec[kind] = [
                {**one, "image": tag_part(text(one["image"]))} if "image" in one else one
                for one in mappings(spec[kind])
            ]
    return {**template, "spec": spec}
