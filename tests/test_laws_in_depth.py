"""Every law again, with many more examples."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path += [
    str(Path(__file__).parent / folder)
    for folder in ("config", "manifests", "model", "rules", "tagfile", "pull_request")
]

import test_archive
import test_bump_rules
import test_compose_laws
import test_config_laws
import test_explain
import test_fallback_target
import test_forecast
import test_guard_decision
import test_life_of_an_environment
import test_manifest_laws
import test_planning_again
import test_record
import test_record_laws
import test_restoring
import test_retention_rules
import test_state_changes
import test_tag_comments
import test_tag_file
import test_version_order
import test_words_of_plans
from model_builders import LAWS

MODULES = (
    test_archive,
    test_bump_rules,
    test_compose_laws,
    test_config_laws,
    test_explain,
    test_fallback_target,
    test_forecast,
    test_guard_decision,
    test_life_of_an_environment,
    test_manifest_laws,
    test_planning_again,
    test_record,
    test_record_laws,
    test_restoring,
    test_retention_rules,
    test_state_changes,
    test_tag_comments,
    test_tag_file,
    test_version_order,
    test_words_of_plans,
)


def test_every_law_is_known_here() -> None:
    assert {check.check.__module__ for check in LAWS.values()} <= {module.__name__ for module in MODULES}


@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted(LAWS))
def test_the_laws_hold_in_depth(name: str) -> None:
    LAWS[name].test(25 * LAWS[name].examples)()
