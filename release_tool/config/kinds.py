"""What can stand behind a key of `release.yaml`: the kinds of values, the rules of each text, and `Key` itself.

Patterns are searched by Python here and by ECMAScript in editors, so they keep to what both read alike.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import FunctionType
from typing import Any, NamedTuple

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
"""Unit of a duration -> argument of `timedelta`."""

MAX_EXPRESSION = 1000
"""Characters of the longest regular expression."""


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
        rules: tried in this order; the error names the first broken one.
        longest: characters at most.
        forms: how a text may begin, and what it is then instead.
    """

    expected: str
    rules: tuple[Rule, ...] = ()
    longest: int = 200
    forms: "tuple[tuple[str, Text], ...]" = ()


class Whole(NamedTuple):
    """A whole number between two limits, both included."""

    minimum: int
    maximum: int


class Duration(NamedTuple):
    """A whole number and one of the units `s`, `m`, `h`, `d` and `w`; `expected` is the phrase for errors."""

    expected: str = "a duration like 90s, 15m, 1h, 2d or 1w"
    pattern: str = r"^(0|[1-9][0-9]{0,4})[smhdw]$"


class Listing(NamedTuple):
    """A list of at most `most` texts. If `repeats`, a text may stand twice, and the list can't be empty."""

    item: Text
    most: int
    repeats: bool = False


class Section(NamedTuple):
    """A mapping with known keys.

    Attributes:
        keys: name -> key, in the order of the reference.
        required: names of the keys that a file must have (see also `Key.unless`).
        record: the record that it becomes; None: it stays a dictionary of the keys that are written.
        inherits: the section that keys which are left out are taken from.
    """

    keys: Mapping[str, "Key"]
    required: tuple[str, ...] = ()
    record: type | None = None
    inherits: str = ""


class Table(NamedTuple):
    """A mapping from names, which people choose, to sections; at least one entry, at most `most`."""

    name: Text
    entry: Section
    most: int


Kind = Text | Whole | Duration | Listing | Section | Table | dict[str, str] | type
"""A dictionary is a choice: word -> what the word means. The types: `bool`, `float`, `re.Pattern`."""


class Key(NamedTuple):
    """One key of a section, beside the type and the default of its field: `name: Annotated[type, Key(...)] = default`.

    Attributes:
        meaning: one or two sentences for people, in Markdown: schema, editors and reference show them.
        given: what may stand behind the key, or a function that loads that; None: what the type of the field says.
        example: a value that the reference shows.
        unless: another key of the section; where that one stands, this one is not required.
        otherwise: what holds where the key is left out, in words, if it is no plain default.
        last: whether the reference shows it after the others: a field without default must stand before them.
    """

    meaning: str
    given: Kind | Callable[[], Section] | None = None
    example: str = ""
    unless: str = ""
    otherwise: str = ""
    last: bool = False

    @property
    def kind(self) -> Kind:
        """What may stand behind the key."""
        kind: Any = self.given() if isinstance(self.given, FunctionType) else self.given
        return kind  # type: ignore[no-any-return]


_OF_TYPE = {
    bool: bool,
    float | None: float,
    re.Pattern[str] | None: re.Pattern,
    timedelta: Duration(),
    timedelta | None: Duration(),
}


def section_of(record: type, **more: Key) -> Section:
    """The section that a record (a `NamedTuple`) describes: its annotated fields, after `more` keys without a field.

    A field without default is a required key.
    """
    keys = dict(more)
    for name, hint in record.__annotations__.items():
        for key in getattr(hint, "__metadata__", ()):
            keys[name] = key if key.given else key._replace(given=_OF_TYPE[hint.__origin__])
    optional = getattr(record, "_field_defaults", {})
    return Section(
        dict(sorted(keys.items(), key=lambda pair: pair[1].last)),
        tuple(name for name in keys if name not in optional),
        record,
    )


def sections(path: str, section: Section) -> Iterator[tuple[str, Section]]:
    """All sections with their paths, the outer one first."""
    yield path, section
    for name, key in section.keys.items():
        inner, kind = f"{path}.{name}" if path else name, key.kind
        if isinstance(kind, Section):
            yield from sections(inner, kind)
        elif isinstance(kind, Table):
            yield from sections(f"{inner}.<name>", kind.entry)


def form_of(text: str, kind: Text) -> Text:
    """What a text is by its beginning."""
    return next((form for beginning, form in kind.forms if text.startswith(beginning)), kind)


def broken_rule(text: str, kind: Text) -> str | None:
    """What is wrong with a text of this kind; None if nothing is."""
    kind = form_of(text, kind)
    if len(text) > kind.longest:
        return f"it has {len(text)} characters, and {kind.longest} are possible"
    for rule in kind.rules:
        found = re.search(rule.pattern, text)
        if (found is None) is rule.wanted:
            return rule.why.replace("%s", repr(found.group()) if found else "")
    return None if text.isascii() or not re.search(r"[\ud800-\udfff]", text) else "it holds half of a surrogate pair"


