"""The files that `release check` writes for a CI system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World

from release_tool.checks.findings import Finding
from release_tool.commands.check import CheckReport
from release_tool.report.check_files import code_quality, junit

ISSUE = {
    "type": "object",
    "required": ["description", "check_name", "fingerprint", "severity", "location"],
    "additionalProperties": False,
    "properties": {
        "description": {"type": "string", "minLength": 1},
        "check_name": {"type": "string", "minLength": 1},
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
        "location": {
            "type": "object",
            "required": ["path", "lines"],
            "additionalProperties": False,
            "properties": {
                "path": {"type": "string", "pattern": "^[^/]"},
                "lines": {
                    "type": "object",
                    "required": ["begin"],
                    "additionalProperties": False,
                    "properties": {"begin": {"type": "integer", "minimum": 1}},
                },
            },
        },
    },
}
"""What GitLab's page about Code Quality says of an object of the report."""

TEXT = st.text(st.characters(exclude_categories=[]))
FINDING = st.builds(
    Finding, st.one_of(st.sampled_from(["", "a.yaml", "a.yaml:3:1", "a.yaml:9", "x, y.yaml"]), TEXT), TEXT, TEXT
)


def issues(report: CheckReport) -> list[dict[str, Any]]:
    found = json.loads(code_quality(report, "release.yaml"))
    jsonschema.validate(found, {"type": "array", "items": ISSUE})
    return list(found)


def cases(text: str) -> dict[str, ET.Element]:
    """The tests of a report by their names, of which GitLab takes the first where one comes twice."""
    suites = ET.fromstring(text)
    assert suites.tag == "testsuites"
    (suite,) = suites
    found = list(suite)
    assert {one.tag for one in found} <= {"testcase"}
    assert all({"name", "classname", "file", "time"} == set(one.attrib) for one in found)
    assert {part.tag for one in found for part in one} <= {"failure", "system-out"}
    assert int(suite.attrib["tests"]) == len(found)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    named = {one.attrib["name"]: one for one in found}
    assert len(named) == len(found)
    return named


def test_a_finding_is_an_issue_at_its_place_and_a_failed_test(world: World, tmp_path: Path) -> None:
    world.commit({"environments/devel/image_tag.yaml": world.tags().replace("v1.0.2", "v1.0.2 bad")}, "By hand")
    world.broken.add("devel")
    files = (tmp_path / "out" / "quality.json", tmp_path / "out" / "junit.xml")
    world.release("check", "--code-quality", str(files[0]), "--junit", str(files[1]), code=1)
    (found,) = json.loads(files[0].read_text("utf-8"))
    jsonschema.validate([found], {"type": "array", "items": ISSUE})
    assert found["location"] == {"path": "environments/devel/image_tag.yaml", "lines": {"begin": 5}}
    assert found["severity"] == "major"
    tests = cases(files[1].read_text("utf-8"))
    failed = [name for name, one in tests.items() if one.find("failure") is not None]
    assert failed == ["environments/devel/image_tag.yaml"]
    assert "release.yaml" in tests
    said = tests[failed[0]].findtext("failure") or ""
    assert said.startswith("environments/devel/image_tag.yaml:5:5: image.tag[1]")
    assert "\nnext: " in said


def test_what_is_right_is_written_too(world: World, tmp_path: Path) -> None:
    """Or GitLab, which compares with the report of the target branch, would find none there."""
    world.release("check", "--code-quality", str(tmp_path / "a"), "--junit", str(tmp_path / "b"))
    assert json.loads((tmp_path / "a").read_text("utf-8")) == []
    tests = cases((tmp_path / "b").read_text("utf-8"))
    assert len(tests) > 3
    assert not any(list(one) for one in tests.values())


def test_the_same_finding_keeps_its_fingerprint_when_lines_come_above_it() -> None:
    first, moved = (issues(CheckReport((), (Finding(f"a.yaml:{line}", "wrong"),))) for line in (3, 9))
    assert first[0]["fingerprint"] == moved[0]["fingerprint"]


def test_no_two_issues_have_the_same_fingerprint() -> None:
    """GitLab shows one of them alone."""
    twice = (Finding("a.yaml:3", "wrong"), Finding("a.yaml:9", "wrong"))
    found = issues(CheckReport((), twice, twice))
    assert len({one["fingerprint"] for one in found}) == 4


@pytest.mark.parametrize("where", ["", "release/devel", "https://git.example.com/acme", "a.yaml, b.yaml"])
def test_what_has_no_place_in_a_file_is_shown_at_the_configuration(where: str) -> None:
    report = CheckReport((), (Finding(where, "wrong", "mend it"),))
    (found,) = issues(report)
    assert found["location"] == {"path": "release.yaml", "lines": {"begin": 1}}
    assert found["description"] == f"{where}: wrong. Next: mend it".removeprefix(": ")
    assert list(cases(junit(report, "release.yaml"))) == ["release.yaml"]


@given(st.lists(FINDING, max_size=5), st.lists(FINDING, max_size=3), st.lists(TEXT, max_size=3, unique=True))
def test_any_text_makes_files_that_can_be_read(
    findings: list[Finding], warnings: list[Finding], checked: list[str]
) -> None:
    report = CheckReport(tuple(checked), tuple(findings), tuple(warnings))
    for text in (code_quality(report, "release.yaml"), junit(report, "release.yaml")):
        text.encode("utf-8")
    json.loads(code_quality(report, "release.yaml"))
    ET.fromstring(junit(report, "release.yaml"))


def test_a_place_that_cannot_be_written_is_an_error_without_a_traceback(world: World, tmp_path: Path) -> None:
    done = world.release("check", "--junit", str(tmp_path), code=1)
    assert "the machine refuses: Is a directory" in done.err
