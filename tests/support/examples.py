"""The repositories of `examples/`, laid out as their README says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml
from rendering import ROOT

from release_tool.helm.request import RenderRequest, ValuesFile

EXAMPLES = ROOT / "examples"
NAMES = tuple(sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))


def lay_out(name: str, target: Path) -> Path:
    """An example as a folder of the target, made by the commands of its README."""
    target.mkdir(exist_ok=True)
    text = (EXAMPLES / name / "README.md").read_text(encoding="utf-8").replace("../", f"{target}/")
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        subprocess.run(["sh", "-ec", block], cwd=ROOT, check=True, timeout=60)
    return target / name


def request_of(folder: Path, environment: str, tags: str | None = None) -> RenderRequest:
    """The rendering of an environment, `tags` in the place of its image_tag.yaml."""
    config = yaml.safe_load((folder / "release.yaml").read_text(encoding="utf-8"))
    chart = folder / config["chart"]
    files = {str(path.relative_to(chart)): path.read_bytes() for path in sorted(chart.rglob("*")) if path.is_file()}
    values = folder / "environments" / environment
    texts = [(values / name).read_text(encoding="utf-8") for name in ("values.yaml", "image_tag.yaml")]
    texts = [texts[0], texts[1] if tags is None else tags]
    named = [ValuesFile(f"environments/{environment}/{number}.yaml", text) for number, text in enumerate(texts)]
    return RenderRequest(config["chart"], files, named, config["release_name"], config["namespace"])