# --- the texts --------------------------------------------------------------------------------------------------------

PLAIN = (
    Rule(r"^$", "it is empty"),
    Rule(r"[\u0000-\u001f\u007f-\u009f\u2028\u2029]", "it holds the control character %s"),
    Rule(r"^\s|\s$", "it begins or ends with a blank"),
)
"""The rules of every text."""

TEMPLATE = (
    Rule(
        r"\{(?!(environment|service)\})[^{}]*\}?",
        "%s is no placeholder; possible: {environment}, and {service} with `services`",
    ),
    Rule(r"^([^{}]|\{environment\}|\{service\})*$", "a '}' stands alone", wanted=True),
    Rule(r"\{environment\}", "{environment} is missing, so all environments would share it", wanted=True),
)
"""The rules of a text with a place for the environment's name, and with `services` for the service's."""

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

DNS_LABEL = (
    *PLAIN,
    Rule(
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "it must be made of a-z, 0-9 and '-', and begin and end with a letter or a digit",
        wanted=True,
    ),
)

DIRECTORY = Text("a directory of the repository", INSIDE)

_CHART_IN_GIT = Text(
    "the address of a chart in a Git repository",
    (
        *PLAIN,
        Rule(
            r"^git\+(https?|ssh|file)://", "git is asked by git+https://, git+http://, git+ssh:// or git+file://", True
        ),
        Rule(r"[^!-~]|://-", "it must be made of visible ASCII letters, and no host begins with '-'"),
        Rule(r"^git\+https?://[^/]*@[^/]*/|://[^/@]*:[^/@]*@", "no credential may stand in it: git finds its own"),
        Rule(r"[?#]", "leave out '?' and '#'; the commit stands behind '@', the directory behind '//'"),
        Rule(
            r"@([0-9a-f]{40}|[0-9a-f]{64})$",
            "it must end with '@' and the whole id of a commit, 40 or 64 hexadecimal digits: what a branch or a tag "
            "names can change, and the same release.yaml would render something else",
            wanted=True,
        ),
        Rule(
            r"[^:/]//.*//|:////|/\.\.?(/|@)|/@|:///?@",
            "behind '//' stands a directory of that repository, without './' and '../'",
        ),
    ),
    longest=500,
)
_CHART_IN_REGISTRY = Text(
    "the address of a chart in an OCI registry",
    (
        *PLAIN,
        Rule(
            r"^oci://[a-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+(:[^/@]*)?(@[^/]*)?$",
            "it must be oci://, a host, and parts of a-z, 0-9, '.', '_' and '-' with '/' between them",
            wanted=True,
        ),
        Rule(
            r"/[^/@]*(:v?[0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9.+-]*(@[^@]*)?|@[^@]*)$",
            "it must end with ':' and the whole version (1.2.3), or with '@' and the digest: another tag can change",
            wanted=True,
        ),
        Rule(r"@(?!sha256:[0-9a-f]{64}$)", "a digest is sha256: and 64 hexadecimal digits"),
    ),
    longest=500,
)
CHART = Text(
    "a directory of the repository",
    (
        Rule(
            r"^[A-Za-z][A-Za-z0-9+.-]*://",
            "no chart is read so; possible: git+https://, git+http://, git+ssh://, git+file://, oci://",
        ),
        *INSIDE,
    ),
    forms=(("git+", _CHART_IN_GIT), ("oci:", _CHART_IN_REGISTRY)),
)
DIRECTORY_TEMPLATE = Text("a directory of the repository with {environment} in it", (*INSIDE, *TEMPLATE))
VALUES_FILE = Text(
    "a values file of the repository",
    (*INSIDE, *TEMPLATE[:2], Rule(r"(^|/)image_tag\.yaml$", "leave it out: it comes last by itself")),
)
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
NAMESPACE = Text("a Kubernetes namespace", DNS_LABEL, longest=63)
ENVIRONMENT_NAME = Text("the name of an environment", DNS_LABEL, longest=63)
SERVICE_NAME = Text("the name of a service", DNS_LABEL, longest=53)  # it may become the name of a Helm release
LABEL = Text("a label", PLAIN, longest=50)  # GitHub's limit, the lowest of the known forges

KUBE_VERSION = Text(
    "a version of Kubernetes",
    (
        *PLAIN,
        Rule(r"^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?$", "write it like 1.33 or v1.33.2", wanted=True),
    ),
    longest=60,
)
API_VERSION = Text(
    "an API version",
    (
        *PLAIN,
        Rule(
            r"^([a-z0-9][a-z0-9.-]*/)?v[0-9][a-z0-9]*(/[A-Z][A-Za-z0-9]*)?$",
            "write it like monitoring.coreos.com/v1, or with a kind behind it",
            wanted=True,
        ),
    ),
)

