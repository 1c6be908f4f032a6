"""Tries out the charts of one moment: once for each chart with its values, however many environments have them."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.checks.chart import Ability, abilities
from release_tool.manifests import chance, probe
from release_tool.manifests.templates import Templates
from release_tool.remote.snapshot import readable
from release_tool.tagfile.reader import KEYS
from release_tool.yamledit.data import to_data
from release_tool.yamledit.parser import documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from release_tool.config import Config
    from release_tool.manifests.probe import Trials
    from release_tool.remote.rendering import Renderings
    from release_tool.remote.snapshot import Files

_KEPT = 64  # charts with values
_known: dict[str, Trials] = {}


class ChartTable(NamedTuple):
    """What a chart can do with the values of some environments, by their titles."""

    environments: tuple[str, ...]
    abilities: tuple[Ability, ...]


def rows(found: Sequence[ChartTable]) -> list[tuple[str, Ability]]:
    """The rows of all tables, each once, with the environments that it is about; empty: all of them."""
    titles: dict[Ability, list[str]] = {}
    for table in found:
        for row in table.abilities:
            titles.setdefault(row, []).extend(table.environments)
    every = sum(len(table.environments) for table in found)
    return [("" if len(whose) == every else ", ".join(whose), row) for row, whose in titles.items()]


def tables(renderings: Renderings, places: Iterable[Files]) -> list[ChartTable]:
    """What the chart can do with the values of environments, whose files can be read and rendered."""
    templates = Templates(renderings.chart(), renderings.place)
    looked = [(files.place.title, trials_of(renderings, files)) for files in places]
    made = {id(trials): abilities(trials, templates) for _, trials in looked}
    found: dict[tuple[Ability, ...], list[str]] = {}
    for title, trials in looked:
        found.setdefault(made[id(trials)], []).append(title)
    return [ChartTable(tuple(titles), table) for table, titles in found.items()]


def trials_of(renderings: Renderings, files: Files) -> Trials:
    """What the chart makes of the versions of an environment, whose files can be read and rendered.

    Two environments with the same chart, the same other values and versions of the same form have one answer.
    """
    written = _written(files, renderings.config)
    key = _key(renderings, files, written)
    if key not in _known:
        if len(_known) >= _KEPT:
            _known.clear()
        steady = not chance.may_change(renderings.chart(), [text.encode() for _, text in files.values])
        _known[key] = probe.try_out(
            lambda text: renderings.trial(files, text),
            written,
            renderings.config.namespace,
            None if steady else lambda text: renderings.trial(files, text, later=True),
        )
    return _known[key]


def _written(files: Files, config: Config) -> probe.Written:
    file = files.tag_file(empty=True)
    roots = documents(file.text)
    data = to_data(roots[0] if roots else None)
    path = files.place.key.split(".")
    moves = config.environment(files.place.environment).default != "manual"
    rest = _without_keys(data if isinstance(data, dict) else {}, path)
    state = file.state
    versions = state.versions if file.is_list else state.live
    return probe.Written(versions, state.written_default, file.is_list, rest, tuple(path), moves)


def _without_keys(data: dict[Any, Any], path: Sequence[str]) -> dict[Any, Any]:
    """What else the file holds."""
    if not path:
        return {key: value for key, value in data.items() if key not in KEYS}
    below = data.get(path[0])
    return {**data, path[0]: _without_keys(below, path[1:])} if isinstance(below, dict) else data


def _key(renderings: Renderings, files: Files, written: probe.Written) -> str:
    """What the answer depends on, as a digest. Of the tags only their form."""
    config = renderings.config
    forms = sorted({re.sub(r"[0-9a-f]+", "0", tag) for tag in written.versions.values()})
    handed = (config.chart, config.release_name, config.namespace, config.render, written.key, written.moves, forms)
    values = [readable(text, path) for path, text in files.values]
    digest = sha256(json.dumps([handed, values, written.rest, written.is_list, bool(written.default)]).encode())
    for path, data in sorted(renderings.chart().items()):
        digest.update(f"\0{path}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()
