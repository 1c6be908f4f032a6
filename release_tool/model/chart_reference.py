"""What `chart` in release.yaml names: a directory of the repository, or a chart that stands elsewhere.

    git+https://git.example.com/team/charts.git//charts/engine@<commit>
    oci://registry.example.com/charts/engine:1.2.3@sha256:<digest>

The first is the form of pip and Terraform, the second that of `helm pull`.
"""

from __future__ import annotations

from typing import NamedTuple


class ChartInGit(NamedTuple):
    """A chart in another Git repository."""

    url: str  # as git takes it
    directory: str  # empty: the root
    commit: str  # in full

    @property
    def root(self) -> str:
        """The repository in messages; a path follows."""
        return f"git+{self.url}//"

    @property
    def title(self) -> str:
        """The chart in messages, without its commit; a path inside it may follow."""
        return f"{self.root}{self.directory}".rstrip("/")


class ChartInRegistry(NamedTuple):
    """A chart in an OCI registry."""

    repository: str  # host and path
    version: str  # empty where the digest alone is named
    digest: str  # `sha256:…`; empty where the version alone is named

    @property
    def title(self) -> str:
        """The chart in messages."""
        return f"oci://{self.repository}{f':{self.version}' if self.version else ''}"

    @property
    def tag(self) -> str:
        """The tag of a version in a registry, as Helm writes it: no tag holds a `+`."""
        return self.version.replace("+", "_")


def elsewhere(chart: str) -> ChartInGit | ChartInRegistry | None:
    """A chart that stands elsewhere; None for a directory of the repository. The text is one that the reader took."""
    if chart.startswith("git+"):
        url, _, commit = chart.removeprefix("git+").rpartition("@")
        scheme, _, rest = url.partition("://")
        path, _, directory = rest.partition("//")
        return ChartInGit(f"{scheme}://{path}", directory.strip("/"), commit)
    if chart.startswith("oci://"):
        name, _, digest = chart.removeprefix("oci://").partition("@")
        above, slash, last = name.rpartition("/")
        last, _, version = last.partition(":")
        return ChartInRegistry(f"{above}{slash}{last}", version, digest)
    return None
