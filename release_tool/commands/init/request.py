"""What somebody wants of `release init`, and whether that makes sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError, UsageError
from release_tool.model.chart_reference import elsewhere

if TYPE_CHECKING:
    from release_tool.commands.init.texts import Settings
    from release_tool.config import Config


class InitRequest(NamedTuple):
    """What somebody wants; what is empty is found, or has its usual value.

    Attributes:
        environments: in promotion order.
        path: the directory of an environment, with `{environment}` in it.
        chart: its directory, or one that stands elsewhere.
        shipped: lay the chart that comes with the tool in.
        library: lay the library of routes into a chart of one's own.
        tags: `TAG` or `ENV=TAG`, the oldest first.
        default: the tag of the default.
        file: a values file with the tags that run (`{environment}` is filled in), and `key` the path of keys to them.
        versions_key: where the chart looks for its versions.
        values: the other values files, in Helm's order.
        workflows: for which CI system, a kind of pipelines.KINDS, or `auto`; empty: for none.
        tool: repository and commit of this tool, for workflows and hooks.
        deliver: a kind of extras.DELIVERIES.
        force: overwrite what stands.
    """

    config: str = "release.yaml"
    environments: tuple[str, ...] = ()
    name: str = ""
    namespace: str = ""
    base: str = ""
    path: str = ""
    chart: str = ""
    shipped: bool = False
    library: bool = False
    image: str = ""
    tags: tuple[str, ...] = ()
    default: str = ""
    file: str = ""
    key: str = ""
    versions_key: str = ""
    values: tuple[str, ...] = ()
    workflows: str = ""
    tool: str = ""
    codeowners: tuple[str, ...] = ()
    pre_commit: bool = False
    deliver: str = ""
    force: bool = False


class Answers(NamedTuple):
    """What the files that the tool can make again are made from; what is empty was not asked for.

    Attributes:
        settings: what release.yaml shall say; None: it stood there before.
        lay_in: the directory of the chart that comes with the tool.
        library: the chart of one's own that the library of routes is laid into.
        tool: repository and commit that the workflows call.
        ci: the kind of the CI system that they are for; empty, as older versions noted it: `github`.
        deliver: for what manifests are written.
        remote: the address of the repository in them.
    """

    settings: Settings | None = None
    lay_in: str = ""
    library: str = ""
    tool: str = ""
    ci: str = ""
    deliver: tuple[str, ...] = ()
    remote: str = ""

    def after(self, later: Answers) -> Answers:
        """With the answers of a later run put over them."""
        both = tuple(dict.fromkeys((*self.deliver, *later.deliver)))
        return self._replace(**{key: value for key, value in later._replace(deliver=both)._asdict().items() if value})


def demand_sense(asked: InitRequest) -> None:
    if asked.workflows and not asked.tool:
        what = "--workflows needs --tool: the CI system fetches this tool's workflows from its repository, by a commit"
        raise UsageError(what, hint="add --tool OWNER/NAME@COMMIT")
    if asked.tool and not (asked.workflows or asked.pre_commit):
        raise UsageError("--tool is for --workflows and --pre-commit", hint="add one of them, or leave --tool out")
    if bool(asked.file) != bool(asked.key):
        raise UsageError("--from and --key go together", hint="--from FILE --key app.image.tag")
    if asked.file and asked.tags:
        raise UsageError("--from and --tag exclude each other", hint="name the tags in one way")
    if (asked.shipped or asked.library) and elsewhere(asked.chart):
        raise UsageError("--chart-from lays a chart into a directory", hint="--chart names that directory")


def disagreement(config: Config, asked: InitRequest) -> bool:
    """Whether a configuration that stands says something else than the flags, and shall be written anew."""
    view = config.views()[0]
    stands = {
        "--environments": (asked.environments, tuple(config.environments)),
        "--name": (asked.name, view.release_name),
        "--namespace": (asked.namespace, view.namespace),
        "--base": (asked.base, config.base),
        "--chart": (asked.chart, view.chart),
        "--versions-key": (asked.versions_key, view.versions.key),
        "--path": (asked.path, view.path),
        "--values": (asked.values, config.values),
    }
    other = ", ".join(flag for flag, (given, there) in stands.items() if given and given != there)
    if other and (config.services or not asked.force):
        what = f"{asked.config} stands here already, and says something else than {other}"
        hint = "edit the file" if config.services else "edit the file, or let --force write it anew"
        raise ReleaseError(what, where=asked.config, hint=hint)
    return bool(other)
