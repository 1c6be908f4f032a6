"""`release init`: its flags, its questions on a terminal, and what it prints before and after it writes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release_tool import __version__
from release_tool.cli.call import print_error
from release_tool.cli.parser import Command, not_empty
from release_tool.cli.screen import is_terminal, width
from release_tool.commands.init.pipelines import KINDS
from release_tool.errors import ReleaseError, UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from release_tool.cli.call import Run
    from release_tool.commands.init.planned import Planned
    from release_tool.commands.init.request import InitRequest
    from release_tool.commands.init.survey import Survey


def _arguments(init: ArgumentParser) -> None:
    one: dict[str, Any] = {"type": not_empty}
    add = init.add_argument
    add("--environments", metavar="NAMES", **one, help="in promotion order, with commas: devel,staging,production")
    add("--name", metavar="NAME", **one, help="the name of the Helm release")
    add("--namespace", metavar="NAME", **one, help="the Kubernetes namespace; without it, the name")
    add("--base", metavar="BRANCH", **one, help="the branch that the cluster follows")
    add("--path", metavar="PATH", **one, help="the directory of an environment: deploy/{environment}")
    add("--chart", metavar="PATH", **one, help="the directory of your chart, or git+https://…, oci://…")
    add("--chart-from", choices=("shipped", "library"),
        help="shipped: the chart of `release`; library: its routes, for the Deployment of your own chart")  # fmt: skip
    add("--image", metavar="IMAGE", **one, help="the image without its tag, for that chart")
    add("--versions-key", metavar="KEY", **one, help="where your chart looks for its versions: engine.image")
    add("--values", metavar="FILE", action="append", default=[], type=not_empty,
        help="a values file that is there, with {environment} in its path; several in Helm's order")  # fmt: skip
    running = init.add_argument_group("the versions that run")
    running.add_argument("--tag", metavar="[ENV=]TAG", action="append", default=[], type=not_empty,
        help="a tag that runs, in ENV or in each environment; several, the oldest first")  # fmt: skip
    running.add_argument("--from", dest="file", metavar="FILE", **one,
        help="take the tags from a values file; {environment} is filled in")  # fmt: skip
    running.add_argument("--key", metavar="KEY", **one, help="where they stand in it: app.image.tag")
    running.add_argument("--default", metavar="TAG", **one,
        help="the one for calls that name none; else that of --from or its first, or the newest --tag")  # fmt: skip
    more = init.add_argument_group("on request")
    more.add_argument("--workflows", nargs="?", const="auto", choices=("auto", *KINDS), default="",
        metavar="CI", help="what calls this tool's workflows, for the CI of "
        f"{', '.join(KINDS)}; auto: of the remote's forge, else GitHub")  # fmt: skip
    more.add_argument("--tool", metavar="REPO@COMMIT", **one, help="this tool's repository there, by a commit")
    more.add_argument(
        "--codeowners", metavar="OWNER", action="append", default=[], help="lines in CODEOWNERS: @org/team"
    )
    more.add_argument("--pre-commit", action="store_true", help="`release check` before each commit")
    more.add_argument("--deliver", choices=("argocd", "applicationset", "flux"), default="",
        help="what a cluster applies: an Application for each environment, one ApplicationSet, or Flux")  # fmt: skip
    how = init.add_argument_group("how")
    how.add_argument("--yes", action="store_true", help="ask nothing, take what is usual, make the git repository")
    how.add_argument("--force", action="store_true", help="overwrite what stands; the difference is shown first")
    how.add_argument("--upgrade", action="store_true",
        help="show what this version changes in the files that an older one wrote; with --yes write it")  # fmt: skip
    how.add_argument("--conflicts", choices=("yours", "new", "mark"), default="",
        help="lines that you and the new version changed: keep yours, take the new, or mark both")  # fmt: skip
    how.add_argument("--dry-run", action="store_true", help="show what would be written; write nothing")


def _init(run: Run) -> int:
    from release_tool import wiring
    from release_tool.cli.init_questions import yes
    from release_tool.cli.pages import with_addresses
    from release_tool.commands.init import writing
    from release_tool.commands.init.survey import survey
    from release_tool.report.init import next_text, plan_data, plan_text

    given = run.arguments
    if given.repo:
        raise UsageError("--repo and init exclude each other", hint="init writes into a directory: name it with -C DIR")
    if given.service:
        raise UsageError(
            "--service and init exclude each other", hint="init writes what a repository of one service needs"
        )
    if given.path and "{environment}" not in given.path:
        raise UsageError("--path holds no {environment}", hint="write it like deploy/{environment}")
    as_text = given.output == "text"
    asks = as_text and not (given.yes or given.dry_run) and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    found = survey(given.directory, given.config, wiring.working_tree, given.path or "")
    here = found.top == Path.cwd()
    planned = _upgrade(run, found) if given.upgrade else _plan(run, found, asks=asks)
    if as_text:
        run.show(dict, lambda: with_addresses(plan_text(planned, width())))
    refused = given.dry_run or planned.report.findings or planned.conflicts
    wanted = not refused and (asks or given.yes or not given.upgrade)
    if wanted:
        writing.demand_clean(planned)
    written = wanted and (not asks or not planned.written or yes("Write this?"))
    if written:
        writing.write(planned, wiring.working_tree)
    commands = writing.next_commands(planned, here=here) if written else []
    more = writing.own_command(planned, here=here)
    ending = lambda: "\n" + next_text(planned, commands, "" if refused else more)  # noqa: E731
    run.show(lambda: plan_data(planned, written=written, commands=commands), ending)
    if planned.conflicts:
        print_error(_conflict(planned, more), run.job)
    elif planned.report.findings:
        print_error(_refusal(planned), run.job)
    return 1 if planned.conflicts or planned.report.findings else 0


def _plan(run: Run, found: Survey, *, asks: bool) -> Planned:
    from release_tool import wiring
    from release_tool.cli.init_questions import asked
    from release_tool.commands.init import planning, writing

    given = run.arguments
    if given.conflicts:
        raise UsageError("--conflicts is for --upgrade", hint="add --upgrade, or leave --conflicts out")
    if found.tree is None and not asks and not (given.yes or given.dry_run):
        raise writing.no_repository(found.top)
    request = _request(run)
    request = asked(found, request) if asks else request
    wiring.warm_up()
    return planning.plan(found, request, wiring.make_renderer, run.now())


def _upgrade(run: Run, found: Survey) -> Planned:
    from release_tool import wiring
    from release_tool.commands.init.request import InitRequest
    from release_tool.commands.init.upgrade import plan_upgrade

    request = _request(run)
    if request != InitRequest(request.config, tool=request.tool):
        what = "--upgrade takes the answers that were noted when the files were written"
        raise UsageError(what, hint="leave the other flags out; --tool, --conflicts, --yes and --dry-run go with it")
    wiring.warm_up()
    return plan_upgrade(found, request, run.arguments.conflicts, wiring.make_renderer, run.now())


def _conflict(planned: Planned, command: str) -> ReleaseError:
    count = len(planned.conflicts)
    what = f"you and release {__version__} changed the same places of {count} file{'' if count == 1 else 's'}"
    hint = f"`{command} --conflicts yours` keeps your lines, `--conflicts new` takes the new ones, `--conflicts mark`"
    return ReleaseError(what, where=", ".join(planned.conflicts[:10]), hint=f"{hint} writes both for you to edit")


def _refusal(planned: Planned) -> ReleaseError:
    first, more = planned.report.findings[0], len(planned.report.findings) - 1
    what = f"`release check` would refuse this{f', and {more} more' if more else ''}: {first.what}"
    if planned.report.findings and not planned.report.checked:
        return ReleaseError(first.what, where=first.where, hint=first.hint)
    kept = {one.path for one in planned.files if one.state == "kept"}
    also = ", or let --force change this file" if first.where.partition(":")[0] in kept else ""
    rows = [row for one in planned.report.charts for row in one.abilities]
    if any(row.subject == "versions" and row.verdict == "error" for row in rows):
        also += "; `--chart-from library` does it around a Deployment for one tag"
    return ReleaseError(what, where=first.where, hint=f"{first.hint}{also}")


def _request(run: Run) -> InitRequest:
    from release_tool.commands.init.request import InitRequest

    given = run.arguments
    return InitRequest(
        config=given.config,
        environments=tuple(name for name in (given.environments or "").split(",") if name),
        name=given.name or "",
        namespace=given.namespace or "",
        base=given.base or "",
        path=given.path or "",
        chart=(given.chart or "").rstrip("/").removeprefix("./"),
        shipped=given.chart_from == "shipped",
        library=given.chart_from == "library",
        image=given.image or "",
        tags=tuple(given.tag),
        default=given.default or "",
        file=given.file or "",
        key=given.key or "",
        versions_key=given.versions_key or "",
        values=tuple(given.values),
        workflows=given.workflows,
        tool=given.tool or "",
        codeowners=tuple(given.codeowners),
        pre_commit=given.pre_commit,
        deliver=given.deliver or "",
        force=given.force,
    )


COMMANDS = {
    "init": Command(
        "write what a repository needs: configuration, environments, chart",
        (
            "release init --dry-run",
            "release init --environments devel,production --chart charts/engine --from values.yaml --key image.tag",
        ),
        _arguments,
        _init,
    ),
}
