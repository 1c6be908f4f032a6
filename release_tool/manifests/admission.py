"""What an API server refuses: objects of another shape (shapes.py), and what breaks a rule among their fields.

Sources: Kubernetes' `pkg/apis/{core,apps,autoscaling,policy}/validation` of 1.36, and
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/. What isn't known here is passed over.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

from release_tool import manifests
from release_tool.manifests import shapes
from release_tool.manifests.routes.one_rendering import RouteFinding
from release_tool.manifests.routes.view import mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.manifests import ManifestObject

    Said = Iterator[tuple[str, str, str]]  # path of the field, what is wrong with it, what to do

_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(
    r"(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*/)?(?=[^/]{1,63}$)[A-Za-z0-9]"
    r"(?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_SERVICE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAMED = frozenset(
    ["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Secret", "ServiceAccount"]
)
_KINDS = _NAMED | {"GRPCRoute", "HTTPRoute", "Service"}
_WORKLOADS = frozenset(["Deployment", "StatefulSet", "DaemonSet", "Job"])
_SAMPLES = 16  # Deployments of one template, whose pods are looked at whole
_SHORT = "at most 63 letters, digits, `-`, `_`, `.`"
_ANNOTATIONS = 256 << 10  # bytes of keys and values together
_NONE = re.compile(r"0+%?")


def check(rendering: str) -> tuple[RouteFinding, ...]:
    """What an API server would refuse of a rendering.

    Raises:
        ReleaseError: it holds what is no object.
    """
    found = [_finding(one, *said) for one in manifests.outlines(rendering, _KINDS) for said in _of_object(one)]
    for one in manifests.samples(rendering, _WORKLOADS, _SAMPLES):
        template = mapping(mapping(one.content.get("spec")).get("template"))
        found += [_finding(one, *said) for said in _pods(mapping(template.get("spec")), "spec.template.spec")]
    for one in manifests.samples(rendering, shapes.kinds(), _SAMPLES):
        found += [_finding(one, *said) for said in shapes.check(one.content)]
    return tuple({one.identity: one for one in reversed(found)}.values())[::-1]


def _finding(one: ManifestObject, path: str, what: str, hint: str) -> RouteFinding:
    key = one.key
    title = f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"
    text = f"{title}: {path} {what}, which Kubernetes refuses"
    return RouteFinding("refused", one.source or title, one.source, path, text, hint)


def _of_object(one: ManifestObject) -> Said:
    kind, content = one.key.kind, one.content
    metadata, spec = mapping(content.get("metadata")), mapping(content.get("spec"))
    allowed = _SERVICE if kind == "Service" and one.key.api_version == "v1" else _NAME if kind in _NAMED else None
    if allowed is not None and not allowed.fullmatch(one.key.name):
        hint = "use small letters, digits and dashes, with a letter or digit at either end"
        yield "metadata.name", f"is {one.key.name[:70]!r}", hint
    yield from _metadata(metadata, "metadata")
    yield from _metadata(mapping(mapping(spec.get("template")).get("metadata")), "spec.template.metadata", of_pods=True)
    if kind == "Deployment":
        labels = mapping(mapping(mapping(spec.get("template")).get("metadata")).get("labels"))
        wanted = mapping(mapping(spec.get("selector")).get("matchLabels"))
        if any(labels.get(key) != value for key, value in wanted.items()):
            yield "spec.selector", "doesn't select its own pods", "give spec.template.metadata.labels the same labels"
        yield from _deployment(spec)
    elif kind in ("GRPCRoute", "HTTPRoute"):
        yield from _parents(spec)
    elif kind == "HorizontalPodAutoscaler":
        yield from _autoscaler(spec)
    elif kind == "PodDisruptionBudget" and None not in (spec.get("minAvailable"), spec.get("maxUnavailable")):
        yield "spec.minAvailable", "stands beside spec.maxUnavailable", "keep one of both"


def _metadata(metadata: Mapping[str, Any], path: str, *, of_pods: bool = False) -> Said:
    # The labels of pods are a matter of routes, too: their values are looked at there.
    labels, annotations = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
    for kind, values in (("labels", labels), ("annotations", annotations)):
        for key, value in values.items():
            place = f"{path}.{kind}.{key}"
            if not _is_key(key):
                yield place, "is no key", f"a key is `name` or `prefix.example.com/name`, with a name of {_SHORT}"
            if value is None:
                continue
            if not isinstance(value, str):
                yield place, f"is {value!r} and no text", "quote it"
            elif kind == "labels" and not of_pods and not _LABEL.fullmatch(value):
                yield (
                    place,
                    f"is {value[:70]!r}",
                    f"a label is {_SHORT}, with a letter or digit at either end",
                )
    if sum(len(str(key)) + len(str(value).encode()) for key, value in annotations.items()) > _ANNOTATIONS:
        yield f"{path}.annotations", "are more than 256 KB", "keep large texts in a ConfigMap"


@lru_cache(maxsize=1024)
def _is_key(key: object) -> bool:
    return isinstance(key, str) and _KEY.fullmatch(key) is not None and len(key.rpartition("/")[0]) <= 253


def _deployment(spec: Mapping[str, Any]) -> Said:
    strategy = mapping(spec.get("strategy"))
    rolling = mapping(strategy.get("rollingUpdate"))
    if strategy.get("type") == "Recreate" and rolling:
        yield "spec.strategy.rollingUpdate", "stands beside type: Recreate", "remove one of both"
    ends = [rolling.get(key) for key in ("maxSurge", "maxUnavailable")]
    if all(end is not None and not isinstance(end, bool) and _NONE.fullmatch(str(end)) for end in ends):
        yield (
            "spec.strategy.rollingUpdate.maxUnavailable",
            "is 0, and so is maxSurge: no pod could ever change",
            "allow one of both",
        )
    deadline, ready = spec.get("progressDeadlineSeconds", 600), spec.get("minReadySeconds", 0)
    if _is_number(deadline) and _is_number(ready) and deadline <= ready:
        yield "spec.progressDeadlineSeconds", f"is {deadline}, not more than minReadySeconds ({ready})", "raise it"


def _autoscaler(spec: Mapping[str, Any]) -> Said:
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if _is_number(least) and _is_number(most) and most < max(least, 1):
        yield "spec.maxReplicas", f"is {most}, below minReplicas ({least})", "raise it"


def _parents(spec: Mapping[str, Any]) -> Said:
    """A gateway that a route names twice is told apart by its listeners."""
    named = [
        [one.get(key) for key in ("group", "kind", "namespace", "name")] for one in mappings(spec.get("parentRefs"))
    ]
    seen: list[object] = []
    for parent, one in zip(named, mappings(spec.get("parentRefs")), strict=True):
        section = one.get("sectionName")
        if named.count(parent) > 1 and (not section or [*parent, section] in seen):
            yield (
                f"spec.parentRefs[{one.get('name')}].sectionName",
                "doesn't tell two of its entries apart",
                "name the listener of each",
            )
        seen.append([*parent, section])


def _pods(spec: Mapping[str, Any], path: str) -> Said:
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for key, value in mapping(spec.get("nodeSelector")).items():
        if not isinstance(value, str) or not _LABEL.fullmatch(value):
            yield (
                f"{path}.nodeSelector.{key}",
                f"is {str(value)[:70]!r}, no value of a label",
                "correct it; quote a number",
            )
    volumes = mappings(spec.get("volumes"))
    for volume in volumes:
        if len(sources := sorted(key for key, value in volume.items() if key != "name" and value is not None)) > 1:
            yield f"{path}.volumes[{volume.get('name')}]", f"holds {', '.join(sources)} together", "keep one of them"
    for number, toleration in enumerate(mappings(spec.get("tolerations"))):
        yield from _toleration(toleration, f"{path}.tolerations[{number}]")
    names: set[str] = set()
    for container in (*mappings(spec.get("initContainers")), *mappings(spec.get("containers"))):
        name = str(container.get("name"))
        place = f"{path}.containers[{name}]"
        if name in names:
            yield f"{place}.name", "is there twice", "name each container differently"
        names.add(name)
        yield from _container(container, place, {str(volume.get("name")) for volume in volumes}, grace)


def _toleration(toleration: Mapping[str, Any], path: str) -> Said:
    exists = toleration.get("operator") == "Exists"
    if not toleration.get("key") and not exists:
        yield f"{path}.operator", "is not Exists without a key", "name a key, or set operator: Exists"
    if exists and toleration.get("value"):
        yield f"{path}.value", "stands beside operator: Exists", "remove one of both"
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        yield f"{path}.effect", "is not NoExecute beside tolerationSeconds", "set effect: NoExecute"


def _container(container: Mapping[str, Any], place: str, volumes: set[str], grace: object) -> Said:
    for hook in ("preStop", "postStart"):
        seconds = mapping(mapping(mapping(container.get("lifecycle")).get(hook)).get("sleep")).get("seconds")
        if _is_number(seconds) and _is_number(grace) and not 0 <= seconds <= grace:
            hint = "lower it, or raise terminationGracePeriodSeconds"
            yield (
                f"{place}.lifecycle.{hook}.sleep.seconds",
                f"is {seconds}, more than terminationGracePeriodSeconds ({grace})",
                hint,
            )
    for probe in ("livenessProbe", "startupProbe"):
        successes = mapping(container.get(probe)).get("successThreshold", 1)
        if isinstance(successes, int) and successes not in (0, 1):
            yield (
                f"{place}.{probe}.successThreshold",
                f"is {successes}",
                "set it to 1: only a readinessProbe takes more",
            )
    if mapping(container.get("readinessProbe")).get("terminationGracePeriodSeconds") is not None:
        yield f"{place}.readinessProbe.terminationGracePeriodSeconds", "is set", "remove it: it ends no container"
    yield from _resources(mapping(container.get("resources")), f"{place}.resources")
    yield from _settings(container, place, volumes)


def _settings(container: Mapping[str, Any], place: str, volumes: set[str]) -> Said:
    for variable in mappings(container.get("env")):
        if variable.get("value") and variable.get("valueFrom"):
            yield f"{place}.env[{variable.get('name')}].valueFrom", "stands beside value", "keep one of both"
    paths: set[str] = set()
    for mount in mappings(container.get("volumeMounts")):
        if isinstance(mount.get("name"), str) and mount["name"] not in volumes:
            yield (
                f"{place}.volumeMounts[{mount.get('name')}].name",
                "names no volume",
                "add it to the volumes of the pod",
            )
        if (mounted := str(mount.get("mountPath"))) in paths:
            yield f"{place}.volumeMounts", f"holds {mounted} twice", "mount each volume at a path of its own"
        paths.add(mounted)


def _resources(resources: Mapping[str, Any], path: str) -> Said:
    limits = mapping(resources.get("limits"))
    for name, wanted in mapping(resources.get("requests")).items():
        least, most = _quantity(wanted), _quantity(limits.get(name))
        if least is not None and most is not None and least > most:
            yield (
                f"{path}.requests.{name}",
                f"is {wanted}, more than its limit ({limits[name]})",
                "raise the limit, or ask for less",
            )


_QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(m|k|[KMGTPE]i?|e\d+)?")
_UNITS = {"m": 0.001, "k": 1e3, **{unit: 1000.0**power for power, unit in enumerate("MGTPE", 2)}}
_UNITS |= {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}


def _quantity(value: object) -> float | None:
    """A quantity of Kubernetes as a number; None where it isn't one of the usual ones."""
    found = (
        _QUANTITY.fullmatch(str(value))
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
        else None
    )
    if found is None:
        return None
    unit = found[2] or ""
    return float(found[1]) * (float(f"1{unit}") if unit.startswith("e") else _UNITS.get(unit, 1.0))


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
