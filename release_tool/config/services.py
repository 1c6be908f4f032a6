"""What the services of `release.yaml` say together with the top: what they take from there, their releases, places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.config import DEFAULT_BASE, place_of
from release_tool.config.keys import SERVICE
from release_tool.config.kinds import broken_rule
from release_tool.config.places import (
    DEFAULT_BRANCH,
    DEFAULT_PATH,
    DEFAULT_SERVICES_BRANCH,
    DEFAULT_SERVICES_PATH,
    SERVICE_PLACEHOLDER,
)
from release_tool.config.texts import BRANCH, DIRECTORY
from release_tool.config.values import BAD
from release_tool.config.words import joined, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config.places import Place
    from release_tool.config.values import Reading

MAX_PLACES = 10_000
"""Environments of all services together: more is a mistake, and would take minutes in every command."""


def filled(top: Mapping[str, Any], name: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a service, with what it leaves out taken from the top.

    Args:
        top: the values of the whole file.
        name: name of the service: also that of its release and its namespace, where the file names none.
        own: the values under the service's name.

    Returns:
        `BAD` for a value with a mistake; no `chart` where the file names none.
    """
    values: dict[str, Any] = {"release_name": name, "namespace": name}
    for key in ("chart", "release_name", "namespace"):
        if key in own or key in top:
            values[key] = own.get(key, top.get(key))
    for key in ("versions", "registry"):
        parts = [part[key] for part in (top, own) if key in part]
        if parts:
            values[key] = BAD if BAD in parts else {key: value for part in parts for key, value in part.items()}
    return values


def check_services(values: Mapping[str, Any], reading: Reading) -> None:
    """Look at what each service lacks, and whether two of them would be one Helm release."""
    services = values.get("services")
    if services is None:
        _check_image(values.get("registry", {}), "registry", reading)
        return
    releases: dict[tuple[str, str], str] = {}
    for name, own in ({} if services is BAD else services).items():
        if own is BAD:
            continue
        path, service = joined("services", name), filled(values, name, own)
        if "chart" not in service:
            key = SERVICE.key("chart")
            hint = f"for example chart: {key.examples[0]}" if key and key.examples else ""
            what = "the key is missing, here and at the top: the directory of the Helm chart"
            reading.problem(reading.places[path], f"{path}.chart", what, hint)
        _check_image(service.get("registry", {}), f"{path}.registry", reading)
        release = service["release_name"], service["namespace"]
        if BAD not in release and releases.setdefault(release, name) != name:
            what = (
                f"its Helm release {release[0]!r} in the namespace {release[1]!r} is that of {releases[release]!r} too"
            )
            hint = "give each service a release_name or a namespace of its own"
            reading.problem(reading.places[path], path, what, hint)


def _check_image(registry: Any, path: str, reading: Reading) -> None:
    """Nothing can be verified without an image."""
    if registry is BAD or BAD in (registry.get("verify", BAD), registry.get("image", "")):
        return
    if registry["verify"] != "off" and "image" not in registry:
        what = f"nothing can be looked up, since no image is named and verify is {registry['verify']!r}"
        hint = "for example image: registry.example.com/team/engine"
        outer = path.rpartition(".")[0]
        node = reading.places.get(f"{path}.verify") or reading.places.get(path) or reading.places[outer]
        reading.problem(node, path, what, hint)


# --- places -----------------------------------------------------------------------------------------------------------


class Templates(NamedTuple):
    """The templates of the directories and of the rolling branches."""

    path: str
    branch: str


def templates(values: Mapping[str, Any]) -> Templates | None:
    """The templates as the file gives them, else the defaults; None where one has a mistake."""
    several = "services" in values
    publish = values.get("publish", {})
    path = values.get("path", DEFAULT_SERVICES_PATH if several else DEFAULT_PATH)
    usual = DEFAULT_SERVICES_BRANCH if several else DEFAULT_BRANCH
    branch = BAD if publish is BAD else publish.get("branch", usual)
    return None if BAD in (path, branch) else Templates(path, branch)


