"""What `release init` writes on request beside pipelines: CODEOWNERS, pre-commit, and what a cluster applies."""

from __future__ import annotations

import json
import re
from textwrap import indent
from typing import TYPE_CHECKING

from release_tool.config import place_of
from release_tool.errors import EditRefused, ReleaseError, UsageError
from release_tool.model.chart_reference import elsewhere
from release_tool.yamledit import edits
from release_tool.yamledit.parser import parse
from release_tool.yamledit.tree import YamlError, walk

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from release_tool.config import Config, Place

DELIVERIES = {
    "argocd": "Argo CD's Application",
    "applicationset": "Argo CD's ApplicationSet",
    "flux": "Flux' GitRepository and HelmRelease",
}
"""What a cluster applies, by kind."""

OWNERS = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "gitea": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"),
}
"""Where a forge looks for it, in its order; it takes the first."""

HOOKS = ".pre-commit-config.yaml"

_OWNER = re.compile(r"@[\w.-]+(/[\w.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)
_SCP = re.compile(r"(?:([\w.-]+)@)?([\w.-]+):(?!/)(.+)")


def owners_files(forge: str) -> tuple[str, ...]:
    """Where a kind of forge looks for CODEOWNERS; GitHub's places, where another one has none that is known."""
    return OWNERS.get(forge, OWNERS["github"])


def checked_owners(owners: Sequence[str]) -> str:
    """The owners for a line of CODEOWNERS."""
    wrong = next((one for one in owners if not _OWNER.fullmatch(one)), None)
    if wrong is not None:
        raise UsageError(f"--codeowners {wrong}: that is no owner", hint="write @ORG/TEAM, @USER or an e-mail address")
    return " ".join(owners)


def code_owners(owners: str, paths: Sequence[str], present: str) -> str:
    """CODEOWNERS with a line for each path that it doesn't name yet. The last line that matches wins there."""
    known = {line.split()[0] for line in present.splitlines() if line.strip() and not line.startswith("#")}
    lines = [
        f"{path} {owners}" for path in (f"/{path.replace(' ', chr(92) + ' ')}" for path in paths) if path not in known
    ]
    if not lines:
        return present
    head = "# What `release` works with.\n"
    return f"{present}{'' if not present or present.endswith(chr(10)) else chr(10)}{head}{chr(10).join(lines)}\n"


def pre_commit(tool: str, present: str, server: str = "https://github.com") -> str:
    """The configuration of pre-commit with `release check` among its hooks; `server`: where the tool is."""
    hook: edits.Value
    if tool:
        address, _, commit = tool.partition("@")
        hook = {"repo": f"{server}/{address}", "rev": commit, "hooks": [{"id": "release-check"}]}
    else:
        one = {"id": "release-check", "name": "release check", "entry": "release check", "language": "system"}
        plain = {"pass_filenames": edits.Plain("false"), "always_run": edits.Plain("true")}
        hook = {"repo": "local", "hooks": [{**one, **plain}]}
    try:
        nodes = walk([root]) if (root := parse(present)) else ()
        if any(node.kind == "scalar" and node.value == "release-check" for node in nodes):
            return present
        return edits.add_entry(present or "repos:\n", ("repos",), hook)
    except EditRefused as error:
        raise error.in_file(HOOKS) from None
    except YamlError as error:
        raise ReleaseError(
            error.reason, where=f"{HOOKS}:{error.line}:{error.column}", hint="correct the file"
        ) from error


def is_readable_from_a_cluster(remote: str) -> bool:
    """Whether an address is one of a server; a path is none."""
    return "://" in remote.removeprefix("file://") or _SCP.fullmatch(remote) is not None


def delivery(kind: str, config: Config, remote: str, there: Container[str]) -> dict[str, str]:
    """What a cluster applies: a manifest for each environment of each service.

    `there`: the paths of values files of charts that there are.

    Raises:
        ReleaseError: the cluster could not reach the remote, or the chart stands in another place.
    """
    if not is_readable_from_a_cluster(remote):
        what = f"--deliver {kind}: the manifests name the address of this repository, " + (
            f"and a cluster can't read {remote}" if remote else "and it has no remote"
        )
        verb = "set-url" if remote else "add"
        hint = f"name the repository at your forge: `git remote {verb} origin URL`; then run it again"
        raise ReleaseError(what, hint=hint)
    found = {}
    for view in config.views():
        if elsewhere(view.chart):
            what = f"--deliver {kind}: the chart {view.chart} stands in another place, and its values stand here"
            raise ReleaseError(what, hint="write these manifests by hand: Argo CD has `sources`, Flux `valuesFrom`")
        if kind == "applicationset":
            name = f"applicationset-{view.service}" if view.service else kind
            found[f"argocd/{name}.yaml"] = _application_set(view, remote)
            continue
        for environment in view.environments:
            place = view.place(environment)
            own = f"{view.chart}/values.yaml"
            files = [*([own] if kind == "flux" and own in there else []), *place.values_files, place.tag_file]
            make = _application if kind == "argocd" else _helm_release
            named = f"{{{kind}: {{{_NAMED_BY[kind]}: {_named(view, place)}}}}}"
            found[f"{kind}/{place.title}.yaml"] = _HEAD.format(place.title, named) + make(view, place, remote, files)
    return found


_HEAD = """\
# {}: apply it in the cluster of this environment.
# `health: {}` of the environment in release.yaml keeps retired versions until this
# has applied their retirement.
"""
_NAMED_BY = {"argocd": "application", "flux": "helm_release"}

_SYNC = """\
syncPolicy:
  automated: {prune: true, selfHeal: true}
  # a sync waits only for what its commit changes, or a version that never gets ready holds up its own downgrade
  syncOptions: [CreateNamespace=true, ApplyOutOfSyncOnly=true]
  # retry: {limit: 5, refresh: true}  # Argo CD 3.2: a failed sync is tried again with the newest commit
"""

_APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: {remote}
    targetRevision: {base}
    path: {chart}
    helm:
      releaseName: {release_name}
      valueFiles:  # in Helm's order, from the root of the repository
{files}
  destination:
    server: https://kubernetes.default.svc
    namespace: {namespace}
{sync}"""


def _application(config: Config, place: Place, remote: str, files: Sequence[str]) -> str:
    listed = _listed([f"/{path}" for path in files], 6)
    filled = {**_filled(config, place), "remote": _quoted(remote), "files": listed, "sync": indent(_SYNC, " " * 2)}
    return _APPLICATION.format(**filled)


_SET = """\
# {title}: apply it where Argo CD runs; it makes an Application for each environment.
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: {release_name}
  namespace: argocd
spec:
  goTemplate: true
  goTemplateOptions: [missingkey=error]
  generators:
  - list:
      elements:  # cluster: its name in Argo CD; in-cluster is the one that Argo CD runs in
{elements}
  template:
    metadata:
      name: '{{{{.name}}}}'
    spec:
      project: default
      source:
        repoURL: {remote}
        targetRevision: {base}
        path: {chart}
        helm:
          releaseName: {release_name}
          valueFiles:  # in Helm's order, from the root of the repository
{files}
      destination:
        name: '{{{{.cluster}}}}'
        namespace: {namespace}
{sync}"""


def _application_set(view: Config, remote: str) -> str:
    places = [view.place(environment) for environment in view.environments]
    elements = [
        f"      - {{environment: {_quoted(place.environment)}, name: {_named(view, place)}, "
        f"cluster: {_quoted(place.environment)}}}"
        for place in places
    ]
    general = place_of("{{.environment}}", path=view.path, branch="", service=view.service, values=view.values)
    files = _listed([f"/{path}" for path in (*general.values_files, general.tag_file)], 10)
    filled = {**_filled(view, places[0]), "remote": _quoted(remote), "elements": "\n".join(elements), "files": files}
    return _SET.format(**filled, sync=indent(_SYNC, " " * 6), title=view.service or view.release_name)


_FLUX = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 1m
  url: {remote}
  ref: {{branch: {base}}}
{secret}---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 10m
  releaseName: {release_name}
  targetNamespace: {namespace}
  storageNamespace: {namespace}
  install: {{createNamespace: true, disableWait: true}}
  upgrade: {{disableWait: true}}  # or each commit waits for a quarantined version that crashes
  chart:
    spec:
      chart: ./{chart_path}
      reconcileStrategy: Revision  # each commit, not each version of the chart
      sourceRef: {{kind: GitRepository, name: {name}}}
      valuesFiles:  # in Helm's order, from the root of the repository; the chart's own come first
{files}
"""


def _helm_release(config: Config, place: Place, remote: str, files: Sequence[str]) -> str:
    scp = None if "://" in remote else _SCP.fullmatch(remote)
    url = f"ssh://{scp[1] or 'git'}@{scp[2]}/{scp[3]}" if scp else remote
    secret = "  secretRef: {name: flux-system}  # identity and known_hosts\n" if url.startswith("ssh:") else ""
    filled = {**_filled(config, place), "remote": _quoted(url), "secret": secret, "files": _listed(files, 6)}
    return _FLUX.format(**filled)


def _filled(config: Config, place: Place) -> Mapping[str, str]:
    return {
        "name": _named(config, place),
        "base": _quoted(config.base),
        "chart": _quoted(config.chart),
        "chart_path": config.chart,
        "release_name": config.release_name,
        "namespace": config.namespace,
    }


def _named(config: Config, place: Place) -> str:
    return f"{config.release_name}-{place.environment}".lower().replace("_", "-").replace(".", "-")


def _listed(paths: Sequence[str], indent: int) -> str:
    return "\n".join(f"{' ' * indent}- {_quoted(path)}" for path in paths)


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w/][\w./@:-]*[\w/]", text, re.ASCII) and not text.isdecimal() else json.dumps(text)


def owned(config: Config) -> Iterator[str]:
    """The paths that the tool works with: files by their names, directories with a slash at the end."""
    for view in config.views():
        if not elsewhere(view.chart):
            yield f"{view.chart.rstrip('/')}/"
    for place in config.places():
        yield f"{place.directory}/"
