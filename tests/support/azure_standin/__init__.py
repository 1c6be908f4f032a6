"""An Azure DevOps for tests: the REST API 7.1 of Git and policies, and git over HTTP, over a bare repository.

How to use it (`fixtures.py` has the fixture `azure`, which verifies at its end that every request was modelled and that
requests and answers agree with Microsoft's description of the API):

    repository = azure.add_repository("shop/gitops", path_of_a_bare_repository)
    token = azure.add_token()                         # a personal access token; kind="job": System.AccessToken
    token = azure.add_token(scopes=("vso.code",), expires=…)
    azure.clone_url("shop/gitops")                    # http://127.0.0.1:PORT/acme/shop/_git/gitops
    azure.collection                                  # http://127.0.0.1:PORT/acme; Azure(prefix="/tfs", organization=…)
    azure.environment("shop/gitops", token)           # SYSTEM_COLLECTIONURI, SYSTEM_ACCESSTOKEN, …

People act through a hand, and what the server makes of it follows (a deleted branch, or commits that were pushed into the
target, leave a pull request active; auto-complete outlives a push; numbers are the whole organization's):

    alice = azure.hand("shop/gitops", "alice")
    alice.complete(1, "squash", deleteSourceBranch=True); alice.revert(1); alice.abandon(2); alice.reactivate(2)
    alice.push("main", {"a": "b"}); alice.force_push("main", "main~2"); alice.delete_branch("release/devel")
    alice.vote(2, 10); alice.comment(2, "why?"); alice.retarget(2, "next"); alice.status(2, "build", "succeeded")

Settings are attributes: `repository.disabled = True`, `repository.rights["release-bot"] = READER`, `azure.version = "5.0"`,
`azure.life.lag = 3` (a merge and a completion take so many requests: they are queued, as on the real one), and policies:

    azure.add_policy(repository, "Minimum number of reviewers", minimumApproverCount=1, resetOnSourcePush=True)
    azure.add_policy(repository, "Require a merge strategy", allowSquash=True); "Build"; "Comment requirements"; …

Faults hit the n-th request that matches (paths without the organization; git's end in `/git-receive-pack`):

    azure.fault("POST", r"/pullrequests", faults.reset_after(), nth=1, times=1)
    faults: status(code, Retry_After="1"), limited(retry_after), sign_in(), reset_before(), reset_after(), cut_off(), …

What was asked: `azure.log` (all), `azure.calls("POST", r"/pullrequests")`. What is there: `repository.pulls[1]`.

Whence it is known: `described.py` (Microsoft's description); answers of the service recorded by Microsoft's own client
(https://github.com/Azure/azure-devops-cli-extension, tests); words of refusals from reports of its users.
"""

import azure_standin.api_pulls
import azure_standin.api_repository
import azure_standin.api_talk  # noqa: F401  these fill the table of routes
from azure_standin import faults
from azure_standin.azure import Azure
from azure_standin.person import Hand
from azure_standin.problems import Problem
from azure_standin.records import ADMINISTRATOR, CONTRIBUTOR, READER, Policy, Pull, Repository, Token

__all__ = [
    "ADMINISTRATOR",
    "CONTRIBUTOR",
    "READER",
    "Azure",
    "Hand",
    "Policy",
    "Problem",
    "Pull",
    "Repository",
    "Token",
    "faults",
]
