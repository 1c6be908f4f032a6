"""Commands as messages print them, for a person who copies them into a shell."""

from __future__ import annotations

# Until the distribution stands on an index, its name there is anybody's: only a commit of the project is ours.
_COMMIT = "git+https://github.com/OWNER/release@COMMIT"


def command(*words: str, service: str = "") -> str:
    """A command of this tool as a person types it: quoted for a shell, with its service where there are several.

    Args:
        words: `"clear", "devel", "v2"`; a placeholder is written in capitals.
        service: empty: the repository has one, without a name.
    """
    import shlex

    return shlex.join(["release", *words, *(["--service", service] if service else [])])


def installing(extra: str) -> str:
    """The command that installs this tool with one of its extras."""
    return f"pip install 'gitops-release[{extra}] @ {_COMMIT}'"
