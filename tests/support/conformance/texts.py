"""Texts that are long, strange, or commands of the forge: what is sent is what stands there, and nothing comes of it."""

from __future__ import annotations

import pytest

from conformance.workshop import BASE, HEAD, Workshop
from release_tool.forges.base import KeepsComments
from release_tool.pull_request.markdown import units

HOSTILE = {
    "html": "<script>alert(1)</script> <img src=x onerror=alert(1)> </details></details> &lt;b&gt;",
    "markdown": "a | b | `c` ![x](http://127.0.0.1:1/x.png) [y](javascript:alert(1)) ~~~ ```",
    "letters": "🚀 é e\u0301 \u202eright to left\u202c 漢字 \ufeff end",
    "json": '"quoted" \\ back\\u0041 {"a": 1} %s %00 ${HOME} $(id) \'single\'',
    "url": "?a=b&c=d#e/../..;%2e%2e=+",
    "header": "release: [skip ci] [ci skip] ***NO_CI*** Draft: WIP:",
}


def test_a_text_of_any_letters_stays_as_it_is(workshop: Workshop) -> None:
    number = workshop.open().number
    said: list[str] = []
    for text in HOSTILE.values():
        title, body = f"Add {text}".strip(), f"First\n\n{text}\n\n- {text}\nlast"
        updated = workshop.forge.update(number, title, body)
        truth = workshop.only
        assert (truth.title, truth.body.replace("\r\n", "\n").strip()) == (title, body)
        found = workshop.forge.find_open(HEAD, BASE)
        assert found is not None
        assert (found.title, found.body) == (updated.title, updated.body)
        for _ in range(1 if workshop.can.kind == "local" else 2):  # the same may come again after a lost answer
            workshop.forge.comment(number, body)
        said.append(body)
    assert [one.replace("\r\n", "\n").strip() for one in workshop.only.comments] == said
    assert workshop.only.state == "open"


def longest(most: int, begin: str = "") -> str:
    """A text of just so many UTF-16 code units, of letters of one to four bytes."""
    line = "é🚀漢 right | <b>\n"
    text = begin + line * ((most - len(begin)) // units(line))
    return f"{text}{'x' * (most - units(text))}"


def test_a_text_as_long_as_the_forge_takes_is_taken_whole(workshop: Workshop) -> None:
    """Longer ones are cut to that before they come to the forge."""
    flavour = workshop.can.flavour
    title, body = longest(flavour.title).replace("\n", " ").replace("🚀", "🚀 "), longest(flavour.body)
    title = title[: flavour.title - 1].strip() + "x"
    workshop.push()
    reviewers = [workshop.bench.reviewer] if workshop.can.reviewers and workshop.bench.reviewer else []
    pull = workshop.forge.open(HEAD, BASE, title, body, reviewers=reviewers).pull_request
    for _ in range(2):
        truth = workshop.only
        assert truth.title == title
        assert truth.body.replace("\r\n", "\n") == body
        workshop.forge.update(pull.number, title, body)
    said = longest(flavour.comment)
    workshop.forge.comment(pull.number, said)
    assert [one.replace("\r\n", "\n") for one in workshop.only.comments] == [said]
    if workshop.can.keeps_comments:
        assert isinstance(workshop.forge, KeepsComments)
        kept = longest(flavour.comment, "<!-- kept -->\n")
        workshop.forge.keep_comment(pull.number, "<!-- kept -->", kept)
        assert workshop.only.comments[1].replace("\r\n", "\n") == kept


def test_an_empty_text_is_a_text(workshop: Workshop) -> None:
    workshop.push()
    pull = workshop.forge.open(HEAD, BASE, "Title", "").pull_request
    assert (pull.body, workshop.only.body) == ("", "")
    workshop.forge.update(pull.number, "Title", "Body")
    assert workshop.forge.update(pull.number, "Title", "").body == ""
    assert workshop.only.body == ""


@pytest.mark.slow
def test_a_reason_that_is_a_command_of_the_forge_does_nothing(workshop: Workshop) -> None:
    """Quick actions, mentions, references and Markdown in what a person says."""
    reason = "/close /merge /approve @alice @acme/everybody closes #1 fixes !1 \n/merge\n/close <!-- x"
    workshop.release("pin", "devel", "v1", "--reason", " ".join(reason.split()), "--until", "2027-01-31")
    workshop.bump("v1.0.5", "--build-url", "https://ci.example.com/@alice/#1")
    truth = workshop.only
    assert (truth.state, truth.auto_merge) == ("open", False)
    assert "v1.0.5" in truth.body
    acting = [line for line in truth.body.splitlines() if line.startswith("/")]
    assert not acting or not workshop.can.flavour.quick_actions, acting
    assert workshop.proposed() == ["v1.0.5"]
