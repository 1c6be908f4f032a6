"""A text in another forge's Markdown: nothing of it is lost that matters, and no forge acts on it."""

from __future__ import annotations

import pytest

from release_tool.model.forge import Flavour
from release_tool.pull_request.flavour import adapted, cut, cut_title
from release_tool.pull_request.markdown import units

BODY = """<!-- release -->
**v5** is new.

> [!WARNING]
> - no version to fall back to

<details><summary>Versions &amp; states</summary>

| a | b |
| --- | --- |
| 1 | 2 |

```mermaid
graph LR
  a --> b
```

```diff
<details><summary>x</summary>
/merge
```

</details>
"""


def test_what_a_forge_has_all_of_stays_as_it_is() -> None:
    assert adapted(BODY, Flavour(), 65_536, "GitHub") == BODY


def test_without_folding_alerts_and_diagrams_all_is_shown() -> None:
    plain = Flavour(folds=False, alerts=False, mermaid=False)
    assert adapted(BODY, plain, 65_536, "X") == (
        "<!-- release -->\n**v5** is new.\n\n> **Warning**\n>\n> - no version to fall back to\n\n"
        "### Versions &amp; states\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n\n"
        "```diff\n<details><summary>x</summary>\n/merge\n```\n\n"
    )
    bare = adapted(BODY, plain._replace(html=False), 65_536, "X")
    assert bare.startswith("release\n")
    assert "### Versions & states\n" in bare


@pytest.mark.parametrize(
    "line", ["</details>", "<details><summary>a/b</summary>", "see https://example.com/merge", "+ /x"]
)
def test_a_slash_amid_a_line_is_no_command(line: str) -> None:
    text = f"Text\n\n{line}\n"
    assert adapted(text, Flavour(quick_actions=True), 65_536, "GitLab") == text


@pytest.mark.parametrize("line", ["/merge", "  /approve", "\t/close now"])
def test_a_line_that_would_be_a_command_is_none(line: str) -> None:
    found = adapted(f"Text\n{line}\n", Flavour(quick_actions=True), 65_536, "GitLab")
    assert line not in found.splitlines()
    assert found.replace("\u200b", "") == f"Text\n{line}\n"


@pytest.mark.parametrize("letter", ["x", "é", "🚀"])
@pytest.mark.parametrize("longest", [200, 201, 399])
def test_a_text_is_cut_at_the_end_of_a_line_and_says_so(letter: str, longest: int) -> None:
    found = cut(f"{letter * 9}\n" * 200, longest, "GitLab")
    assert units(found) <= longest
    head, _, end = found.partition("\n\n…\n\n")
    assert set(head.splitlines()) == {letter * 9}
    assert end == "This text was cut here: GitLab takes no longer one.\n"


def test_a_cut_never_ends_within_a_block_of_code() -> None:
    found = cut("Before\n\n```diff\n" + "+ line\n" * 100 + "```\n", 300, "GitLab")
    assert found.startswith("Before\n")
    assert "```" not in found


def test_a_title_is_cut_to_what_the_forge_takes() -> None:
    assert cut_title("é" * 255, Flavour(title=255)) == "é" * 255
    assert cut_title("é" * 256, Flavour(title=255)) == "é" * 254 + "…"
