"""A chart that has the service as a subchart `engine`, so that its versions stand below `engine.image`."""

from __future__ import annotations

import shutil
from pathlib import Path

KEY = "engine.image"
CHART = "charts/shop"
_ABOUT = """\
apiVersion: v2
name: shop
version: 0.1.0
dependencies: [{name: grpc-manifest, version: "*", alias: engine}]
"""


def under(key: str, text: str) -> str:
    """A text with `image:` as it is with the same below another key."""
    *above, last = key.split(".")
    parents = "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate(above))
    indent, lines = "  " * len(above), text.split("\n")
    inside = [f"{indent}{line}" if line.startswith(" ") else line for line in lines]
    return "\n".join(inside).replace("image:", f"{parents}{indent}{last}:", 1)


def umbrella(clone: Path) -> None:
    """Put the chart above `charts/grpc-manifest`, which it holds unpacked."""
    shutil.copytree(clone / "charts" / "grpc-manifest", clone / CHART / "charts" / "grpc-manifest")
    (clone / CHART / "Chart.yaml").write_text(_ABOUT)
    (clone / CHART / "values.yaml").write_text("engine: {nameOverride: grpc-manifest}\n")
