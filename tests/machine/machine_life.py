"""The machine: random operations of the tool, and of people beside it, over three environments."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from unittest import mock

import machine_hands as hands
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from machine_laws import Laws, Spoken, Step
from machine_origin import BY_HAND, ENVIRONMENTS, Origin, Seen, environment_of
from machine_setup import COMMANDS, DEEDS, EDITS, METHODS, SETUPS, TAGS, WAITS, Command, Deed, Setup
from world import World

from release_tool.config.reader import load
from release_tool.git.repository import Repository
from release_tool.model.records import Name, RefUpdate, Tag, name_number, name_of
from release_tool.model.versions import tag_part

SOURCE = {"devel": "devel", "staging": "devel", "production": "staging"}


class Unchecked(World):
    """A world whose laws stand here."""

    def check(self) -> None:
        """Nothing: see machine_laws.py."""


class Life(RuleBasedStateMachine):
    """One GitOps repository, from its first commit on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        self.count = 0
        self.settled = 0  # when `count` was that
        self.said: list[Spoken] = []  # of the present step
        self.asked: list[tuple[str, ...]] = []
        self.people: set[str] = set()
        self.origin: Origin | None = None

    def teardown(self) -> None:
        if self.origin is not None:
            self.origin.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @initialize(setup=SETUPS)
    def begin(self, setup: Setup) -> None:
        self.setup = setup
        self.world = Unchecked.make(self.folder, tags=setup.tags(), config=setup.config())
        tags = {f"environments/{name}/image_tag.yaml": setup.tags() for name in ENVIRONMENTS[1:]}
        self.origin = Origin(self.world.origin)
        self.origin.commit(tags, message="Begin everywhere", at=self.world.now)
        self.where = ["--repo", str(self.world.origin)] if setup.by_url else ["-C", str(self.world.clone)]
        self.laws = Laws(self.origin, setup, load(setup.config(), "release.yaml"))
        self.seen = self._seen()
        self.laws.begin(self.seen)

    def _seen(self) -> Seen:
        assert self.origin is not None
        return Seen.take(self.origin)

    # -- steps

    @rule(command=COMMANDS)
    def run(self, command: Command) -> None:
        self._step(lambda: self._release(*self._argv(command)), alone=True)

    @rule(command=COMMANDS, time=WAITS | st.just(timedelta()), method=st.sampled_from(METHODS))
    def land(self, command: Command, time: timedelta, method: str) -> None:
        """The plain way of all things: proposed, and merged a while later."""
        self._step(lambda: self._release(*self._argv(command)), alone=True)
        self.world.now += time
        branches = {f"release/{command.environment}", f"release/{command.environment}-downgrade"}
        for pull in self.seen.open:
            if pull["head"] in branches:
                self._step(lambda: self._merge(pull["number"], method))  # noqa: B023

    @rule(deed=DEEDS)
    def people_do(self, deed: Deed) -> None:
        self._step(lambda: self._deed(deed))

    @rule(time=WAITS)
    def wait(self, time: timedelta) -> None:
        self.world.now += time
        note(f"-- {self.world.now:%m-%d %H:%M} --")

    @rule(
        command=COMMANDS,
        others=st.lists(COMMANDS | DEEDS, min_size=1, max_size=2),
        at=st.sampled_from([1, 1, 1, 2, 3]),
    )
    def race(self, command: Command, others: list[Command | Deed], at: int) -> None:
        """Something else happens just before the command's Nth push."""

        def act() -> None:
            for other in others:
                if isinstance(other, Deed):
                    self._deed(other)
                else:
                    self._release(*self._argv(other))

        def run() -> None:
            with _at_push(at, before=act):
                self._release(*self._argv(command))

        self._step(run)

    @rule(command=COMMANDS, at=st.sampled_from([1, 1, 2, 3]), late=st.booleans())
    def kill(self, command: Command, at: int, late: bool) -> None:
        """The command dies at its Nth push, before or after that; run again, it is finished."""
        argv = self._argv(command)

        def die() -> None:
            raise KeyboardInterrupt

        def run() -> None:
            with _at_push(at, **{"after" if late else "before": die}):
                self._release(*argv)
            self._release(*argv)

        self._step(run, killed=True)

    @rule(pick=st.integers(0, 9))
    def repeat(self, pick: int) -> None:
        """A command of a while ago is run again, under its own id."""
        if self.asked:
            argv = self.asked[-1 - pick % len(self.asked)]
            self._step(lambda: self._release(*argv), alone=True)

    @rule()
    @precondition(lambda self: self.count - self.settled > 8)
    def settle(self) -> None:
        """After a sync, what is the tool's alone can be merged; a second sync finds nothing to do; all is well then."""
        self.settled = self.count
        self._step(lambda: self._release("sync"), alone=True)
        synced = self.seen
        self._step(lambda: self._release("sync"), alone=True)
        assert self.seen.refs == synced.refs, "the second sync finds nothing to do"
        for pull in synced.open:
            numbers = {other["number"] for other in self.seen.open}  # a sync closes what is left empty
            if pull["number"] in numbers and not self._is_touched(pull["head"]):
                self._step(lambda: self._merge(pull["number"], "squash", must=True))  # noqa: B023
                self._step(lambda: self._release("sync"), alone=True)
        for words in (("check", "--ref", "main"), ("status",), ("history",)):
            self._step(lambda: self._looks(*words), alone=True)  # noqa: B023

    def _looks(self, *argv: str) -> None:
        """A command that only looks finds nothing wrong."""
        spoken = self._release(*argv)
        assert spoken.code == 0, f"{argv}: {spoken.out}\n{spoken.err}"

    # -- how a step is made

    def _step(self, act: Callable[[], None], *, alone: bool = False, killed: bool = False) -> None:
        self.said.clear()
        self.people.clear()
        act()
        seen = self._seen()
        step = Step(tuple(self.said), frozenset(self.people), killed, alone and len(self.said) == 1)
        self.laws.check(self.seen, seen, step)
        self.seen = seen

    def _release(self, *argv: str) -> Spoken:
        output = [] if argv[0] in {"pulls", "check", "status", "history"} else ["--output", "json"]
        result = self.world.release(*argv, *output, *self.where, code=None)
        data = json.loads(result.out) if result.out and output else []
        done = [one for one in (data if isinstance(data, list) else [data]) if "error" not in one]
        spoken = Spoken(argv, result.code, result.out, result.err, tuple(done))
        self.said.append(spoken)
        note(f"{self.world.now:%m-%d %H:%M} release {' '.join(argv)}: {result.code} {_short(spoken)}")
        if spoken.id and not spoken.is_dry:
            self.asked.append(argv)
        return spoken

    # -- what commands mean at this moment

    def _argv(self, command: Command) -> tuple[str, ...]:
        self.count += 1
        operation, environment, pick, options, how = command
        extra = [how] if how else []
        if operation in {"cleanup", "sync"}:
            return (operation, *([environment] if environment else []), *extra)
        words = [operation, environment]
        if operation == "bump":
            words.append(self._tag(pick))
            words += ["--pin"] if "pin" in options else []
            words += ["--force"] if environment != "devel" else []
        elif operation == "promote":
            words = [operation, SOURCE[environment], environment]
            words += ["--version", self._version(SOURCE[environment], pick)] if "version" in options else []
            words += [f"--{option}" for option in options if option != "version"]
        elif operation == "downgrade":
            to, leave = self._version(environment, pick), self._version(environment, pick // 2)
            words += ["--to", to] if "to" in options else []
            words += ["--from", leave] if "from" in options and (to != leave or "to" not in options) else []
            words += ["--no-quarantine"] if "no-quarantine" in options else []
        elif operation == "undo":
            lines = self._seen().origin.lines(self._seen().main, environment)
            words += [lines[pick % len(lines)].id] if "id" in options and lines else []
        else:
            words.append(self._version(environment, pick, operation, by_tag="tag" in options))
        if operation in {"pin", "restore", "undo"}:
            words += [f"--until={option.partition(' ')[2]}" for option in options if option.startswith("until")]
        return (*words, *extra, "--id", f"op-{self.count:04}", "--reason", f"reason {self.count}")

    def _tag(self, pick: int) -> str:
        """A tag: mostly one of the next that nobody knows yet."""
        every = TAGS[self.setup.order]
        new = [tag for tag in every if tag_part(tag) not in self.laws.names]
        return new[pick % 6 % len(new)] if new and pick < 24 else every[-(pick % 6) - 1]

    def _version(self, environment: str, pick: int, operation: str = "", *, by_tag: bool = False) -> str:
        """A version that somebody may know: mostly one that the operation is for."""
        seen = self._seen()
        states = [seen.state(environment)]
        states += [seen.origin.state(tip, environment) for name, tip in seen.branches.items()
                   if environment_of(name) == environment]  # fmt: skip
        known = {name: tag for state in states for name, tag in (*state.versions.items(), *state.retired.items())}
        removed = [name for name in self.laws.tags if name not in known]
        likely = {
            "unpin": [name for state in states for name in state.pinned],
            "clear": [name for state in states for name in state.quarantined] or removed,
            "restore": [*(name for state in states for name in state.retired), *removed],
        }.get(operation)
        names = sorted((likely if pick < 20 else None) or known if pick < 28 else self.laws.tags, key=name_number)
        name = names[pick % len(names)]
        return tag_part(known[name]) if by_tag and name in known else name

    # -- what people do

    def _deed(self, deed: Deed) -> None:
        act = {
            "merge": self._merge_one,
            "close": self._close_one,
            "edit": self._edit,
            "commit": self._commit,
            "delete": self._delete,
            "update": self._update,
            "revert": self._revert,
            "readme": self._readme,
        }[deed.kind]
        seen = self._seen()
        done = act(seen, deed) or self._edit(seen, deed._replace(what=EDITS[deed.version % len(EDITS)]))
        note(f"{self.world.now:%m-%d %H:%M} {deed.kind} {done or 'nothing'}")

    def _merge_one(self, seen: Seen, deed: Deed) -> str:
        if not seen.open:
            return ""
        pull = seen.open[deed.pick % len(seen.open)]
        tip = seen.branches[pull["head"]]
        merged = self._merge(pull["number"], deed.what)
        if merged and deed.keeps:
            seen.origin.git("update-ref", f"refs/heads/{pull['head']}", tip)
        return f"#{pull['number']} {pull['head']} by {deed.what}: {merged}"

    def _merge(self, number: int, method: str, *, must: bool = False) -> bool:
        before = self._seen()
        branch = next(pull["head"] for pull in before.open if pull["number"] == number)
        spoken = self._release("pulls", "merge", str(number), "--method", method)
        assert spoken.code == 0 or not must, f"{spoken.err}"
        if spoken.code == 0:
            self.laws.decided(before, branch, merged=True)
            after, environment = self._seen(), environment_of(branch)
            landed = {line.id: line for line in after.origin.lines(after.main, environment, archived=True)}
            for id_, line in before.pending(branch).items():
                assert landed.get(id_) == line, f"{id_} was merged and has not landed"
            self.people.add(branch)
        return spoken.code == 0

    def _close_one(self, seen: Seen, deed: Deed) -> str:
        if not seen.open:
            return ""
        pull = seen.open[deed.pick % len(seen.open)]
        self.people.add(pull["head"])
        self.laws.decided(seen, pull["head"], merged=False)
        self._release("pulls", "close", str(pull["number"]))
        return f"#{pull['number']} {pull['head']}"

    def _edit(self, seen: Seen, deed: Deed) -> str:
        return self._write(seen, "main", seen.main, deed.environment, deed)

    def _commit(self, seen: Seen, deed: Deed) -> str:
        if not seen.branches:
            return ""
        branch = sorted(seen.branches)[deed.pick % len(seen.branches)]
        tip = seen.branches[branch]
        if deed.what == "readme":
            self._pushed(seen, branch, {"notes.md": f"{deed.version}\n"}, "notes")
            return f"notes on {branch}"
        return self._write(seen, branch, tip, environment_of(branch), deed)

    def _write(self, seen: Seen, branch: str, tip: str, environment: str, deed: Deed) -> str:
        text = seen.origin.tags(tip, environment)
        new = self._new_version(seen, deed.version) if deed.what == "add" else None
        after = hands.edited(text, deed.what, deed.version, new, self.world.now.date())
        after = after or hands.edited(text, "note", deed.version, None, self.world.now.date())
        if after is None or after == text:
            return ""
        self.world.now += timedelta(seconds=20)
        path = f"environments/{environment}/image_tag.yaml"
        self._pushed(seen, branch, {path: after}, deed.what)
        return f"{deed.what} in {environment} on {branch}:\n{after}"

    def _pushed(self, seen: Seen, branch: str, files: dict[str, str], what: str) -> None:
        made = seen.origin.commit(files, branch, f"{BY_HAND}: {what}", at=self.world.now)
        self.laws.people.setdefault(branch, []).append(made)

    def _new_version(self, seen: Seen, pick: int) -> tuple[Name, Tag] | None:
        """A tag that nobody brought yet, with a name that nothing ever had: what a careful person writes."""
        tags = TAGS[self.setup.order]
        tag = Tag(tags[pick % len(tags)])
        lines = [
            line for branch, tip in seen.branches.items() for line in seen.origin.lines(tip, environment_of(branch))
        ]
        states = [seen.origin.state(tip, environment_of(branch)) for branch, tip in seen.branches.items()]
        waiting = {
            *(change.version for line in lines for change in line.changes),
            *(name for state in states for name in (*state.versions, *state.retired)),
        }
        parts = {tag_part(tag) for state in states for tag in (*state.versions.values(), *state.retired.values())}
        if tag_part(tag) in {*self.laws.names, *parts}:
            return None
        return name_of(1 + max(name_number(name) for name in {*self.laws.tags, *waiting})), tag

    def _delete(self, seen: Seen, deed: Deed) -> str:
        if not seen.branches:
            return ""
        branch = sorted(seen.branches)[deed.pick % len(seen.branches)]
        self.people.add(branch)
        self.laws.decided(seen, branch, merged=False)
        seen.origin.git("update-ref", "-d", f"refs/heads/{branch}")
        return branch

    def _update(self, seen: Seen, deed: Deed) -> str:
        if not seen.open:
            return ""
        branch = seen.open[deed.pick % len(seen.open)]["head"]
        done = seen.origin.update_branch(branch, seen.branches[branch], seen.main, self.world.now)
        return f"{branch}: {done}"

    def _revert(self, seen: Seen, deed: Deed) -> str:
        wanted = ("--grep=Merge pull request", "--grep=^Release-Operation")
        log = seen.origin.git("log", "--first-parent", "--format=%H", *wanted, "-n", "3", seen.main).split()
        if not log:
            return ""
        commit = log[deed.pick // 10 % len(log)]
        self.world.now += timedelta(seconds=20)
        if not self._right_after_revert(seen, commit):
            return ""
        return f"{seen.origin.message(commit).splitlines()[0]}"

    def _right_after_revert(self, seen: Seen, commit: str) -> bool:
        """Revert, unless the files would be wrong then: `release check` would have told the person."""
        if not seen.origin.revert(seen.main, commit, self.world.now):
            return False
        after = self._seen()
        try:
            right = all(
                after.state(name).default in after.state(name).live and after.origin.lines(after.main, name) is not None
                for name in ENVIRONMENTS
            )
        except Exception:
            right = False
        if not right:
            seen.origin.git("update-ref", "refs/heads/main", seen.main)
        return right

    def _readme(self, seen: Seen, deed: Deed) -> str:
        seen.origin.commit({"README.md": f"{self.count}\n"}, message=f"{BY_HAND}: readme", at=self.world.now)
        return "README.md"

    def _is_touched(self, branch: str) -> bool:
        seen = self.seen
        subjects = seen.origin.git("log", "--format=%B", f"{seen.main}..{seen.branches[branch]}")
        return BY_HAND in subjects or "Merge main" in subjects


@contextlib.contextmanager
def _at_push(
    number: int, before: Callable[[], object] | None = None, after: Callable[[], object] | None = None
) -> Iterator[None]:
    """Something happens around the Nth push of what runs within; pushes of that something are real ones."""
    real, count = Repository.push, 0

    def push(self: Repository, updates: Sequence[RefUpdate], options: Sequence[str] = ()) -> bool:
        nonlocal count
        count += 1
        here = count == number
        if here and before is not None:
            before()
        done = real(self, updates, options)
        if here and after is not None:
            after()
        return done

    with mock.patch.object(Repository, "push", push):
        yield


def _short(spoken: Spoken) -> str:
    if spoken.code:
        return spoken.err.strip()
    return "; ".join(
        f"{one['environment']}: {'changed' if one['changed'] else 'same'} "
        + ", ".join(f"{c['action']} {c['version']} {c['tag']}" for c in one["changes"])
        + "".join(f" ({text})" for text in one["notes"])
        for one in spoken.outcomes
    )
