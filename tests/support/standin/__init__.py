"""A GitHub for tests: REST, GraphQL and git over HTTP on 127.0.0.1, over a bare repository, merging by real git.

How to use it (`conftest.py` has the fixture `standin`, which verifies at its end that every request was modelled and,
where `make github-definitions` has been run, that requests and answers agree with GitHub's description of its API):

    repository = standin.add_repository("acme/shop", path_of_a_bare_repository, roles={"alice": "write"})
    token = standin.add_token()                       # an app's; kind="classic" | "fine-grained" | "actions"
    token = standin.add_token(permissions={"contents": "write"}, repositories=("acme/shop",), expires=…)
    standin.clone_url("acme/shop")                    # http://127.0.0.1:PORT/acme/shop.git, any user name + token.value
    standin.api, standin.graphql                      # …/api/v3 and …/api/graphql; StandIn(prefix="") as api.github.com
    standin.environment("acme/shop", token)           # GITHUB_API_URL, GITHUB_SERVER_URL, GITHUB_TOKEN, …

People act through a hand: real git, and what follows on GitHub follows here (pull requests move, close, count as
merged, lose stale approvals; refs changed behind its back in the bare repository are noticed at the next request):

    alice = standin.hand("acme/shop", "alice")
    alice.merge(1, "squash"); alice.revert(1); alice.close(2); alice.reopen(2); alice.delete_branch("release/devel")
    alice.edit("release/devel", {"README.md": "by hand"}); alice.update_branch(2); alice.push("main", {"a": "b"})
    alice.force_push("main", "main~2"); alice.approve(2); alice.comment(2, "why?")
    alice.check("release/devel", "ci", "success"); alice.status("release/devel", "lint", "pending")

Settings are attributes: `repository.archived = True`, `.protections["main"] = Protection(required_reviews=1,
dismiss_stale_reviews=True, contexts=("ci",), strict=True)`, `.rulesets.append(Ruleset(…))`, `.allow_auto_merge`,
`.delete_branch_on_merge`, `.actions_may_open_pull_requests`, … (`records.py`).

Faults hit the n-th request that matches (paths without the API's prefix; git's are `/acme/shop.git/…`):

    standin.fault("POST", r"/pulls$", faults.reset_after(), nth=1, times=1)
    standin.fault("*", r"/graphql|/pulls", faults.status(503), times=math.inf)
    faults: status(code, Retry_After="1"), reset_before(), reset_after(), truncated_json(), cut_off(), hang(s),
            delay(s), already_exists("acme:release/devel"), primary_limit(reset_in, now), secondary_limit(retry_after)
    token.limit = 3                                   # the primary rate limit for real

What was asked: `standin.log` (all), `standin.calls("POST", r"/pulls")` (the API's), `repository.events` (what would
start workflows), `repository.pulls[1]`, `repository.comments`. Refs: `repository.bare.heads()`, `.git(…)`.
"""

from standin import faults
from standin.changes import Refused
from standin.records import EVERYTHING, Protection, Pull, Repository, Ruleset, Token
from standin.standin import Exchange, StandIn

__all__ = [
    "EVERYTHING",
    "Exchange",
    "Protection",
    "Pull",
    "Refused",
    "Repository",
    "Ruleset",
    "StandIn",
    "Token",
    "faults",
]
