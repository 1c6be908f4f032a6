"""Every command block of every page runs, in the order of the page, and prints what the page gives."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from console import ABOVE, DIRECTIVES, FENCE, PAGES, ROOT, Block, agrees, blocks, run

from release_tool import tagfile
from release_tool.config.reader import load
from release_tool.errors import Refused


def named(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def with_marks(page: Path) -> object:
    found = blocks(page)
    slow = any("slow" in block.marks for block in found)
    return pytest.param(page, id=str(page.relative_to(ROOT)), marks=[pytest.mark.slow] if slow else [])


RUN = [page for page in PAGES if any(block.is_run for block in blocks(page))]


@pytest.mark.parametrize("page", [*map(with_marks, RUN)])
def test_the_commands_of_a_page_do_what_the_page_says(page: Path, tmp_path: Path, seal: Path) -> None:
    shutil.copy(seal / ".gitconfig", tmp_path)
    programs = [str(Path(sys.executable).parent), str(ROOT / ".cache" / "bin"), os.environ["PATH"]]
    run(blocks(page), tmp_path, os.pathsep.join(programs))


@pytest.mark.parametrize("page", PAGES, ids=named(PAGES))
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    text = page.read_text("utf-8")
    for fence in FENCE.finditer(text):
        for key, value in ABOVE.findall(fence["above"]):
            assert key in DIRECTIVES, f"{page.name} has a comment `{key}` above a block: {sorted(DIRECTIVES)} are known"
            assert value or key == "slow", f"{page.name}: `{key}` says nothing"
    assert "```" not in FENCE.sub("", text), f"{page.name} has a fence that is not read"


@pytest.mark.parametrize("page", PAGES, ids=named(PAGES))
def test_configurations_in_a_page_are_right(page: Path) -> None:
    found = blocks(page)
    for block, following in zip(found, [*found[1:], Block(0, "", "")], strict=False):
        if block.language == "json":
            yaml.safe_load(block.text)
        if block.language != "yaml" or "\nversion: 1\n" not in f"\n{block.text}":
            continue
        said = ""
        try:
            load(block.text)
        except Refused as refused:
            said = str(refused).strip()
        # A page that shows what is refused shows the message below.
        assert said in {"", following.text.strip()}, f"{page.name}:{block.line}: {said}"


@pytest.mark.parametrize("page", PAGES, ids=named(PAGES))
def test_versions_in_a_page_are_right(page: Path) -> None:
    for block in blocks(page):
        found = {} if block.language != "yaml" or "{{" in block.text else next(yaml.safe_load_all(block.text))
        for key in ("image", "engine.image"):
            value = found
            for step in key.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            if isinstance(value, dict) and isinstance(value.get("tag"), list | dict):
                tagfile.read(block.text, f"{page.name}:{block.line}", key=key)


@pytest.mark.parametrize(
    ("given", "got", "same"),
    [
        ("made 3 files", "made 3 files\n", True),
        ("made 3 files", "made 4 files", False),
        ("made\n  3   files", "made 3 files", True),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a ... d", "a d", True),
        ("a ...", "b", False),
        ("(1)", "(1)", True),
        ("id 01M8PG7H8735RSVESFVHPNE2J4", "id 01KAR5XJ0M8ZAAAAAAAAAAAAAA", True),
        ("at 2026-11-30 15:12  3m, drain 1h", "at 2027-01-01 01:01  <1m, drain 1h", True),
        ("drain 1h", "drain 2h", False),
        ("until 2026-11-30", "until 2027-01-01", True),
        ("commit 8cc080257be9", "commit 3bf899589798", True),
        ("commit 8cc080257be9", "commit none", False),
        ("v1.0.5", "v1.0.6", False),
    ],
)
def test_ids_and_times_may_differ_and_nothing_else(given: str, got: str, same: bool) -> None:
    assert agrees(given, got) is same


def session(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    (tmp_path / "home").mkdir()
    run(blocks(page), tmp_path / "home", os.environ["PATH"])


def test_directory_and_variables_carry_over(tmp_path: Path) -> None:
    session(
        tmp_path,
        "```console\n$ mkdir a && cd a && x=1\n```\n\n1. a step\n\n   <!-- file: b/c.txt -->\n   ```yaml\n   k: 1\n   ```\n\n"
        "```console\n$ cat b/c.txt; echo $x \\\n>   $HOME\nk: 1\n1 /home/ada\n```\n<!-- shows: b/c.txt -->\n```yaml\nk: 1\n```\n"
        "<!-- not run: it would never end -->\n```sh\nyes\n```\n<!-- needs: no-such-program -->\n```sh\nfalse\n```\n"
        "<!-- exit: 3 -->\n<!-- needs: bash -->\n```console\n$ (exit 3)\n```\n",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```console\n$ echo a\nb\n```\n", "line 2: `echo a` prints\na"),
        ("```console\n$ echo a\n$ false\n$ echo b\n```\n", "line 3: `false` ended with 1"),
        ("```console\n$ exit 0\n```\n", "line 2: `exit 0` did not come to its end"),
        ("```sh\nfalse\n```\n", "did not come to its end"),
        ("<!-- exit: 2 -->\n```console\n$ true\n```\n", "ended with 0"),
    ],
)
def test_what_a_page_says_wrongly_is_told_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"^line ") as caught:
        session(tmp_path, text)
    assert message in str(caught.value)
