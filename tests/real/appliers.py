"""Those who apply a rendering to a cluster, each by its own program: `by.apply(values…)` is one commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from control_plane import Cluster
from fixtures import helm_program
from real_programs import path
from rendering import CHART

RELEASE = "engine"


class Applier:
    """Of the chart grpc-manifest. `folder`: an empty one of its own; `server_side`: the API server merges, not the program."""

    server_side = True

    def __init__(self, cluster: Cluster, namespace: str, folder: Path) -> None:
        self.cluster, self.namespace, self.folder = cluster, namespace, folder

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        """What it applied stays."""

    def apply(self, *values: str) -> None:
        """Until the program says that it is done, which need not mean that pods are ready."""
        raise NotImplementedError

    def run(self, *command: str, content: str = "", **environment: str) -> str:
        known = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "HOME": str(self.folder), **environment}
        done = subprocess.run(
            command, input=content, capture_output=True, text=True, env=known, check=False, timeout=120
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def _files(self, values: tuple[str, ...]) -> list[str]:
        files = [self.folder / f"values-{number}.yaml" for number in range(len(values))]
        for file, text in zip(files, values, strict=True):
            file.write_text(text, "utf-8")
        return [option for file in files for option in ("--values", str(file))]

    def _rendered(self, values: tuple[str, ...]) -> str:
        chosen = [RELEASE, str(CHART), "--namespace", self.namespace, "--no-hooks"]
        return self.run(helm_program("helm4"), "template", *chosen, *self._files(values))


class Helm(Applier):
    """`helm upgrade --install`, of Helm 4 (`helm4`) or 3 (`helm3`); what `options` say more."""

    def __init__(self, *where: Any, program: str = "helm4", options: tuple[str, ...] = ()) -> None:
        super().__init__(*where)
        self.program, self.options, self.server_side = program, options, program == "helm4"

    def apply(self, *values: str) -> None:
        chosen = [RELEASE, str(CHART), "--namespace", self.namespace, *self._files(values), *self.options]
        self.run(helm_program(self.program), "upgrade", "--install", *chosen)


class Kubectl(Applier):
    """`kubectl apply --prune` of what Helm renders. `server_side`: the API server merges, not kubectl."""

    def __init__(self, *where: Any, server_side: bool = False) -> None:
        super().__init__(*where)
        self.server_side = server_side
        self.options = ["--server-side", "--field-manager=delivery"] if server_side else []

    def apply(self, *values: str) -> None:
        command = ["apply", "--namespace", self.namespace, "--prune", f"--applyset={RELEASE}", *self.options, "-f", "-"]
        self.run(path("kubectl"), *command, content=self._rendered(values), KUBECTL_APPLYSET="true")
