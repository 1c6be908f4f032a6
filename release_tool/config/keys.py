"""The keys of `release.yaml`: type, rules, possible values and meaning of each.

One source for three readers:

* config/reader.py checks a file against them, with positions;
* config/schema.py makes the published JSON Schema and the reference in docs/configuration.md of them;
* the defaults come from the records in config.py: a key whose field has no default there is required.

A new key is a field in config.py and a line here. A key or value that is planned and not there yet stands under
`later`, so that it is refused with that sentence rather than as a spelling mistake.

Patterns are searched by Python here and by ECMAScript in editors, so they keep to what both read alike. Each rule
is one pattern with the sentence that a person gets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from release_tool.config import Config, Environment, Forge, Publish, Render, Retention, Versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CURRENT_VERSION = 1
"""The `version` of the file that this tool reads."""


class Rule(NamedTuple):
    """One rule of a text.

    Attributes:
        pattern: what is searched for.
        why: what is wrong with a text that breaks the rule; `%s` stands for what was found.
        wanted: whether the pattern must be found, rather than must not.
    """

    pattern: str
    why: str
    wanted: bool = False


class Text(NamedTuple):
    """A text.

    Attributes:
        expected: what the text is, for errors: "a branch name".
        rules: in the order in which they are tried; the first broken one is told.
        longest: characters at most.
    """

    expected: str
    rules: tuple[Rule, ...] = ()
    longest: int = 200


class Expression(NamedTuple):
    """A regular expression of Python's `re`."""

    longest: int = 1000


class Choice(NamedTuple):
    """One of some words.

    Attributes:
        values: word -> what it means.
        later: words that are planned, and refused as such.
    """

    values: dict[str, str]
    later: tuple[str, ...] = ()


class Whole(NamedTuple):
    """A whole number between two limits, both included."""

    minimum: int
    maximum: int


class Constant(NamedTuple):
    """The version of the file: this number and no other."""

    value: int


class Duration(NamedTuple):
    """A whole number and a unit."""

    pattern: str = r"^(0|[1-9][0-9]{0,4})[smhdw]$"


class Listing(NamedTuple):
    """A list of different texts."""

    item: Text
    most: int


class Section(NamedTuple):
    """A mapping with known keys.

    Attributes:
        keys: what may stand in it.
        record: the record that it becomes, which holds the defaults; None: all keys are optional, without default.
        later: keys that are planned, and refused as such.
        inherits: the section that keys which are left out are taken from.
    """

    keys: tuple[Key, ...]
    record: type | None = None
    later: tuple[str, ...] = ()
    inherits: str = ""

    def key(self, name: str) -> Key | None:
        """The key of this name, if there is one."""
        return next((key for key in self.keys if key.name == name), None)

    def is_required(self, name: str) -> bool:
        """Whether a file without this key is refused: its record has no default for it."""
        return self.record is not None and name not in self._defaults()

    def default(self, name: str) -> object:
        """The default of a key; None if it has none."""
        return self._defaults().get(name)

    def _defaults(self) -> Mapping[str, object]:
        defaults: Mapping[str, object] = getattr(self.record, "_field_defaults", {})  # of a NamedTuple
        return defaults


class Table(NamedTuple):
    """A mapping from names, which people choose, to sections.

    Attributes:
        name: what a name must look like.
        entry: what stands under each.
        most: how many there may be.
    """

    name: Text
    entry: Section
    most: int


Kind = Text | Expression | Choice | Whole | Constant | Duration | Listing | Section | Table


class Key(NamedTuple):
    """One key of a section.

    Attributes:
        name: as it is written.
        kind: what may stand behind it.
        meaning: one or two sentences for people, in Markdown: schema, editors and reference show them.
        examples: values that the reference shows.
    """

    name: str
    kind: Kind
    meaning: str
    examples: tuple[str, ...] = ()


def sections(path: str, section: Section) -> Iterator[tuple[str, Section]]:
    """All sections with their paths, the outer one first."""
    yield path, section
    for key in section.keys:
        inner = f"{path}.{key.name}" if path else key.name
        if isinstance(key.kind, Section):
            yield from sections(inner, key.kind)
        elif isinstance(key.kind, Table):
            yield from sections(f"{inner}.<name>", key.kind.entry)


def broken_rule(text: str, kind: Text) -> str | None:
    """What is wrong with a text of this kind; None if nothing is."""
    if len(text) > kind.longest:
        return f"it has {len(text)} characters, and {kind.longest} are possible"
    for rule in kind.rules:
        found = re.search(rule.pattern, text)
        if (found is None) is rule.wanted:
            return rule.why.replace("%s", repr(found.group()) if found else "")
    return None


