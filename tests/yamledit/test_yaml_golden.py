"""Each folder of `golden/`: `before.yaml`, `operation.json`, and `after.yaml` or `refusal.txt`, compared as bytes."""

from __future__ import annotations

import pytest
from yaml_cases import Case, all_cases, apply

from release_tool.errors import EditRefused

CASES = all_cases()
EDITS = [case for case in CASES if case.after is not None]
REFUSALS = [case for case in CASES if case.refusal is not None]
LIBYAML_ONLY = {"set-tab-before-a-comment": "the parser in pure Python refuses a tab before a comment"}

BYSTANDER = "# another document\nstays:   [as, it, is]   # to the byte\n\n"


def named(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


def test_each_folder_has_one_outcome():
    assert len(CASES) == len(EDITS) + len(REFUSALS) > 100


@pytest.mark.parametrize("case", named(EDITS))
def test_an_edit_gives_exactly_the_expected_bytes(case: Case, parser: str):
    if parser == "pure" and case.name in LIBYAML_ONLY:
        with pytest.raises(EditRefused):
            apply(case.before, case.operations)
        return
    assert apply(case.before, case.operations) == case.after


@pytest.mark.parametrize("case", named(REFUSALS))
def test_a_refusal_names_place_reason_and_next_step(case: Case):
    with pytest.raises(EditRefused) as caught:
        apply(case.before, case.operations)
    refused = caught.value
    assert f"{refused.line}:{refused.column}: {refused.reason}\n{refused.hint}\n" == case.refusal


@pytest.mark.parametrize("case", named(REFUSALS))
def test_what_one_parser_refuses_the_other_refuses(case: Case, parser: str):
    with pytest.raises(EditRefused):
        apply(case.before, case.operations)


@pytest.mark.parametrize("case", named(EDITS))
def test_windows_line_ends_stay(case: Case, parser: str):
    if parser == "pure" and case.name in LIBYAML_ONLY:
        pytest.skip(LIBYAML_ONLY[case.name])
    assert case.after is not None
    if "\n" in case.before:
        assert apply(case.before.replace("\n", "\r\n"), case.operations) == case.after.replace("\n", "\r\n")


@pytest.mark.parametrize("case", named(EDITS))
def test_a_byte_order_mark_stays(case: Case):
    assert case.after is not None
    assert apply("\ufeff" + case.before, case.operations) == "\ufeff" + case.after


@pytest.mark.parametrize("case", [case for case in named(EDITS) if "no-final-newline" not in case.values[0].skip])
def test_a_missing_final_newline_stays_missing(case: Case):
    assert case.after is not None
    assert apply(case.before.removesuffix("\n"), case.operations) == case.after.removesuffix("\n")


@pytest.mark.parametrize("case", [case for case in named(EDITS) if "---" not in case.values[0].before])
def test_the_documents_around_stay(case: Case):
    before = f"{BYSTANDER}---\n{case.before}---\n{BYSTANDER}"
    assert apply(before, case.operations, document=1) == f"{BYSTANDER}---\n{case.after}---\n{BYSTANDER}"


@pytest.mark.parametrize("case", named([case for case in EDITS if case.after == case.before]))
def test_an_edit_of_nothing_returns_the_same_text(case: Case):
    assert apply(case.before, case.operations) == case.before


def test_mixed_line_ends_are_those_of_the_neighbour():
    text = "a:\r\n  - x\r\nb:\n  - y\n"
    operations = [
        {"call": "add_entry", "path": ["a"], "value": "v"},
        {"call": "add_entry", "path": ["b"], "value": "w"},
    ]
    assert apply(text, operations) == "a:\r\n  - x\r\n  - v\r\nb:\n  - y\n  - w\n"
