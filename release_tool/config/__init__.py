"""The configuration `release.yaml` as frozen records. `reader.load` makes them from the text.

The defaults of the optional keys are the defaults of these records, and nowhere else: the published schema and the
reference in docs/configuration.md take them from here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool.errors import FileProblems, ReleaseError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping

PLACEHOLDER = "{environment}"
"""What the templates of paths and branches hold in place of the environment's name."""

DEFAULT_PATH = "environments/{environment}"
DEFAULT_BRANCH = "release/{environment}"
DEFAULT_BASE = "main"

DOWNGRADE_SUFFIX = "-downgrade"
"""A downgrade never shares a branch with the other operations: this is added to the name of their branch."""

Order = Literal["semver", "arrival"]
Mode = Literal["pull_request", "direct"]
DefaultPolicy = Literal["newest", "manual", "promoted"]
ForgeKind = Literal["auto", "local", "none"]
Engine = Literal["auto", "embedded", "helm"]


class Versions(NamedTuple):
    """`versions`: which tags are taken, and what "newer" means.

    Attributes:
        order: how tags are compared: by their semantic version, or by when they came (the later line is newer).
        allow: what the tag part must match in full; None: any tag that the OCI rule allows.
    """

    order: Order = "semver"
    allow: re.Pattern[str] | None = None

    def allows(self, tag: str) -> bool:
        """Whether `allow` accepts a tag (`tag` or `tag@sha256:…`; the tag part alone is looked at)."""
        return self.allow is None or self.allow.fullmatch(tag.partition("@")[0]) is not None


class Publish(NamedTuple):
    """`publish`: how a change reaches the base branch.

    Attributes:
        mode: by the rolling pull request, or by a push to the base branch.
        branch: template of the name of the rolling branch, with `{environment}`; ask `Config.place` for the name.
        labels: labels of the pull request.
        timeout: how long a command plans again when others are faster with their push.
    """

    mode: Mode = "pull_request"
    branch: str = DEFAULT_BRANCH
    labels: tuple[str, ...] = ()
    timeout: timedelta = timedelta(minutes=2)


class Forge(NamedTuple):
    """`forge`: where pull requests live. `auto` reads the URL of the remote."""

    kind: ForgeKind = "auto"


class Render(NamedTuple):
    """`render`: which Helm renders. `auto` takes the embedded engine, else the `helm` program."""

    engine: Engine = "auto"


class Retention(NamedTuple):
    """`retention` of an environment: which versions stay live.

    Attributes:
        keep: how many of the newest live versions are kept; at least 1.
        keep_per_minor: how many of the newest of each minor version are kept beside them; None: the rule is off.
        min_age: a version younger than this is never retired.
        max_age: an unprotected version older than this is retired, whatever `keep` says; None: no version is too old.
        drain: how long a retired version stays deployed.
        quarantine_for: after how long a quarantined version that is not pinned is retired.
    """

    keep: int = 5
    keep_per_minor: int | None = None
    min_age: timedelta = timedelta(0)
    max_age: timedelta | None = None
    drain: timedelta = timedelta(hours=1)
    quarantine_for: timedelta = timedelta(days=14)


class Environment(NamedTuple):
    """One entry of `environments`.

    Attributes:
        name: its key, a DNS label.
        promote_from: the environment whose versions are promoted to this one; None: it is the entry.
        default: what moves the default: a bump, a person only, or a promotion.
        soak: how long a version must have been the default of `promote_from` before it is promoted.
        retention: which versions stay live.
        publish: the file's `publish` with this environment's own `mode` and `labels`.
    """

    name: str
    promote_from: str | None = None
    default: DefaultPolicy = "manual"
    soak: timedelta = timedelta(0)
    retention: Retention = Retention()
    publish: Publish = Publish()


class Place(NamedTuple):
    """Where an environment lives: its files in the repository (paths from the root, `/` between parts), its branches.

    Attributes:
        environment: its name.
        directory: the directory of its files.
        tag_file: the versions, `image_tag.yaml`.
        values_file: the environment's other chart values, `values.yaml`.
        history_file: the record of every operation, `history.jsonl`.
        branch: the rolling branch.
        downgrade_branch: the branch of a downgrade, which is never shared.
    """

    environment: str
    directory: str
    tag_file: str
    values_file: str
    history_file: str
    branch: str
    downgrade_branch: str


class Config(NamedTuple):
    """`release.yaml`, checked.

    Attributes:
        chart: directory of the chart, from the root of the repository.
        release_name: name of the Helm release.
        namespace: Kubernetes namespace of the release.
        environments: name -> environment, in promotion order; the entry stands first.
        path: template of an environment's directory, with `{environment}`; ask `place` for the paths.
        base: the branch that everything is planned on and merged to.
        versions: which tags are taken, and their order.
        publish: how changes reach the base; each environment holds its own, overrides included.
        forge: where pull requests live.
        render: which Helm renders.
    """

    chart: str
    release_name: str
    namespace: str
    environments: Mapping[str, Environment]
    path: str = DEFAULT_PATH
    base: str = DEFAULT_BASE
    versions: Versions = Versions()
    publish: Publish = Publish()
    forge: Forge = Forge()
    render: Render = Render()

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
            likely = closest(name, self.environments)
            hint = f"did you mean {likely!r}?" if likely else f"there are: {', '.join(self.environments)}"
            raise ReleaseError(f"there is no environment {name!r} in the configuration", hint=hint)
        return found

    def place(self, environment: str) -> Place:
        """The files and branches of an environment. Nothing else makes a path or the name of a branch.

        Raises:
            ReleaseError: there is no such environment.
        """
        return place_of(self.environment(environment).name, path=self.path, branch=self.publish.branch)

    def places(self) -> Iterator[Place]:
        """The places of all environments, in promotion order."""
        return (self.place(name) for name in self.environments)

    @property
    def branch_prefix(self) -> str:
        """What the names of all release branches begin with: `release/` of `release/{environment}`.

        Good for one look at a remote (`refs/heads/<prefix>*`); other branches may begin with it too, the base
        among them, and it may be empty: compare what is found with `places`.
        """
        return self.publish.branch.partition(PLACEHOLDER)[0]


def place_of(environment: str, *, path: str, branch: str) -> Place:
    """The place of an environment by the templates of its path and of its branch."""
    directory = path.replace(PLACEHOLDER, environment)
    rolling = branch.replace(PLACEHOLDER, environment)
    return Place(
        environment=environment,
        directory=directory,
        tag_file=f"{directory}/image_tag.yaml",
        values_file=f"{directory}/values.yaml",
        history_file=f"{directory}/history.jsonl",
        branch=rolling,
        downgrade_branch=rolling + DOWNGRADE_SUFFIX,
    )


def closest(word: str, possible: Iterable[str]) -> str | None:
    """The possible word that a person most likely meant; None if none is close."""
    from difflib import get_close_matches  # only mistakes pay for it

    found = get_close_matches(word[:100].lower(), list(possible), n=1, cutoff=0.6)
    return found[0] if found else None


class ConfigError(FileProblems):
    """The configuration can't be used."""
