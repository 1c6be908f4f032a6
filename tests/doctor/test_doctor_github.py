"""`release doctor` on GitHub: each wrong setting is a finding, and mended it is none."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from doctor_world import WORKFLOW, OnGitHub
from standin import Protection, Ruleset, faults

from release_tool import wiring
from release_tool.commands import doctor

DIRECT = "  devel:\n    publish: {mode: direct}\n"


def test_a_repository_that_is_set_up_well_has_nothing_to_mend(github: OnGitHub) -> None:
    found = github.look()
    assert (found.code, found.bad()) == (0, [])
    assert "acme/shop" in found.one("remote", "ok")["what"]
    assert found.one("forge", "ok")["what"].startswith("github")


@pytest.mark.parametrize(
    ("setting", "wrong", "about", "verdict", "says"),
    [
        ("archived", True, "repository", "error", "archived"),
        ("parent", "upstream/shop", "repository", "warning", "fork"),
        ("allow_auto_merge", False, "auto-merge", "warning", "not allowed"),
        ("delete_branch_on_merge", False, "merged branches", "warning", "stay"),
        ("actions_enabled", False, "Actions", "warning", "switched off"),
        ("actions_may_open_pull_requests", False, "Actions", "warning", "may not open pull requests"),
    ],
)
def test_a_wrong_setting_is_found_and_mended(
    github: OnGitHub, setting: str, wrong: object, about: str, verdict: str, says: str
) -> None:
    right = getattr(github.repository, setting)
    setattr(github.repository, setting, wrong)
    found = github.look()
    one = found.one(about, verdict)
    assert says in one["what"]
    assert one["why"]
    assert github.standin.web in one["mend"] or "--repo" in one["mend"]
    assert found.code == (1 if verdict == "error" else 0)
    setattr(github.repository, setting, right)
    assert github.look().bad() == []


def test_an_archived_repository_takes_no_push_either(github: OnGitHub) -> None:
    github.repository.archived = True
    assert github.look().of("push", "error")


def test_no_way_of_merging_is_left_by_settings_and_rules_together(github: OnGitHub) -> None:
    github.repository.allow_squash_merge = github.repository.allow_rebase_merge = False
    assert github.look().one("merging", "ok")["what"] == "by merge"
    github.repository.protections["main"].required_linear_history = True
    assert "merge" in github.look().one("merging", "error")["what"]


def test_methods_that_a_ruleset_allows_are_counted_too(github: OnGitHub) -> None:
    parameters = {
        "required_approving_review_count": 0, "dismiss_stale_reviews_on_push": False, "allowed_merge_methods": ["squash"],
        "require_code_owner_review": False, "require_last_push_approval": False,
        "required_review_thread_resolution": False,
    }  # fmt: skip
    github.repository.rulesets.append(Ruleset(7, "main", ("main",), {"pull_request": parameters}))
    assert github.look().one("merging", "ok")["what"] == "by squash"


# tokens


def test_without_a_token_nothing_else_is_asked(github: OnGitHub) -> None:
    github.environment.delenv("GITHUB_TOKEN")
    found = github.look()
    assert found.one("token", "error")["mend"].startswith("set one of them")
    assert github.standin.calls() == []
    assert found.code == 1


def test_a_classic_token_names_its_scopes(github: OnGitHub) -> None:
    assert "repo, workflow" in github.look().one("token", "ok")["what"]
    github.use(github.standin.add_token("alice", "classic", scopes=("gist",)))
    found = github.look()
    assert "without repo" in found.one("token", "error")["what"]
    assert found.of("push", "error")


def test_a_token_that_was_revoked_is_an_error_and_the_rest_is_examined(github: OnGitHub) -> None:
    github.token.revoked = True
    found = github.look()
    assert found.code == 1
    assert [one for one in found.listed if "does not accept" in one["what"] or "doesn't accept" in one["what"]]


@pytest.mark.parametrize("kind", ["fine-grained", "app"])
def test_what_a_token_writes_can_not_be_told_and_is_said(github: OnGitHub, kind: str) -> None:
    login = "shop-bot[bot]" if kind == "app" else "alice"
    github.use(github.standin.add_token(login, kind))
    found = github.look()
    assert "shows only when it does" in found.one("token", "unknown")["what"]
    assert found.code == 0
    github.repository.private = True
    github.use(github.standin.add_token(login, kind, {"contents": "write", "administration": "read"}))
    assert "may not read pull requests" in github.look().one("token", "error")["what"]


def test_a_token_that_may_not_push_is_told_twice(github: OnGitHub) -> None:
    github.use(github.standin.add_token(permissions={"contents": "read", "pull_requests": "write"}))
    found = github.look()
    assert "may not push" in found.one("repository", "error")["what"]
    assert found.one("push", "error")["what"].startswith("no permission")
    assert found.one("merging", "unknown")
    assert found.one("Actions", "unknown")


def test_what_the_token_may_not_see_is_unknown_with_the_permission(github: OnGitHub) -> None:
    github.use(github.standin.add_token(permissions={"contents": "write", "pull_requests": "write"}))
    found = github.look()
    assert "Administration: read" in found.one("Actions", "unknown")["mend"]
    assert "can't be seen" in found.one("protection", "unknown")["what"]


def test_an_open_base_is_seen_without_administration(github: OnGitHub) -> None:
    del github.repository.protections["main"]
    github.use(github.standin.add_token(permissions={"contents": "write", "pull_requests": "write"}))
    assert "nothing protects" in github.look().one("protection", "warning")["what"]


def test_a_repository_that_the_token_does_not_see(github: OnGitHub) -> None:
    github.repository.private = True
    github.use(github.standin.add_token(repositories=("acme/other",)))
    found = github.look()
    assert found.code == 1
    assert found.of("remote", "error")


def test_the_token_shows_nowhere(github: OnGitHub, capfd: pytest.CaptureFixture[str]) -> None:
    github.token.scopes = ()
    for output in ("text", "json"):
        result = github.world.release("doctor", "--output", output, "-vv", code=1)
        assert github.token.value not in result.out + result.err + "".join(capfd.readouterr())


# the base branch


def test_an_unprotected_base_is_a_warning(github: OnGitHub) -> None:
    del github.repository.protections["main"]
    found = github.look()
    assert "nothing protects `main`" in found.one("protection", "warning")["what"]
    assert found.code == 0
    github.repository.protections["main"] = Protection(required_reviews=1)
    assert "no check must be green" in github.look().one("protection", "warning")["what"]


def test_an_approval_is_to_be_one_of_what_is_merged(github: OnGitHub) -> None:
    protection = github.repository.protections["main"]
    assert github.look().of("approvals") == [], "nobody reviews"
    text = github.world.file("release.yaml")
    github.commit({"release.yaml": f"publish: {{reviewers: [alice]}}\n{text}"})
    found = github.look().of("approvals", "warning")
    assert [("dismiss" in one["what"], "up to date" in one["what"]) for one in found] == [(True, False), (False, True)]
    protection.required_reviews, protection.strict = 1, True
    assert "dismiss" in github.look().one("approvals", "warning")["what"]
    protection.dismiss_stale_reviews = True
    assert github.look().one("approvals", "ok")


def test_a_merge_queue_wants_the_check_on_its_groups(github: OnGitHub) -> None:
    github.repository.rulesets.append(Ruleset(9, "queue", ("main",), {"merge_queue": {}}))
    one = github.look().one("merge queue", "error")
    assert "no workflow runs `release check` on merge_group" in one["what"]
    text = WORKFLOW.format(verb="check").replace("on: workflow_dispatch", "on: [pull_request, merge_group]")
    github.commit({".github/workflows/check.yml": text})
    assert github.look().one("merge queue", "ok")


def test_a_direct_environment_needs_a_bypass(github: OnGitHub) -> None:
    text = github.world.file("release.yaml")
    github.commit({"release.yaml": text.replace("  devel:\n", DIRECT)})
    protection = github.repository.protections["main"]
    assert github.look().one("direct pushes", "ok"), "administrators pass"
    protection.enforce_admins = True
    found = github.look()
    assert "takes no pushes" in found.one("direct pushes", "error")["what"]
    assert found.code == 1
    protection.contexts, protection.push_only_for = None, ("alice",)
    assert github.look().one("direct pushes", "unknown")


def test_a_ruleset_keeps_direct_pushes_out_but_for_those_who_may_bypass_it(github: OnGitHub) -> None:
    github.commit({"release.yaml": github.world.file("release.yaml").replace("  devel:\n", DIRECT)})
    ruleset = Ruleset(7, "main", ("main",), {"update": {}})
    github.repository.rulesets.append(ruleset)
    assert github.look().one("direct pushes", "error")["mend"].endswith("/settings/rules")
    ruleset.bypass = ("alice",)
    assert github.look().one("direct pushes", "ok")


def test_a_ruleset_on_release_branches_stands_in_the_way(github: OnGitHub) -> None:
    ruleset = Ruleset(7, "all", ("release/*",), {"non_fast_forward": {}, "deletion": {}, "required_linear_history": {}})
    github.repository.rulesets.append(ruleset)
    found = github.look()
    told = [(one["verdict"], one["what"].rpartition(": ")[2]) for one in found.of("release branches")]
    branches = "release/devel, release/staging, release/production"
    assert told == [("error", branches), ("warning", branches)]
    assert found.code == 1
    ruleset.bypass = ("alice",)
    assert github.look().one("release branches", "ok")


def test_signed_commits_are_wanted_and_made(github: OnGitHub) -> None:
    github.repository.rulesets.append(Ruleset(7, "main", ("main",), {"required_signatures": {}}))
    assert "wants signed commits" in github.look().one("signing", "warning")["what"]
    github.world.git("config", "commit.gpgSign", "true")
    github.world.git("config", "user.signingKey", "ABCD")
    assert github.look().of("signing", "warning") == []


def test_another_default_branch_is_told(github: OnGitHub) -> None:
    github.repository.default_branch = "develop"
    assert "`develop`" in github.look().one("repository", "warning")["what"]


# workflows


def test_a_workflow_that_is_missing_is_named(github: OnGitHub) -> None:
    github.commit({".github/workflows/sync.yml": None})
    assert github.look().one("workflows", "warning")["what"] == "none runs `release sync`"


def test_a_concurrency_group_on_bumps_is_an_error(github: OnGitHub) -> None:
    text = f"concurrency: bumps\n{WORKFLOW.format(verb='bump')}"
    github.commit({".github/workflows/bump.yml": text})
    found = github.look()
    assert "bump waits in the concurrency group `bumps`" in found.one("workflows", "error")["what"]
    assert found.code == 1


# the way there


def test_a_clock_that_is_wrong_is_told(github: OnGitHub) -> None:
    github.world.now += timedelta(minutes=10)
    assert "ahead of" in github.look().one("clock", "warning")["what"]


@pytest.mark.parametrize("fault", [faults.status(503), faults.reset_before(), faults.truncated_json()])
def test_an_api_that_is_down_is_unknown_and_the_rest_is_examined(github: OnGitHub, fault: faults.Fault) -> None:
    github.standin.fault("*", r"^/repos", fault, times=math.inf)
    found = github.look()
    assert found.one("GitHub", "unknown")
    assert found.one("chart", "ok")
    assert found.one("push", "ok")


def test_an_examination_that_fails_stops_no_other_one(github: OnGitHub) -> None:
    github.standin.fault("*", r"/actions/permissions", faults.status(500), times=math.inf)
    github.standin.fault("*", r"/protection", faults.status(429, Retry_After="30"), times=math.inf)
    found = github.look()
    assert found.bad() == [("unknown", "protection"), ("unknown", "Actions")]
    assert found.code == 0


def test_a_remote_that_is_away_is_another_status(github: OnGitHub) -> None:
    github.standin.fault("*", r"info/refs", faults.status(503), times=math.inf)
    found = github.look()
    assert found.code == 75
    assert "can't be reached" in found.one("remote", "error")["what"]


def test_what_hangs_is_left_behind(github: OnGitHub) -> None:
    github.standin.fault("*", r"/pulls", faults.hang(20))
    access = wiring.make_access(str(github.world.clone), None, "release.yaml", wiring.utc_now, 20)
    report = doctor.run(access, patience=3)
    assert [one.what for one in report.findings if one.verdict == "unknown"] == ["not done within 3 s"]
    assert [one.verdict for one in report.findings if one.about == "clock"] == ["ok"], "what was found until then stays"


def test_only_reads_are_sent(github: OnGitHub) -> None:
    github.look()
    assert {one.method for one in github.standin.calls()} == {"GET"}
    assert [one for one in github.standin.log if one.path.endswith("git-receive-pack") and one.method == "POST"] == []


def test_an_environment_that_promotions_wait_for_must_ask_somebody(github: OnGitHub) -> None:
    """GitHub makes an environment that is missing, without any rule."""
    call = "    uses: acme/release/.github/workflows/promote.yml@c0ffee\n    with: {environment: '${{ inputs.to }}'}\n"
    github.commit({".github/workflows/promote.yml": f"on: workflow_dispatch\njobs:\n  it:\n{call}"})
    missing = github.look().of("approvals", "warning")
    assert [one["what"].split("`")[1] for one in missing] == ["staging", "production"]
    github.repository.environments = {"staging": (), "production": ("branch_policy",)}
    assert "no environment that promotions wait for has reviewers" in github.look().one("approvals", "warning")["what"]
    github.repository.environments["production"] = ("required_reviewers", "branch_policy")
    assert github.look().one("approvals", "ok")["what"] == "promotions are approved before they run: production"
