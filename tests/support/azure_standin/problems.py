"""What the server refuses, in its own words and shapes."""

from __future__ import annotations

from forge_standin import Answer

_GIT = "Microsoft.TeamFoundation.Git.Server"
_ASSEMBLIES = {
    "InvalidArgumentValueException": "Microsoft.TeamFoundation.SourceControl.WebServer",
    "ProjectDoesNotExistWithNameException": "Microsoft.TeamFoundation.Core.WebApi",
    "DiscussionContentTooLongException": "Microsoft.VisualStudio.Services.CodeReview.Discussion.WebApi",
}


class Problem(Exception):
    """An answer of 4xx; `key` is the name of the server's exception."""

    def __init__(self, status: int, key: str, message: str, assembly: str = "", *, event: int = 3000) -> None:
        super().__init__(message)
        self.status = status
        self.key = key
        self.message = message
        self.assembly = (
            assembly
            or _ASSEMBLIES.get(key)
            or ("Microsoft.VisualStudio.Services.WebApi" if key.startswith("Vss") else _GIT)
        )
        self.event = event

    def answer(self) -> Answer:
        name = f"{self.assembly}.{self.key}, {self.assembly}"
        body = {"$id": "1", "innerException": None, "message": self.message, "typeName": name}
        return Answer(self.status, {**body, "typeKey": self.key, "errorCode": 0, "eventId": self.event})


def invalid(words: str) -> Problem:
    """The 400 of a value that isn't right."""
    return Problem(400, "InvalidArgumentValueException", f"Invalid argument value.\r\nParameter name: {words}", event=0)


def needs(permission: str, identity: str, scope: str = "repository") -> Problem:
    message = f"TF401027: You need the Git '{permission}' permission to perform this action. "
    return Problem(403, "GitNeedsPermissionException", f"{message}Details: identity '{identity}', scope '{scope}'.")


def no_repository(name: str) -> Problem:
    message = f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have "
    return Problem(404, "GitRepositoryNotFoundException", f"{message}permissions for the operation you are attempting.")


def no_project(name: str) -> Problem:
    message = f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct "
    message += "and that the project exists on the specified Azure DevOps Server."
    return Problem(404, "ProjectDoesNotExistWithNameException", message)


def no_pull() -> Problem:
    return Problem(404, "GitPullRequestNotFoundException", "TF401180: The requested pull request was not found.")


def exists() -> Problem:
    message = "TF401179: An active pull request for the source and target branch already exists."
    return Problem(409, "GitPullRequestExistsException", message)


def stale() -> Problem:
    message = "TF401192: The source branch has been modified since the last merge attempt."
    return Problem(409, "GitPullRequestStaleException", message)


def not_editable() -> Problem:
    message = "TF401181: The pull request cannot be edited due to its state."
    return Problem(400, "GitPullRequestNotEditableException", message)


def cannot_be_activated() -> Problem:
    message = "TF401398: The pull request cannot be activated because the source and/or the target branch no longer "
    message += "exists, or the requested refs are not branches"
    return Problem(400, "GitPullRequestCannotBeActivated", message)


def too_long() -> Problem:
    message = "A discussion comment cannot be longer than 150000 characters.\r\nParameter name: comment.Content"
    return Problem(400, "DiscussionContentTooLongException", message)


def unauthorized(words: str) -> Answer:
    """The 401 of a token that isn't, or is no longer, any good, or lacks a scope: a page for people."""
    page = f"<!DOCTYPE html><html><head><title>{words}</title></head><body><h1>{words}</h1></body></html>"
    wants = {"WWW-Authenticate": 'Basic realm="http://127.0.0.1/"', "Content-Type": "text/html"}
    return Answer(401, headers=wants, raw=page.encode())
