"""What the components for GitLab CI must say, whoever edits them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml
from acting import program
from gitlab_ci import COMPONENTS, ROOT, caller

from release_tool.commands.init import planning, texts

NAMES = {path.stem for path in COMPONENTS} - {"job"}
TEXT, WORD = r'^[^"$\\\x00-\x1f]*$', r"^[\w./@+-]*$"
PAGE = (ROOT / "docs" / "how-to" / "gitlab-ci.md").read_text("utf-8")


def documents(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and jobs of a component."""
    header, jobs = yaml.safe_load_all((ROOT / "templates" / f"{name}.yml").read_text("utf-8"))
    return header["spec"]["inputs"], jobs


def interpolated(text: str, **given: str) -> str:
    """A component as GitLab makes it: inputs are written into its text before that is read."""
    header, _, body = text.partition("\n---\n")
    for name, spec in yaml.safe_load(header)["spec"]["inputs"].items():
        value = given.get(name, spec.get("default", "x"))
        body = body.replace(f"$[[ inputs.{name} ]]", str(value).lower() if isinstance(value, bool) else str(value))
    assert "$[[" not in body
    return body


def test_gitlabs_schema_takes_the_components_and_what_the_page_shows(tmp_path: Path) -> None:
    """As GitLab's own editor does."""
    for path in COMPONENTS:
        text = path.read_text("utf-8")
        (tmp_path / path.name).write_text(interpolated(text) if "\n---\n" in text else text, "utf-8")
    blocks = [one for one in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if not one.startswith(" ")]
    assert len(blocks) > 4
    for number, block in enumerate(blocks):
        (tmp_path / f"shown-{number}.yml").write_text(block.partition("\n---\n")[2] or block, "utf-8")
    check = program("check-jsonschema", "pip install check-jsonschema")
    command = [check, "--builtin-schema", "vendor.gitlab-ci", *map(str, sorted(tmp_path.glob("*.yml")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout


def test_every_input_that_is_a_text_takes_nothing_that_could_leave_its_quotes() -> None:
    """Those that say how a job runs, and come from nobody outside, may hold variables."""
    for name in sorted(NAMES):
        for key, spec in documents(name)[0].items():
            if key not in {"tool", "job-image", "stage"} and "type" not in spec and "options" not in spec:
                assert spec["regex"].replace(r"\w ", r"\w") in {TEXT, WORD}, f"{name}: {key}"
    config = planning.loaded(texts.Settings(planning.ENVIRONMENTS, "chart", "x", "x"), "release.yaml")
    header = next(yaml.safe_load_all(caller(config)))["spec"]["inputs"]
    assert len(header) <= 20, "GitLab takes no more"
    for key, spec in header.items():
        assert spec["default"] == "", key
        assert spec.get("regex") in {TEXT, WORD} or "options" in spec, key


def test_what_an_expression_quotes_is_a_word() -> None:
    """An expression stands in single quotes, and has double ones inside."""
    for name in sorted(NAMES):
        inputs, jobs = documents(name)
        for job in (job for job in jobs.values() if isinstance(job, dict)):
            for key in re.findall(r"inputs\.([\w-]+)", str([job["rules"], job.get("environment")])):
                assert inputs[key].get("regex") == WORD or "options" in inputs[key], f"{name}: {key}"


def test_no_script_holds_an_input() -> None:
    for name in sorted(NAMES):
        for job in (job for job in documents(name)[1].values() if isinstance(job, dict)):
            assert "$[[" not in str(job["script"]), name


def test_how_a_job_runs_is_said_in_the_same_way_everywhere() -> None:
    known: dict[str, Any] = {}
    for name in sorted(NAMES):
        inputs, jobs = documents(name)
        for key in ("tool", "job-image", "registry", "registry-username", "committer"):
            if key in inputs:
                assert known.setdefault(key, inputs[key]) == inputs[key], name
        for title, job in ((title, job) for title, job in jobs.items() if isinstance(job, dict)):
            assert job["extends"] == ".release", title
            assert job["variables"]["RELEASE_TOOL"] == "$[[ inputs.tool ]]"
            minutes = int(job["timeout"].removesuffix(" minutes"))
            assert 10 < minutes <= 60
            assert ("resource_group" in job) == (name not in {"bump", "promote"} and title != "release check"), title


def test_the_page_names_every_component_and_how_it_runs() -> None:
    for name in NAMES:
        assert f"[`{name}`](../../templates/{name}.yml)" in PAGE
    for key in ("tool", "job-image", "stage", "registry", "registry-username", "committer"):
        assert re.search(rf"^\| .*`{key}`.* \|", PAGE, re.MULTILINE)
