"""`pull_request.py SERVER OWNER/NAME < outcome.json`: the pull request of what a command of `release` pushed, on a Gitea.

What a team writes where `release` knows no forge. It opens the pull request, or brings the open one up to date, and
prints it as JSON; nothing where there is nothing to show. TOKEN: may write the repository and its issues.
"""

import json
import os
import sys
import urllib.request


def call(server, path, method="GET", **body):
    headers = {"Authorization": f"token {os.environ['TOKEN']}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{server}/api/v1/repos/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def show(server, repository, outcome, base="main"):
    if not outcome.get("title") or not outcome.get("branch"):
        return None
    text = {"title": outcome["title"], "body": outcome["body"]}
    # A filter by `head` is not honoured, and a pull request of a fork may have a branch of the same name.
    found = call(server, f"{repository}/pulls?state=open&base_branch={base}&limit=50")
    mine = [
        one
        for one in found
        if one["head"]["label"] == outcome["branch"] and one["head"]["repo_id"] == one["base"]["repo_id"]
    ]
    if mine:
        return call(server, f"{repository}/pulls/{mine[0]['number']}", "PATCH", **text)
    return call(server, f"{repository}/pulls", "POST", head=outcome["branch"], base=base, **text)


if __name__ == "__main__":
    print(json.dumps(show(*sys.argv[1:3], json.load(sys.stdin))))
