"""Commands of this tool as messages print them, for a person who copies them into a shell."""

from __future__ import annotations


def command(*words: str, service: str = "") -> str:
    """A command of this tool as a person types it: quoted for a shell, with its service where there are several.

    Args:
        words: `"clear", "devel", "v2"`; a placeholder is written in capitals.
        service: empty: the repository has one, without a name.
    """
    import shlex

    return shlex.join(["release", *words, *(["--service", service] if service else [])])
