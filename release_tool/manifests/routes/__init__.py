"""Checks of rendered manifests: every call finds pods, before, during and after a change. Pure.

Looked at are the objects of Kubernetes and Istio that routing is made of. A rendering without them has nothing to
check; hosts, pods and subsets that other charts bring are left alone, and so is every feature that isn't known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.manifests.routes import claims, deployments, steps, targets
from release_tool.manifests.routes.findings import Finding
from release_tool.manifests.routes.reader import read

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "check", "compare"]


def check(rendering: str, namespace: str) -> tuple[Finding, ...]:
    """What is wrong within one rendering.

    Args:
        rendering: YAML documents.
        namespace: the release's, where objects go that name none.

    Raises:
        ReleaseError: it holds what is no object.
    """
    view = read(rendering, namespace)
    return _once((*targets.check(view), *claims.check(view), *deployments.check(view)))


def compare(before: str, after: str, namespace: str) -> tuple[Finding, ...]:
    """What is wrong with the step from one rendering to the next.

    Args:
        before: the rendering that is applied; may be empty.
        after: the one that shall take its place.
        namespace: the release's, where objects go that name none.

    Raises:
        ReleaseError: they hold what is no object.
    """
    if before == after or not before:
        return ()
    old, new = read(before, namespace), read(after, namespace)
    found = (*steps.lost(old, new), *steps.rolled(old, new, (before, after)), *steps.listeners(old, new))
    return _once(found)


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple({finding.identity: finding for finding in reversed([*findings])}.values())[::-1]
