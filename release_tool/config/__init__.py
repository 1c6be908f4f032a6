"""The configuration `release.yaml` as frozen records. `reader.load` makes them from the text.

A new key is one field of a record here, in config/sections.py or config/health.py; CONTRIBUTING.md says how.
"""

# No `from __future__ import annotations` here: what `Annotated` holds is read when the module is loaded.
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from release_tool.config.kinds import (
    BRANCH,
    CHART,
    DIRECTORY_TEMPLATE,
    ENVIRONMENT_NAME,
    NAMESPACE,
    RELEASE_NAME,
    SERVICE_NAME,
    VALUES_FILE,
    Key,
    Listing,
    Table,
    Whole,
    section_of,
)
from release_tool.config.sections import (
    DOWNGRADE,
    ENVIRONMENT,
    PUBLISH,
    REGISTRY,
    SERVICE,
    VERSIONS,
    DowngradePolicy,
    Environment,
    ForgeChoice,
    InUse,
    Publish,
    RegistryPolicy,
    Render,
    Retention,
    ServiceSection,
    Versions,
)
from release_tool.errors import FileProblems, ReleaseError
from release_tool.model.printed_command import command

if TYPE_CHECKING:
    from release_tool.config.health import Health

__all__ = [
    "Config",
    "ConfigError",
    "DowngradePolicy",
    "Environment",
    "ForgeChoice",
    "Health",
    "InUse",
    "Place",
    "Publish",
    "RegistryPolicy",
    "Render",
    "Retention",
    "ServiceSection",
    "Versions",
    "closest",
    "first_version",
    "place_of",
    "title_of",
]

SERVICE_PLACEHOLDER = "{service}"

_SHOWN = 20
"""So many names are listed in one line of an error."""


def title_of(environment: str, service: str) -> str:
    """What people call an environment: `devel`, or `engine/devel` where there are several services."""
    return f"{service}/{environment}" if service else environment


class Place(NamedTuple):
    """Where an environment lives: its files in the repository (paths from the root, `/` between parts), its branches.

    Attributes:
        environment: its name.
        directory: the directory of its files.
        tag_file: the versions, `image_tag.yaml`.
        key: the path of keys below which they stand in it.
        values_files: the other chart values, in Helm's order.
        demanded: whether each of them must be there.
        history_file: the record of every operation, `history.jsonl`.
        branch: the rolling branch.
        downgrade_branch: the branch of a downgrade, which is never shared.
        archive_directory: the directory of the record's old lines.
        title: what `title_of` says.
        service: the service that it belongs to; empty where the repository has one without a name.
    """

    environment: str
    directory: str
    tag_file: str
    key: str
    values_files: tuple[str, ...]
    demanded: bool
    history_file: str
    branch: str
    downgrade_branch: str
    archive_directory: str
    title: str
    service: str = ""

    def command(self, verb: str, *words: str) -> str:
        """A command about this environment as people type it: `release pin devel v3 --service engine`."""
        return command(verb, self.environment, *words, service=self.service)

    def archive(self, year: int) -> str:
        """The file of the record's old lines of one year."""
        return f"{self.archive_directory}/{year}.jsonl"


def place_of(
    environment: str,
    *,
    path: str,
    branch: str,
    service: str = "",
    values: Sequence[str] = (),
    key: str = Versions().key,
) -> Place:
    """The place of an environment by the templates of its directory, its rolling branch and its values files."""

    def filled(template: str) -> str:
        return template.replace("{environment}", environment).replace(SERVICE_PLACEHOLDER, service)

    directory, rolling = filled(path), filled(branch)
    return Place(
        environment=environment,
        directory=directory,
        tag_file=f"{directory}/image_tag.yaml",
        key=key,
        values_files=tuple(map(filled, values)) or (f"{directory}/values.yaml",),
        demanded=bool(values),
        history_file=f"{directory}/history.jsonl",
        branch=rolling,
        downgrade_branch=f"{rolling}-downgrade",  # a downgrade shares its branch with no other operation
        archive_directory=f"{directory}/history",
        title=title_of(environment, service),
        service=service,
    )


