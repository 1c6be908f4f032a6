"""The commands that change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release_tool.cli.call import print_failures
from release_tool.cli.parser import Command, environments_argument, not_empty
from release_tool.cli.screen import width
from release_tool.errors import Failed, ReleaseError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from release_tool.cli.call import Run


def _status_arguments(status: ArgumentParser) -> None:
    environments_argument(status)
    text = "also ask who calls the versions, where `retention.in_use` says how"
    status.add_argument("--in-use", action="store_true", help=text)
    text = "also judge the health of the live versions, where `health` says how"
    status.add_argument("--health", action="store_true", help=text)


def _status(run: Run) -> int:
    from release_tool.commands import status
    from release_tool.report.status import status_data, status_text

    given = run.arguments
    with run.tool() as tool:
        found = status.run(tool, given.environments, given.service, in_use=given.in_use, health=given.health)
    run.show(lambda: status_data(found), lambda: status_text(found, width()))
    failures = [(one.place.title, error) for one in found.environments() for error in one.errors]
    for title, error in failures:  # all of it stands in its place on standard output
        run.say(f"{title}: {error}")
    return ReleaseError.exit_code if failures else 0


def _explain_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="the environment")
    parser.add_argument("wanted", type=not_empty, metavar="VERSION", help="name of the version (v5), or its tag")


def _explain(run: Run) -> int:
    from release_tool.commands import explain
    from release_tool.report.explain import explanation_data, explanation_text

    given = run.arguments
    with run.tool() as tool:
        found = explain.run(tool, given.environment, given.wanted, given.service)
    run.show(lambda: explanation_data(found), lambda: explanation_text(found, width()))
    return 0


def _history_arguments(history: ArgumentParser) -> None:
    environments_argument(history)
    text = "only what is about this version, name or tag"
    history.add_argument("--version", default="", metavar="NAME|TAG", dest="wanted", help=text)
    text = "only this operation: bump, promote, …; may be given several times"
    history.add_argument("--operation", action="append", default=[], metavar="OP", help=text)
    text = "from this time on: 2026-11-23, 2026-11-23T12:00:00Z, or 14d (12h, 6w) back"
    history.add_argument("--since", default="", metavar="TIME", help=text)
    history.add_argument("--until", default="", metavar="TIME", help="up to this time; a day is included")
    history.add_argument("--limit", type=int, metavar="N", help="the newest N; none: all")
    history.add_argument("--pending", action="store_true", help="also the operations that wait on release branches")


def _history(run: Run) -> int:
    from release_tool.commands import history
    from release_tool.report.history import history_data, history_text

    given = run.arguments
    wanted = history.HistoryFilter(
        environments=given.environments,
        service=given.service,
        version=given.wanted,
        operations=given.operation,
        since=given.since,
        until=given.until,
        limit=given.limit,
        pending=given.pending,
    )
    history.check_usage(wanted, run.now())
    with run.tool() as tool:
        found = history.run(tool, wanted)
    if not found.entries and not found.failed:
        run.say("no such operation is recorded")
    run.show(lambda: history_data(found.entries), lambda: history_text(found.entries, width()), is_long=True)
    return print_failures(run, found.failed)


def _rendering_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("environment", metavar="ENV", help="the environment")
    parser.add_argument(
        "--ref",
        metavar="BRANCH",
        help="the environment as this branch of the remote has it; chart and configuration stay those of the base",
    )


def _render(run: Run) -> int:
    from release_tool.commands import render

    with run.tool(renders=True) as tool:
        text = render.run(tool, run.arguments.environment, run.arguments.ref, run.arguments.service)
    data = {"environment": run.arguments.environment, "manifests": text}
    run.show(lambda: data, lambda: text.rstrip("\n"), is_data=True, is_long=True)  # for kubectl, say
    return 0


def _diff_arguments(diff: ArgumentParser) -> None:
    diff.add_argument("environment", metavar="ENV", nargs="?", default="", help="none: all environments")
    text = "the versions and values of this branch of the remote, by the chart of the base; none: the release branch"
    diff.add_argument("--ref", metavar="BRANCH", help=text)
    text = "keep one comment on pull request N that shows the difference, where the forge keeps comments (without ENV)"
    diff.add_argument("--comment", type=int, metavar="N", help=text)


def _diff(run: Run) -> int:
    from release_tool.commands import render
    from release_tool.config import title_of
    from release_tool.report.outcome import difference_data, difference_text

    if not run.arguments.environment:
        return _diff_everywhere(run)
    with run.tool(renders=True) as tool:
        found = render.diff(tool, run.arguments.environment, run.arguments.ref, run.arguments.service)
    run.show(
        lambda: difference_data(run.arguments.environment, found),
        lambda: "" if found is None else difference_text(found),
        is_long=True,
        difference=True,
    )
    title = title_of(run.arguments.environment, run.arguments.service)
    run.tell_job(lambda job: job.difference(title, found))
    return 0


def _diff_everywhere(run: Run) -> int:
    from release_tool.commands import diff_comment
    from release_tool.report.outcome import difference_data, difference_text

    given = run.arguments
    with run.tool(renders=True) as tool:
        found = diff_comment.run(tool, given.ref, given.service)
        if given.comment is not None:
            diff_comment.comment(tool, given.comment, found, kept=run.job is not None)
    run.show(
        lambda: [difference_data(one.environment, one.changes, one.service) for one in found],
        lambda: "\n".join(difference_text(one.changes) for one in found if one.changes),
        is_long=True,
        difference=True,
    )
    run.tell_job(lambda job: "".join(job.difference(one.title, one.changes) for one in found if one.changes))
    return print_failures(run, [Failed(one.title, one.error) for one in found if one.error])


def _check_arguments(check: ArgumentParser) -> None:
    check.add_argument("--ref", metavar="BRANCH", help="check this branch of the remote, merged into the base")
    text = "judge the step from this branch of the remote, too; without BRANCH: from the base branch"
    check.add_argument("--base", metavar="BRANCH", nargs="?", const="", help=text)
    text = "also write what is found to FILE, as GitLab's merge requests show it (Code Climate's JSON)"
    check.add_argument("--code-quality", metavar="FILE", type=not_empty, help=text)
    text = "also write a test for each file that was checked to FILE, for any CI system"
    check.add_argument("--junit", metavar="FILE", type=not_empty, help=text)


def _check(run: Run) -> int:
    from release_tool import wiring
    from release_tool.cli.pages import with_addresses
    from release_tool.commands import check
    from release_tool.report.check import report_data, report_text
    from release_tool.report.check_files import code_quality, junit

    given = run.arguments
    wiring.warm_up()
    if given.ref or given.repo:
        with run.tool() as tool:
            found = check.with_left_over(tool, check.run_at(tool, given.ref, given.base))
    elif given.base is not None:
        with run.tool() as tool:
            found = check.run_in(tool, wiring.working_tree(given.directory), given.base)
            found = check.with_left_over(tool, found)
    else:
        found = check.run(wiring.working_tree(given.directory), given.config, wiring.make_renderer, now=run.now())
    run.show(lambda: report_data(found), lambda: with_addresses(report_text(found, width())))
    for path, text in ((given.code_quality, code_quality), (given.junit, junit)):
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text(found, given.config), "utf-8")
    run.tell_job(lambda job: job.checked(found))
    return 1 if found.findings else 0


COMMANDS = {
    "status": Command(
        "the version x environment matrix; what is live, waits and comes",
        ("release status", "release status devel --health --in-use"),
        _status_arguments,
        _status,
    ),
    "explain": Command(
        "why a version is where it is, and what would move it",
        ("release explain devel v4", "release explain production v1.0.4 --output json"),
        _explain_arguments,
        _explain,
    ),
    "history": Command(
        "who moved what, when, why, with which run; newest first",
        ("release history devel --limit 5", "release history --version v5 --since 14d --pending"),
        _history_arguments,
        _history,
    ),
    "render": Command(
        "the manifests of an environment, as the base branch gives them",
        ("release render devel", "release render devel --ref release/devel"),
        _rendering_arguments,
        _render,
    ),
    "diff": Command(
        "how the manifests differ from the base branch, object by object",
        ("release diff devel", "release diff --ref feature --comment 12"),
        _diff_arguments,
        _diff,
    ),
    "check": Command(
        "find what is wrong in files, policies and renderings",
        ("release check", "release check --ref feature --base"),
        _check_arguments,
        _check,
    ),
}
