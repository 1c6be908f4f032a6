"""Where a rendering does other than its `image_tag.yaml` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.manifests.routes.one_rendering import RouteFinding, listed
from release_tool.manifests.routes.reach import reach, running, stands

if TYPE_CHECKING:
    from release_tool.model.records import State


def check(rendering: str, namespace: str, state: State, key: str) -> tuple[RouteFinding, ...]:
    """Live versions that nothing deploys, beside others that are, and quarantined ones that keep their route.

    Args:
        state: what the file says.
        key: where the five keys stand in it.

    Raises:
        ReleaseError: the rendering holds what is no object.
    """
    live = state.live
    workloads = running(rendering, live)
    absent = [name for name, tag in live.items() if name not in workloads and not stands(tag, rendering)]
    found = []
    if absent and len(absent) < len(live):  # of a chart that deploys none the table of what it can do tells
        what = f"the chart deploys nothing for {listed(absent)}, which the file has as live"
        hint = f"let the chart deploy each entry of {key}.tag"
        source = ""
        found.append(RouteFinding("undeployed", "versions", source, listed(absent), what, hint))
    if state.quarantined:
        known = reach(rendering, namespace, {**state.versions, **state.retired})
        for name in filter(known.routed, state.quarantined):
            values = dict.fromkeys(value for row in known.rows if name in row.versions for value in row.values)
            what = (
                f"{name} is quarantined and keeps its route: calls with {known.header}: {' or '.join(values)} reach it"
            )
            hint = f"make no route of the entries of {key}.quarantined"
            found.append(RouteFinding("quarantine", "versions", next(iter(known.sources), ""), name, what, hint))
    return tuple(found)
