"""The command blocks of a page, run as one session of bash; CONTRIBUTING.md tells how a page marks them.

No library: those that run commands in Markdown either want a syntax of their own in the page, or start each block in a
shell of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md"), *ROOT.glob("charts/**/*.md")}
)
RUNNABLE = {"console", "sh", "bash", "shell"}
DIRECTIVES = {"not run", "needs", "setup", "exit", "file", "shows", "slow"}

# `<!-- key: value -->` lines directly above a fence belong to it.
FENCE = re.compile(
    r"^(?P<above>(?:[ ]*<!-- [^\n]*? -->\n)*)(?P<indent>[ ]*)(?P<ticks>`{3,})(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)(?P=ticks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
ABOVE = re.compile(r"<!-- ([a-z ]+)(?:: (.*?))? -->")

# What is made before a block's first command, by the name after `setup:`; bash, in the session itself.
SETUPS = {
    # The files of this project, as `git clone` would bring them, and the session inside them.
    "checkout": 'git clone -q "$PROJECT" release && cd release && git remote remove origin',
    # A repository with three environments, two versions, the chart that comes along, and a remote beside it.
    "repository": """
        mkdir gitops && cd gitops && release init --yes --tag 1.0.3 --tag 1.0.4 --name engine \\
          --image registry.example.com/engine > /dev/null 2>&1
        git add . && git commit -q -m 'Set release up' && git init -q --bare --initial-branch=main ../gitops.git
        git remote add origin "$HOME/gitops.git" && git push -q -u origin main""",
    # A repository from before: a chart of its own, which takes several versions, and a values file an environment.
    "existing": """
        mkdir -p shop/values && cd shop && cp -r "$PROJECT/examples/own-deployment/charts" . && mkdir charts/engine/charts
        cp -r "$PROJECT/charts/grpc-manifest/charts/grpc-manifest-routes" charts/engine/charts
        printf 'server:\\n  replicas: 1\\nimage:\\n  tag:\\n  - v1.0.3   # mobile clients 2.x\\n  - v1.0.4\\n' > values/devel.yaml
        printf 'server:\\n  replicas: 3\\nimage:\\n  tag:\\n  - v1.0.3\\n' > values/production.yaml
        git init -q && git add . && git commit -q -m 'Begin' && git init -q --bare --initial-branch=main ../shop.git
        git remote add origin "$HOME/shop.git" && git push -q -u origin main""",
}

# What differs from run to run, on both sides: a page may show one that was true once.
VARYING = [
    (re.compile(r"\b01[0-9A-HJKMNP-TV-Z]{24}\b"), "ID"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"(?<![\w<])(?:<1m|[1-9]\d?m)\b"), "AGE"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])(?:[0-9a-f]{40}|[0-9a-f]{12}|[0-9a-f]{7})\b"), "COMMIT"),
    (re.compile(r"\s+"), " "),  # so that a page may fold long lines
]


@dataclass
class Block:
    """One fence of a page with what the comments above it say."""

    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        return self.language in RUNNABLE and "not run" not in self.marks

    def can_run(self, programs: str) -> bool:
        needed = self.marks.get("needs")
        return self.is_run and (needed is None or shutil.which(needed, path=programs) is not None)

    def commands(self) -> Iterator[tuple[int, str, str]]:
        """Line in the page, command, and the output that is given for it."""
        if self.language != "console":
            yield self.line + 1, f"set -e\n{self.text}set +e", ""
            return
        found: list[tuple[int, list[str], list[str]]] = []
        for number, line in enumerate(self.text.splitlines(), self.line + 1):
            if line.startswith("$ "):
                found.append((number, [line[2:]], []))
            elif line.startswith("> ") and found and not found[-1][2]:
                found[-1][1].append(line[2:])  # the rest of a command, as bash itself asks for it
            else:
                assert found, f"line {number}: a console block begins with `$ `"
                found[-1][2].append(line)
        yield from ((number, "\n".join(command), "\n".join(output)) for number, command, output in found)


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    found = []
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start("indent")) + 1
        marks = {key: value or "" for key, value in ABOVE.findall(fence["above"]) if key in DIRECTIVES}
        found.append(Block(line, fence["language"], dedent(fence["body"]), marks))
    return found


def plain(text: str) -> str:
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return text.strip()


def agrees(given: str, got: str) -> bool:
    """Whether the output is what the page gives; `...` in the page stands for anything."""
    parts = (re.escape(part.strip()) for part in plain(given).split("..."))
    return re.fullmatch(r"\s*" + r"\s*.*?\s*".join(parts) + r"\s*", plain(got), re.DOTALL) is not None


def _script(page: list[Block], programs: str) -> Iterator[tuple[str, int, str]]:
    """What the session runs: bash, the line of the page, and the output that is given for it."""
    for block in page:
        if "setup" in block.marks:
            yield f"set -e\n{SETUPS[block.marks['setup']]}\nset +e", block.line, ""
        if "file" in block.marks:
            name = shlex.quote(block.marks["file"])
            yield (
                f'mkdir -p "$(dirname {name})" && cat > {name} <<"END OF FILE"\n{block.text}END OF FILE',
                block.line,
                "",
            )
        if "shows" in block.marks:
            yield f"cat {shlex.quote(block.marks['shows'])}", block.line, block.text
        if block.can_run(programs):
            yield from ((command, line, output) for line, command, output in block.commands())


def run(page: list[Block], home: Path, programs: str) -> None:
    """Run a page's blocks in order in one session, and hold each output against what the page gives.

    Raises:
        AssertionError: the line of the page, what it gives and what came.
    """
    steps = list(_script(page, programs))
    expected = {
        line: block.marks["exit"]
        for block in page
        if "exit" in block.marks
        for line, _, _ in [list(block.commands())[-1]]
    }
    lines = []
    for number, (command, line, _) in enumerate(steps):
        lines.append(f"{{ {command}\n}} < /dev/null\nstatus=$?; printf '\\n@@%s@@%s@@\\n' {number} $status")
        lines.append(f"[ $status = {expected.get(line, 0)} ] || exit 0")
    environment = {
        **{key: value for key, value in os.environ.items() if key in {"LANG", "TMPDIR", "SSL_CERT_FILE"}},
        "HOME": str(home),
        "PATH": programs,
        "PROJECT": str(ROOT),
        "USER": "ada",
        "LOGNAME": "ada",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PAGER": "cat",
    }
    done = subprocess.run(
        ["bash"],
        input="exec 2>&1\n" + "\n".join(lines),
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    rest = done.stdout.replace(str(home), "/home/ada")
    for number, (command, line, given) in enumerate(steps):
        got, mark, rest = rest.partition(f"\n@@{number}@@")
        status, _, rest = rest.partition("@@\n")
        assert mark, f"line {line}: `{command}` did not come to its end:\n{got}"
        assert int(status) == int(expected.get(line, 0)), f"line {line}: `{command}` ended with {status}:\n{got}"
        assert not given.strip() or agrees(given, got), (
            f"line {line}: `{command}` prints\n{got}\n\nwhere the page gives\n{given}\n\n{plain(got)}\n{plain(given)}"
        )