class Config(NamedTuple):
    """`release.yaml`, checked.

    A file with `services` is read as one `Config` for all of them, whose `views` are complete ones for one service
    each. What is about one service (`place`, `chart`, `versions` and so on) is asked of a view.
    """

    chart: Annotated[
        str,
        Key(
            "The directory of the Helm chart. Or a chart that stands elsewhere: "
            "`git+https://HOST/REPOSITORY//DIRECTORY@COMMIT`, `oci://HOST/PATH:VERSION@sha256:DIGEST`.",
            CHART,
            example="charts/grpc-manifest",
            unless="services",
        ),
    ]
    release_name: Annotated[
        str,
        Key("The name of the Helm release, in every environment.", RELEASE_NAME, example="engine", unless="services"),
    ]
    namespace: Annotated[
        str, Key("The Kubernetes namespace of the Helm release.", NAMESPACE, example="engine", unless="services")
    ]
    environments: Annotated[
        Mapping[str, Environment],
        Key(
            "The environments in promotion order, by name. At least one.",
            Table(ENVIRONMENT_NAME, ENVIRONMENT, most=1000),
            last=True,
        ),
    ]
    # the template: `place` gives the paths
    path: Annotated[
        str,
        Key(
            "The directory of an environment: `image_tag.yaml`, `values.yaml` and `history.jsonl`. With `services` it "
            "holds `{service}` too, and is `environments/{environment}/{service}` by default.",
            DIRECTORY_TEMPLATE,
            example="environments/{environment}",
        ),
    ] = "environments/{environment}"
    values: Annotated[
        tuple[str, ...],
        Key(
            "The other values files of an environment, from the root of the repository and in Helm's order: later ones "
            "win, and `image_tag.yaml` comes last. Each must be there. `{environment}` is filled in, and with "
            "`services` `{service}`.",
            Listing(VALUES_FILE, most=50),
            example="[values/common.yaml, 'environments/{environment}/values.yaml']",
            otherwise="`values.yaml` of the environment's directory, if it is there",
        ),
    ] = ()
    base: Annotated[
        str, Key("The branch that the cluster follows; everything is planned on its tip.", BRANCH, example="main")
    ] = "main"
    versions: Annotated[
        Versions, Key("Which tags are taken, how they are ordered, and where they stand.", VERSIONS)
    ] = Versions()
    # None without an image: there is nothing to ask about
    registry: Annotated[
        RegistryPolicy | None,
        Key("Where the images are, and what is asked about them; without it nobody is asked.", REGISTRY),
    ] = None
    # `publish` and `downgrade` of an `Environment` are these with its own keys put over them: ask there
    publish: Annotated[Publish, Key("How changes reach the base branch.", PUBLISH)] = Publish()
    downgrade: Annotated[DowngradePolicy, Key("What `release guard` may do when a default turns bad.", DOWNGRADE)] = (
        DowngradePolicy()
    )
    forge: Annotated[ForgeChoice, Key("Where pull requests live.", section_of(ForgeChoice))] = ForgeChoice()
    render: Annotated[Render, Key("How the chart is rendered.", section_of(Render))] = Render()
    # empty in a view
    services: Annotated[
        Mapping[str, ServiceSection],
        Key(
            "The services of the repository, by name. Each has all environments. Without it there is one service.",
            Table(SERVICE_NAME, SERVICE, most=1000),
            last=True,
        ),
    ] = {}
    # no key: the service that this view is of; empty where the repository has one without a name
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

    def views(self) -> "tuple[Config, ...]":
        """One complete configuration per service, in the order of the file; just this one without `services`."""
        return tuple(self._view(service) for service in self.services.values()) or (self,)

    def view(self, service: str = "") -> "Config":
        """The configuration of one service; without a name (`--service` of the command line) that of the only one.

        Raises:
            ReleaseError: no name where there are several services, an unknown one, or one where there are none.
        """
        if service in self.services:
            return self._view(self.services[service])
        if self.services and not service:
            if len(self.services) == 1:
                return self.views()[0]
            raise ReleaseError(
                f"which service? there are: {_some(self.services)}", hint=f"add --service {next(iter(self.services))}"
            )
        if service == self.service:
            return self
        if self.services or self.service:
            what = f"there is no service {service!r} in the configuration"
            raise ReleaseError(what, hint=suggestion(service, self.services or [self.service]))
        what = f"the configuration has no services, so there is no {service!r}"
        raise ReleaseError(what, hint="leave out --service, or give release.yaml a section `services`")

    def _view(self, service: ServiceSection) -> "Config":
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
        if self.services:
            return self.view().place(environment)
        return self._place(self.environment(environment).name, self.service, self.versions)

    def places(self) -> Iterator[Place]:
        """The places of all environments, in promotion order; of all services, one after the other."""
        services = {name: own.versions for name, own in self.services.items()} or {self.service: self.versions}
        for name, versions in services.items():
            for environment in self.environments:
                yield self._place(environment, name, versions)

    def _place(self, environment: str, service: str, versions: Versions) -> Place:
        return place_of(
            environment,
            path=self.path,
            branch=self.publish.branch,
            service=service,
            values=self.values,
            key=versions.key,
        )


CONFIG = section_of(Config, version=Key("The version of this file's format.", Whole(1, 1), example="1"))
"""The whole file. What `version` says is checked by the reader, and nobody asks for it later."""


def first_version(place: Place, policy: Environment) -> str:
    """The command that brings an environment its first version."""
    if policy.promote_from is None:
        return place.command("bump", "TAG")
    return command("promote", policy.promote_from, place.environment, service=place.service)


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

    page = "reference/configuration.md#when-something-is-wrong"


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """`Health`, which only few of those who load this package need."""
        if name != "Health":
            raise AttributeError(name)
        from release_tool.config.health import Health

        return Health
