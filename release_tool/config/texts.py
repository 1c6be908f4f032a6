"""The texts that can stand in `release.yaml`, each with its rules.

Patterns are searched by Python here and by ECMAScript in editors, so they keep to what both read alike. Each rule
is one pattern with the sentence that a person gets.
"""

from __future__ import annotations

from release_tool.config.kinds import Duration, Rule, Text

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
SERVICE_NAME = Text(
    "the name of a service",
    (*PLAIN, Rule(DNS_LABEL, LABEL_WHY, wanted=True)),
    longest=53,  # it may become the name of a Helm release
)
LABEL = Text("a label", PLAIN, longest=50)  # GitHub's limit, the lowest of the known forges

REVIEWER = Text(
    "a user, or a team as organisation/team",
    (
        *PLAIN,
        Rule(r"^@", "write it without '@'"),
        Rule(
            r"^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_.-]+)?$",
            "it must be made of letters, digits, '-' and '_', with '/' between an organisation and a team",
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
    "the URL of a GitHub server, or of its REST API",
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
