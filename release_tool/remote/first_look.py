"""The first look at the remote: it begins while the rest of the tool is still being imported.

Waiting for git and importing Python's modules take about as long; done at once they take half. Nothing depends on it: a
look that comes later sees the same or something newer, and every push compares.
"""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

from release_tool.yamledit.parser import events_of

if TYPE_CHECKING:
    from release_tool.git.repository import RemoteRefs, Repository

_LIKELY_PREFIX = "refs/heads/release/"  # of the default configuration: saves a second fetch where it is right


class Look:
    """Looks at the branches of a remote and fetches those that are surely or likely needed.

    The first look begins at once, in the background: until it is taken, the repository belongs to that thread alone.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._found: RemoteRefs | BaseException | None = None
        self._begun: Thread | None = Thread(target=self._begin, name="look", daemon=True)
        self._begun.start()

    def take(self) -> RemoteRefs:
        """What the remote holds: the look that was begun, and from the second time on a new one."""
        if self._begun is None:
            return self._look()
        # What reading and writing will need is imported while git is busy: OpenSSL and the YAML parser take their time.
        import hashlib  # noqa: F401

        events_of()
        self._begun.join()
        self._begun, found = None, self._found
        if isinstance(found, BaseException):
            raise found
        assert found is not None  # the thread has ended
        return found

    def wait(self) -> None:
        """Wait for a look that was begun and never taken."""
        if self._begun is not None:
            self._begun.join()

    def _begin(self) -> None:
        try:
            self._found = self._look()
        except BaseException as error:  # noqa: BLE001 (raised again by the one who takes the look)
            self._found = error

    def _look(self) -> RemoteRefs:
        refs = self._repository.refs("refs/heads/*")
        head = refs.branch(refs.head_branch) if refs.head_branch else None
        likely = [commit for ref, commit in refs.refs.items() if ref.startswith(_LIKELY_PREFIX)]
        self._repository.fetch(*([head] if head else []), *likely)
        return refs