PLAIN = (
    Rule(r"^$", "it is empty"),
    Rule(r"[\u0000-\u001f\u007f-\u009f\u2028\u2029]", "it holds the control character %s"),
    Rule(r"^\s|\s$", "it begins or ends with a blank"),
)
"""The rules of every text."""

TEMPLATE = (
    Rule(r"\{(?!environment\})[^{}]*\}?", "%s is no placeholder; possible: {environment}"),
    Rule(r"^([^{}]|\{environment\})*$", "a '}' stands alone", wanted=True),
    Rule(r"\{environment\}", "{environment} is missing, so all environments would share it", wanted=True),
)
"""The rules of a text with a place for the environment's name."""

INSIDE = (
    *PLAIN,
    Rule(r"^[/~]|^[A-Za-z]:", "it is absolute; write it from the root of the repository"),
    Rule(r"\\", "write '/' between its parts"),
    Rule(r"(^|/)\.\.(/|$)", "'..' leads out of its directory"),
    Rule(r"^\.$", "it is the root of the repository, and must be a directory below it"),
    Rule(r"(^|/)\.(/|$)|//|/$", "leave out './', '//' and a '/' at the end"),
    Rule(r"(^|/)\.[Gg][Ii][Tt](/|$)", "git keeps nothing under '.git'"),
    Rule(r"^-", "programs would take it for an option, as it begins with '-'"),
)
"""The rules of a path in the repository."""

BRANCH_RULES = (
    *PLAIN,
    Rule(r"[ ~^:?*\[\\]", "git allows no %s in the name of a branch"),
    Rule(r"^/|/$|//", "git allows no empty part in the name of a branch"),
    Rule(r"(^|/)\.", "git allows no part that begins with '.'"),
    Rule(r"\.\.|@\{|^@$|^HEAD$", "git reads %s as something else than a branch"),
    Rule(r"\.lock(/|$)|\.$", "git allows no part that ends with '.lock', and no '.' at the end"),
    Rule(r"^-", "git would take it for an option, as it begins with '-'"),
    Rule(r"^refs/(heads/)?", "write the name of the branch without %s"),
)
"""The rules of `git check-ref-format --branch`, and no full names of refs."""

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
LABEL_WHY = "it must be made of a-z, 0-9 and '-', and begin and end with a letter or a digit"

DIRECTORY = Text("a directory of the repository", INSIDE)
DIRECTORY_TEMPLATE = Text("a directory of the repository with {environment} in it", (*INSIDE, *TEMPLATE))
BRANCH = Text("the name of a branch", BRANCH_RULES)
BRANCH_TEMPLATE = Text("the name of a branch with {environment} in it", (*BRANCH_RULES, *TEMPLATE))
RELEASE_NAME = Text(
    "the name of a Helm release",
    (
        *PLAIN,
        Rule(
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            "it must be made of a-z, 0-9, '-' and '.', and each part between dots begin and end with a letter or digit",
            wanted=True,
        ),
    ),
    longest=53,  # Helm's own limit: Kubernetes names have 63, and charts add to it
)
NAMESPACE = Text("a Kubernetes namespace", (*PLAIN, Rule(DNS_LABEL, LABEL_WHY, wanted=True)), longest=63)
ENVIRONMENT_NAME = Text("the name of an environment", (*PLAIN, Rule(DNS_LABEL, LABEL_WHY, wanted=True)), longest=63)
LABEL = Text("a label", PLAIN, longest=50)  # GitHub's limit, the lowest of the known forges

MODE = Choice(
    {
        "pull_request": "one rolling pull request per environment",
        "direct": "a push to the base branch itself",
    }
)
LABELS = Listing(LABEL, most=100)

VERSIONS = Section(
    record=Versions,
    keys=(
        Key(
            "order",
            Choice(
                {
                    "semver": "by Semantic Versioning 2.0.0, with or without a leading `v`",
                    "arrival": "by when they came: what was added later is newer",
                },
                later=("calver", "number"),
            ),
            "How tags are compared: what *newer* means.",
        ),
        Key(
            "allow",
            Expression(),
            "A regular expression (Python's `re`) that the whole tag must match, without its `@sha256:…`; a bump with "
            "another tag is refused. Without it, every tag that OCI allows is taken.",
            examples=(r"'^v?\d+\.\d+\.\d+$'",),
        ),
    ),
)

PUBLISH = Section(
    record=Publish,
    keys=(
        Key("mode", MODE, "How a change reaches the base branch."),
        Key(
            "branch",
            BRANCH_TEMPLATE,
            "The rolling branch of an environment. The branch of a downgrade has the same name with `-downgrade` "
            "added.",
            examples=("'release/{environment}'",),
        ),
        Key("labels", LABELS, "The labels of the pull requests.", examples=("[release]",)),
        Key(
            "timeout",
            Duration(),
            "How long a command goes on, planning again each time, when others are faster with their push. After "
            "that it exits with status 75.",
            examples=("2m",),
        ),
    ),
)

