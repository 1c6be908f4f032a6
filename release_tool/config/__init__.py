"""The configuration `release.yaml` as frozen records. `reader.load` makes them from the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.config.places import DEFAULT_PATH, SERVICE_PLACEHOLDER, Place, place_of
from release_tool.config.records import (
    Environment,
    Forge,
    InUse,
    Publish,
    Registry,
    Render,
    Retention,
    Service,
    Versions,
)
from release_tool.config.records_health import Downgrade, Health
from release_tool.errors import FileProblems, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = [
    "DEFAULT_BASE",
    "Config",
    "ConfigError",
    "Downgrade",
    "Environment",
    "Forge",
    "Health",
    "InUse",
    "Place",
    "Publish",
    "Registry",
    "Render",
    "Retention",
    "Service",
    "Versions",
    "closest",
    "place_of",
]

DEFAULT_BASE = "main"

_SHOWN = 20
"""So many names are listed in one line of an error."""


class Config(NamedTuple):
    """`release.yaml`, checked.

    A file with `services` is read as one `Config` for all of them, whose `views` are complete ones for one service
    each. What is about one service (`place`, `chart`, `versions` and so on) is asked of a view.

    Attributes:
        chart: directory of the chart, from the root of the repository.
        release_name: name of the Helm release.
        namespace: Kubernetes namespace of the release.
        environments: name -> environment, in promotion order; the entry stands first.
        path: template of an environment's directory, with `{environment}`; ask `place` for the paths.
        base: the branch that everything is planned on and merged to.
        versions: which tags are taken, and their order.
        publish: how changes reach the base; each environment holds its own, overrides included.
        downgrade: what a guard may do; each environment holds its own, overrides included.
        forge: where pull requests live.
        render: which Helm renders.
        registry: where the images are; None: nobody is asked.
        services: name -> service, in the order of the file; empty in a view, and where the file has none.
        service: the service that this view is of; empty where the repository has one without a name.
    """

    chart: str
    release_name: str
    namespace: str
    environments: Mapping[str, Environment]
    path: str = DEFAULT_PATH
    base: str = DEFAULT_BASE
    versions: Versions = Versions()
    publish: Publish = Publish()
    downgrade: Downgrade = Downgrade()
    forge: Forge = Forge()
    render: Render = Render()
    registry: Registry | None = None
    services: Mapping[str, Service] = {}
    service: str = ""

    @property
    def entry(self) -> Environment:
        """The environment that takes the bumps: the one without `promote_from`."""
        return next(environment for environment in self.environments.values() if environment.promote_from is None)

    def environment(self, name: str) -> Environment:
        """The environment of this name.

        Raises:
            ReleaseError: there is none; the hint names the likely one, or all.
        """
        found = self.environments.get(name)
        if found is None:
            what = f"there is no environment {name!r} in the configuration"
            raise ReleaseError(what, hint=suggestion(name, self.environments))
        return found

    def views(self) -> tuple[Config, ...]:
        """One complete configuration per service, in the order of the file; just this one without `services`."""
        return tuple(self._view(service) for service in self.services.values()) or (self,)

    def view(self, service: str = "") -> Config:
        """The configuration of one service.

        Args:
            service: its name, as `--service` gives it; empty: the only one.

        Raises:
            ReleaseError: no name where there are several services, an unknown one, or one where there are none.
        """
        if service in self.services:
            return self._view(self.services[service])
        if self.services and not service:
            if len(self.services) == 1:
                return self.views()[0]
            raise ReleaseError(f"which service? there are: {_some(self.services)}", hint="--service NAME")
        if service == self.service:
            return self
        if self.services or self.service:
            what = f"there is no service {service!r} in the configuration"
            raise ReleaseError(what, hint=suggestion(service, self.services or [self.service]))
        what = f"the configuration has no services, so there is no {service!r}"
        raise ReleaseError(what, hint="leave out --service, or give release.yaml a section `services`")

    def _view(self, service: Service) -> Config:
        branch = self.publish.branch.replace(SERVICE_PLACEHOLDER, service.name)
        return self._replace(
            service=service.name,
            services={},
            chart=service.chart,
            release_name=service.release_name,
            namespace=service.namespace,
            versions=service.versions,
            registry=service.registry,
            path=self.path.replace(SERVICE_PLACEHOLDER, service.name),
            publish=self.publish._replace(branch=branch),
            environments={
                name: environment._replace(publish=environment.publish._replace(branch=branch))
                for name, environment in self.environments.items()
            },
        )

    def place(self, environment: str) -> Place:
        """The files and branches of an environment. Nothing else makes a path or the name of a branch.

        Raises:
            ReleaseError: there is no such environment; or there are several services, and this is no view of one.
        """
        one = self.view(self.service)
        name = one.environment(environment).name
        return place_of(name, path=one.path, branch=one.publish.branch, service=one.service)

    def places(self) -> Iterator[Place]:
        """The places of all environments, in promotion order; of all services, one after the other."""
        for name in self.services or (self.service,):
            for environment in self.environments:
                yield place_of(environment, path=self.path, branch=self.publish.branch, service=name)

    @property
    def branch_prefix(self) -> str:
        """What the names of all release branches begin with: `release/` of `release/{environment}`.

        Good for one look at a remote (`refs/heads/<prefix>*`); other branches may begin with it too, the base
        among them, and it may be empty: compare what is found with `places`.
        """
        return self.publish.branch.partition("{")[0]


def suggestion(name: str, possible: Iterable[str]) -> str:
    """The hint for a name that is not there: the likely one, or all."""
    likely = closest(name, possible)
    return f"did you mean {likely!r}?" if likely else f"there are: {_some(possible)}"


def _some(names: Iterable[str]) -> str:
    """Names for one line; of many, the first."""
    listed = list(names)
    return ", ".join(listed if len(listed) <= _SHOWN else [*listed[:_SHOWN], f"and {len(listed) - _SHOWN} more"])


def closest(word: str, possible: Iterable[str]) -> str | None:
    """The possible word that a person most likely meant; None if none is close."""
    from difflib import get_close_matches  # only mistakes pay for it

    found = get_close_matches(word[:100].lower(), list(possible), n=1, cutoff=0.6)
    return found[0] if found else None


class ConfigError(FileProblems):
    """The configuration can't be used."""
