"""The texts that can stand in the section `health` of `release.yaml`, each with its rules."""

from __future__ import annotations

from release_tool.config.kinds import Rule, Text
from release_tool.config.texts import PLAIN

_PLACEHOLDERS = "environment|namespace|service|release|version|tag"
_FILLED = Rule(
    r"\{(?!(" + _PLACEHOLDERS + r")\})[^{}]*\}?",
    "%s is no placeholder; possible: {environment}, {namespace}, {service}, {release}, {version}, {tag}",
)
_NO_CREDENTIAL = Rule(r"//[^/?#]*@", "no credential may stand in it")

CHECK_NAME = Text(
    "the name of a check",
    (*PLAIN, Rule(r"^[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?$", "letters, digits, '-' and '_' make it", wanted=True)),
    longest=40,
)

HEALTH_PROMQL = Text(
    "a query of Prometheus",
    (
        Rule(r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]", "it holds the control character %s"),
        Rule(r"^[ \t\n]*$", "it is blank"),
        Rule(
            # PromQL's own braces hold matchers (`{a="b"}`), nothing, or a name in quotes; never a word alone
            r"\{(?!(" + _PLACEHOLDERS + r"|window|range)\})[A-Za-z_][A-Za-z0-9_]*\}",
            "%s is no placeholder; possible: {environment}, {namespace}, {service}, {release}, {version}, {tag}, "
            "{window}, {range}",
        ),
        Rule(r"\{(version|tag)\}", "without {version} or {tag} it judges all versions alike", wanted=True),
    ),
    longest=4000,
)
SAMPLES_PROMQL = HEALTH_PROMQL
_MATCHER = r"""[a-zA-Z_][a-zA-Z0-9_]*(=|!=|=~|!~)("[^"\\]*"|'[^'\\]*')"""
MATCHERS = Text(
    "matchers of labels",
    (
        *PLAIN,
        _FILLED,
        Rule(
            f"^{_MATCHER}(, ?{_MATCHER})*$",
            'it must be made of matchers such as cluster="eu", with commas between them',
            wanted=True,
        ),
    ),
    longest=1000,
)

CODE = Text(
    "a gRPC status code",
    (
        *PLAIN,
        Rule(
            # https://grpc.io/docs/guides/status-codes/
            r"^(CANCELLED|UNKNOWN|INVALID_ARGUMENT|DEADLINE_EXCEEDED|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|"
            r"RESOURCE_EXHAUSTED|FAILED_PRECONDITION|ABORTED|OUT_OF_RANGE|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS|"
            r"UNAUTHENTICATED)$",
            "it is the name of a code in capitals, such as UNAVAILABLE",
            wanted=True,
        ),
    ),
)

CONTEXT = Text("a context of the kubeconfig", PLAIN)
OBJECT_TEMPLATE = Text(
    "the name of a Kubernetes object, with placeholders",
    (
        *PLAIN,
        _FILLED,
        Rule(r"^([a-z0-9.-]|\{[a-z]+\})+$", "it must be made of a-z, 0-9, '-', '.' and placeholders", wanted=True),
    ),
)
ADDRESS = Text(
    "host:port",
    (
        *PLAIN,
        _FILLED,
        Rule(r"//|@", "write the host and the port alone, without %s"),
        Rule(r"^([-A-Za-z0-9._]|\{[a-z]+\}|\[[0-9A-Fa-f:.]+\])+:[0-9]{1,5}$", "it must be host:port", wanted=True),
    ),
)
AUTHORITY = Text(
    "a host name", (*PLAIN, _FILLED, Rule(r"^([-A-Za-z0-9._:]|\{[a-z]+\})+$", "it must be a host name", wanted=True))
)
CA_FILE = Text("a file with certificates", PLAIN, longest=1000)
GRPC_SERVICE = Text("the name of a gRPC service", (*PLAIN, Rule(r"/", "write it without '/'")))
GRPC_METHOD = Text(
    "a gRPC method as /package.Service/Method",
    (*PLAIN, Rule(r"^/[A-Za-z0-9_.]+/[A-Za-z0-9_]+$", "it must look like /package.Service/Method", wanted=True)),
)
HEADER = Text(
    "the name of a header",
    (*PLAIN, Rule(r"^[a-z0-9_.-]+$", "it must be made of a-z, 0-9, '-', '_' and '.'", wanted=True)),
)
PROBE_URL = Text(
    "an http:// or https:// URL",
    (
        *PLAIN,
        _FILLED,
        _NO_CREDENTIAL,
        Rule(r"^https?://", "it must begin with http:// or https://", wanted=True),
        Rule(r"^[!-~]*$", "it holds a blank, or letters that a URL can't hold", wanted=True),
    ),
    longest=1000,
)
ARGUMENT = Text(
    "an argument of a program",
    (Rule(r"[\u0000]", "it holds the control character %s"), _FILLED),
    longest=1000,
)
