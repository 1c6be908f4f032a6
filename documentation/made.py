"""Everything in the repository that is made from the code: `make schema` writes it, and a test compares."""

from __future__ import annotations

import re

from documentation import commands, errors, forges, json_schema
from documentation.links import ROOT
from documentation.outputs import SCHEMAS
from release_tool.config import schema

_BEGIN = "<!-- made by `make schema`; a test compares -->"
_END = "<!-- the end of what is made -->"
_MADE = re.compile(f"{re.escape(_BEGIN)}\n.*?{re.escape(_END)}\n", re.DOTALL)


def files() -> dict[str, str]:
    """Path -> the content of every such file."""
    configuration = "docs/reference/configuration.md"
    found = {
        "release.schema.json": schema.schema_text(),
        configuration: schema.with_reference((ROOT / configuration).read_text("utf-8")),
        **json_schema.files(),
    }
    pages = {
        **commands.pages(),
        "json.md": json_schema.page(),
        "record.md": json_schema.tables(SCHEMAS["record"]),
        "errors.md": errors.messages(),
    }
    for name, text in pages.items():
        path = f"docs/reference/{name}"
        title = f"`release {name.rpartition('/')[2].removesuffix('.md')}`"
        found[path] = _with(path, title, text)
    index = "docs/forges/index.md"
    found[index] = _with(index, "Forges", forges.tables())
    return found


def _with(path: str, title: str, made: str) -> str:
    """A page with its made part as it is now; a new page where there is none yet."""
    block = f"{_BEGIN}\n\n{made}\n\n{_END}\n"
    page = ROOT / path
    text = page.read_text("utf-8") if page.exists() else f"# {title}\n\n{block}"
    assert _MADE.search(text), f"{path} has no place for what is made"
    return _MADE.sub(lambda _: block, text)


if __name__ == "__main__":
    for path, text in files().items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, "utf-8")
