"""One look at a server: which forge answers there. For remotes of which neither the host nor the environment tells.

No token is sent and no redirect followed; all questions are asked at once, and the look is over in three seconds.

What each forge shows to everybody, also where it wants a login for all else:

- Gitea and Forgejo: `GET /api/v1/version`; with `REQUIRE_SIGNIN_VIEW` their own sentence with status 403 (a real 1.26).
- GitLab: `GET /api/v4/version` has status 401, in the words of its API, and the header `X-Gitlab-Meta`; its page of the
  login sets the cookie `_gitlab_session`.
- Bitbucket Data Center: `GET /rest/api/1.0/application-properties` ("displayName": "Bitbucket").
- Azure DevOps Server: the headers `X-TFS-…` and `X-VSS-…` of each answer.
- GitHub Enterprise Server: `GET /api/v3/meta`, and the header `X-GitHub-Enterprise-Version` where it is private.
"""

from __future__ import annotations

import time
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from release_tool.errors import ReleaseError
from release_tool.forges.answers import parsed
from release_tool.forges.remote_url import is_loopback, remote_url
from release_tool.net.transport import Transport, Untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from release_tool.net.transport import Answer

SECONDS = 3.0

_MOST = 64 * 1024  # bytes of an answer; the longest that is known, GitHub's, has a tenth
_PREFIXES = 3  # paths below which a server is looked for


class FoundServer(NamedTuple):
    """What a look found.

    Attributes:
        kind: the forge; empty: none that is known.
        server: where its web pages begin; of Azure DevOps, its collection.
        trouble: what kept the look from seeing anything; empty: nothing did.
    """

    kind: str = ""
    server: str = ""
    trouble: str = ""


class _Question(NamedTuple):
    kind: str
    server: str
    path: str
    tells: Callable[[Answer], bool]


def look(url: str, seconds: float = SECONDS) -> FoundServer:
    """Looks at the server of a remote's URL."""
    questions = tuple(_questions(url))
    end = time.monotonic() + seconds
    answers: Queue[FoundServer] = Queue()
    transport = Transport("the server", "", timeout=seconds, most=_MOST)
    for one in questions:
        Thread(target=_ask, args=(transport, one, end, answers), daemon=True).start()
    trouble = ""
    try:
        for _ in questions:
            found = answers.get(timeout=max(0.0, end - time.monotonic()))
            if found.kind:
                return found
            trouble = trouble or found.trouble
    except Empty:
        trouble = trouble or f"it did not answer within {seconds:g} s"
    finally:
        transport.close()
    return FoundServer(trouble=trouble)


def _ask(transport: Transport, one: _Question, end: float, answers: Queue[FoundServer]) -> None:
    found = FoundServer()
    try:
        if one.tells(transport.ask("GET", f"{one.server}{one.path}", end=end)):
            found = FoundServer(one.kind, one.server)
    except Untrusted as error:
        found = FoundServer(trouble=f"{error.what}: {error.cause}")
    except ReleaseError:  # another question may still tell
        pass
    finally:
        answers.put(found)


def _questions(url: str) -> Iterator[_Question]:
    remote = remote_url(url)
    if remote is None:
        return
    # Of a remote by SSH, nobody knows another port than the usual one of HTTPS.
    plain = url.lower().startswith("http:") or (not remote.web and is_loopback(remote.host))
    root = f"{'http' if plain else 'https'}://{remote.host}"
    folders = remote.parts[:-1]
    if "_git" in folders:  # Azure DevOps: …/COLLECTION/PROJECT/_git/NAME, and without the project where they are alike
        for number in _last(folders.index("_git") + 1):
            yield _Question("azure", _joined(root, folders[:number]), "/_apis/connectionData", _is_azure)
        return
    if "scm" in folders:  # Bitbucket Data Center, by HTTP
        server = _joined(root, folders[: folders.index("scm")])
        yield _Question("bitbucket", server, "/rest/api/1.0/application-properties", _is_bitbucket)
    elif not remote.web:
        yield _Question("bitbucket", root, "/rest/api/1.0/application-properties", _is_bitbucket)
    yield _Question("gitea", _joined(root, folders[:-1]), "/api/v1/version", _is_gitea)
    if folders[:-1] and not remote.web:
        yield _Question("gitea", root, "/api/v1/version", _is_gitea)
    yield _Question("github", root, "/api/v3/meta", _is_github)
    for number in range(min(_PREFIXES, len(folders))):  # the folders may be groups within groups
        server = _joined(root, folders[:number])
        yield _Question("gitlab", server, "/api/v4/version", _is_gitlab)
        yield _Question("gitlab", server, "/users/sign_in", _is_gitlab)


def _last(length: int) -> Iterator[int]:
    """How many folders may be a collection's path, before those of `PROJECT/_git`."""
    return (number for number in (length - 2, length - 1) if number > 0)


def _joined(root: str, folders: tuple[str, ...]) -> str:
    return "/".join((root, *folders))


def _is_gitea(answer: Answer) -> bool:
    found = parsed(answer.body)
    if answer.status == 200:
        return list(found) == ["version"] and isinstance(found["version"], str)
    return answer.status in {401, 403} and "Only signed in user" in str(found.get("message"))


def _is_gitlab(answer: Answer) -> bool:
    cookies = answer.headers.get("Set-Cookie", "")
    words = parsed(answer.body).get("message") if "/api/v4/" in answer.url else ""
    told = answer.status == 401 and words == "401 Unauthorized"
    return told or "X-Gitlab-Meta" in answer.headers or "_gitlab_session=" in cookies


def _is_bitbucket(answer: Answer) -> bool:
    return parsed(answer.body).get("displayName") == "Bitbucket"


def _is_azure(answer: Answer) -> bool:
    return any(name.lower().startswith(("x-tfs-", "x-vss-")) for name in answer.headers)


def _is_github(answer: Answer) -> bool:
    return "X-GitHub-Enterprise-Version" in answer.headers or "installed_version" in parsed(answer.body)
