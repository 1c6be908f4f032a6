"""A repository on the stand-in of Azure DevOps, with a client that speaks plain HTTP and plain git."""

from __future__ import annotations

from typing import Any

import requests
from azure_standin import Azure, Pull, Token

BEGIN = b"""commit refs/heads/main
author Ada <ada@example.com> 1700000000 +0000
committer Ada <ada@example.com> 1700000000 +0000
data 5
Begin
M 644 inline tags.yaml
data 15
- v1
- v2
- v3
M 644 inline README.md
data 6
Hello

"""
HEAD, BASE = "release/devel", "main"
SCOPES = ("vso.code_write", "vso.identity", "vso.project")


class AzureShop:
    """`shop/gitops`, with `main` and somebody with a token."""

    def __init__(self, azure: Azure, **settings: Any) -> None:
        self.azure = azure
        self.repository = azure.add_repository("shop/gitops", **settings)
        self.bare = self.repository.bare
        self.bare.git("fast-import", "--quiet", stdin=BEGIN)
        self.token = azure.add_token(scopes=SCOPES)
        self.alice = azure.hand("shop/gitops", "alice")
        self.bob = azure.hand("shop/gitops", "bob")

    def ask(self, method: str, path: str, *, token: Token | None = None, **more: Any) -> requests.Response:
        """A request below the repository; no retry, no redirect."""
        url = f"{self.azure.collection}/shop/_apis/git/repositories/gitops{path}"
        return self.anywhere(method, url, token=token, **more)

    def anywhere(self, method: str, url: str, *, token: Token | None = None, **more: Any) -> requests.Response:
        headers = {"Accept": "application/json; api-version=7.1-preview", **more.pop("headers", {})}
        login = ("", (token or self.token).value)
        return requests.request(method, url, headers=headers, auth=login, timeout=20, allow_redirects=False, **more)

    def json(self, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(method, path, **more)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, **more: Any) -> tuple[int, str, str]:
        """Status, the name of the server's exception, and its words."""
        answer = self.ask(method, path, **more)
        assert not answer.ok, answer.text
        return answer.status_code, answer.json()["typeKey"], answer.json()["message"]

    def propose(self, branch: str = HEAD, files: dict[str, Any] | None = None, **more: Any) -> int:
        """A branch with a commit, and its pull request by the API."""
        self.alice.push(branch, files or {"tags.yaml": "- v1\n- v2\n- v3\n- v4\n"}, "Add v4")
        return int(self.json("POST", "/pullrequests", json=self.body(branch, **more))["pullRequestId"])

    def body(self, branch: str = HEAD, **more: Any) -> dict[str, Any]:
        sides = {"sourceRefName": f"refs/heads/{branch}", "targetRefName": f"refs/heads/{BASE}"}
        return {"title": "Release v4", "description": "What changes", **sides, **more}

    def get(self, number: int, times: int = 1) -> Any:
        """As the API shows it after so many looks."""
        for _ in range(times):
            found = self.json("GET", f"/pullrequests/{number}")
        return found

    def pull(self, number: int) -> Pull:
        return self.repository.pulls[number]

    def complete(self, number: int, **options: Any) -> Any:
        """By the API, with the head that it shows; what it shows when the merge is over."""
        head = self.get(number)["lastMergeSourceCommit"]
        body = {"status": "completed", "lastMergeSourceCommit": head, "completionOptions": options}
        self.json("PATCH", f"/pullrequests/{number}", json=body)
        return self.get(number, 3)
