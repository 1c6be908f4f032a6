"""What a chart can do with versions, as rows of a table: what was seen, what that costs, and where it could change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from release_tool import manifests
from release_tool.manifests import probe
from release_tool.manifests.chance import UNSTEADY
from release_tool.manifests.routes.one_rendering import listed
from release_tool.model.records import name_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from release_tool.manifests import ObjectKey
    from release_tool.manifests.probe import Trials
    from release_tool.manifests.templates import Templates
    from release_tool.model.records import Name


class Ability(NamedTuple):
    """One row.

    Attributes:
        subject: what it is about: `versions`, `names`, `pods`, `bump`, `routes`, `default`, `quarantine`, `retire`,
            `remove`, `sets`, `output`.
        verdict: `ok`; `warning`: the chart can't carry something out; `error`: it does other than the tool says, or the
            tool's next ordinary step fails; `unknown`: it could not be tried.
        what: what the renderings show, a sentence without a full stop.
        cost: what that costs; empty for what is right.
        mend: the way out; empty for what is right.
        where: the file and the line where the chart could change.
        label: a key that no object follows, in a chart without routes.
    """

    subject: str
    verdict: Literal["ok", "warning", "error", "unknown"]
    what: str
    cost: str = ""
    mend: str = ""
    where: str = ""
    label: str = ""


_DOCS = "docs/how-to/own-chart.md"
_JOINED = re.compile(r"[\s\[\]{}]").search
"""Finds the marks of a printed list or mapping, which no image has."""

_UNREAD = {"Ingress", "IngressRoute", "TraefikService", "HTTPProxy", "Mapping", "TrafficSplit", "ServiceProfile"}
_UNREAD |= {"TCPRoute", "TLSRoute", "ApisixRoute", "Route", "ServiceRouter", "ServiceSplitter", "MeshHTTPRoute"}
"""Kinds that may route by a version, and that the tool doesn't read."""

_WITH = {
    probe.MORE: ("one version more", "a bump", "warning"),
    probe.NEW_DEFAULT: ("one version more, as the default", "whatever brings a version as the default", "warning"),
    probe.DEFAULT: ("another default", "whatever moves the default", "error"),
    probe.MAPPING: ("a mapping in place of the list", "the first retirement", "error"),
    probe.RETIRED: ("a retired version", "every retirement", "error"),
    probe.REMOVED: ("a removed version", "every removal", "error"),
    probe.QUARANTINED: ("a quarantined version", "`release quarantine`", "warning"),
    probe.PINNED: ("a pinned version", "`release pin`", "warning"),
}
"""Set -> what is in it, what fails then, and how bad that is."""

_STEPS = {
    "bump": (probe.MORE, probe.NEW_DEFAULT),
    "default": (probe.DEFAULT,),
    "quarantine": (probe.QUARANTINED,),
    "retire": (probe.RETIRED,),
    "remove": (probe.REMOVED,),
}
"""Row -> the steps that it is about."""

_ANYWAY = "refused without `--force --reason`"


def abilities(trials: Trials, templates: Templates) -> tuple[Ability, ...]:
    """The table of a chart."""
    table = _Table(trials, templates)
    return tuple(map(table.as_published, table.rows()))


