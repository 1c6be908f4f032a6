"""The templates for Azure Pipelines: what they must say, and their steps, run against a repository of this machine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from acting import ROOT, program
from azure_pipelines import TEMPLATES, AzureRun, expanded, run, steps_of
from azure_standin import Azure
from origin import git
from world import World

from release_tool.commands.init import pipelines, planning, texts

PAGE = (ROOT / "docs" / "how-to" / "azure-pipelines.md").read_text("utf-8")
NAMES = ("bump", "promote", "cleanup", "sync", "guard", "check")
PROMOTION = {"from": "devel", "to": "staging"}
NEEDED: dict[str, dict[str, Any]] = {"bump": {"environment": "devel", "tag": "v1.0.5"}, "promote": PROMOTION}


def demand_schema(pipelines_of: dict[str, Any], place: Path) -> None:
    """Hold pipelines to Microsoft's own schema, as editors do: to that, each scalar is a text."""
    for name, data in pipelines_of.items():
        scalars = re.sub(r"(?<=: )(true|false|[0-9]+)(?=[,}\]])", r'"\1"', json.dumps(data))
        (place / f"{name}.yml").write_text(scalars, "utf-8")
    check = program("check-jsonschema", "pip install check-jsonschema")
    command = [check, "--regex-variant", "python", "--builtin-schema", "vendor.azure-pipelines"]
    command += [str(path) for path in sorted(place.glob("*.yml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout


# -- what they say ----------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_microsofts_schema_takes_the_templates_and_the_pipelines_of_the_page(tmp_path: Path) -> None:
    config = planning.loaded(texts.Settings(planning.ENVIRONMENTS, "chart", "x", "x"), "release.yaml")
    files = pipelines.KINDS["azure"].files("OWNER/release@TAG", config)
    assert all(f"```yaml\n{text}```" in PAGE for text in files.values())
    found = {Path(name).stem: yaml.safe_load(text) for name, text in files.items()}
    found |= {name: expanded(f"{name}.yml", NEEDED.get(name, {})) for name in NAMES}
    found["deployment"] = expanded("promote.yml", {**PROMOTION, "azureEnvironment": "live"})
    demand_schema(found, tmp_path)


def test_what_comes_from_outside_is_no_macro_and_no_part_of_a_script() -> None:
    """`$(name)` in a value would be a variable, also a secret one."""
    for path in sorted(TEMPLATES.glob("*.yml")):
        text = path.read_text("utf-8")
        for value in re.findall(r"^ +ASKED_\w+: (.*)$", text, re.MULTILINE):
            plain = re.fullmatch(r"\$\{\{ parameters\.(fromRegistry|pin|force) \}\}", value)
            assert plain or re.fullmatch(r"\$\{\{ replace\(parameters\.\w+, '\$\(', '\$ \('\) \}\}", value), value
    for name in NAMES:
        data = yaml.safe_load((TEMPLATES / f"{name}.yml").read_text("utf-8"))
        assert not re.search(r"'bash': '[^']*\$\{\{", str(data))


@pytest.mark.parametrize("name", NAMES)
def test_each_job_ends_by_itself_and_leaves_no_token_behind(name: str) -> None:
    for job in expanded(f"{name}.yml", NEEDED.get(name, {}))["jobs"]:
        assert 10 < job["timeoutInMinutes"] <= 60
        assert "dependsOn" not in job or job["dependsOn"] == []
        for step in steps_of(job):
            if "checkout" in step:
                assert step["persistCredentials"] is False
    assert f"[`{name}.yml`](../../azure-pipelines/{name}.yml)" in PAGE


def test_a_check_gets_no_key_to_sign_with() -> None:
    assert "RELEASE_SIGNING_KEY" not in (TEMPLATES / "check.yml").read_text("utf-8")


# -- for real ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def checkout(tool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("azure")
    shutil.copytree(tool, place, symlinks=True, dirs_exist_ok=True)
    for command in ("init -q -b main", "add -A", "-c user.name=a -c user.email=a@b.c commit -qm Begin"):
        git(*command.split(), cwd=place)
    return place


def job(
    world: World, checkout: Path, tmp_path: Path, name: str, number: int = 0, *, more: dict[str, str] | None = None,
    **parameters: Any,
) -> AzureRun:  # fmt: skip
    environ = {
        "BUILD_REPOSITORY_URI": f"file://{world.origin}",
        "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
        "SYSTEM_TEAMPROJECT": "shop",
        "BUILD_BUILDID": "17",
        "BUILD_REQUESTEDFOR": "Ada Lovelace",
        "BUILD_REQUESTEDFOREMAIL": "ada@example.com",
        **(more or {}),
    }
    return run(f"{name}.yml", parameters, tmp_path / "azure", checkout, environ, number)


@pytest.mark.slow
def test_a_bump_opens_a_pull_request_and_sets_outputs(world: World, checkout: Path, tmp_path: Path) -> None:
    done = job(world, checkout, tmp_path, "bump", environment="devel", tag="v1.0.5", source="https://example.com/a")
    assert done.code == 0, done.log
    (line,) = world.lines("devel", "release/devel")
    assert line.intent.run == "https://dev.azure.com/acme/shop/_build/results?buildId=17"
    assert line.intent.by == "Ada Lovelace"
    assert done.variables["RELEASE_CHANGED"] == "true"
    assert done.variables["RELEASE_PULL_REQUEST_NUMBER"] == "1"
    assert "| add | v5 | v1.0.5 | bump |" in done.file("summary.md")
    assert f"##vso[task.uploadsummary]{done.place}/temp/release-job/summary.md" in done.log
    assert re.fullmatch(r"[0-9a-f]{40}\n", done.file("tool.txt"))
    assert "azure-job-token" not in done.log


@pytest.mark.slow
@pytest.mark.parametrize(
    "tag", ["--direct", "$(AZURE_DEVOPS_TOKEN)", "`touch hacked`'; touch hacked", "##vso[task.complete]"]
)
def test_a_value_from_outside_is_one_argument(world: World, checkout: Path, tmp_path: Path, tag: str) -> None:
    before = world.refs()
    secret = {"AZURE_DEVOPS_TOKEN": "s3cret"}
    done = job(world, checkout, tmp_path, "bump", environment="devel", tag=tag, more=secret)
    assert "is no image tag" in done.log
    assert done.code == 2
    assert "s3cret" not in done.log
    assert not list(tmp_path.rglob("hacked"))
    commands = [line for line in done.log.splitlines() if "##vso[" in line]
    assert all(line.startswith("##vso[task.") and "##vso[task.complete" not in line for line in commands)
    assert world.refs() == before


@pytest.mark.slow
def test_a_promotion_runs_in_a_job_and_in_a_deployment(world: World, checkout: Path, tmp_path: Path) -> None:
    world.land("bump", "devel", "v1.0.5")
    deployment = {"azureEnvironment": "staging", "reason": "it's `ready`, isn't it?"}
    done = job(world, checkout, tmp_path, "promote", **PROMOTION, **deployment)
    assert done.code == 0, done.log
    assert world.state("staging", "release/staging").live["v5"] == "v1.0.5"
    assert job(world, checkout, tmp_path, "promote", **PROMOTION).variables["RELEASE_CHANGED"] == "false"


@pytest.mark.slow
def test_a_pull_request_is_checked_as_it_was_merged(world: World, checkout: Path, tmp_path: Path) -> None:
    proposal = tmp_path / "azure" / "proposal"
    git("clone", "--quiet", str(world.origin), str(proposal), cwd=tmp_path)
    (proposal / "environments/devel/image_tag.yaml").write_text("image: {tag: [v1 bad]}\n", "utf-8")
    more = {"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}
    done = job(world, checkout, tmp_path, "check", more=more)
    assert done.code == 1
    place = "sourcepath=environments/devel/image_tag.yaml;linenumber=1"
    assert re.search(rf"^##vso\[task\.logissue type=error;{place}", done.log, re.MULTILINE)
    assert "'v1 bad' is no image tag" in done.file("junit.xml")


@pytest.mark.slow
def test_cleanup_and_sync_run(world: World, checkout: Path, tmp_path: Path) -> None:
    for name in ("cleanup", "sync"):
        done = job(world, checkout, tmp_path, name)
        assert done.code == 0, done.log
        assert json.loads(done.file("outcome.json")) is not None


@pytest.mark.slow
def test_a_job_opens_a_pull_request_on_azure_devops_and_keeps_one_comment(
    world: World, checkout: Path, tmp_path: Path, azure: Azure
) -> None:
    repository = azure.add_repository("shop/gitops", world.origin)
    here = azure.environment("shop/gitops", azure.add_token(kind="job"))
    done = job(world, checkout, tmp_path, "bump", environment="devel", tag="v1.0.5", more=here)
    assert done.code == 0, done.log
    (pull,) = repository.pulls.values()
    assert "v1.0.5" in pull.title
    assert done.variables["RELEASE_PULL_REQUEST_NUMBER"] == str(pull.id)
    pr = {
        "SYSTEM_PULLREQUEST_PULLREQUESTID": str(pull.id),
        "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/release/devel",
        "SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main",
    }
    for _ in range(2):
        done = job(world, checkout, tmp_path, "check", 1, more={**here, **pr})
        assert done.code == 0, done.log
    shown = [one for thread in pull.threads for one in thread.comments if "difference of the manifests" in one.content]
    assert len(shown) == 1
    assert here["SYSTEM_ACCESSTOKEN"] not in done.log
