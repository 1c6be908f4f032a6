"""The comment on a pull request that shows what merging it changes in the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from release_tool.pull_request.markdown import block, folded, plain, units

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 65_536
"""UTF-16 code units: GitHub takes so many characters, and does not say how it counts them."""


def comment(marker: str, differences: Sequence[tuple[str, str, str]], where: str) -> str:
    """The comment as Markdown.

    Args:
        marker: its first line.
        differences: environment, unified difference, and why there is none, of each environment.
        where: where the whole difference is, for what doesn't fit.
    """
    shown = [one for one in differences if one[1] or one[2]]
    same = [plain(title) for title, said, why in differences if not said and not why]
    lines = [marker, "### What merging this changes in the manifests"]
    lines += [f"Nothing in {', '.join(same)}."] if same else []
    body = "\n\n".join(lines)
    cut = f"\n\n_The rest does not fit here: {where}._"
    for title, said, why in shown:
        count = sum(line.startswith("--- ") for line in said.splitlines())
        objects = "1 object" if count == 1 else f"{count} objects"
        headline = f"{plain(title)}: {objects}" if said else f"{plain(title)}: can't be rendered"
        section = folded(headline, block("diff", said.rstrip()) if said else plain(why))
        if units(body) + units(section) + units(cut) + 2 > LONGEST:
            return body + cut
        body += f"\n\n{section}"
    return body
