"""What one environment holds at one moment, read as far as it can be, with the places of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from release_tool import tagfile
from release_tool.checks.record import Record, read
from release_tool.model.records import State, name_number
from release_tool.yamledit.data import place_of
from release_tool.yamledit.parser import documents
from release_tool.yamledit.tree import YamlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from release_tool.config import Place
    from release_tool.model.records import Name, Tag


class Held(NamedTuple):
    """The files of one environment.

    Attributes:
        place: where they stand.
        tags: the text of `image_tag.yaml`.
        state: its versions, as far as they can be told.
        record: the record with its archives, line by line.
    """

    place: Place
    tags: str
    state: State
    record: Record

    @property
    def versions(self) -> dict[Name, Tag]:
        """All that is deployed: name -> tag of `image.tag` and of `image.retired`."""
        return {**self.state.versions, **self.state.retired}

    def at_key(self, *path: str) -> str:
        """Where a key stands in `image_tag.yaml`; the file alone where it doesn't."""
        return self._at(place_of(self.tags, path, key=True))

    def has(self, *path: str) -> bool:
        """Whether a key stands in `image_tag.yaml`, also where the rules forbid it."""
        return place_of(self.tags, path, key=True) is not None

    @property
    def named_default(self) -> str | None:
        """What `image.default` says, also where the rules forbid it; None where it stands there not."""
        try:
            found = documents(self.tags)
        except YamlError:
            return None
        image = found[0].get("image") if found and found[0] is not None else None
        default = image.get("default") if image is not None else None
        return default.value if default is not None and default.kind == "scalar" else None

    def at_version(self, name: Name) -> str:
        """Where the tag of a version stands; `image.tag` where it is no version of the file any more."""
        paths = ("image", "tag", name), ("image", "retired", name), ("image", "tag", str(name_number(name) - 1))
        for section, *path in paths:
            found = place_of(self.tags, (section, *path))
            if found is not None:
                return self._at(found)
        return self.at_key("image", "tag")

    def _at(self, found: tuple[int, int] | None) -> str:
        return self.place.tag_file if found is None else f"{self.place.tag_file}:{found[0]}:{found[1]}"


def held(place: Place, tags: str, record: str, archives: Mapping[str, str]) -> Held:
    """The files of one environment, read as far as they can be.

    Args:
        record: `history.jsonl`; empty for none.
        archives: path -> text of the record's old lines.
    """
    return Held(place, tags, tagfile.read_leniently(tags), read(place.history_file, record, archives))
