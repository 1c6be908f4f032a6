"""Rendered manifests as objects, and the difference of two renderings, object by object.

Objects are told apart by API version, kind, namespace and name, as Kubernetes does, so an object that only moved to
another place or template is no change. Compared is the YAML text of each object in one normal form: comments,
indentation and quotes that mean nothing don't count, everything else does, and the order of the keys stays that of the
rendering. Nothing is hidden.

Documents that both renderings hold word for word are not parsed: of a rendering of fifty versions only the few objects
that an operation touches are.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from release_tool.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class ObjectKey(NamedTuple):
    """What tells one object from all others. `namespace` is empty where the manifest names none."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place} ({self.api_version})"


class ManifestObject(NamedTuple):
    """One object of a rendering."""

    key: ObjectKey
    source: str  # the template `<chart>/templates/<file>`; empty if the rendering doesn't say
    content: Mapping[str, Any]


class ObjectChange(NamedTuple):
    """One object that two renderings don't have alike.

    Attributes:
        action: `added`, `removed` or `changed`.
        key: the object.
        source: the template that it comes from (for a removed one: came from).
        before: its normal YAML text before; empty for an added one.
        after: its normal YAML text after; empty for a removed one.
    """

    action: str
    key: ObjectKey
    source: str
    before: str
    after: str


def objects(rendering: str) -> tuple[ManifestObject, ...]:
    """All objects of a rendering (YAML documents), in its order; the items of a `List` one by one.

    Raises:
        ReleaseError: two objects have the same key, a document is no object, or it is no YAML.
    """
    return tuple(ManifestObject(key, document.source, _read(document)) for key, document in _by_key(rendering).items())


def outlines(rendering: str, kinds: frozenset[str]) -> tuple[ManifestObject, ...]:
    """Some objects of a rendering, without what their pods are made of (`spec.template.spec`).

    That is what routing is judged by, at a fraction of the cost: the other objects are not parsed, and no document is
    parsed twice, whichever rendering holds it. So the contents belong to all callers: don't change them.

    Args:
        rendering: YAML documents.
        kinds: the kinds that are wanted. Whatever has a template of pods is wanted too.
    """
    return tuple(
        ManifestObject(key, document.source, _parsed_once(document) if key.kind in kinds else _outline(document))
        for key, document in _by_key(rendering).items()
        if key.kind in kinds or _TEMPLATE.search(document.text)
    )


def samples(rendering: str, kinds: frozenset[str], most: int) -> tuple[ManifestObject, ...]:
    """The objects of some kinds, whole, but no more of a kind than `most` from one template of the chart.

    Of a thousand versions all but names and tags are alike. The contents belong to all callers, as those of `outlines`.
    """
    found: list[ManifestObject] = []
    counted: dict[tuple[str, str], int] = {}
    for key, document in _by_key(rendering).items():
        count = counted[document.source, key.kind] = counted.get((document.source, key.kind), 0) + 1
        if count <= most and key.kind in kinds:
            found.append(ManifestObject(key, document.source, _parsed_once(document)))
    return tuple(found)


def images(rendering: str) -> Mapping[ObjectKey, tuple[str, ...]]:
    """The images of each object that names any: of whatever runs containers, also of kinds that are not known here."""
    found = {key: _images(one.text) for key, one in _by_key(rendering).items() if key.kind not in _TEXTS}
    return {key: images for key, images in found.items() if images}


def sources(rendering: str) -> dict[ObjectKey, str]:
    """Object -> the template that it comes from; empty where the rendering doesn't say."""
    return {key: document.source for key, document in _by_key(rendering).items()}


def content(rendering: str, key: ObjectKey) -> Mapping[str, Any]:
    """One object of a rendering, whole. It belongs to all callers, as those of `outlines`."""
    return _parsed_once(_by_key(rendering)[key])


def texts(rendering: str) -> dict[ObjectKey, str]:
    """Object -> its YAML, as it is rendered."""
    return {key: document.text for key, document in _by_key(rendering).items()}


def pair(before: str, after: str, keys: tuple[ObjectKey, ObjectKey]) -> tuple[Mapping[str, Any], ...]:
    """One object as two renderings have it, each under its key; nothing where they are written alike."""
    was, now = _by_key(before)[keys[0]], _by_key(after)[keys[1]]
    return () if was.text == now.text else (_read(was), _read(now))


def difference(before: str, after: str) -> tuple[ObjectChange, ...]:
    """What changed between two renderings, of which the first may be empty; equal ones are not looked into.

    Returns:
        The added and changed objects in the order of `after`, then the removed ones in the order of `before`.

    Raises:
        ReleaseError: as `objects`.
    """
    if before == after:
        return ()
    old, new = _by_key(before), _by_key(after)
    changes = []
    for key, document in new.items():
        was = old.get(key)
        if was is None:
            changes.append(ObjectChange("added", key, document.source, "", _normal(document)))
        elif was.text != document.text and (texts := (_normal(was), _normal(document)))[0] != texts[1]:
            changes.append(ObjectChange("changed", key, document.source, *texts))
    gone = (item for item in old.items() if item[0] not in new)
    changes.extend(ObjectChange("removed", key, document.source, _normal(document), "") for key, document in gone)
    return tuple(changes)


