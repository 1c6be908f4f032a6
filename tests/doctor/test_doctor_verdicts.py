"""The verdicts of `release doctor` on values that no server on this machine gives, and how a report reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_tool.doctor import base_branch, git, github_branch, github_repository, workflows
from release_tool.doctor.diagnosis import Diagnosis, DoctorReport, of_error, ok
from release_tool.errors import FileProblems, Problem, ReleaseError, TryAgain
from release_tool.forges import none
from release_tool.forges.github.settings import BranchRule, Credential, Protection, RepositorySettings
from release_tool.forges.unrecognised import Advice
from release_tool.git.examine import Signing, capabilities_of
from release_tool.report.doctor import report_text

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
SETTINGS = RepositorySettings("https://github.com/a/b", "main", False, False, False, "", True, False, None)
NONE_PASSED = github_branch.Passed({})


def verdicts(found: Iterable[Diagnosis]) -> list[str]:
    return [one.verdict for one in found]


# git


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("2.38.0", "ok"), ("2.39.5 (Apple Git-154)", "ok"), ("2.37.9", "error"), ("3.0.0", "ok"), ("new", "unknown")],
)
def test_git_is_new_enough_from_2_38(said: str, verdict: str) -> None:
    assert git.version(said).verdict == verdict


def test_the_capabilities_of_a_server_are_read_from_what_the_client_got() -> None:
    trace = (
        "17:25 pkt-line.c:80  packet:  upload-pack> fetch=shallow filter\n"
        "17:25 pkt-line.c:80  packet:          git< version 2\n"
        "17:25 pkt-line.c:80  packet:          git< fetch=shallow wait-for-done\n"
    )
    assert capabilities_of(trace) == (2, False)
    assert capabilities_of(trace + "packet:    ls-remote< fetch=shallow filter\n") == (2, True)
    assert capabilities_of("packet:    ls-remote< 12ab HEAD\\0multi_ack filter agent=git/2.1\n") == (0, True)
    assert capabilities_of("") == (0, False)


def test_a_key_of_openpgp_may_go_without_a_name() -> None:
    assert git.signing(Signing(wanted=True, form="openpgp", key=False)).verdict == "ok"


# tokens


def test_a_token_that_ends_soon_is_told() -> None:
    soon = Credential(("repo",), NOW + timedelta(days=3))
    later = Credential(("repo",), NOW + timedelta(days=30))
    assert verdicts(github_repository.token("it", "X", soon, SETTINGS, reads_pulls=True, now=NOW)) == ["ok", "warning"]
    assert verdicts(github_repository.token("it", "X", later, SETTINGS, reads_pulls=True, now=NOW)) == ["ok"]


def test_public_repo_is_enough_for_a_public_repository_only() -> None:
    scopes = Credential(("public_repo",), None)
    private = SETTINGS._replace(private=True)
    assert verdicts(github_repository.token("it", "X", scopes, SETTINGS, reads_pulls=True, now=NOW)) == ["ok"]
    assert verdicts(github_repository.token("it", "X", scopes, private, reads_pulls=True, now=NOW)) == ["error"]


def test_kinds_of_tokens_are_told_by_their_beginning() -> None:
    assert github_repository.kind_of("github_pat_1") == "a fine-grained token"
    assert github_repository.kind_of("0123456789a") == "a token of unknown kind"


def test_a_disabled_repository_is_an_error() -> None:
    assert verdicts(github_repository.repository(SETTINGS._replace(disabled=True), "main")) == ["error"]


# rules


def test_whether_a_push_passes_is_told_only_where_it_can_be() -> None:
    def pushable(
        protection: Protection | None, *rules: BranchRule, admin: bool = False, passed: str = ""
    ) -> bool | None:
        known = github_branch.Passed({1: passed} if passed else {})
        return github_branch.demands(protection, rules, known, admin=admin).pushable

    update = BranchRule("update", {}, 1)
    assert pushable(None) is True
    assert pushable(Protection(linear=True)) is True
    assert pushable(Protection(reviews=1)) is False
    assert pushable(Protection(reviews=1), admin=True) is True
    assert pushable(Protection(reviews=1, for_admins=True), admin=True) is False
    assert pushable(Protection(reviews=1, exempts=True)) is None
    assert pushable(Protection(only_some=True)) is None
    assert pushable(Protection(locked=True)) is False
    assert pushable(None, update) is None
    assert pushable(None, update, passed="exempt") is True
    assert pushable(None, update, passed="pull_requests_only") is False
    assert pushable(Protection(reviews=1, exempts=True), update, passed="never") is False


def test_rules_of_several_rulesets_add_up() -> None:
    rules = [
        BranchRule(
            "pull_request",
            {"required_approving_review_count": 2, "allowed_merge_methods": ["merge", "squash"]},
            1,
        ),
        BranchRule("required_linear_history", {}, 2),
        BranchRule("required_status_checks", {"required_status_checks": [{"context": "check"}]}, 2),
        BranchRule("merge_queue", {}, 3),
    ]
    found = github_branch.demands(Protection(reviews=1, checks=("lint",)), rules, NONE_PASSED, admin=False)
    assert (found.reviews, found.methods, found.checks, found.queued) == (2, ("squash",), ("lint", "check"), True)


# workflows


@pytest.mark.parametrize(
    "job",
    [
        "steps: [{run: release bump devel v1}]",
        "steps: [{run: 'release --repo . -v bump devel v1'}]",
        'steps: [{run: "cd x\\nrelease --output=json \\\\\\n  bump devel v1"}]',
        "steps: [{run: 'release --repo https://example.com/sync.git bump devel v1'}]",
        "steps: [{uses: team/release@abc, with: {command: bump}}]",
        "steps: [{uses: ./.release-tool, with: {command: bump}}]",
        "uses: team/release/.github/workflows/bump.yml@abc",
    ],
)
def test_a_workflow_is_known_by_what_it_runs(job: str) -> None:
    assert workflows.read("x.yml", f"jobs:\n  it:\n    {job}\n").verbs == {"bump"}


@pytest.mark.parametrize(
    "job",
    [
        "steps: [{run: make release notes}]",
        "steps: [{uses: a/b@c, with: {command: bump}}]",
        "steps: [{run: my-release bump}]",
        "steps: [{run: release sync-all}]",
    ],
)
def test_what_only_looks_like_it_is_none(job: str) -> None:
    assert workflows.read("x.yml", f"jobs:\n  it:\n    {job}\n").verbs == set()


@pytest.mark.parametrize(
    ("where", "held"),
    [
        ("concurrency: a\njobs:\n  it:\n    steps: [{run: release bump devel v1}]\n", True),
        ("jobs:\n  it:\n    concurrency: {group: a}\n    steps: [{run: release bump devel v1}]\n", True),
        (
            "jobs:\n  other:\n    concurrency: a\n    steps: [{run: 'true'}]\n  it:\n    steps: [{run: release bump d v}]\n",
            False,
        ),
        ("concurrency: 'a-${{ github.run_id }}'\njobs:\n  it:\n    steps: [{run: release bump devel v1}]\n", False),
        ("concurrency: a\njobs:\n  it:\n    steps: [{run: release cleanup}]\n", False),
    ],
)
def test_a_group_counts_where_it_holds_up_a_bump(where: str, held: bool) -> None:
    found = list(workflows.workflows({"bump-it.yml": where}, promotes=False, guarded=False))
    assert ("error" in verdicts(found)) is held


def test_a_workflow_that_is_no_yaml_hides_no_other_one() -> None:
    found = list(workflows.workflows({"a.yml": "a: [", "bump.yml": "jobs: {}"}, promotes=False, guarded=False))
    assert found[0].where.startswith("a.yml:")
    assert not [one for one in found if one.what == "none runs `release bump`"]


@given(st.text(max_size=300))
def test_any_text_is_a_workflow_or_no_yaml(text: str) -> None:
    list(workflows.workflows({".github/workflows/x.yml": text}, promotes=True, guarded=True))


def test_a_long_line_of_options_is_read_in_time() -> None:
    line = "release " + "--a-b-c d " * 5000 + "!"
    assert workflows.read("x.yml", f"jobs: {{it: {{steps: [{{run: '{line}'}}]}}}}").verbs == set()


# the rest


def test_a_clock_may_be_a_minute_off() -> None:
    verdict = [base_branch.clock(NOW, NOW - timedelta(seconds=skew), "there").verdict for skew in (0, 60, -60, 61, -61)]
    assert verdict == ["ok", "ok", "ok", "warning", "warning"]


def test_no_forge_is_told_where_one_is_missed() -> None:
    advice = Advice("no forge is known", "name it")
    assert (
        base_branch.forge(none.CAPABILITIES, "auto", "https://git.example.com/a", direct=False, advice=advice).verdict
        == "warning"
    )
    assert base_branch.forge(none.CAPABILITIES, "", "https://git.example.com/a", direct=False).verdict == "ok"
    assert (
        base_branch.forge(none.CAPABILITIES, "auto", "https://git.example.com/a", direct=True, advice=advice).verdict
        == "ok"
    )


def test_an_error_is_a_finding() -> None:
    assert verdicts(of_error("x", TryAgain("away"))) == ["unknown"]
    (one,) = of_error("x", ReleaseError("broken", where="there", cause="rust", hint="oil"))
    assert one == Diagnosis("error", "x", "broken (rust)", "there", "", "oil")
    problems = [Problem(2, 1, "a", "wrong"), Problem(1, 1, "", "odd", "mend it")]
    assert [one.where for one in of_error("x", FileProblems("f", problems))] == ["f:1:1", "f:2:1"]


def test_the_status_says_whether_somebody_must_act() -> None:
    error, warning, unknown = (Diagnosis(kind, "x", "y") for kind in ("error", "warning", "unknown"))  # type: ignore[arg-type]
    assert DoctorReport((ok("x", "y"), warning, unknown)).exit_code == 0
    assert DoctorReport((error,)).exit_code == 1
    assert DoctorReport((error,), away=True).exit_code == 75


@pytest.mark.parametrize("width", [60, 80])
def test_a_report_fits_its_terminal(width: int) -> None:
    wanted = github_branch.Wanted("main", "https://github.com/a/b", ("devel",), True, False)
    protection = Protection(reviews=1, dismisses=True, checks=("check",), strict=True, signed=True)
    found = github_branch.demands(protection, [], NONE_PASSED, admin=False)
    rule = BranchRule("update", {}, 1)
    told = [
        *github_branch.base(found, wanted),
        *github_branch.rolling({"release/devel": [rule]}, NONE_PASSED, wanted),
        *github_repository.repository(SETTINGS._replace(archived=True, parent="c/d", may_push=False), "trunk"),
    ]
    text = report_text(DoctorReport(tuple(told)), width)
    assert all(len(line) <= width for line in text.splitlines()), text
    assert text.endswith("3 errors, 3 warnings, 1 unknown, 2 right")


def test_texts_from_outside_can_do_nothing_to_a_terminal() -> None:
    text = report_text(DoctorReport((Diagnosis("error", "x\x1b[2J", "y\nz", "\x07", "w", "v"),)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert len(text.splitlines()) == 6


# calls of this tool's workflows

CALL = "jobs:\n  it:\n    uses: acme/release/.github/workflows/{verb}.yml@c0ffee\n"
GRANTED = "    permissions: {contents: write, pull-requests: write, packages: read}\n"


def of_call(more: str, verb: str = "promote") -> list[Diagnosis]:
    text = CALL.format(verb=verb) + more
    found = workflows.workflows({".github/workflows/x.yml": text}, promotes=True, guarded=True)
    return [one for one in found if one.where == ".github/workflows/x.yml, job `it`"]


@pytest.mark.parametrize(
    ("more", "what", "mend"),
    [
        ("    environment: production\n", "`environment` stands beside `uses:`", "below `with:`, as `environment: "),
        ("    runs-on: own\n", "`runs-on` stands beside `uses:`", "below `with:`, as `runs-on: "),
        ("    with: {runs-on: '[self-hosted, own]'}\n", "is no JSON: [self-hosted, own]", "runs-on: '[\"self-hosted\""),
        ("    with: {runs-on: [self-hosted, own]}\n", "is no JSON: ['self-hosted', 'own']", "runs-on: '[\"self-hosted\""),
        ("    with: {app-client-id: Iv1}\n", "RELEASE_APP_PRIVATE_KEY is not handed on", "${{ secrets.RELEASE_APP_PRIVATE_KEY }}"),
        ("    with: {registry: r.example.com}\n", "RELEASE_REGISTRY_PASSWORD is not handed on", "below `secrets:`"),
        ("    concurrency: release-cleanup\n", "group `release-cleanup` is around the call", "another name"),
    ],
)  # fmt: skip
def test_a_call_that_github_refuses_or_that_lacks_something_is_told(more: str, what: str, mend: str) -> None:
    (found,) = of_call(GRANTED + more)
    assert found.verdict == "error"
    assert what in found.what
    assert mend in found.mend


@pytest.mark.parametrize(
    "more",
    [
        "    with: {runs-on: own, environment: production}\n",
        '    with: {runs-on: \'["self-hosted", "own"]\'}\n',
        '    with: {runs-on: \'{"group": "own"}\'}\n',
        "    with: {runs-on: '${{ vars.X }}', registry: ghcr.io}\n",
        "    with: {app-client-id: Iv1, registry: r.example.com}\n    secrets: inherit\n",
        "    with: {app-client-id: Iv1}\n    secrets: {RELEASE_APP_PRIVATE_KEY: x}\n",
    ],
)
def test_a_call_with_all_that_it_needs_is_right(more: str) -> None:
    assert of_call(GRANTED + more) == []


@pytest.mark.parametrize(
    ("verb", "granted", "lacks"),
    [
        ("promote", "{contents: write, pull-requests: write}", "packages: read"),
        ("bump", "read-all", "contents: write, pull-requests: write"),
        ("sync", "{}", "contents: write, pull-requests: write, packages: read"),
        ("check", "{contents: read, packages: read}", "pull-requests: write"),
        ("check", "{contents: write, pull-requests: write, packages: write}", ""),
        ("guard", "write-all", ""),
    ],
)
def test_a_caller_that_grants_too_little_is_told(verb: str, granted: str, lacks: str) -> None:
    found = of_call(f"    permissions: {granted}\n", verb)
    assert [one.what for one in found] == ([f"the permission {lacks} is not granted"] if lacks else [])
    whole = workflows.workflows(
        {"x.yml": f"permissions: {granted}\n{CALL.format(verb=verb)}"}, promotes=True, guarded=True
    )
    assert any(lacks in one.what for one in whole if one.verdict == "error") == bool(lacks)


def test_where_nothing_is_granted_the_settings_of_the_repository_count() -> None:
    assert of_call("") == []


def test_the_environments_that_promotions_wait_for_are_found() -> None:
    def gates(name: str) -> tuple[str, ...]:
        text = CALL.format(verb="promote") + f"    with: {{environment: '{name}'}}\n"
        return workflows.gates({"x.yml": text, "bad.yml": "a: ["}, ["staging", "production"])

    assert gates("prod") == ("prod",)
    assert gates("${{ inputs.to }}") == ("staging", "production")
    assert gates("${{ vars.WHO_KNOWS }}") == ()
    assert workflows.gates({"x.yml": CALL.format(verb="bump") + "    with: {environment: devel}\n"}, ["staging"]) == ()