VALUES_KEY = Text(
    "a path of keys",
    (
        *PLAIN,
        Rule(r"^[.]|[.]$|[.][.]", "a key of it is empty"),
        Rule(r"^([^.]*[.]){8}", "it leads more than 8 keys down"),
        Rule(
            r"(^|[.])(default|tag|retired|pinned|quarantined)$",
            "the last key is one of the five that stand below it: leave that one out",
        ),
        Rule(
            r"^[A-Za-z_][A-Za-z0-9_-]*([.][A-Za-z_][A-Za-z0-9_-]*)*$",
            "each key must be made of letters, digits, '_' and '-', and begin with a letter or '_'; a key that holds "
            "a '.' can't be named",
            wanted=True,
        ),
        Rule(
            r"(^|[.])([Tt]rue|TRUE|[Ff]alse|FALSE|[Nn]ull|NULL|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF|[YyNn])([.]|$)",
            "YAML reads one of its keys as something other than a text",
        ),
    ),
)

VERSION_PATTERN = Text(
    "a regular expression with a group named version",
    (*PLAIN, Rule(r"\(\?P<version>", "it has no group named version, `(?P<version>…)`", wanted=True)),
    longest=MAX_EXPRESSION,
)

REVIEWER = Text(
    "a user, or a team as organisation/team",
    (
        *PLAIN,
        Rule(r"^@", "write it without '@'"),
        Rule(
            r"^[A-Za-z0-9_][A-Za-z0-9_.+@-]*(/[A-Za-z0-9_.-]+)?$",
            "it must be made of letters, digits and '-_.+@', with '/' between an organisation and a team",
            wanted=True,
        ),
    ),
)

IMAGE = Text(
    "the repository of an image",
    (
        *PLAIN,
        Rule(r"^[A-Za-z][A-Za-z0-9+.-]*://", "it has a scheme; write the host and the path alone"),
        Rule(r"@", "write it without a digest, and without a user: credentials are read from Docker's files"),
        Rule(r"/[^/]*:|^[^/]*:[^/]*$", "write it without a tag"),
        Rule(r"[A-Z]", "%s is upper case, and registries allow lower case only"),
        Rule(
            # host and port, then the <name> of the OCI distribution specification 1.1, section "Pulling manifests"
            r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[0-9]{1,5})?/)?"
            r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$",
            "it must be made of a host and parts of a-z, 0-9, '.', '_' and '-' with '/' between them",
            wanted=True,
        ),
    ),
    longest=255,  # many clients allow no more for host and name together, says the same section
)
_SERVER = (
    Rule(r"[?#]", "leave out %s and what follows"),
    Rule(
        r"^https?://([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|[\[][0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?$",
        "it must be a host, a port if needed, and a path if needed",
        wanted=True,
    ),
)
"""Of the URL of a server, whatever the scheme."""
FORGE_URL = Text(
    "the URL of the forge's server, or of its REST API",
    (
        *PLAIN,
        Rule(
            # without TLS only on the machine itself: a token is sent there
            r"^(https://|http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]{1,5})?(/|$))",
            "it must begin with https://",
            wanted=True,
        ),
        Rule(r"@", "no credential may stand in it: the token is read from GITHUB_TOKEN"),
        *_SERVER,
    ),
    longest=500,
)
PROMETHEUS_URL = Text(
    "the URL of a Prometheus",
    (
        *PLAIN,
        Rule(r"^https?://", "it must begin with http:// or https://", wanted=True),
        Rule(r"@", "no credential may stand in it: the token is read from RELEASE_PROMETHEUS_TOKEN"),
        *_SERVER,
    ),
    longest=500,
)
PROMQL = Text(
    "a query of Prometheus",
    (
        Rule(r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]", "it holds the control character %s"),
        Rule(r"^[ \t\n]+$", "it is blank; leave it out for the built-in query"),
        Rule(
            # PromQL's own braces hold matchers (`{a="b"}`), nothing, or a name in quotes; never a word alone
            r"\{(?!(environment|namespace|service|release|window)\})[A-Za-z_][A-Za-z0-9_]*\}",
            "%s is no placeholder; possible: {environment}, {namespace}, {service}, {release}, {window}",
        ),
    ),
    longest=4000,
)

TIMEOUT = Duration("a duration like 10s or 2m", r"^[1-9][0-9]{0,3}[sm]$")
WINDOW = Duration(
    "a duration like 90m, 12h, 7d or 2w, more than 0 and of four digits at most", r"^[1-9][0-9]{0,3}[smhdw]$"
)
