"""Where a page of the documentation is read: on its site, at the forge, or in the repository of the tool."""

from __future__ import annotations

import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

DISTRIBUTION = "gitops-release"
_FORGE = re.compile(r"https://github\.[\w.-]+/[\w.-]+/[\w.-]+?(?=\.git$|/?$)")

_PAGE = re.compile(r"\bdocs/((?:how-to|explanation|reference)/[\w-]+\.md(?:#[\w-]+)?)")


def page_address(page: str) -> str:
    """The address of a page that an error names (`reference/record.md#the-clock`).

    A distribution knows its site by the URL `Documentation` of its metadata, which the workflow that builds it writes,
    and the repository that it was installed from by `direct_url.json`. Else the path in the repository has to do.
    """
    path, _, anchor = page.partition("#")
    anchor = anchor and f"#{anchor}"
    try:
        found = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return f"docs/{path}{anchor} in the repository of release"
    site = _site(found)
    if "/tree/" in site:  # the forge's own view of docs/
        return f"{site.replace('/tree/', '/blob/')}/{path}{anchor}"
    if site:
        name = path.removesuffix(".md").removesuffix("index")
        return f"{site}/{name}/{anchor}" if name else f"{site}/{anchor}"
    if tree := _tree(found):
        return f"{tree}/docs/{path}{anchor}"
    return f"docs/{path}{anchor} in the repository of release"


def with_addresses(text: str) -> str:
    """A text whose pages (`docs/how-to/own-chart.md`) are read where this distribution has them."""
    return _PAGE.sub(lambda page: page_address(page[1]), text) if "docs/" in text else text


def _site(found: Distribution) -> str:
    for entry in found.metadata.get_all("Project-URL") or ():
        label, _, address = str(entry).partition(",")
        if label.strip().lower() == "documentation":
            return address.strip().rstrip("/")
    return ""


def _tree(found: Distribution) -> str:
    """The files of the commit that was installed, at a GitHub; other forges have other addresses for them."""
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        commit, place = origin["vcs_info"]["commit_id"], _FORGE.match(origin["url"])
    except (ValueError, LookupError, TypeError):
        return ""
    return f"{place[0]}/blob/{commit}" if place else ""