def difference_text(changes: Sequence[ObjectChange], *, context: int = 3) -> str:
    """The changes as a unified difference, for terminals and pull requests (`diff` in Markdown).

    Each object has its two header lines, which name it, and its lines; an added or removed one whole. The text is empty
    without changes.
    """
    return "".join(object_difference(change, context=context) for change in changes)


def object_difference(change: ObjectChange, *, context: int = 3) -> str:
    """One change as a unified difference; see difference_text."""
    import difflib

    lines = difflib.unified_diff(
        change.before.splitlines(),
        change.after.splitlines(),
        "/dev/null" if change.action == "added" else str(change.key),
        "/dev/null" if change.action == "removed" else str(change.key),
        n=context,
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)


_TEXTS = frozenset(["ConfigMap", "CustomResourceDefinition", "Secret"])  # what stands in them runs nowhere
_IMAGE = re.compile(
    r"""(?:^|[{,\s])["']?image["']?:[ \t]+(?:"([^"\n]+)"|'([^'\n]+)'|([^\s,{}\[\]"'#&*][^\s,}#]*))""", re.MULTILINE
)

# -- documents --


class _ObjectText(NamedTuple):
    text: str
    source: str


_SEPARATOR = re.compile(r"^---[ \t]*(?:#.*)?\r?\n", re.MULTILINE)
_SOURCE = re.compile(r"\s*# Source: (.*?)\r?\n")
_EMPTY = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z))*")

# The plain form that nearly every template gives, so that the key is read without a YAML parser. What looks in any way
# different (quotes apart) is parsed.
_PLAIN = r"""[ \t]*(?:"([\w./-]+)"|'([\w./-]+)'|([\w./-]+))[ \t]*\r?$"""
_HEAD = {key: re.compile(rf"^{key}:{_PLAIN}", re.MULTILINE) for key in ("apiVersion", "kind")}
_METADATA = re.compile(r"^metadata:[ \t]*\r?\n((?:[ ]+\S.*\n?|[ \t]*\r?\n)+)", re.MULTILINE)
_TOP = re.compile(r"^(apiVersion|kind|metadata)\b", re.MULTILINE)


@lru_cache(maxsize=4)  # two renderings are compared, then judged
def _by_key(rendering: str) -> Mapping[ObjectKey, _ObjectText]:
    found: dict[ObjectKey, _ObjectText] = {}
    for part in _SEPARATOR.split(rendering):
        named = _SOURCE.match(part)
        whole = _ObjectText(part[named.end() :] if named else part, named[1] if named else "")
        if _EMPTY.fullmatch(whole.text):
            continue
        plain = _plain_key(whole.text)
        for key, document in _parsed(whole) if plain is None or plain.kind == "List" else [(plain, whole)]:
            if key in found:
                places = dict.fromkeys(filter(None, (found[key].source, document.source)))
                raise ReleaseError(
                    f"the chart renders {key} twice",
                    where=" and ".join(places),
                    cause="two templates, or two turns of one loop, give it the same name",
                    hint="give each a name of its own",
                )
            found[key] = document
    return found


_DOCUMENTS = 1 << 15  # of two renderings of several thousand versions; with fewer than there are, none would be found


@lru_cache(maxsize=_DOCUMENTS)  # two renderings that are compared have most documents in common
def _plain_key(text: str) -> ObjectKey | None:
    """The key of a document in plain block style; None if that can't be told for sure."""
    heads = [_HEAD[key].search(text) for key in ("apiVersion", "kind")]
    metadata = _METADATA.search(text)
    if len(_TOP.findall(text)) != len(heads) + 1 or metadata is None or not all(heads):
        return None
    block = metadata[1]
    indent = None if "<<" in block else re.match(r"\s*?( +)\S", block)
    if indent is None:
        return None
    names = {"namespace": "", "name": ""}
    for key in names:
        if re.search(rf"^{indent[1]}[\"']?{key}\b", block, re.MULTILINE):
            found = re.findall(rf"^{indent[1]}{key}:{_PLAIN}", block, re.MULTILINE)
            if len(found) != 1:
                return None
            names[key] = "".join(found[0])
    api_version, kind = (head[1] or head[2] or head[3] for head in heads if head)
    return ObjectKey(api_version, kind, **names) if names["name"] else None


@lru_cache(maxsize=_DOCUMENTS)
def _images(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys("".join(found) for found in _IMAGE.findall(text))) if "image" in text else ()


def _parsed(document: _ObjectText) -> Iterator[tuple[ObjectKey, _ObjectText]]:
    content = _content(document)
    if content.get("kind") == "List" and isinstance(content.get("items"), list):
        import yaml

        for item in content["items"]:
            text = yaml.safe_dump(item, sort_keys=False, allow_unicode=True)
            yield from _parsed(_ObjectText(text, document.source))
        return
    yield _key(content, document.source), document


