"""A page as GitHub shows it: its parser, its clean-up of HTML, its alerts, its style, Mermaid; in a real browser.

`make github-page` brings style, icons and Mermaid. Left out: emoji by name, links to people and pull requests, the colours of
differences.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any

import cmarkgfm
import nh3
from cmarkgfm.cmark import Options

PARTS = Path(__file__).resolve().parents[2] / ".cache" / "github-page"
WIDE, PHONE = 1012, 390
"""CSS pixels: of GitHub's widest column, and of a phone. What a pull request leaves beside its text is in `_FRAME`."""

_FRAME = {WIDE: "padding: 16px", PHONE: "padding: 12px"}
# https://github.com/gjtorikian/html-pipeline: what GitHub keeps of HTML, as far as it is likely to be tried.
_TAGS = {*nh3.ALLOWED_TAGS, "details", "input", "picture", "summary"} - {"area", "map", "style"}
_ATTRIBUTES = {
    "*": {
        "align",
        "alt",
        "colspan",
        "headers",
        "height",
        "lang",
        "open",
        "rowspan",
        "scope",
        "start",
        "title",
        "width",
    },
    "a": {"href"},
    "img": {"src", "longdesc"},
    "input": {"type", "checked", "disabled"},
}
_ALERT = re.compile(
    r"<blockquote>\n<p>\[!(WARNING|NOTE|TIP|IMPORTANT|CAUTION)\]\s*(?:<br\s*/?>\s*|</p>\s*)(.*?)</blockquote>",
    re.DOTALL,
)
_MERMAID = re.compile(r'<pre lang="mermaid"><code>(.*?)</code></pre>', re.DOTALL)


# HTML is read, languages stand at blocks of code, and the ends of lines count.
PULL_REQUEST = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_GITHUB_PRE_LANG | Options.CMARK_OPT_HARDBREAKS


def missing() -> str:
    """What the machine lacks; empty where all is there."""
    wanted = [] if shutil.which("chromium") else ["Debian's package chromium"]
    wanted += [] if (PARTS / "mermaid.min.js").is_file() else ["`make github-page` (npm)"]
    return f"a page can't be shown here: {', '.join(wanted)} must be there" if wanted else ""


def html(markdown: str) -> str:
    """Markdown of a pull request as GitHub makes HTML of it."""
    made = cmarkgfm.github_flavored_markdown_to_html(markdown, options=PULL_REQUEST)
    made = nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="nofollow"
    )
    return _ALERT.sub(_alert, made)


def _alert(found: re.Match[str]) -> str:
    kind, rest = found[1], found[2]
    rest = f"<p>{rest}" if found[0].partition("]")[2].lstrip().startswith("<br") else rest
    icon = _part("alert-16.svg").replace("<svg ", '<svg class="octicon mr-2" fill="currentColor" ')
    title = f'<p class="markdown-alert-title">{icon}{kind.title()}</p>'
    return f'<div class="markdown-alert markdown-alert-{kind.lower()}">{title}{rest}</div>'


@cache
def _part(name: str) -> str:
    path = PARTS / name
    return path.read_text("utf-8") if path.is_file() else "<svg ></svg>"


def shown(markdown: str, title: str = "", width: int = WIDE, *, opened: bool = False) -> str:
    """A pull request of some width, as a part of a page; `opened`: what is folded is open."""
    text = _MERMAID.sub(lambda found: f'<div class="mermaid">{found[1]}</div>', html(markdown))
    text = text.replace("<details>", "<details open>") if opened else text
    style = f"width: {width}px; {_FRAME[width]}"
    size = 32 if width == WIDE else 26
    heading = f'<h1 style="font-size: {size}px">{escape(title)}</h1>' if title else ""
    return (
        f'<main style="{style}">{heading}<div class="box"><article class="markdown-body">{text}</article></div></main>'
    )


def page(*parts: str, dark: bool = False) -> str:
    """A whole page of some pull requests, one below the other."""
    colours = "background: #0d1117; color: #f0f6fc" if dark else "background: #ffffff; color: #1f2328"
    border = "#3d444d" if dark else "#d1d9e0"
    theme = json.dumps({"startOnLoad": True, "theme": "dark" if dark else "default"})
    drawn = any("<details open>" in part for part in parts)
    mermaid = f"<script>{_part('mermaid.min.js')}</script><script>mermaid.initialize({theme})</script>" if drawn else ""
    return f"""<!doctype html><html><head><meta charset="utf-8"><style>
{_part(f"github-markdown-{'dark' if dark else 'light'}.css")}
body {{ margin: 0; {colours}; font-family: "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }}
main {{ box-sizing: border-box }}
h1 {{ font-weight: 400; margin: 0 0 12px; line-height: 1.25 }}
.box {{ border: 1px solid {border}; border-radius: 6px; padding: 16px }}
.markdown-body {{ font-size: 14px }}
.markdown-body details {{ margin-bottom: 8px }}
</style>{mermaid}</head><body>{"".join(parts)}</body></html>"""


def measured(text: str, script: str) -> Any:
    """What a JavaScript expression gives on a page."""
    asked = (
        f"<script>addEventListener('load', () => {{ document.title = 'found:' + JSON.stringify({script}) }})</script>"
    )
    done = _chromium(text.replace("</body>", f"{asked}</body>"), "--dump-dom")
    found = re.search(r"<title>found:(.*?)</title>", done, re.DOTALL)
    assert found is not None, done[-2000:]
    return json.loads(unescape(found[1]))


def picture(text: str, path: Path, width: int, height: int, scale: float = 1) -> None:
    """A PNG of the upper left of a page."""
    _chromium(text, f"--screenshot={path}", f"--window-size={width},{height}", f"--force-device-scale-factor={scale}")


def _chromium(text: str, *options: str) -> str:
    with tempfile.TemporaryDirectory(prefix="page-") as place:
        file = Path(place, "page.html")
        file.write_text(text, "utf-8")
        command = [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={place}/profile",
        ]
        command += ["--virtual-time-budget=5000", "--host-resolver-rules=MAP * ~NOTFOUND", *options, file.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
