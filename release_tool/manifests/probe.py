"""What a chart can do with versions, read off renderings of small sets of them.

A chart is a program, so it is tried: rendered for the versions of an environment, and for what the operations of the
tool would make of them. Nothing is concluded from the text of a template.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool import manifests
from release_tool.errors import ReleaseError
from release_tool.manifests.routes import compare
from release_tool.manifests.routes.reach import Reach, reach, stands
from release_tool.model.records import Name, Tag, name_number, name_of
from release_tool.model.versions import tag_part

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.routes import RouteFinding

    Render = Callable[[str], str]

AS_IT_IS, AGAIN, MORE, DEFAULT = "as it is", "again", "one version more", "another default"
NEW_DEFAULT = "one version more, as the default"
QUARANTINED, PINNED, RETIRED, REMOVED = "one quarantined", "one pinned", "one retired", "one removed"
MAPPING = "a mapping for the list"
"""The sets that are tried."""

_SIZE = 4  # versions of a set: a default, another one to be, one that is retired, one that is removed
_DAY = "2026-01-01"


class Written(NamedTuple):
    """How an environment writes its versions.

    Attributes:
        versions: those of `tag`, in the order of the file.
        default: as written; None where the file has none.
        is_list: whether `tag` is a list.
        rest: what else the file holds, as data.
        key: where the five keys stand.
        moves: whether a version comes as the default, by the policy.
    """

    versions: Mapping[Name, Tag]
    default: Name | None = None
    is_list: bool = False
    rest: Mapping[str, Any] = {}
    key: tuple[str, ...] = ("image",)
    moves: bool = False

    def text(self, **keys: object) -> str:
        """A values file with the rest and these of the five keys: JSON, which is YAML with every text in quotes."""
        whole = inner = dict(self.rest)
        for step in self.key:
            below = inner.get(step)
            inner[step] = dict(below) if isinstance(below, dict) else {}
            inner = inner[step]
        inner.update(keys)
        return json.dumps(whole)


class Tried(NamedTuple):
    """One set, and what came of it.

    Attributes:
        versions: those that shall run, whatever their state.
        subject: the version that it is about: that comes, goes, or becomes the default.
        rendering: empty where the chart doesn't render, or renders what is no set of objects.
        reach: who answers which call, of these versions and of one that is removed.
        error: why it doesn't render; None where it does.
    """

    versions: Mapping[Name, Tag]
    subject: Name
    rendering: str = ""
    reach: Reach = Reach()
    error: ReleaseError | None = None

    def running(self, name: Name) -> frozenset[ObjectKey]:
        """The workloads of a version; where no workload has its image, the objects that show its tag."""
        known = self.reach.running.get(name)
        if known or name not in self.reach.shown or name not in self.versions:
            return frozenset(known or ())
        tag = self.versions[name]
        return frozenset(key for key, text in manifests.texts(self.rendering).items() if stands(tag, text))


class Trials(NamedTuple):
    """What a chart made of the sets.

    Attributes:
        written: how the environment writes its versions.
        tried: set -> what came of it.
        default: the default of all sets but one.
        unsteady: the objects that two renderings of the same set have differently.
        refused: set -> what is wrong with the step to it, so that no operation is published that takes this step.
    """

    written: Written
    tried: Mapping[str, Tried]
    default: Name
    unsteady: frozenset[ObjectKey] = frozenset()
    refused: Mapping[str, RouteFinding] = {}

    @property
    def base(self) -> Tried:
        """The versions as the environment writes them, all live."""
        return self.tried[AS_IT_IS]

    def other(self, name: str) -> Tried | None:
        """A set, where it and the one as it is render."""
        other = self.tried.get(name)
        return None if other is None or self.base.error or other.error else other

    def changes(self, name: str) -> dict[ObjectKey, str]:
        """What a set changes: object -> `added`, `removed` or `changed`, without the unsteady ones."""
        other = self.other(name)
        found = manifests.difference(self.base.rendering, other.rendering) if other else ()
        return {one.key: one.action for one in found if one.key not in self.unsteady}

    def renamed(self, name: str) -> Iterator[tuple[Name, frozenset[ObjectKey], frozenset[ObjectKey]]]:
        """The versions of a set that run by other workloads than before: name, workloads before, and then."""
        other = self.other(name)
        for version in self.base.versions if other else ():
            if other is None or version not in other.versions:
                continue
            was, now = self.base.running(version), other.running(version)
            if (was ^ now) - self.unsteady:
                yield version, was, now

    def renewed(self, name: str) -> frozenset[ObjectKey]:
        """The workloads that stay, and whose pods a set makes anew."""
        other = self.other(name)
        kept = self.base.versions.keys() & other.versions.keys() if other else ()
        stay = {key for one in kept for key in self.base.running(one) & other.running(one)} if other else set()
        was, now = self.base.rendering, other.rendering if other else ""
        left_out = self.unsteady if name != AGAIN else frozenset()
        return frozenset(key for key in stay - left_out if _pods(was, key) != _pods(now, key))


def _pods(rendering: str, key: ObjectKey) -> Any:
    """The template of pods of an object; of what has none, the whole specification."""
    spec = manifests.content(rendering, key).get("spec")
    return spec.get("template", spec) if isinstance(spec, dict) else spec


def try_out(render: Render, written: Written, namespace: str, later: Render | None = None) -> Trials:
    """Render the sets of an environment, and read them.

    A chart that does all that operations ask for is rendered for a few sets, which ask for several things at once. Any
    other one is rendered for each thing by itself.

    Args:
        render: text of `image_tag.yaml` -> rendering. What it raises as a ReleaseError is the answer to that set.
        written: how the environment writes its versions; there may be none yet.
        namespace: where objects go that name none.
        later: the same at another time; None: the chart has nothing in it that changes by itself.
    """
    sets = _Sets(written)

    def tried(asked: _Asked, by: Render = render) -> Tried:
        versions = asked.versions
        try:
            rendering = by(written.text(**asked.keys))
            return Tried(versions, asked.subject, rendering, reach(rendering, namespace, {**sets.versions, **versions}))
        except ReleaseError as error:
            return Tried(versions, asked.subject, error=error)

    found = Trials(written, {AS_IT_IS: tried(sets.as_it_is())}, sets.default)
    if found.base.error is not None:
        return found
    if later is not None:
        again = tried(sets.as_it_is(), later)
        again = tried(sets.as_it_is()) if again.error else again
        found = _with_chance(found, again)
    if _right(found.base, sets.versions, sets.default):
        quick = dict(found.tried)
        at_once = list(sets.at_once())
        beside = _beside(render, [written.text(**asked.keys) for asked, _, _ in at_once])
        for asked, live, standing_for in at_once:
            one = tried(asked, beside)
            wrong = _wrong(found.base, one, namespace)  # what is removed was no retired version before
            lost = [identity for identity in wrong if not stands(sets.removed, " ".join(identity))]
            if one.error or lost or not _right(one, live, next(iter(sets.new))):
                break
            quick |= {name: one._replace(subject=subject) for name, subject in standing_for.items()}
        else:
            all_at_once = found._replace(tried=quick)
            if not any([*all_at_once.renamed(name), *all_at_once.renewed(name)] for name in (MORE, RETIRED)):
                return all_at_once
    if later is None:  # the order of a mapping's keys can be one of chance, too
        found = _with_chance(found, tried(sets.as_it_is()))
    every = {**found.tried, **{name: tried(asked) for name, asked in sets.one_by_one().items()}}
    return found._replace(tried=every, refused=_refused(every, namespace))


def _beside(render: Render, texts: Sequence[str]) -> Render:
    """Renders some texts at the same time, and gives each when it is asked for."""
    from threading import Thread

    made: dict[str, str | BaseException] = {}

    def make(text: str) -> None:
        try:
            made[text] = render(text)
        except BaseException as error:  # noqa: BLE001 -- raised where the text is asked for
            made[text] = error

    threads = {text: Thread(target=make, args=(text,), daemon=True) for text in texts}
    for thread in threads.values():
        thread.start()

    def given(text: str) -> str:
        threads[text].join()
        found = made[text]
        if isinstance(found, BaseException):
            raise found
        return found

    return given


def _refused(tried: Mapping[str, Tried], namespace: str) -> dict[str, RouteFinding]:
    base = tried[AS_IT_IS]
    by_chance = _wrong(base, tried.get(AGAIN, base), namespace)
    steps = {name: _wrong(tried[RETIRED] if name == REMOVED else base, one, namespace) for name, one in tried.items()}
    every = {name: [wrong[key] for key in wrong if key not in by_chance] for name, wrong in steps.items()}
    return {name: findings[0] for name, findings in every.items() if findings}


def _wrong(before: Tried, after: Tried, namespace: str) -> dict[tuple[str, str, str], RouteFinding]:
    """What is wrong with the step from one set to another, by its identity."""
    found = compare(before.rendering, after.rendering, namespace) if after.rendering else ()
    return {one.identity: one for one in found if one.serious}


def _with_chance(found: Trials, again: Tried) -> Trials:
    found = found._replace(tried={**found.tried, AGAIN: again})
    return found._replace(unsteady=frozenset(found.changes(AGAIN)))


def _right(one: Tried, live: Collection[Name], default: Name) -> bool:
    """Whether just these versions run, the live ones have routes, and the default answers what names no version."""
    known, runs = one.reach, {name for name in one.reach.running if name in one.versions}
    gone = known.shown - one.versions.keys()
    return runs == one.versions.keys() and not gone and known.own == set(live) and known.first == {default}


# -- sets --


class _Asked(NamedTuple):
    """One set: the five keys, and what shall run."""

    keys: Mapping[str, Any]
    versions: Mapping[Name, Tag]
    subject: Name


class _Sets:
    """The sets for one environment."""

    def __init__(self, written: Written) -> None:
        self.is_list, self.moves = written.is_list, written.moves
        self.versions = _sample(written)
        names = list(self.versions)
        self.default = written.default if written.default in names else min(names, key=name_number)
        self.gone, self.moved, self.removed = [name for name in names if name != self.default][:3]
        self.shown = {"default": self.default} if written.default is not None else {}
        self.new: dict[Name, Tag] = {}
        for _ in range(3):  # that `at_once` is larger, whatever has left
            every = {**self.versions, **self.new}
            last = max(every, key=name_number)
            self.new[name_of(name_number(last) + 1)] = _following(every[last], every.values())

    def as_it_is(self) -> _Asked:
        return _Asked({**self.shown, **self._written(self.versions)}, self.versions, self.default)

    def one_by_one(self) -> dict[str, _Asked]:
        """One thing in each."""
        base, gone = self.as_it_is(), self.gone
        new = next(iter(self.new))
        bigger = {**self.versions, new: self.new[new]}
        kept = self._without(gone)
        more = _Asked({**base.keys, **self._written(bigger)}, bigger, new)
        found = {
            MORE: more,
            NEW_DEFAULT: more._replace(keys={**more.keys, "default": new}),
            DEFAULT: base._replace(keys={**base.keys, "default": self.moved}, subject=self.moved),
            MAPPING: base._replace(keys={**self.shown, "tag": self.versions}),
            RETIRED: _Asked({**self.shown, "tag": kept, **self._retired()}, self.versions, gone),
            REMOVED: _Asked({**self.shown, "tag": kept}, kept, gone),
            QUARANTINED: base._replace(keys={**base.keys, **_quarantined(gone)}, subject=gone),
            PINNED: base._replace(keys={**base.keys, **_pinned(gone)}, subject=gone),
        }
        left_out = {*(() if self.is_list else (MAPPING,)), *(() if self.moves else (NEW_DEFAULT,))}
        return {name: asked for name, asked in found.items() if name not in left_out}

    def at_once(self) -> Iterator[tuple[_Asked, Collection[Name], dict[str, Name]]]:
        """Several things in each: the set, who is live, and for what it stands: set of one thing -> its subject."""
        default, new = self.default, next(iter(self.new))
        marks = {"default": new, **_quarantined(default), **_pinned(self.moved)}
        of_marks = {MORE: new, DEFAULT: new, QUARANTINED: default, PINNED: self.moved}
        bigger = {**self.versions, **self.new}
        if self.is_list:
            yield _Asked({**marks, **self._written(bigger)}, bigger, new), bigger.keys() - {default}, of_marks
            of_marks = {MAPPING: default}
        kept = {name: tag for name, tag in bigger.items() if name not in {self.gone, self.removed}}
        there = {**kept, self.gone: self.versions[self.gone]}
        keys = {**marks, "tag": kept, **self._retired()}
        yield _Asked(keys, there, new), kept.keys() - {default}, {**of_marks, RETIRED: self.gone, REMOVED: self.removed}

    def _written(self, versions: Mapping[Name, Tag]) -> dict[str, Any]:
        return {"tag": list(versions.values()) if self.is_list else versions}

    def _without(self, gone: Name) -> dict[Name, Tag]:
        return {name: tag for name, tag in self.versions.items() if name != gone}

    def _retired(self) -> dict[str, Any]:
        return {"retired": {self.gone: self.versions[self.gone]}}


def _quarantined(name: Name) -> dict[str, Any]:
    return {"quarantined": {name: {"reason": "a trial", "since": f"{_DAY}T00:00:00Z"}}}


def _pinned(name: Name) -> dict[str, Any]:
    return {"pinned": {name: {"reason": "a trial", "until": _DAY}}}


# -- versions --


def _sample(written: Written) -> dict[Name, Tag]:
    """Some versions of an environment, and ones that could follow them: names of their kind, tags of their form."""
    if written.is_list:  # positions are names, so a list begins with its first
        names = list(written.versions)[:_SIZE]
    else:
        names = sorted(written.versions, key=name_number)[-_SIZE:]
        if written.default is not None and written.default not in names:
            names[:1] = [written.default]
    found = {name: written.versions[name] for name in names}
    while len(found) < _SIZE:
        last = max(found, key=name_number, default=None)
        tag = _following(found[last], found.values()) if last else Tag("v1.0.1")
        found[name_of(1 if last is None else name_number(last) + 1)] = tag
    return found


_LAST_NUMBER = re.compile(r"\d+(?=\D*$)", re.ASCII)


def _following(tag: Tag, taken: Iterable[Tag]) -> Tag:
    """A tag that could come after one: its last number is one higher, and a digest stays one."""
    there = {tag_part(one) for one in taken}
    part = tag_part(tag)
    while part in there:
        found = _LAST_NUMBER.search(part)
        if found is None:
            part = f"{part[:126]}-1"
            continue
        number = str(int(found[0]) + 1).zfill(len(found[0]))
        part = f"{part[: found.start()]}{number}{part[found.end() :]}"
    return Tag(f"{part}@sha256:{sha256(part.encode()).hexdigest()}" if "@" in tag else part)
