"""A credential of the tool's own for one remote over HTTP: in environment variables of git, never in argv, URL or file.

`actions/checkout` leaves a header `AUTHORIZATION: basic …` in the configuration of the checkout
(`http.https://github.com/.extraheader`, newer versions in a file behind an `includeIf`). `http.extraheader` has many
values and git sends them all, and GitHub refuses a second `Authorization` with status 400. So the list is emptied (an
empty value does that, git-config(1)) and made again: ours, and what else the user's configuration adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.git.process import GitCredential
from release_tool.safe_text import bare_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from release_tool.git.process import Setting
    from release_tool.net.secret import Secret

_VARIABLE = "RELEASE_GIT_HEADER_"


def credential_for(url: str, settings: Sequence[Setting], header: Secret | None) -> GitCredential:
    """How git comes to send a whole header, `Authorization: …`, to one remote and to nobody else."""
    if not header:
        return GitCredential()
    address = bare_url(url)
    # The whole URL: of the values for one key, git drops those for a less specific URL that come later.
    key = f"http.{address}.extraheader"
    headers = [header.reveal(), *_others(address, settings)]
    variables = {f"{_VARIABLE}{number}": value for number, value in enumerate(headers)}
    # `--config-env` and not GIT_CONFIG_COUNT: that one is read before `-c include.path`, behind which a checkout's
    # own header stands.
    given = [f"--config-env={key}={name}" for name in variables]
    parts = urlsplit(address)
    # A helper would be asked once the header is refused, and its answer be sent as a second `Authorization`.
    no_helper = f"credential.{parts.scheme}://{parts.netloc}.helper="
    return GitCredential(("-c", f"{key}=", *given, "-c", no_helper), variables)


def _others(url: str, settings: Sequence[Setting]) -> list[str]:
    """The extra headers that the user's configuration sends to a URL, without credentials; an empty one resets."""
    found: list[str] = []
    for setting in settings:
        section, _, name = setting.key.rpartition(".")
        if name == "extraheader" and (section == "http" or section.startswith("http.")):
            prefix = section[len("http.") :].rstrip("/")
            if not prefix or url == prefix or url.startswith(f"{prefix}/"):
                found = [*found, setting.value] if setting.value else []
    return [value for value in found if not value.lower().startswith("authorization:")]
