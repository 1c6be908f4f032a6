"""Which images come, and where they come from: the build, and the commits since the default of today."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from release_tool.model.records import name_number
from release_tool.model.versions import is_newer, tag_part
from release_tool.pull_request.markdown import Markup, code, join, link, safe_url, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from release_tool.model.records import Name
    from release_tool.pull_request.proposal import Proposed

_SHOWN = 3  # images
_COMMIT = re.compile("[0-9a-f]{7,64}")
# Where builds of GitHub (Gitea and Forgejo, too) and of GitLab have their pages: below that of their repository.
_BUILD = re.compile(r"(https?://[^/?#]+/[^?#]+?)(/actions/runs/|/-/(?:jobs|pipelines)/)\d")


def images(proposed: Proposed) -> list[Markup]:
    """The images that come, the newest first: each with its build and its commits."""
    before, after = proposed.before, proposed.plan.after
    new = {name for name in after.live if name not in before.live}
    new |= {after.default} if after.default is not None and after.default != before.default else set()
    names = sorted(new, key=name_number, reverse=True)
    lines = [line for name in names[:_SHOWN] if (line := _line(proposed, name))]
    more = [Markup(f"and {len(names) - _SHOWN} more: see “Where it comes from”")] if len(names) > _SHOWN else []
    if len(lines) < 2 and not more:
        return [Markup(f"**Image**: {line}") for line in lines]
    return [join("\n", [Markup("**Images**:"), Markup(""), *(Markup(f"- {line}") for line in [*lines, *more])])]


def image(proposed: Proposed, name: Name) -> Markup:
    """The image of a version: as it is rendered, else as it is configured; its tag alone where nobody knows more."""
    tag = proposed.all_versions()[name]
    before, after = proposed.reached or (None, None)
    written = next((one.images[name] for one in (after, before) if one is not None and name in one.images), "")
    repository = proposed.image or proposed.builds.get(tag_part(tag), {}).get("image", "")
    return code(written.partition("@")[0] or (f"{repository}:{tag_part(tag)}" if repository else tag_part(tag)))


def _line(proposed: Proposed, name: Name) -> Markup | None:
    tag = proposed.all_versions()[name]
    built = proposed.builds.get(tag_part(tag), {})
    digest = tag.partition("@")[2] or built.get("digest", "")
    build = built.get("build", "")
    links = [_to_build(build)] if build else []
    links += _commits(proposed, name, built)
    shown = image(proposed, name)
    if not links and not digest and shown == code(tag_part(tag)):
        return None  # what is known stands above already
    return join(", ", [join(" ", [shown, short(digest)]) if digest else shown, *links])


def _to_build(url: str) -> Markup:
    safe = safe_url(url)
    return link(f"build at {urlsplit(safe).netloc}", url)


def _commits(proposed: Proposed, name: Name, built: Mapping[str, str]) -> Iterator[Markup]:
    """The commits between the default of today and a version, as a link; else the commit of the version."""
    commit, source = built.get("commit", ""), _source(built)
    if not commit:
        return
    here, before = proposed.before.default, proposed.before
    old: Mapping[str, str] = {} if here is None else proposed.builds.get(tag_part(before.versions[here]), {})
    since = old.get("commit", "")
    comparable = _COMMIT.fullmatch(commit) and _COMMIT.fullmatch(since) and source and _source(old) == source
    if here is None or here == name or not comparable:
        url = f"{source}/commit/{commit}" if source and _COMMIT.fullmatch(commit) else ""
        yield link(f"commit {commit[:12]}", url) if safe_url(url) else join(" ", [Markup("commit"), short(commit)])
    elif since == commit:
        yield join(" ", [Markup(f"the commit of {here}"), short(commit)])
    else:
        versions = proposed.all_versions()
        back = is_newer(proposed.order, (here, versions[here]), (name, versions[name]))
        words = f"commits that {here} had more" if back else f"commits since {here}"
        yield link(words, f"{source}/compare/" + "...".join([commit, since] if back else [since, commit]))


def _source(built: Mapping[str, str]) -> str:
    """What the pages of a repository's commits begin with; empty where it isn't known, or has them elsewhere."""
    found = _BUILD.match(built.get("build", ""))
    source = (built.get("source") or (found[1] if found else "")).rstrip("/").removesuffix(".git")
    host = urlsplit(safe_url(source)).hostname or ""
    if host in {"", "bitbucket.org", "dev.azure.com"}:
        return ""
    gitlab = "gitlab" in host.split(".") or (found is not None and found[2].startswith("/-/"))
    return f"{source}/-" if gitlab else source
