"""The commands around the pipeline: pull requests, the set-up examined, and the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool import safe_text
from release_tool.cli.parser import Command, no_arguments, shared_options
from release_tool.cli.screen import width

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from release_tool.cli.call import Run


def _pulls_arguments(pulls: ArgumentParser) -> None:
    actions = pulls.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the open ones", parents=[shared_options()])
    listing.add_argument("--all", action="store_true", help="the finished ones too")
    for name, text in (("show", "one, whole"), ("merge", "merge one"), ("close", "close one without merging it")):
        sub = actions.add_parser(name, help=text, parents=[shared_options()])
        sub.add_argument("number", type=number, metavar="N", help="number of the pull request: 12, #12 or !12")
        if name == "merge":
            how = "how; not every forge has every way"
            sub.add_argument("--method", choices=("merge", "squash", "rebase"), default="merge", help=how)
        if name == "close":
            sub.add_argument("--comment", default="", help="why")


def number(text: str) -> int:
    """A number, also as the forge writes it."""
    return int(text[1:] if text[:1] in {"#", "!"} else text)


def _pulls(run: Run) -> int:
    from release_tool.commands import pulls
    from release_tool.report.pulls import pull_data, pull_text, pulls_text

    given = run.arguments
    with run.tool() as tool:
        if given.action == "list":
            found, advice = pulls.listed(tool, "all" if given.all else "open")
            if advice:
                run.say(advice)
            run.show(lambda: [pull_data(one) for one in found], lambda: pulls_text(found, width()))
            return 0
        if given.action == "show":
            one = pulls.shown(tool, given.number)
            run.show(lambda: pull_data(one), lambda: pull_text(one), is_long=True)
            return 0
        if given.action == "merge":
            one = pulls.merged(tool, given.number, given.method)
        else:
            one = pulls.closed(tool, given.number, given.comment)
    run.show(lambda: pull_data(one), lambda: f"{one.name} is {one.state}: {safe_text.one_line(one.title)}")
    return 0


def _doctor(run: Run) -> int:
    from release_tool import wiring
    from release_tool.cli.pages import with_addresses
    from release_tool.commands import doctor
    from release_tool.report.doctor import report_data, report_text

    given = run.arguments
    access = wiring.make_access(given.directory, given.repo, given.config, run.now, doctor.GIT_TIMEOUT)
    found = doctor.run(access, given.service)
    run.show(lambda: report_data(found), lambda: with_addresses(report_text(found, width())))
    return found.exit_code


def _demo_arguments(demo: ArgumentParser) -> None:
    text = "the story of a default that turns bad, instead of that of the pipeline"
    demo.add_argument("--downgrade", action="store_true", help=text)


def _demo(run: Run) -> int:
    from release_tool.commands import demo

    for text in demo.run(run.main, downgrade=run.arguments.downgrade):
        print(safe_text.lines(text), flush=True)
    return 0


COMMANDS = {
    "doctor": Command(
        "examine the set-up: remote, forge, token, rules, workflows",
        ("release doctor", "release doctor --repo https://github.com/team/app.git --service engine"),
        no_arguments,
        _doctor,
    ),
    "pulls": Command(
        "the pull requests of the repository, on every forge",
        ("release pulls list --all", "release pulls merge 1 --method squash"),
        _pulls_arguments,
        _pulls,
    ),
    "demo": Command(
        "show the whole pipeline in a temporary repository",
        ("release demo", "release demo --downgrade"),
        _demo_arguments,
        _demo,
    ),
}
