"""The commands by which somebody changes an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release_tool.cli.call import asked_of, show_outcome, show_outcomes
from release_tool.cli.parser import Command, changing_arguments, not_empty, until_argument
from release_tool.cli.screen import width

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from release_tool.cli.call import Run
    from release_tool.commands.local import Meant
    from release_tool.publishing.outcome import Invocation, Outcome


def _bump_arguments(bump: ArgumentParser) -> None:
    changing_arguments(bump, forced=True)
    bump.add_argument("environment", metavar="ENV", help="the environment that takes the bumps")
    bump.add_argument("tag", metavar="TAG", nargs="?", default="", help="image tag, `tag` or `tag@sha256:…`")
    text = "instead of TAG: every allowed tag of the registry that is newer than the newest known one"
    bump.add_argument("--from-registry", action="store_true", help=text)
    bump.add_argument("--image", default="", help="repository of the image, for the record")
    bump.add_argument("--digest", default="", help="digest of the image, for the record")
    bump.add_argument("--commit", default="", help="commit that was built, for the record")
    bump.add_argument("--build-url", default="", metavar="URL", help="link to the build, for the record")
    text = (
        "repository of the code that was built, for links to its commits; default: that of a build at GitHub or GitLab"
    )
    bump.add_argument("--source", default="", metavar="URL", help=text)
    bump.add_argument("--pin", action="store_true", help="never retire it, until it is unpinned")
    bump.add_argument(
        "--force",
        action="store_true",
        help="also where the configuration takes no such bump, or this machine's clock seems wrong; needs --reason",
    )


def _bump(run: Run) -> int:
    from release_tool.commands import bump

    given = run.arguments
    told = {"image": given.image, "digest": given.digest, "commit": given.commit}
    provenance = {**told, "build": given.build_url, "source": given.source}
    asked = bump.Bump(
        tag=given.tag,
        asked=asked_of(given),
        pin=given.pin,
        force=given.force,
        provenance={key: value for key, value in provenance.items() if value},
    )
    if given.from_registry:
        from release_tool import wiring
        from release_tool.commands import bump_from_registry
        from release_tool.report.outcome import outcome_text

        bump_from_registry.check_usage(asked, local=given.local, given_id=given.id)
        with run.tool(renders=True) as tool:
            outcomes = list(bump_from_registry.run(tool, asked, wiring.new_id))
        return show_outcomes(run, outcomes, lambda outcome: outcome_text(outcome, width()))
    bump.check_usage(asked)
    if given.local:
        from release_tool import wiring

        return _locally(
            run,
            asked.asked,
            lambda _, config, files: bump.intent_of(asked, config, wiring.make_registry(config), files.values()),
        )
    return _on_remote(run, lambda tool: bump.run(tool, asked))


def _promote_arguments(promote: ArgumentParser) -> None:
    changing_arguments(promote, local=False, forced=True)
    promote.add_argument("source", metavar="FROM", help="the environment that the version comes from")
    promote.add_argument("environment", metavar="TO", help="the environment that it goes to")
    text = "this version instead of the default of FROM"
    promote.add_argument("--version", default="", metavar="NAME", dest="wanted", help=text)
    promote.add_argument("--pin", action="store_true", help="never retire it in TO, until it is unpinned")
    promote.add_argument(
        "--force", action="store_true", help="overrule gates, or a clock that seems wrong; needs a reason"
    )


def _promote(run: Run) -> int:
    from release_tool.commands import promote

    given = run.arguments
    command = promote.Promote(given.source, asked_of(given), given.wanted, pin=given.pin, force=given.force)
    promote.check_usage(command)
    return _on_remote(run, lambda tool: promote.run(tool, command))


def _one_version_arguments(parser: ArgumentParser) -> None:
    changing_arguments(parser)
    parser.add_argument("environment", metavar="ENV", help="the environment")
    parser.add_argument("wanted", metavar="NAME", help="name of the version (v5), or its tag")


def _until_arguments(parser: ArgumentParser) -> None:
    _one_version_arguments(parser)
    until_argument(parser)


def _by_hand(run: Run) -> int:
    from functools import partial

    from release_tool.commands import by_hand

    given = run.arguments
    command = by_hand.ByHand(given.command, given.wanted, asked_of(given), getattr(given, "until", ""))
    by_hand.check_usage(command)
    if given.local:
        return _locally(run, command.asked, partial(by_hand.intent_in_files, command, now=run.now()))
    return _on_remote(run, lambda tool: by_hand.run(tool, command))


def _downgrade_arguments(parser: ArgumentParser) -> None:
    changing_arguments(parser, local=False)
    parser.add_argument("environment", metavar="ENV", help="the environment")
    parser.add_argument(
        "--to", type=not_empty, metavar="NAME", help="the version to go back to, instead of the fallback target"
    )
    text = "the version to leave; nothing happens where another version is the default"
    parser.add_argument("--from", type=not_empty, metavar="NAME", dest="leave", help=text)
    parser.add_argument("--no-quarantine", action="store_true", help="keep the version that the default leaves live")


def _downgrade(run: Run) -> int:
    from release_tool.commands import downgrade

    given = run.arguments
    command = downgrade.Downgrade(
        asked_of(given), given.leave or "", given.to or "", quarantine=not given.no_quarantine
    )
    downgrade.check_usage(command)
    return _on_remote(run, lambda tool: downgrade.run(tool, command))


def _undo_arguments(parser: ArgumentParser) -> None:
    changing_arguments(parser, local=False)
    parser.add_argument("environment", metavar="ENV", help="the environment")
    text = "id of a landed operation (one that is merged into the base); none: the last one"
    parser.add_argument("operation", nargs="?", default="", metavar="ID", help=text)
    until_argument(parser)


def _undo(run: Run) -> int:
    from release_tool.commands import undo

    given = run.arguments
    command = undo.Undo(asked_of(given), given.operation, given.until)
    undo.check_usage(command)
    return _on_remote(run, lambda tool: undo.run(tool, command))


def _on_remote(run: Run, operation: Callable[[Any], Outcome]) -> int:
    with run.tool(renders=True, inside=True) as tool:
        outcome = operation(tool)
    return show_outcome(run, outcome)


def _locally(run: Run, asked: Invocation, meant: Meant) -> int:
    from release_tool import wiring
    from release_tool.commands import local

    given = run.arguments
    wiring.warm_up()
    tree = wiring.working_tree(given.directory)
    here = local.Here(tree, given.config, wiring.make_renderer, run.now())
    return show_outcome(run, local.run(here, asked, meant))


COMMANDS = {
    "bump": Command(
        "on each image build: add a tag, retire by policy, render, publish",
        ("release bump devel v1.0.5", "release bump devel v1.0.5 --pin --reason 'mobile clients 2.x'"),
        _bump_arguments,
        _bump,
    ),
    "promote": Command(
        "carry a version to the next environment, with its name",
        ("release promote devel staging", "release promote devel staging --version v5 --dry-run"),
        _promote_arguments,
        _promote,
    ),
    "default": Command(
        "move the default to a live version, either way",
        ("release default devel v5", "release default devel v1.0.4 --reason 'v5 loses sessions'"),
        _one_version_arguments,
        _by_hand,
    ),
    "downgrade": Command(
        "move the default back, and quarantine what it leaves",
        ("release downgrade devel", "release downgrade devel --from v5 --to v3 --reason 'v5 loses sessions'"),
        _downgrade_arguments,
        _downgrade,
    ),
    "pin": Command(
        "never retire a version",
        ("release pin devel v2 --reason 'mobile clients 2.x'", "release pin devel v2 --until 6w --reason 'load test'"),
        _until_arguments,
        _by_hand,
    ),
    "unpin": Command(
        "take the pin of a version away",
        ("release unpin devel v2", "release unpin devel v1.0.2 --reason 'no client is left'"),
        _one_version_arguments,
        _by_hand,
    ),
    "retire": Command(
        "take the route of a version away; it drains, then it is removed",
        ("release retire devel v1", "release retire devel v1 --direct"),
        _one_version_arguments,
        _by_hand,
    ),
    "restore": Command(
        "bring a retired or removed version back, pinned for a week",
        ("release restore devel v1", "release restore devel v1.0.1 --until 2027-03-31"),
        _until_arguments,
        _by_hand,
    ),
    "quarantine": Command(
        "take the route of a bad version away until it is cleared",
        ("release quarantine devel v5 --reason 'loses sessions'", "release quarantine devel v5 --reason bad --direct"),
        _one_version_arguments,
        _by_hand,
    ),
    "clear": Command(
        "lift a quarantine",
        ("release clear devel v5 --reason 'a limit of memory, mended'", "release clear devel v5 --dry-run"),
        _one_version_arguments,
        _by_hand,
    ),
    "undo": Command(
        "undo a landed (merged) operation, by a new operation",
        ("release undo devel", "release undo devel 01M89T1QWHYYJP6PZCB2S6Z56R --reason 'too early'"),
        _undo_arguments,
        _undo,
    ),
}
