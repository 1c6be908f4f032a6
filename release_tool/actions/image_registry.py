"""The login at an image registry that the inputs of a job ask for.

It reaches the command in the variable that Docker's own programs read, too, and is never in a file.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.errors import UsageError

_OF_GITHUB_COM = {"ghcr.io", "docker.pkg.github.com"}

if TYPE_CHECKING:
    from collections.abc import Mapping


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """DOCKER_AUTH_CONFIG with the login; nothing where none is asked for.

    Raises:
        UsageError: the registry is no host, or something is missing to log in.
    """
    host = environ.get("RELEASE_REGISTRY", "").strip()
    user = environ.get("RELEASE_REGISTRY_USERNAME", "").strip()
    password = environ.get("RELEASE_REGISTRY_PASSWORD", "")
    if not host:
        return {}
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host):
        hint = "the host alone, as `ghcr.io` or `registry.example.com:5000`"
        raise UsageError(f"the input `registry` is no host: {host!r}", hint=hint)
    if not password:
        own_user, password = _own(environ, host)
        user = user or own_user
    for name, value in (("username", user), ("password", password)):
        if not value:
            # Never the job's token: it would be sent to a server that is not the forge's own.
            what = f"the input `registry` names {host}, and no {name} is given for it"
            where = "the secret RELEASE_REGISTRY_PASSWORD" if name == "password" else "the input `registry-username`"
            hint = f"give {where} (only at the forge's own registry the job's token does instead)"
            raise UsageError(what, hint=hint)
    known = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {host: known}})}


def _own(environ: Mapping[str, str], host: str) -> tuple[str, str]:
    """User and password of the job itself, where the registry is that of the forge that the job runs on."""
    if host == environ.get("CI_REGISTRY"):  # GitLab's; host and port, as docker takes it
        return environ.get("CI_REGISTRY_USER", ""), environ.get("CI_REGISTRY_PASSWORD", "")
    server = urlsplit(environ.get("GITHUB_SERVER_URL") or "https://github.com").hostname
    of_github = {f"containers.{server}", f"docker.{server}"} if server != "github.com" else _OF_GITHUB_COM
    if host in of_github and "RELEASE_JOB_TOKEN" in environ:
        return environ.get("GITHUB_ACTOR", "") or "token", environ["RELEASE_JOB_TOKEN"]
    return "", ""
