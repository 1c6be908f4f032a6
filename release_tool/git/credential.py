"""A credential for one remote over HTTP, and no other host: in variables of git, never in argv, URL or file.

`actions/checkout` leaves a header `AUTHORIZATION: basic …` in the configuration of the checkout
(`http.https://github.com/.extraheader`, newer versions in a file behind an `includeIf`). `http.extraheader` has many
values and git sends them all, and GitHub refuses a second `Authorization` with status 400. So the list is emptied (an
empty value does that, git-config(1)) and made again: ours, and what else the user's configuration adds.

git follows a redirect of the first request, and shows the new host the same headers from then on (http.c). So nothing
is followed where a header is sent, or where something answers for a login that doesn't look at the host.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.git.process import GitCredential
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.git.process import Setting
    from release_tool.net.secret import Secret

_VARIABLE = "RELEASE_GIT_HEADER_"
# What a credential helper of the user's own may read, if its text names it.
_TOKENS = (
    *("GH_TOKEN", "GITHUB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN"),
    *("AZURE_DEVOPS_TOKEN", "AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN"),
)


def credential_for(url: str, settings: Sequence[Setting], header: Secret | None) -> GitCredential:
    """How git comes to send a whole header, `Authorization: …`, to one remote and to nobody else.

    Without a header, what the user's own configuration needs for its login.
    """
    address = bare_url(url)
    configured = _headers(address, settings)
    # The whole URL: of the values for one key, git drops those for a less specific URL that come later.
    stay = ("-c", f"http.{address}.followRedirects=false")
    if not header:
        helpers = [it.value for it in settings if it.key.startswith("credential.") and it.key.endswith("helper")]
        named = {name: os.environ[name] for name in _TOKENS if name in os.environ and any(name in it for it in helpers)}
        anybody = os.environ.get("GIT_ASKPASS") or any(_answers_anybody(setting) for setting in settings)
        return GitCredential(stay if configured or anybody else (), named)
    key = f"http.{address}.extraheader"
    others = [value for value in configured if not value.lower().startswith("authorization:")]
    headers = [header.reveal(), *others]
    variables = {f"{_VARIABLE}{number}": value for number, value in enumerate(headers)}
    # `--config-env` and not GIT_CONFIG_COUNT: that one is read before `-c include.path`, behind which a checkout's
    # own header stands.
    given = [f"--config-env={key}={name}" for name in variables]
    parts = urlsplit(address)
    # A helper would be asked once the header is refused, and its answer be sent as a second `Authorization`.
    no_helper = f"credential.{parts.scheme}://{parts.netloc}.helper="
    return GitCredential((*stay, "-c", f"{key}=", *given, "-c", no_helper), variables)


def for_foreign(url: str, settings: Sequence[Setting], header: Secret | None) -> GitCredential:
    """The same for a host that nobody but the repository names: what would log in anywhere stays out of it.

    That is a program that answers for every host, and a header that goes to every host.
    """
    bound = [it for it in settings if not _answers_anybody(it) and it.key != "http.extraheader"]
    options, variables = credential_for(url, bound, header)
    variables = {**variables, "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    if any(_answers_anybody(it) or it.key == "http.extraheader" for it in settings):
        address = bare_url(url)
        again = [(f"http.{address}.extraheader", value) for value in _headers(address, bound)] if not header else []
        again += [(it.key, it.value) for it in bound if it.key.startswith("credential.") and it.key.endswith(".helper")]
        named = {f"{_VARIABLE}AGAIN_{number}": pair for number, pair in enumerate(again)}
        # An empty value ends a list; what was bound to the host is said once more.
        empty = [] if header else ["-c", f"http.{address}.extraheader="]
        given = [f"--config-env={key}={name}" for name, (key, _) in named.items()]
        options = (*empty, "-c", "credential.helper=", "-c", "core.askPass=", *given, *options)
        variables |= {name: value for name, (_, value) in named.items()}
    return GitCredential(options, variables)


def _answers_anybody(setting: Setting) -> bool:
    """Whether a program answers for a login that may not look at the host: one of the user's own, bound to no URL."""
    return setting.key == "core.askpass" or (setting.key == "credential.helper" and setting.value.startswith("!"))


def _headers(url: str, settings: Sequence[Setting]) -> list[str]:
    """The extra headers that the user's configuration sends to a URL; an empty one resets."""
    found: list[str] = []
    for setting in settings:
        section, _, name = setting.key.rpartition(".")
        if name == "extraheader" and (section == "http" or section.startswith("http.")):
            prefix = section[len("http.") :].rstrip("/")
            if not prefix or url == prefix or url.startswith(f"{prefix}/"):
                found = [*found, setting.value] if setting.value else []
    return found
