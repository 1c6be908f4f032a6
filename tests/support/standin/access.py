"""Who is asking, and what they may do: GitHub's refusals for wrong, expired and too narrow tokens."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from standin.answers import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from standin.records import Repository, Token

Needs = tuple[tuple[str, str], ...]
"""Permissions of which one is enough: (("issues", "write"), ("pull_requests", "write"))."""


def secret_of(authorization: str) -> str:
    """The token in a header `Authorization`: bearer, token, or the password of basic (or its user name)."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "basic":
        user, _, password = base64.b64decode(value).decode("utf-8", "replace").partition(":")
        return password if password not in ("", "x-oauth-basic") else user
    return value.strip()


def token_of(tokens: Mapping[str, Token], authorization: str, now: datetime) -> Token | None:
    """The token of a request; None without one. Problem 401 for one that isn't, or is no longer, any good."""
    if not authorization:
        return None
    token = tokens.get(secret_of(authorization))
    if token is None or token.revoked or (token.expires is not None and token.expires <= now):
        raise Problem(401, "Bad credentials", docs="")
    return token


def sees(repository: Repository, token: Token | None) -> bool:
    """Whether a repository is there at all for a token; GitHub says 404 where it isn't."""
    if not repository.private:
        return True
    if token is None or not _covers(repository, token):
        return False
    if token.kind == "classic" and "repo" not in token.scopes:
        return False
    return token.of_an_app or repository.has_role(token.user, "read")


def may_read_git(repository: Repository, token: Token | None) -> bool:
    if not repository.private:
        return True
    return token is not None and sees(repository, token) and (token.kind == "classic" or token.may("contents", "read"))


def may_push(repository: Repository, token: Token) -> bool:
    if not sees(repository, token) or not _covers(repository, token):
        return False
    if token.kind == "classic":
        return bool({"repo", "public_repo"} & set(token.scopes)) and repository.has_role(token.user, "write")
    return token.may("contents", "write") and (token.of_an_app or repository.has_role(token.user, "write"))


def demand(repository: Repository, token: Token | None, needs: Needs, role: str, *, writes: bool) -> None:
    """Raises the Problem that GitHub answers where a token, or its user's role, doesn't allow what it asks for."""
    if not sees(repository, token):
        raise Problem(404, "Not Found")
    if token is None:
        if writes or ("administration", "read") in needs:
            raise Problem(401, "Requires authentication")
        return
    if token.kind == "classic":
        _demand_of_classic(repository, token, needs, role, writes=writes)
    elif not _covers(repository, token) or not any(token.may(*need) for need in needs):
        if writes or repository.private or needs[0][0] == "administration":
            raise Problem(403, _NOT_ACCESSIBLE["app" if token.of_an_app else "person"])
    elif writes and not token.of_an_app and not repository.has_role(token.user, role):
        raise Problem(403, _NOT_ACCESSIBLE["person"])
    if writes and repository.archived:
        raise Problem(403, "Repository was archived so is read-only.")


_NOT_ACCESSIBLE = {
    "app": "Resource not accessible by integration",
    "person": "Resource not accessible by personal access token",
}


def _covers(repository: Repository, token: Token) -> bool:
    return token.repositories is None or repository.full_name in token.repositories


def _demand_of_classic(repository: Repository, token: Token, needs: Needs, role: str, *, writes: bool) -> None:
    if writes and not {"repo", "public_repo"} & set(token.scopes):
        raise Problem(404, "Not Found")
    if ("administration", "read") in needs and not repository.has_role(token.user, "admin"):
        raise Problem(403 if repository.has_role(token.user, "read") else 404, "Must have admin rights to Repository.")
    if writes and not repository.has_role(token.user, role):
        raise Problem(404, "Not Found")


def accepted(needs: Needs) -> str:
    """The header `X-Accepted-GitHub-Permissions`: what would do, alternatives after a semicolon."""
    return "; ".join(f"{name}={level}" for name, level in needs)
