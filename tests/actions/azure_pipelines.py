"""Runs jobs of Azure Pipelines on this machine: templates as Azure expands them, and their bash steps.

There is no runner of Azure's files that works without Azure. This one knows what our templates use, and fails for anything
else: parameters, `replace`, `eq`, `if` and `else`, templates of steps, macros, logging commands that set variables.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import acting
import yaml
from acting import ROOT

TEMPLATES = ROOT / "azure-pipelines"


def expanded(name: str, given: dict[str, Any]) -> Any:
    """A template with its parameters."""
    data = yaml.safe_load((TEMPLATES / name).read_text("utf-8"))
    known = {one["name"]: one for one in data.pop("parameters", [])}
    assert set(given) <= set(known), f"{name}: no such parameter"
    values = {key: given.get(key, one.get("default")) for key, one in known.items()}
    missing = [key for key, one in known.items() if key not in given and "default" not in one]
    assert not missing, f"{name}: a value for {missing} is needed"
    return _insert(data, values)


def _insert(node: Any, values: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if "template" in node:
            return expanded(node["template"], _insert(node.get("parameters", {}), values))["steps"]
        return {key: _insert(value, values) for key, value in node.items()}
    if isinstance(node, list):
        found: list[Any] = []
        taken = False
        for one in node:
            key = next(iter(one)) if isinstance(one, dict) and len(one) == 1 else ""
            if key.startswith("${{"):
                wanted = not taken if key == "${{ else }}" else _evaluate(key[3:-2].strip().removeprefix("if "), values)
                taken = bool(wanted)
                found += _insert(one[key], values) if wanted else []
                continue
            made = _insert(one, values)
            found += made if isinstance(made, list) else [made]
        return found
    if isinstance(node, str):
        whole = re.fullmatch(r"\$\{\{ (.*) \}\}", node)
        if whole and "${{" not in whole[1]:
            return _evaluate(whole[1], values)
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: _text(_evaluate(found[1], values)), node)
    return node


def _evaluate(expression: str, values: dict[str, Any]) -> Any:
    if found := re.fullmatch(r"parameters\.(\w+)", expression):
        return values[found[1]]
    if found := re.fullmatch(r"replace\(parameters\.(\w+), '(.*)', '(.*)'\)", expression):
        return str(values[found[1]]).replace(found[2], found[3])
    if found := re.fullmatch(r"eq\(parameters\.(\w+), '(.*)'\)", expression):
        return values[found[1]] == found[2]
    raise AssertionError(f"this runner doesn't know {expression}")


def _text(value: Any) -> str:
    return str(value)  # True and False, as Azure writes them


@dataclass
class AzureRun:
    """What a job left behind."""

    code: int
    log: str
    place: Path
    variables: dict[str, str] = field(default_factory=dict)

    def file(self, name: str) -> str:
        return (self.place / "temp" / "release-job" / name).read_text("utf-8")


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    strategy = job.get("strategy", {}).get("runOnce", {}).get("deploy", {})
    return list(job.get("steps") or strategy["steps"])


def run(
    name: str, parameters: dict[str, Any], place: Path, tool: Path, environ: dict[str, str], job: int = 0
) -> AzureRun:
    """Run a job of a template; what is checked out must be there already, the tool excepted."""
    (place / "temp").mkdir(parents=True, exist_ok=True)
    link = place / "release-tool"
    if not link.exists():
        link.symlink_to(tool)
    environ = dict(environ)
    token = environ.pop("SYSTEM_ACCESSTOKEN", "azure-job-token")  # which no job has in its environment by itself
    macros = {
        "Agent.TempDirectory": str(place / "temp"),
        "System.AccessToken": token,
        "System.JobAttempt": "1",
        **environ,
    }
    base = {**os.environ, **environ, "AGENT_TEMPDIRECTORY": str(place / "temp"), "PIPELINE_WORKSPACE": str(place)}
    base |= {"AGENT_TOOLSDIRECTORY": str(acting.CACHE), "TF_BUILD": "True", "RELEASE_TIMEOUT": "0.2"}
    ran = AzureRun(0, "", place)
    for step in steps_of(expanded(name, parameters)["jobs"][job]):
        assert set(step) & {"bash", "checkout", "publish", "task"}
        if "bash" not in step or ran.code:
            continue
        given = {key: _macros(_text(value), macros) for key, value in step.get("env", {}).items()}
        script = place / "temp" / "script.sh"
        script.write_text(_macros(step["bash"], macros), "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", str(script)],
            env={**base, **given}, cwd=place, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        ran.log += done.stdout + done.stderr
        ran.code = done.returncode
        for found in re.finditer(
            r"^##vso\[task\.setvariable variable=(\w+)(;isOutput=true)?\](.*)$", done.stdout, re.MULTILINE
        ):
            ran.variables[found[1]] = found[3]
            if not found[2]:
                base[found[1]] = macros[found[1]] = found[3]
    return ran


def _macros(text: str, values: dict[str, str]) -> str:
    """What stands for no variable stays."""
    return re.sub(r"\$\(([\w.]+)\)", lambda found: values.get(found[1], found[0]), text)
