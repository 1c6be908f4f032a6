"""`release.yaml` to records: `load`. Text in, `Config` out, or one `ConfigError` with all mistakes.

The single values are read by config/values.py. Here is checked what several keys say together, and records are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.config import (
    CONFIG,
    SERVICE_PLACEHOLDER,
    Config,
    ConfigError,
    Environment,
    Publish,
    RegistryPolicy,
    ServiceSection,
    Versions,
    place_of,
)
from release_tool.config.kinds import BRANCH, DIRECTORY, Section, Table, broken_rule
from release_tool.config.sections import DEFAULT_BRANCH, ENVIRONMENT, DowngradePolicy
from release_tool.config.values import BAD, Reading, joined
from release_tool.errors import Problem
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError, scalar_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Place
    from release_tool.yamledit.tree import Node

MAX_SIZE = 1_000_000
"""Characters of the longest configuration that is read: a thousand environments need a quarter of it."""

MAX_PLACES = 10_000
"""Environments of all services together: more is a mistake, and would take minutes in every command."""

_DEFAULT_PATH = Config._field_defaults["path"]
_SERVICES_PATH = "environments/{environment}/{service}"
_SERVICES_BRANCH = "release/{service}/{environment}"
_MADE_APART = ("version", "environments", "services")


def load(data: bytes | str, path: str = "release.yaml") -> Config:
    """The configuration from the bytes of the file, which are UTF-8, or from its text.

    Args:
        data: YAML.
        path: the name of the file, for errors.

    Raises:
        ConfigError: with every mistake that was found: its line, its column, its key and what is possible.
    """
    reading = Reading(path)
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        values = reading.value(CONFIG, _root(text, path), "")
        if values is not BAD:
            if "services" in values:
                _check_services(values, reading)
            elif "registry" in values:
                _check_image(values["registry"], "registry", reading)
            if values.get("environments", BAD) is not BAD:
                _check_environments(values["environments"], reading)
                _check_values_files(values, reading)
                _check_places(values, reading)
    except UnicodeDecodeError as error:
        raise ConfigError(path, [_not_utf8(error)]) from None
    except YamlError as error:
        raise ConfigError(path, [Problem(error.line, error.column, "", error.reason, error.hint)]) from None
    if reading.problems:
        raise ConfigError(path, reading.problems.values())
    return _config(values)


def _not_utf8(error: UnicodeDecodeError) -> Problem:
    before = error.object[: error.start]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
    what = f"not UTF-8: the byte 0x{error.object[error.start]:02x} can't stand here"
    return Problem(before.count(b"\n") + 1, column, "", what, "save the file as UTF-8")


def _root(text: str, path: str) -> Node:
    """The one mapping of the file, of a version that this tool reads."""
    if len(text) > MAX_SIZE:
        what = f"the file has {len(text):,} characters, and {MAX_SIZE:,} are possible"
        raise ConfigError(path, [Problem(1, 1, "", what)])
    found = documents(text)
    root = found[0] if found else None
    if root is None or (root.kind == "scalar" and scalar_value(root) is None and len(found) == 1):
        hint = "write version, chart, release_name, namespace and environments"
        raise ConfigError(path, [Problem(1, 1, "", "the file is empty", hint)])
    if len(found) > 1:
        start = found[1].start if found[1] is not None else root.end
        what = f"the file holds {len(found)} YAML documents, and one is possible"
        raise ConfigError(path, [Problem(start.line, start.column, "", what, "keep one of them")])
    node = root.get("version")
    version = scalar_value(node) if node is not None and node.kind == "scalar" else None
    # of a newer format nothing else can be said: its keys aren't known
    if node is not None and type(version) is int and version > 1:
        what = f"the file is written for a newer release tool: its version is {version}, and this one reads 1"
        hint = "install a newer version of release"
        raise ConfigError(path, [Problem(node.start.line, node.start.column, "version", what, hint)])
    return root


# --- what the environments say together -------------------------------------------------------------------------------


def _check_environments(environments: Mapping[str, Any], reading: Reading) -> None:
    """Look at what the environments say together, as far as their single values are right."""
    order = {name: number for number, name in enumerate(environments)}
    good = {name: entry for name, entry in environments.items() if entry is not BAD}
    if len(good) == len(environments):
        _check_entry(environments, reading)
    for name, entry in good.items():
        source, retention = entry.get("promote_from", BAD), entry.get("retention", BAD)
        if source is not BAD and order.get(source, order[name]) >= order[name]:
            from release_tool.config.mistakes import wrong_source

            sources = {one: own["promote_from"] for one, own in good.items() if "promote_from" in own}
            what, hint = wrong_source(name, sources, list(environments))
            reading.problem_at(f"{joined('environments', name)}.promote_from", what, hint)
        if retention is not BAD:
            youngest, oldest = retention.get("min_age", BAD), retention.get("max_age", BAD)
            if BAD not in (youngest, oldest) and youngest > oldest:
                what = "it is less than min_age, so a version would have to go before it may"
                reading.problem_at(f"{joined('environments', name)}.retention.max_age", what)
    if any("health" in entry for entry in good.values()):
        from release_tool.config.health_rules import check_health

        check_health(good, reading)


def _check_entry(environments: Mapping[str, Any], reading: Reading) -> None:
    """Exactly one environment is the entry, and nothing is promoted to it."""
    entries = [name for name, entry in environments.items() if "promote_from" not in entry]
    if not entries:
        if BAD not in [entry["promote_from"] for entry in environments.values()]:  # else that one may be the entry
            what = "every environment has promote_from; exactly one, the entry, must have none"
            reading.problem_at("environments", what)
        return
    first, *more = entries
    for name in more:
        line = reading.node(joined("environments", first)).start.line
        what = f"one environment alone has no promote_from, and {first!r} on line {line} is that one"
        before = list(environments)[list(environments).index(name) - 1]
        reading.problem_at(joined("environments", name), what, f"for example promote_from: {before}")
    entry, path = environments[first], joined("environments", first)
    if not more and entry.get("default") == "promoted":
        what = "nothing is promoted to the entry, so nothing would ever move its default; possible: newest, manual"
        reading.problem_at(f"{path}.default", what)
    if not more and "soak" in entry:
        what = "nothing is promoted to the entry, so nothing soaks for it"
        reading.problem_at(f"{path}.soak", what, "write it in the environment that a version is promoted to")


# --- what the services say together, and with the top -----------------------------------------------------------------


def _filled(top: Mapping[str, Any], name: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a service, with what it leaves out taken from the top.

    The name of the service is also that of its release and its namespace, where the file names none. A value with a
    mistake is `BAD`; there is no `chart` where the file names none.
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


def _check_services(values: Mapping[str, Any], reading: Reading) -> None:
    """Look at what each service lacks, and whether two of them would be one Helm release."""
    services = {} if values["services"] is BAD else values["services"]
    releases: dict[tuple[str, str], str] = {}
    for name, own in services.items():
        if own is BAD:
            continue
        path, service = joined("services", name), _filled(values, name, own)
        if "chart" not in service:
            what = "the key is missing, here and at the top: the directory of the Helm chart"
            reading.problem_at(f"{path}.chart", what)
        _check_image(service.get("registry", {}), f"{path}.registry", reading)
        release = service["release_name"], service["namespace"]
        if BAD not in release and releases.setdefault(release, name) != name:
            what = (
                f"its Helm release {release[0]!r} in the namespace {release[1]!r} is that of {releases[release]!r} too"
            )
            reading.problem_at(path, what, "give each service a release_name or a namespace of its own")


def _check_image(registry: Any, path: str, reading: Reading) -> None:
    """Nothing can be verified without an image."""
    verify = "off" if registry is BAD else registry.get("verify", "off")
    if verify not in {BAD, "off"} and "image" not in registry:
        what = f"nothing can be looked up, since no image is named and verify is {verify!r}"
        hint = "for example image: registry.example.com/team/engine"
        reading.problem(reading.node(f"{path}.verify"), path, what, hint)


# --- places -----------------------------------------------------------------------------------------------------------


def _templates(values: Mapping[str, Any]) -> tuple[str, str]:
    """The templates of the directories and of the rolling branches; `BAD` for one with a mistake."""
    usual = (_SERVICES_PATH, _SERVICES_BRANCH) if "services" in values else (_DEFAULT_PATH, DEFAULT_BRANCH)
    publish = values.get("publish", {})
    return values.get("path", usual[0]), BAD if publish is BAD else publish.get("branch", usual[1])


_NO_SERVICE = "{service} is a placeholder only where the file has `services`; possible: {environment}"


def _check_values_files(values: Mapping[str, Any], reading: Reading) -> None:
    """A values file may be that of many environments and services, and no placeholder stays open."""
    files = values.get("values", ())
    if files is not BAD and "services" not in values and any(SERVICE_PLACEHOLDER in text for text in files):
        reading.problem_at("values", _NO_SERVICE)


def _check_places(values: Mapping[str, Any], reading: Reading) -> None:
    """With the names put into the templates, each environment of each service has its own directory and branches."""
    path, branch = _templates(values)
    several = "services" in values
    good = True
    for key, text, usual in (("path", path, _SERVICES_PATH), ("publish.branch", branch, _SERVICES_BRANCH)):
        if text is not BAD and (SERVICE_PLACEHOLDER in text) is not several:
            good = False
            what, hint = "{service} is missing, so all services would share it", f"for example {usual}"
            reading.problem_at(key, *((what, hint) if several else (_NO_SERVICE, "")))
    base, services = values.get("base", Config._field_defaults["base"]), values.get("services", {"": {}})
    if not good or BAD in (path, branch, base, services):
        return
    environments = [name for name, entry in values["environments"].items() if entry is not BAD]
    if len(services) * len(environments) > MAX_PLACES:
        count = len(services) * len(environments)
        what = f"{len(services)} services in {len(environments)} environments are {count:,} places"
        reading.problem_at("services", f"{what}, and {MAX_PLACES:,} are possible")
        return
    good_services = {name: own for name, own in services.items() if own is not BAD}
    directories = {own.get("chart", values.get("chart")): "" for own in good_services.values()}
    branches: dict[str, str] = {}
    _take(base, "the base branch", branches)
    for service in good_services:
        for name in environments:
            place = place_of(name, path=path, branch=branch, service=service)
            if wrong := _wrong_place(place, directories, branches):
                at = joined("services", service) if service else joined("environments", name)
                reading.problem_at(at, wrong, "change the name, or path or branch")
                if service:
                    break  # the other environments would say the same


def _wrong_place(place: Place, directories: dict[str, str], branches: dict[str, str]) -> str | None:
    """Take a place; what is wrong with it, if anything is.

    Args:
        place: a new one.
        directories: directory -> title of its place; empty for that of a chart.
        branches: branch -> whose it is.
    """
    beside = directories.setdefault(place.directory, place.title)
    # what a name makes of good templates: `.{environment}` and `git` is `.git`
    for text, kind in ((place.directory, DIRECTORY), (place.branch, BRANCH)):
        if broken := broken_rule(text, kind):
            from release_tool.config.mistakes import shown

            return f"its place would be {shown(text)}, which is not {kind.expected}: {broken}"
    if not beside:
        return "the chart has the same directory"
    if beside != place.title:
        return f"its directory {place.directory!r} would be that of {beside!r}"
    return _take(place.branch, f"the branch of {place.title!r}", branches) or _take(
        place.downgrade_branch, f"the branch of downgrades of {place.title!r}", branches
    )


def _take(branch: str, owner: str, taken: dict[str, str]) -> str | None:
    """Enter a branch with its owner; what is wrong if git can't hold it beside the others.

    A ref is a file or a directory, so the directories of a branch are entered too (`release/`), with its name.
    """
    parents = [branch[:index] for index, character in enumerate(branch) if character == "/"]
    beside = next((other for other in (branch, *parents) if other in taken), None) or taken.get(f"{branch}/")
    if beside is not None:
        how = "would be" if beside == branch else f"can't stand beside {beside!r}, which is"
        return f"its branch {branch!r} {how} {taken[beside]}"
    taken[branch] = owner
    for parent in parents:
        taken.setdefault(f"{parent}/", branch)
    return None


# --- records ----------------------------------------------------------------------------------------------------------


def _config(values: dict[str, Any]) -> Config:
    """The records of values without a mistake."""
    services, environments = values.get("services", {}), {}
    top = _fields(CONFIG, {name: value for name, value in values.items() if name not in _MADE_APART})
    path, branch = _templates(values)
    publish: Publish = top.get("publish", Publish())._replace(branch=branch)
    downgrade: DowngradePolicy = top.get("downgrade", DowngradePolicy())
    registry: RegistryPolicy = top.get("registry", RegistryPolicy())
    for name, entry in values["environments"].items():
        fields = _fields(ENVIRONMENT, entry)
        fields["publish"] = publish._replace(**fields.get("publish", {}))
        fields["downgrade"] = downgrade._replace(**fields.get("downgrade", {}))
        environments[name] = Environment(name, **fields)
    return Config(
        **{
            **({"chart": "", "release_name": "", "namespace": ""} if services else {}),
            **top,
            "path": path,
            "publish": publish,
            "registry": registry if registry.image else None,  # without an image there is nothing to ask
            "environments": environments,
            "services": {name: _service(values, name, own) for name, own in services.items()},
        }
    )


def _fields(section: Section, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a section, with records in place of the sections in it that become one."""
    fields = dict(values)
    for name, value in values.items():
        kind = section.keys[name].kind
        if isinstance(kind, Section) and kind.record:
            fields[name] = kind.record(**_fields(kind, value))
        elif isinstance(kind, Table) and kind.entry.record:
            make, entry = kind.entry.record, kind.entry
            fields[name] = {inner: make(**_fields(entry, own)) for inner, own in value.items()}
    return fields


def _service(top: Mapping[str, Any], name: str, own: Mapping[str, Any]) -> ServiceSection:
    values = _filled(top, name, own)
    registry = RegistryPolicy(**values.get("registry", {}))
    values["registry"] = registry if registry.image else None
    values["versions"] = Versions(**values.get("versions", {}))
    return ServiceSection(name, **values)