def check_places(values: Mapping[str, Any], reading: Reading) -> None:
    """With the names put into the templates, each environment of each service has its own directory and branches."""
    made = templates(values)
    base = values.get("base", DEFAULT_BASE)
    services = values.get("services", {"": {}})
    good = _fit(values, reading)
    if not good or made is None or BAD in (base, services):
        return
    environments = [name for name, entry in values["environments"].items() if entry is not BAD]
    if len(services) * len(environments) > MAX_PLACES:
        count = len(services) * len(environments)
        what = f"{len(services)} services in {len(environments)} environments are {count:,} places"
        reading.problem(reading.places["services"], "services", f"{what}, and {MAX_PLACES:,} are possible")
        return
    sites = _Sites(base, {filled(values, name, own).get("chart") for name, own in services.items() if own is not BAD})
    for service, own in services.items():
        for name in [] if own is BAD else environments:
            wrong = sites.enter(place_of(name, path=made.path, branch=made.branch, service=service))
            path = joined("services", service) if service else joined("environments", name)
            if wrong:
                reading.problem(reading.places[path], path, wrong, "change the name, or path or branch")
            if wrong and service:
                break  # the other environments would say the same


def _fit(values: Mapping[str, Any], reading: Reading) -> bool:
    """Whether the templates hold the service's name where there are services, and only there."""
    several, publish = "services" in values, values.get("publish", {})
    branch = BAD if publish is BAD else publish.get("branch", BAD)
    good = True
    for key, text, example in (
        ("path", values.get("path", BAD), DEFAULT_SERVICES_PATH),
        ("publish.branch", branch, DEFAULT_SERVICES_BRANCH),
    ):
        if text is BAD or (SERVICE_PLACEHOLDER in text) is several:
            continue
        good = False
        if several:
            what, hint = "{service} is missing, so all services would share it", f"for example {example}"
        else:
            what = "{service} is a placeholder only where the file has `services`; possible: {environment}"
            hint = ""
        reading.problem(reading.places[key], key, what, hint)
    return good


class _Sites:
    """The places that are taken."""

    def __init__(self, base: str, charts: set[Any]) -> None:
        self._charts = charts
        self._directories: dict[str, str] = {}
        self._branches: dict[str, str] = {}
        _enter(base, "the base branch", self._branches)

    def enter(self, place: Place) -> str | None:
        """Take a place; what is wrong with it, if anything is."""
        title = place.title
        beside = self._directories.setdefault(place.directory, title)
        return (
            _bad_place(place.directory, place.branch)
            or ("the chart has the same directory" if place.directory in self._charts else None)
            or (f"its directory {place.directory!r} would be that of {beside!r}" if beside != title else None)
            or _taken(place.branch, f"the branch of {title!r}", self._branches)
            or _taken(place.downgrade_branch, f"the branch of downgrades of {title!r}", self._branches)
        )


def _bad_place(directory: str, branch: str) -> str | None:
    """What a name makes of good templates: `.{environment}` and `git` is `.git`."""
    for text, kind in ((directory, DIRECTORY), (branch, BRANCH)):
        broken = broken_rule(text, kind)
        if broken:
            return f"its place would be {shown(text)}, which is not {kind.expected}: {broken}"
    return None


def _taken(branch: str, owner: str, taken: dict[str, str]) -> str | None:
    """Enter a branch; what is wrong if git can't hold it beside the others (a ref is a file or a directory)."""
    parents = [branch[:index] for index, character in enumerate(branch) if character == "/"]
    beside = next((other for other in (branch, *parents) if other in taken), None)
    beside = beside or taken.get(f"{branch}/")
    if beside is not None:
        how = "would be" if beside == branch else f"can't stand beside {beside!r}, which is"
        return f"its branch {branch!r} {how} {taken[beside]}"
    _enter(branch, owner, taken)
    return None


def _enter(branch: str, owner: str, taken: dict[str, str]) -> None:
    """Enter a branch with its owner, and its directories (`release/`) with the branch."""
    taken[branch] = owner
    for index, character in enumerate(branch):
        if character == "/":
            taken.setdefault(branch[: index + 1], branch)