def _key(content: Mapping[str, Any], source: str) -> ObjectKey:
    metadata = content.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    # An object with a generated name is another one each time that it is applied.
    name = metadata.get("name") or (f"{metadata['generateName']}*" if metadata.get("generateName") else None)
    needed = {"apiVersion": content.get("apiVersion"), "kind": content.get("kind"), "metadata.name": name}
    for key, value in needed.items():
        if not value:
            raise ReleaseError(f"the chart renders an object without {key}", where=source, hint="correct the template")
    namespace = metadata.get("namespace") or ""
    return ObjectKey(str(content["apiVersion"]), str(content["kind"]), str(namespace), str(name))


# -- YAML --

_MOST = 100_000
"""Values of an object with aliases; only aliases can ask for more than the text holds."""

# A template of pods, and in it the lines of `spec` in block style: they are longer than all the rest.
_TEMPLATE = re.compile(r"\btemplate[\"']?:")
_POD_SPEC = re.compile(
    r"^( +)template:[ \t]*\n(?:\1 .*\n|[ \t]*\n)*?(\1 +)spec:[ \t]*\n((?:\2 .*\n|[ \t]*\n)+)", re.MULTILINE
)


def _read(document: _ObjectText) -> Mapping[str, Any]:
    from release_tool.manifests import plain_yaml

    return plain_yaml.read(document.text) or _content(document)


_parsed_once = lru_cache(maxsize=_DOCUMENTS)(_read)


@lru_cache(maxsize=_DOCUMENTS)
def _outline(document: _ObjectText) -> Mapping[str, Any]:
    """An object without the specification of its pods, where that can be told apart from the rest."""
    found = _POD_SPEC.search(document.text)
    if found is None:
        return _parsed_once(document)
    try:
        return _parsed_once(document._replace(text=document.text[: found.start(3)] + document.text[found.end(3) :]))
    except ReleaseError:  # the rest needs an anchor that was in it, or the whole is no YAML
        return _parsed_once(document)


def _content(document: _ObjectText) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.load(document.text, Loader=_loader())  # noqa: S506 -- made of the safe loader
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:  # the others of `!!int z` and its like
        raise _unreadable(document, error) from None
    if not isinstance(content, dict):
        raise ReleaseError("the chart renders a document that is no object", where=document.source)
    if "*" in document.text:
        _check_aliases(content, document)
    return content


def _check_aliases(content: dict[str, Any], document: _ObjectText) -> None:
    """Refuse what aliases make endless, or much longer than it is written."""
    waiting: list[Any] = [content]
    for _ in range(_MOST):
        if not waiting:
            return
        one = waiting.pop()
        waiting.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
    hint = "let the template write the values out"
    raise ReleaseError("the chart renders aliases that expand too far", where=document.source, hint=hint)


@cache
def _loader() -> type[Any]:
    """PyYAML's safe loader, in C where there is one, without two types that Kubernetes' manifests don't have.

    It reads a date as a date (and fails on the 31st of February), and fails on a lone `=`, which definitions of
    custom resources hold.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    for tag in ("timestamp", "value"):
        Loader.add_constructor(f"tag:yaml.org,2002:{tag}", Loader.construct_yaml_str)
    return Loader


def _normal(document: _ObjectText) -> str:
    """The YAML text of an object in one form: block style, plain scalars, literal blocks for several lines.

    Made from the parser's events, not from values, so `0644` stays `0644` and `yes` stays `yes`.
    """
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    events: list[Any] = []
    try:
        parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(document.text)
        while (event := parser.get_event()) is not None:
            events.append(event)
            kind = type(event)
            if kind is yaml.ScalarEvent:
                event.style = "|" if "\n" in event.value else None
                if any(event.implicit) and _is_text(event.value):  # no tag: the emitter may quote the value or not
                    event.implicit = (True, True)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                event.flow_style = False
            elif kind is yaml.DocumentStartEvent or kind is yaml.DocumentEndEvent:
                event.explicit = False
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(document, error) from None
    text: str = yaml.emit(events, Dumper=dumper, width=1_000_000, allow_unicode=True)
    return text


@lru_cache(maxsize=1 << 16)
def _is_text(value: str) -> bool:
    """Whether a scalar would be text without its quotes too."""
    import yaml

    resolver: Any = yaml.SafeLoader("")
    return bool(resolver.resolve(yaml.ScalarNode, value, (True, False)) == "tag:yaml.org,2002:str")


def _unreadable(document: _ObjectText, error: Exception) -> ReleaseError:
    problem = getattr(error, "problem", None) or str(error).partition(";")[0]
    mark = getattr(error, "problem_mark", None)
    place = "" if mark is None else f", line {mark.line + 1} of the object"
    what = f"the chart renders what is no YAML: {problem}{place}"
    return ReleaseError(what, where=document.source, cause=str(error), hint="correct the template")