ENVIRONMENT_PUBLISH = Section(
    inherits="publish",
    keys=(
        Key("mode", MODE, "As `publish.mode`, for this environment alone."),
        Key("labels", LABELS, "As `publish.labels`, for this environment alone; they replace those, and `[]` is none."),
    ),
)

RETENTION = Section(
    record=Retention,
    later=("in_use",),
    keys=(
        Key(
            "keep",
            Whole(1, 10_000),
            "How many live versions are kept, counted from the newest. The default, pinned versions and the "
            "version to go back to are never retired.",
            examples=("4",),
        ),
        Key(
            "keep_per_minor",
            Whole(1, 10_000),
            "How many of the newest of each minor version (`1.4.x`) are kept besides. Without it, minor versions are "
            "not looked at.",
            examples=("1",),
        ),
        Key("min_age", Duration(), "A version is not retired before it is this old.", examples=("2d",)),
        Key(
            "max_age",
            Duration(),
            "A version that is older is retired even if `keep` or `keep_per_minor` would keep it. Without it, age "
            "alone retires nothing. Not less than `min_age`.",
            examples=("90d",),
        ),
        Key(
            "drain",
            Duration(),
            "How long a retired version stays deployed, without a route, before it is removed: time for calls under "
            "way to end.",
            examples=("1h",),
        ),
        Key(
            "quarantine_for",
            Duration(),
            "After how long a quarantined version is retired, unless it is pinned.",
            examples=("14d",),
        ),
    ),
)

ENVIRONMENT = Section(
    record=Environment,
    later=("health", "downgrade"),
    keys=(
        Key(
            "promote_from",
            ENVIRONMENT_NAME,
            "The environment whose versions are promoted to this one; it stands above this one. Exactly one "
            "environment has no `promote_from`: the entry, which takes the bumps.",
            examples=("devel",),
        ),
        Key(
            "default",
            Choice(
                {
                    "manual": "a person, with `release default`",
                    "newest": "a bump, if its tag is newer than the default",
                    "promoted": "a promotion, if its tag is newer than the default; not for the entry",
                }
            ),
            "What moves the default version.",
        ),
        Key(
            "soak",
            Duration(),
            "How long a version must have been the default of `promote_from` before it is promoted. Not for the entry.",
            examples=("1d",),
        ),
        Key("retention", RETENTION, "Which versions stay live."),
        Key("publish", ENVIRONMENT_PUBLISH, "What differs from `publish` in this environment."),
    ),
)

FORGE = Section(
    record=Forge,
    keys=(
        Key(
            "kind",
            Choice(
                {
                    "auto": "`local` where the remote is a plain path, else `none`",
                    "local": "in the Git remote itself, for plain Git servers and for trials; see `release pulls`",
                    "none": "nowhere: the branch is pushed, and the text of the pull request is printed",
                },
                later=("github",),
            ),
            "Where pull requests live.",
        ),
    ),
)

RENDER = Section(
    record=Render,
    keys=(
        Key(
            "engine",
            Choice(
                {
                    "auto": "the embedded engine where it is installed, else `helm`",
                    "embedded": "the Helm engine that is installed with this tool",
                    "helm": "the program `helm` on `PATH`",
                }
            ),
            "Which Helm renders the chart.",
        ),
    ),
)

CONFIG = Section(
    record=Config,
    later=("services", "registry", "downgrade"),
    keys=(
        Key("version", Constant(CURRENT_VERSION), "The version of this file's format.", examples=("1",)),
        Key("chart", DIRECTORY, "The directory of the Helm chart.", examples=("charts/grpc-manifest",)),
        Key("release_name", RELEASE_NAME, "The name of the Helm release, in every environment.", examples=("engine",)),
        Key("namespace", NAMESPACE, "The Kubernetes namespace of the Helm release.", examples=("engine",)),
        Key(
            "path",
            DIRECTORY_TEMPLATE,
            "The directory of an environment: `image_tag.yaml`, `values.yaml` and `history.jsonl`.",
            examples=("environments/{environment}",),
        ),
        Key(
            "base", BRANCH, "The branch that the cluster follows; everything is planned on its tip.", examples=("main",)
        ),
        Key("versions", VERSIONS, "Which tags are taken, and how they are ordered."),
        Key("publish", PUBLISH, "How changes reach the base branch."),
        Key("forge", FORGE, "Where pull requests live."),
        Key("render", RENDER, "How the chart is rendered."),
        Key(
            "environments",
            Table(ENVIRONMENT_NAME, ENVIRONMENT, most=1000),
            "The environments in promotion order, by name. At least one.",
        ),
    ),
)
"""The whole file."""
