"""The environment of the programs that the tool starts: none of them gets a secret that it doesn't need.

The `helm` program gets no variable but PATH and HOME (`helm/program.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = (
    *("RELEASE_", "GH_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "AZURE_DEVOPS_"),
    *("SYSTEM_ACCESSTOKEN", "DOCKER_AUTH_CONFIG", "ACTIONS_"),
)
"""How the names of variables begin that are for this tool, for Docker or for the runner of a job. git gets its login
from the tool in another way, and the other programs have their own."""

_TELLING = (
    "TOKEN|SECRET|PASS|_PWD$|(^|_)PAT$|_KEY|WEBHOOK|CREDENTIAL|DATABASE_URL|_DSN$|SSH_AUTH_SOCK|^CI_REPOSITORY_URL$"
    # where a login for git may stand, and what a job of GitHub Actions reads as its own commands
    "|^GIT_CONFIG_(COUNT|VALUE|PARAMETERS)|^GITHUB_(ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)$"
)


def for_helpers(environ: Mapping[str, str]) -> dict[str, str]:
    """For git and for credential helpers: what a person's set-up may need, which can be anything but the tool's own."""
    return {name: value for name, value in environ.items() if not name.startswith(OWN)}


def for_checks(environ: Mapping[str, str]) -> dict[str, str]:
    """For a program that the configuration names: nothing whose name speaks of a secret."""
    return {name: value for name, value in for_helpers(environ).items() if not re.search(_TELLING, name.upper())}
