"""The login at an image registry that the inputs of `action.yml` ask for.

It reaches the command in the variable that Docker's own programs read, too, and is never in a file.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.errors import UsageError

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
    if not password and host in _of_github(environ):
        user, password = user or environ.get("GITHUB_ACTOR", "") or "token", environ.get("RELEASE_JOB_TOKEN", "")
    for name, value in (("username", user), ("password", password)):
        if not value:
            # Never the job's token: it would be sent to a server that is not GitHub's.
            what = f"the input `registry` names {host}, and no {name} is given for it"
            where = "the secret RELEASE_REGISTRY_PASSWORD" if name == "password" else "the input `registry-username`"
            hint = f"give {where} (only at GitHub's own registry the job's token does instead)"
            raise UsageError(what, hint=hint)
    known = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {host: known}})}


def _of_github(environ: Mapping[str, str]) -> set[str]:
    """The registries that take the token of a job, of the server that the job runs on."""
    server = urlsplit(environ.get("GITHUB_SERVER_URL") or "https://github.com").hostname
    if server == "github.com":
        return {"ghcr.io", "docker.pkg.github.com"}
    return {f"containers.{server}", f"docker.{server}"}
