"""Makes the pictures of the README, in docs/images: a pull request as GitHub shows it, and `release status` on a terminal.

`make pictures`. Both come from a real repository in the time of its own clock: the same tool makes the same pictures.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import struct
import tempfile
import termios
from datetime import timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import github_page
from PIL import Image
from rich.console import Console
from rich.segment import Segment
from rich.terminal_theme import TerminalTheme
from rich.text import Text
from world import WITH_DEFAULT, World

from release_tool.cli import main

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
COLUMNS, WIDTH, HEIGHT = 100, 8.4, 20  # of a terminal, and of one letter in CSS pixels
NO_BREAK = "\u00a0"  # blanks in a row are one elsewhere
LIGHT = TerminalTheme(
    (255, 255, 255), (31, 35, 40),
    [(36, 41, 47), (207, 34, 46), (17, 99, 41), (77, 45, 0), (9, 105, 218), (130, 80, 223), (27, 124, 131), (110, 119, 129)],
    [(87, 96, 106), (164, 14, 38), (26, 127, 55), (99, 60, 1), (33, 139, 255), (164, 117, 249), (49, 146, 170), (140, 149, 159)],
)  # fmt: skip
DARK = TerminalTheme(
    (13, 17, 23), (230, 237, 243),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
    [(110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255), (86, 212, 221), (255, 255, 255)],
)  # fmt: skip


def story(path: Path) -> World:
    """A repository in which some things have happened, and a bump waits for a review."""
    world, day = World.make(path, keep=3, tags=WITH_DEFAULT), timedelta(days=1)
    as_run_by("ada")
    world.release("pin", "devel", "v2", "--reason", "mobile clients 2.x", "--until", "2027-03-31", "--direct")
    as_run_by("builder")
    world.release("bump", "devel", "v1.0.5", "--direct", *built("v1.0.5", 1705), later=day)
    as_run_by("ada")
    world.release("promote", "devel", "staging", "--direct", later=2 * day)
    world.release("quarantine", "production", "v3", "--reason", "loses sessions", "--direct", later=day)
    as_run_by("builder")
    world.release("bump", "devel", "v1.0.6", *built("v1.0.6", 1706), later=day)
    return world


def as_run_by(actor: str) -> None:
    """What a job of GitHub Actions sets, as far as the record keeps it."""
    os.environ.update(GITHUB_ACTOR=actor, GITHUB_RUN_ID="7", GITHUB_REPOSITORY="acme/gitops")


def built(tag: str, run: int) -> list[str]:
    """Where an image comes from."""
    known = hashlib.sha256(tag.encode()).hexdigest()
    place = ["--image", "registry.example.com/engine", "--digest", f"sha256:{known}", "--commit", known[:40]]
    return [*place, "--build-url", f"https://github.com/acme/engine/actions/runs/{run}"]


def on_terminal(world: World, *arguments: str) -> str:
    """What a command prints on a real terminal, colours too."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), PAGER="cat")
        os._exit(main([*arguments, "-C", str(world.clone)], now=lambda: world.now))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    printed = b""
    while part := _read(terminal):
        printed += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, printed
    return printed.decode().replace("\r\n", "\n").rstrip()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux's way to say that nobody writes any more
        return b""


def drawing(command: str, printed: str, theme: TerminalTheme) -> str:
    """A terminal as SVG: text in the reader's own letters, each word at its place."""
    console = Console(width=COLUMNS, force_terminal=True, color_system="truecolor", legacy_windows=False)
    shown = Text.assemble(("$ ", "bold"), (f"{command}\n\n", "bold"), Text.from_ansi(printed))
    lines = list(console.render_lines(shown, pad=False))
    words = [word for number, row in enumerate(lines) for word in _words(number, row, theme)]
    wide, high = round(COLUMNS * WIDTH + 32), len(lines) * HEIGHT + 32
    back, fore = theme.background_color.hex, theme.foreground_color.hex
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">',
        f"<title>{escape(command)}</title>",
        f'<rect width="{wide}" height="{high}" rx="8" fill="{back}" stroke="{fore}" stroke-opacity=".2"/>',
        f'<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14" fill="{fore}">',
        *words,
        "</g></svg>\n",
    ])  # fmt: skip


def _words(number: int, row: list[Segment], theme: TerminalTheme) -> list[str]:
    found, at = [], 0
    for segment in row:
        style, text = segment.style, segment.text
        if text.strip():
            colour = style.color.get_truecolor(theme).hex if style and style.color else ""
            look = f' fill="{colour}"' if colour else ""
            look += ' font-weight="bold"' if style and style.bold else ""
            look += ' opacity=".7"' if style and style.dim else ""
            length = f'textLength="{segment.cell_length * WIDTH:g}"'
            place = f'x="{16 + at * WIDTH:g}" y="{16 + (number + 0.75) * HEIGHT:g}"'
            found.append(f"<text {place} {length}{look}>{escape(text).replace(' ', NO_BREAK)}</text>")
        at += segment.cell_length
    return found


def make() -> None:
    """Writes them all."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as place:
        Path(place, ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n", "utf-8")
        for name in [
            name for name in os.environ if name.startswith(("GIT_", "GITHUB_", "GH_", "CI", "RELEASE_", "NO_COLOR"))
        ]:
            del os.environ[name]
        os.environ.update(HOME=place, GIT_CONFIG_NOSYSTEM="1", TZ="UTC")
        world = story(Path(place))
        (pull,) = world.pulls()
        status = on_terminal(world, "status")
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        (IMAGES / f"status-{name}.svg").write_text(drawing("release status", status, theme), "utf-8")
        page = github_page.page(github_page.shown(pull["body"], pull["title"]), dark=name == "dark")
        high = github_page.measured(page, "document.querySelector('main').getBoundingClientRect().height")
        path = IMAGES / f"pull-request-{name}.png"
        github_page.picture(page, path, github_page.WIDE, round(high), scale=1.5)
        Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)


if __name__ == "__main__":
    make()
