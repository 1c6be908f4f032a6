"""Whatever anybody writes into any field of it, a pull request stays what it is."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import cmarkgfm
from github_page import PULL_REQUEST
from model_builders import law
from pull_requests import LONG, devel, hostile, longest, tables, without_code

from release_tool.pull_request import compose
from release_tool.pull_request.compose import Proposed
from release_tool.pull_request.markdown import code, safe_url

OURS = re.compile(
    r"</?(?:details|summary)>|!\[WARNING\]|\[!WARNING\]"
    r"|\[(?:(?:(?:run|build) at )?[\w.:-]+|commit \w+|commits since v\d+|commits that v\d+ had more)\]\(https?://[^\s()<>]+\)"
)
ACTIVE = re.compile(r"@(?=\w)|#(?=\w)|gh-(?=\d)|www\.|://|[<\\$!\[\]]", re.IGNORECASE)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@law(hostile(), examples=20)
def test_every_table_has_the_columns_of_its_head(proposed: Proposed) -> None:
    body = compose.pull_request(proposed).body
    for head, *rows in tables(body):
        assert {row.count("|") for row in rows} == {head.count("|")}
        assert all(row.endswith(" |") for row in rows[1:])


@law(hostile(), examples=20)
def test_nothing_from_outside_is_active(proposed: Proposed) -> None:
    text = OURS.sub("", without_code(compose.pull_request(proposed).body))
    text = re.sub(r"&(?:amp|lt|gt|#\d+);", "", re.sub("^### ", "", text, flags=re.MULTILINE))
    text = re.sub(r"`[A-Za-z0-9._+:/ '-]+`", "", text)
    assert "`" not in text, "code is made of plain words alone"
    assert not ACTIVE.search(text)
    assert "&" not in text


@law(hostile(), examples=20)
def test_no_line_begins_what_markdown_makes_something_of(proposed: Proposed) -> None:
    known = (
        "| ", "|  |", "- ", "> ", "### ", "<details><summary>", "</details>", "…", "Before it is merged", "After that",
        "Names that are new", "More of it", "The whole of it", "`release status`", "**Asked for**", "**Risk: ", "**Image", "Changed by hand",
        "These stay pending",
    )  # fmt: skip
    for text in without_code(compose.pull_request(proposed).body).split("\n"):
        assert not text or text.startswith(known) or re.match(r"\|( --- \|)+$|\d+ (added|changed)", text), text


@law(hostile(), examples=20)
def test_it_fits_and_is_the_same_each_time(proposed: Proposed) -> None:
    text = compose.pull_request(proposed)
    assert longest(text.body) <= compose.LIMIT < 65_536
    assert len(text.title) <= 256
    assert "\n" not in text.title
    assert text == compose.pull_request(proposed)
    assert "<summary>How to undo it, " in text.body, "what matters is there however long the rest is"


@law(hostile(), examples=20)
def test_nothing_turns_the_direction_of_reading(proposed: Proposed) -> None:
    text = compose.pull_request(proposed)
    assert not UNSEEN.search(text.title)
    assert not UNSEEN.search(text.body.replace("\t", ""))
    text.body.encode()


@law(hostile(), examples=20)
def test_the_diagram_holds_words_alone(proposed: Proposed) -> None:
    body = compose.pull_request(proposed).body
    (diagram,) = re.findall("```mermaid\n(.*?)\n```", body, re.DOTALL) or [""]
    word = r"[A-Za-z0-9._-]*"
    shapes = (
        "flowchart LR", rf'  calls\(\["calls with {word}"\]\)', r'  pool\{\{"default pool"\}\}', rf'  v\d+\["v\d+: {word}"\]',
        r'  calls -->\|"v\d+"\| v\d+', r'  calls -\.->\|"v\d+, no longer routed"\| pool', r'  calls -->\|"none, or unknown"\| pool',
        r'  pool -->\|"first"\| v\d+', r'  calls -->\|"none, or unknown"\| v\d+', r'  calls -\.->\|"v\d+, no longer routed"\| v\d+', r'  more\["\d+ more versions"\]', "  calls --> more", r"  classDef new [\w:,#]+", r"  class [v\d,]+ new",
    )  # fmt: skip
    for text in diagram.split("\n") if diagram else ():
        assert any(re.fullmatch(shape, text) for shape in shapes), text


class Shape(HTMLParser):
    """What a page is made of, and whether each part that begins ends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: Counter[str] = Counter()
        self.links: list[str] = []
        self.unfolded: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1
        assert tag != "summary" or self.open[-1] == "details"
        assert not attrs or tag in {"a", "pre", "td", "th"}, (tag, attrs)
        self.links += [value or "" for key, value in attrs if tag == "a"]
        if "details" not in self.open:
            self.unfolded.append(tag)
        if tag not in {"br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@law(hostile(), examples=20)
def test_github_makes_the_parts_of_it_that_were_meant(proposed: Proposed) -> None:
    """By GitHub's own parser: all that begins ends, nothing foreign is a part, and tables stand in what is folded."""
    body = compose.pull_request(proposed).body
    page = Shape(cmarkgfm.github_flavored_markdown_to_html(body, options=PULL_REQUEST))
    assert page.open == []
    known = {"a", "blockquote", "br", "code", "del", "details", "em", "li", "p", "pre", "strong", "summary", "ul"}
    assert page.found.keys() <= {*known, "table", "thead", "tbody", "tr", "th", "td"}
    assert page.found["summary"] == page.found["details"] == without_code(body).count("<details>")
    assert page.found["table"] == len(tables(body))
    assert "table" not in page.unfolded
    assert "pre" not in page.unfolded
    assert all(link == unescape(safe_url(unescape(link))) for link in page.links)


@law(LONG)
def test_a_link_leads_to_a_plain_page_or_is_none(url: str) -> None:
    for address in (url, f"https://ci.example.com/{url}", f"http://{url}"):
        safe = safe_url(address)
        assert not safe or re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?([/?#][\w/?#=&%+,;:.~-]*)?", safe)


@law(LONG)
def test_a_word_of_code_is_one(text: str) -> None:
    made = code(text)
    assert made.count("`") in (0, 2)
    assert "|" not in made


def test_a_pull_request_of_nothing_is_written_too() -> None:
    assert compose.pull_request(Proposed(devel(), ())).body
