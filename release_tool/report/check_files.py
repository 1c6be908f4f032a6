"""The files that `release check` writes for a CI system: Code Climate's JSON for GitLab, JUnit's XML for everybody."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from release_tool import safe_text
from release_tool.checks.findings import PlaceInFile

if TYPE_CHECKING:
    from release_tool.checks.findings import Finding
    from release_tool.commands.check import CheckReport

_NAME = "release check"
_SEVERITIES = {"error": "major", "warning": "minor"}


def code_quality(report: CheckReport, config_path: str) -> str:
    """A report as GitLab reads it (docs.gitlab.com, Code Quality, "Code quality report format").

    Args:
        config_path: the file that is named for what has no place in any: GitLab takes nothing without one.
    """
    known: Counter[tuple[str, str]] = Counter()
    found = []
    for level, findings in (("error", report.findings), ("warning", report.warnings)):
        for one in findings:
            place = PlaceInFile.of(one.where) or PlaceInFile(config_path)
            text = safe_text.one_line(_text(one))
            # The line is no part of it: what moves with the lines above it is still the same. What stands twice in a
            # file is told apart by a count, for GitLab shows one of several with the same fingerprint.
            count = known[place.file, text]
            known[place.file, text] += 1
            fingerprint = hashlib.sha256("\0".join((level, place.file, text, str(count))).encode()).hexdigest()
            found.append(
                {
                    "description": text,
                    "check_name": _NAME,
                    "fingerprint": fingerprint,
                    "severity": _SEVERITIES[level],
                    "location": {"path": safe_text.one_line(place.file), "lines": {"begin": place.line or 1}},
                }
            )
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def junit(report: CheckReport, config_path: str) -> str:
    """A report with a test for each file that was checked: what a test's name is stays the same from run to run."""
    cases: dict[str, tuple[list[Finding], list[Finding]]] = {path: ([], []) for path in report.checked}
    for number, findings in enumerate((report.findings, report.warnings)):
        for one in findings:
            place = PlaceInFile.of(one.where) or PlaceInFile(config_path)
            cases.setdefault(place.file, ([], []))[number].append(one)
    failures = str(sum(bool(errors) for errors, _ in cases.values()))
    counts = {"name": _NAME, "tests": str(len(cases)), "failures": failures, "errors": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {**counts, "skipped": "0"})
    for path, (errors, warnings) in cases.items():
        name = safe_text.one_line(path)
        case = ET.SubElement(suite, "testcase", {"classname": _NAME, "name": name, "file": name, "time": "0"})
        if errors:
            about = {"message": safe_text.one_line(errors[0].what), "type": "finding"}
            ET.SubElement(case, "failure", about).text = _lines(errors)
        if warnings:
            ET.SubElement(case, "system-out").text = _lines(warnings)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _lines(findings: list[Finding]) -> str:
    """Several findings, one after the other. What XML can't hold is among what makes a text harmful."""
    texts = [f"{one.where}: {one.what}" if one.where else one.what for one in findings]
    hints = [f"\nnext: {safe_text.one_line(one.hint)}" if one.hint else "" for one in findings]
    return "\n\n".join(safe_text.one_line(text) + hint for text, hint in zip(texts, hints, strict=True))


def _text(one: Finding) -> str:
    """A finding in a sentence, with its place where that is none in a file."""
    what = one.what if PlaceInFile.of(one.where) or not one.where else f"{one.where}: {one.what}"
    return f"{what}. Next: {one.hint}" if one.hint else what