class _Table:
    def __init__(self, trials: Trials, templates: Templates) -> None:
        self.trials, self.templates, self.base = trials, templates, trials.base
        self.key = ".".join(trials.written.key)
        self.key_tag, self.key_default = self._read("tag"), self._read("default")
        self.sources = manifests.sources(self.base.rendering)
        self.routed = self.base.reach.own

    def rows(self) -> Iterator[Ability]:
        error = self.base.error
        if error is not None:
            what = f"it could not be tried: {error.what}"
            yield Ability("sets", "unknown", what, "", error.hint, self._where(error.where))
            return
        yield self._versions()
        yield from self._sets()
        if self.base.versions.keys() <= self.base.reach.shown:
            yield self._bump()
            yield self._names()
            yield self._pods()
            yield self._routes()
            yield self._default()
            yield self._quarantine()
            yield from self._retire()
            yield from self._remove()
        yield self._output()

    def as_published(self, row: Ability) -> Ability:
        """A row that is right, unless what it is about would not be published."""
        refused = self.trials.refused
        name = next((name for name in _STEPS.get(row.subject, ()) if row.verdict == "ok" and name in refused), None)
        if name is None:
            return row
        wrong, (words, operation, _) = refused[name], _WITH[name]
        where = self.templates.place(wrong.source, "", self.key_tag, r"\.Values\b")
        return Ability(
            row.subject, "warning", f"with {words} {wrong.what}", f"{operation} is refused", wrong.hint, where
        )

    def _read(self, key: str) -> str:
        """How a template reads one of the five keys: a subchart knows the last part of its path alone."""
        return rf"\b{re.escape(self.trials.written.key[-1])}\.{key}\b"

    def _where(self, where: str) -> str:
        """A place that an error names, in the repository."""
        if where.startswith(self.templates.at("")):
            return where
        return self.templates.place(where.partition(" and ")[0], "", self.key_tag)

    def _place(self, keys: Iterable[ObjectKey], *words: str) -> str:
        """Where the template of some objects could change."""
        key, source = next(((key, self.sources[key]) for key in sorted(keys) if key in self.sources), (None, ""))
        return self.templates.place(source, key.kind if key else "", *words, self.key_tag, r"\bimage:", r"\.Values\b")

    def _routes_place(self, *words: str) -> str:
        source = next(iter(self.base.reach.sources), "")
        return self.templates.place(source, self.base.reach.via[0], *words, self.key_tag, r"\.Values\b")

    def _example(self) -> Name:
        """A version to speak of: one that is there, if there is any."""
        own = self.base.versions.keys() & self.trials.written.versions.keys()
        return max(own or self.base.versions, key=name_number)

    # -- what runs --

    def _versions(self) -> Ability:
        base, known = self.base, self.base.reach
        absent = [name for name in base.versions if name not in known.shown]
        if absent:
            whose = (
                f"any entry of {self.key}.tag" if len(absent) == len(base.versions) else f"{_all(absent)}, for example"
            )
            what = f"the chart deploys nothing for {whose}: no object carries the image tag"
            cost = "a bump, a promotion or a retirement changes nothing that is deployed"
            other = self.templates.reads_elsewhere(self.key)
            mend = f"{other or f'let the chart deploy each entry of {self.key}.tag'} ({_DOCS})"
            pods = manifests.images(base.rendering)
            return Ability("versions", "error", what, cost, mend, self._place(pods, r"\bimage:"))
        joined = {key: one for key, found in manifests.images(base.rendering).items() for one in found if _JOINED(one)}
        if joined:
            what = f"the chart writes all of {self.key}.tag into one image, {next(iter(joined.values()))[:60]}"
            mend = f"let the chart deploy each entry of {self.key}.tag ({_DOCS})"
            return Ability("versions", "error", what, "no pod starts", mend, self._place(joined, r"\bimage:"))
        last = self._example()
        by = _titles(base.running(last))
        if not known.running:
            what = f"the tag of each version is shown, of {last} by {by}; the tool knows no workload with such an image"
            return Ability("versions", "ok", what)
        every = {key for name in base.versions for key in base.running(name)}
        if len(every) == 1:
            return Ability("versions", "ok", f"all versions run by one workload, {by}")
        return Ability("versions", "ok", f"each version runs, {last} by {by}")

    def _sets(self) -> Iterator[Ability]:
        failed: dict[tuple[str, str], list[str]] = {}
        tried = {name: one for name, one in self.trials.tried.items() if name in _WITH and name != probe.NEW_DEFAULT}
        errors = {name: one.error for name, one in tried.items() if one.error}
        for name, error in errors.items():
            failed.setdefault((error.what, error.where), []).append(name)
        for (what, where), names in failed.items():
            stopped = len(names) > 1 and len({id(errors[name]) for name in names}) == 1  # by a limit, in their order
            wrong = names[:1] if stopped else names
            bad = any(_WITH[name][2] == "error" for name in wrong)
            when, cost = (_all([_WITH[name][part] for name in wrong]) for part in (0, 1))
            cost = f"{cost} {'fail' if len(wrong) > 1 else 'fails'}"
            if stopped:
                cost = f"{cost}; {_all([_WITH[name][0] for name in names[1:]])} could not be tried"
            elif probe.MAPPING in names:
                cost = "the first retirement writes a mapping, and from there on every operation fails"
            mend = f"correct the chart: {_DOCS} says what the tool writes"
            row = Ability("sets", "error" if bad else "warning", f"with {when}: {what}", cost, mend, self._where(where))
            yield row
        if not failed:
            yield Ability("sets", "ok", "it renders whatever the operations write")

    def _bump(self) -> Ability:
        more = self.trials.other(probe.MORE)
        if more is None:
            return _untried("bump")
        if more.subject not in more.reach.shown:
            what = f"of one version more, {more.subject}, the chart deploys nothing"
            cost, mend = "a bump changes nothing that is deployed", f"let the chart deploy each entry of {self.key}.tag"
            pods = (key for name in self.base.versions for key in self.base.running(name))
            return Ability("bump", "error", what, cost, f"{mend} ({_DOCS})", self._place(pods))
        if self.routed == self.base.versions.keys() and not more.reach.routed(more.subject):
            what, cost = f"one version more, {more.subject}, gets no route", "clients can't reach what a bump brings"
            mend = f"make a route of each entry of {self.key}.tag ({_DOCS})"
            return Ability("bump", "warning", what, cost, mend, self._routes_place())
        said = "is deployed" if more.subject in more.reach.running else "is shown"
        return Ability("bump", "ok", f"one version more {said}" + (" and routed" if self.routed else ""))

    # -- the versions that stay --

    def _names(self) -> Ability:
        whens = {
            probe.MAPPING: "with a mapping in place of the list, which the first retirement writes,",
            probe.RETIRED: "once {} is retired",
            probe.REMOVED: "once {} is removed",
            probe.MORE: "once {} comes",
        }
        for when, words in whens.items():
            for name, was, now in self.trials.renamed(when):
                other = self.trials.tried[when]
                if name == other.subject and when == probe.RETIRED:
                    continue
                there = f"runs as {_titles(now)}" if now else "doesn't run"
                what = f"{words.format(other.subject)} {name} {there}, before that as {_titles(was)}"
                cost = f"clients that name {name} reach another version or none, and its pods are made anew"
                mend = f"name a version by its key, by its position only in a list ({_DOCS})"
                return Ability("names", "error", what, cost, mend, self._place(was, r"\badd1?\s"))
        if all(self.trials.other(one) is None for one in (probe.RETIRED, probe.REMOVED)):
            return _untried("names")
        also = " and when a list becomes a mapping" if self.trials.other(probe.MAPPING) else ""
        return Ability("names", "ok", f"versions keep their names when one comes or goes{also}")

    def _pods(self) -> Ability:
        whens = {
            probe.MORE: "a bump",
            probe.RETIRED: "a retirement",
            probe.REMOVED: "a removal",
            probe.DEFAULT: "a move of the default",
            probe.QUARANTINED: "a quarantine",
        }
        always = self.trials.renewed(probe.AGAIN)
        if always:
            what = f"each rendering changes the pods, those of {_title(min(always))} for example"
            cost = "they are made anew whenever anything is applied, and calls under way are cut"
            mend = "take chance and the present time out of the template of the pods"
            return Ability("pods", "warning", what, cost, mend, self._place(always, UNSTEADY))
        renewed = {title: keys for when, title in whens.items() if (keys := self.trials.renewed(when))}
        if not renewed:
            return Ability("pods", "ok", "no operation makes the pods of versions that stay anew")
        keys = next(iter(renewed.values()))
        what = f"{_all(renewed)} {'change' if len(renewed) > 1 else 'changes'}"
        what += f" the pods of versions that stay, those of {_title(min(keys))} for example"
        cost = "they are made anew, and calls under way are cut"
        if self.routed:
            cost = "they would be made anew, so `release` refuses that: it would cut calls under way"
        mend = "let nothing in the template of a version's pods depend on other versions or on their state"
        return Ability("pods", "error" if self.routed else "warning", what, cost, mend, self._place(keys))

    # -- routes --

    def _routes(self) -> Ability:
        reach = self.base.reach
        others = sorted({key.kind for key in self.sources if key.kind in _UNREAD})
        unread = f"; the tool doesn't read the routes of {_all(others)}" if others else ""
        if not reach.via:
            return Ability("routes", "ok", f"it has no VirtualService, HTTPRoute or GRPCRoute{unread}")
        via, missing = _all(reach.via), [name for name in self.base.versions if name not in self.routed]
        if reach.apart:
            what = f"{via}: routes lead to single versions by something else than a header (a host, a path, a label of"
            return Ability("routes", "ok", f"{what} the caller): who answers which call is not read{unread}")
        if missing:
            none = len(missing) == len(self.base.versions)
            what = f"{via}: no route is for {'one version alone' if none else _all(missing)}"
            cost = "clients can't choose a version" if none else f"clients can't choose {_all(missing)}"
            mend = f"make a route that matches a header for each entry of {self.key}.tag ({_DOCS})"
            return Ability("routes", "warning", f"{what}{unread}", cost, mend, self._routes_place())
        name = self._example()
        values = [value for row in reach.rows if name in row.versions for value in row.values]
        return Ability("routes", "ok", f"{via}: calls with {reach.header}: {' or '.join(values)} reach {name}{unread}")

    def _default(self) -> Ability:
        reach, other, key = self.base.reach, self.trials.other(probe.DEFAULT), f"{self.key}.default"
        if other is None:
            return _untried("default")
        follows = reach.first == {self.trials.default} and other.reach.first == {other.subject}
        if not reach.via or (reach.apart and not follows):
            changed = self.trials.changes(probe.DEFAULT)
            return (
                Ability("default", "ok", f"a move of `{key}` changes {_titles(changed)}")
                if changed
                else _label("default", key)
            )
        cost = f"`release default` and `release downgrade` move no call, and are {_ANYWAY}; promotions move none either"
        changed = self.trials.changes(probe.DEFAULT) if reach.filters else {}
        if not reach.unnamed() and changed:
            return Ability("default", "ok", f"a move of `{key}` changes {_titles(changed)}")
        if not reach.unnamed() and reach.filters:
            what = f"no route takes calls that name no version, and {_all(reach.filters)} doesn't follow `{key}`"
        elif not reach.unnamed():
            what, cost = "calls that name no version find no route", f"they fail, and {cost}"
        elif follows:
            return Ability("default", "ok", f"calls that name no version follow `{key}`")
        elif reach.first == other.reach.first:
            what = f"calls that name no version go to {_versions(reach.first)}, whatever `{key}` says"
        else:
            what = f"calls that name no version go to {_versions(reach.first)} with {self.trials.default} as `{key}`"
            what += f", to {_versions(other.reach.first)} with {other.subject}"
            cost = "`release default`, `release downgrade` and promotions don't move all of these calls, and no others"
        mend = f"end the routes with one that matches no version and leads to the pods of `{key}` ({_DOCS})"
        return Ability("default", "warning", what, cost, mend, self._routes_place(self.key_default))

    def _quarantine(self) -> Ability:
        other, key = self.trials.other(probe.QUARANTINED), f"{self.key}.quarantined"
        if other is None:
            return _untried("quarantine")
        name = other.subject
        routed, stays = name in self.routed, other.running(name) == self.base.running(name)
        words = (self._read(key.rpartition(".")[2]),)
        if routed and other.reach.routed(name):
            what = "a quarantined version keeps its route"
            cost = f"`release quarantine` and `release downgrade` keep no call away from it, and are {_ANYWAY}"
            mend = f"make no route of the entries of {key} ({_DOCS})"
            return Ability("quarantine", "warning", what, cost, mend, self._routes_place(*words))
        if not stays:
            what = (
                f"a quarantined version doesn't run any more{', and its route goes at the same time' if routed else ''}"
            )
            cost = "calls under way are cut, and `release clear` waits for new pods"
            mend = f"deploy the entries of {key} too ({_DOCS})"
            return Ability("quarantine", "warning", what, cost, mend, self._place(self.base.running(name), *words))
        if routed:
            return Ability("quarantine", "ok", "a quarantined version loses its route, and goes on running")
        changed = self.trials.changes(probe.QUARANTINED)
        said = f"`{key}` changes {_titles(changed)}, and the version goes on running"
        return Ability("quarantine", "ok", said) if changed else _label("quarantine", key)

    # -- a version that goes --

    def _retire(self) -> Iterator[Ability]:
        other, key = self.trials.other(probe.RETIRED), f"{self.key}.retired"
        if other is None:
            return
        name = other.subject
        workloads = self.base.running(name)
        routed, stays = name in self.routed, other.running(name) == workloads
        words = (self._read(key.rpartition(".")[2]),)
        if not stays and not routed:
            yield Ability(
                "retire", "ok", f"in one step: a retired version doesn't run any more, `{key}` deploys nothing"
            )
        elif not stays:
            what = f"retiring takes one step: pods and route of a version go together, `{key}` deploys nothing"
            cost = (
                f"calls fail until each proxy knows: what retires, bumps too (`retention.keep`), is {_ANYWAY}; what is "
                "restored after its removal is routed before its pods are ready"
            )
            mend = f"deploy the entries of {key} too, without routes ({_DOCS})"
            yield Ability("retire", "warning", what, cost, mend, self._place(workloads, *words))
        elif routed and other.reach.routed(name):
            what = "a retired version keeps its route"
            cost = f"calls fail at the removal: what retires, bumps too (`retention.keep`), is {_ANYWAY}"
            mend = f"make no route of the entries of {key} ({_DOCS})"
            yield Ability("retire", "warning", what, cost, mend, self._routes_place(*words))
        else:
            first = "its route goes first, and it runs" if routed else "it runs on"
            yield Ability("retire", "ok", f"in two steps: {first} until it is removed")

    def _remove(self) -> Iterator[Ability]:
        other = self.trials.other(probe.REMOVED)
        if other is None or not self.base.running(other.subject):
            return
        left = other.reach.running.get(other.subject, ())
        if not left:
            yield Ability("remove", "ok", "a removed version doesn't run any more")
            return
        what = f"a removed version still runs by {_titles(left)}"
        cost = "the tool says that it is removed, and it is not"
        mend = f"deploy the entries of {self.key}.tag and {self.key}.retired alone ({_DOCS})"
        yield Ability("remove", "error", what, cost, mend, self._place(left))

    # -- output that changes by itself --

    def _output(self) -> Ability:
        if not self.trials.unsteady:
            return Ability("output", "ok", "the same values give the same objects")
        what = f"the same values give other objects each time: {_titles(self.trials.unsteady)}"
        cost = "they are applied anew again and again, and pull requests leave out what changes by itself"
        mend = "take chance and the present time out of the template, or the object out of this chart"
        return Ability("output", "warning", what, cost, mend, self._place(self.trials.unsteady, UNSTEADY))


def _label(subject: str, key: str) -> Ability:
    return Ability(subject, "ok", f"`{key}` is a label that only the tool keeps: no object follows it", label=key)


def _untried(subject: str) -> Ability:
    return Ability(subject, "unknown", "it could not be tried: the chart doesn't render that set")


def _title(key: ObjectKey) -> str:
    return f"{key.kind} {key.name}"


def _titles(keys: Iterable[ObjectKey]) -> str:
    return listed(map(_title, sorted(keys)))


def _versions(names: Iterable[Name]) -> str:
    return _all(sorted(names, key=name_number))


def _all(words: Iterable[str]) -> str:
    """Words as a sentence lists them."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
