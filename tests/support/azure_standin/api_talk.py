"""What is said of a pull request: threads and their comments, labels, reviewers, statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forge_standin import Answer

from azure_standin import problems
from azure_standin.api_pulls import PULL
from azure_standin.problems import Problem
from azure_standin.records import Comment, Status, Thread
from azure_standin.rest import Call, listed, route

if TYPE_CHECKING:
    from azure_standin.records import Identity

THREADS = f"{PULL}/threads"
THREAD = f"{THREADS}/{{threadId}}"
COMMENTS = f"{THREAD}/comments"
COMMENT = f"{COMMENTS}/{{commentId}}"
_THREADS, _COMMENTS = "ab6e2e5d-a0b7-4153-b64a-a4efe0d49449", "965a3ec7-5ed8-455a-bdcb-835a5ea7fe7b"
_READ, _WRITE = ("vso.code", "vso.threads_full"), ("vso.code_write", "vso.threads_full")
LONGEST = 150_000
_STATES = ("unknown", "active", "fixed", "wontFix", "closed", "byDesign", "pending")


def _content(shown: Any) -> str:
    text = shown.get("content") or ""
    if len(text.encode("utf-16-le")) // 2 > LONGEST:
        raise problems.too_long()
    return str(text)


def _state(value: Any) -> str:
    return _STATES[value] if isinstance(value, int) else str(value)


@route("GET", THREADS, *_READ, location=_THREADS)
def list_threads(call: Call) -> Answer:
    """All of them at once, the system's too."""
    return listed([call.shapes.thread(call.repository, call.pull, one) for one in call.pull.threads])


@route("POST", THREADS, *_WRITE, location=_THREADS)
def new_thread(call: Call) -> Answer:
    """Also below a finished pull request."""
    now, said = call.azure.now(), call.part("comments") or ()
    comments = [Comment(at, call.identity, _content(one), now, now) for at, one in enumerate(said, 1)]
    if not comments:
        raise problems.invalid("comments")
    state = _state(call.part("status") or "active")
    made = Thread(call.azure.next_id(), now, comments, state, call.part("properties") or {})
    call.pull.threads.append(made)
    return Answer(200, call.shapes.thread(call.repository, call.pull, made))


@route("GET", THREAD, *_READ, location=_THREADS)
def get_thread(call: Call) -> Answer:
    return Answer(200, call.shapes.thread(call.repository, call.pull, call.thread))


@route("PATCH", THREAD, *_WRITE, location=_THREADS)
def update_thread(call: Call) -> Answer:
    thread = call.thread
    if call.part("status") is not None:
        thread.status = _state(call.part("status"))
    thread.properties |= call.part("properties") or {}
    return Answer(200, call.shapes.thread(call.repository, call.pull, thread))


def _thread_url(call: Call) -> str:
    return f"{call.shapes.api(call.repository)}/pullRequests/{call.pull.id}/threads/{call.thread.id}"


def _comment(call: Call) -> Comment:
    found = next((one for one in call.thread.comments if one.id == int(call.params["commentId"])), None)
    if found is None:
        raise Problem(404, "CommentNotFoundException", "The requested discussion comment was not found.")
    return found


@route("GET", COMMENTS, *_READ, location=_COMMENTS)
def list_comments(call: Call) -> Answer:
    return listed([call.shapes.comment(_thread_url(call), one) for one in call.thread.comments])


@route("POST", COMMENTS, *_WRITE, location=_COMMENTS)
def new_comment(call: Call) -> Answer:
    now, parent = call.azure.now(), call.part("parentCommentId") or 0
    made = Comment(len(call.thread.comments) + 1, call.identity, _content(call.body), now, now, parent)
    call.thread.comments.append(made)
    return Answer(200, call.shapes.comment(_thread_url(call), made))


@route("GET", COMMENT, *_READ, location=_COMMENTS)
def get_comment(call: Call) -> Answer:
    return Answer(200, call.shapes.comment(_thread_url(call), _comment(call)))


@route("PATCH", COMMENT, *_WRITE, location=_COMMENTS)
def update_comment(call: Call) -> Answer:
    """One's own alone."""
    one = _own(call)
    one.content, one.updated = _content(call.body), call.azure.now()
    return Answer(200, call.shapes.comment(_thread_url(call), one))


@route("DELETE", COMMENT, *_WRITE, location=_COMMENTS)
def delete_comment(call: Call) -> Answer:
    """It stays, without its text."""
    _own(call).deleted = True
    return Answer(200)


def _own(call: Call) -> Comment:
    one = _comment(call)
    if one.author.name != call.identity.name:
        message = "Comments can only be changed by their author."
        raise Problem(403, "CommentCannotBeUpdatedException", message)
    return one


# labels

_LABELS = "f22387e3-984e-4c52-9c6d-fbb8f14c812d"


@route("GET", f"{PULL}/labels", "vso.code", location=_LABELS)
def list_labels(call: Call) -> Answer:
    return listed([call.shapes.label(call.repository, name) for name in call.pull.labels])


@route("POST", f"{PULL}/labels", "vso.code_write", location=_LABELS)
def add_label(call: Call) -> Answer:
    """One that is there already stays, whatever its case."""
    name, labels = call.part("name"), call.pull.labels
    if not name or len(name) > 400 or ";" in name or "," in name:
        raise problems.invalid("name")
    if name.casefold() not in [one.casefold() for one in labels]:
        labels.append(name)
    return Answer(200, call.shapes.label(call.repository, name))


@route("DELETE", f"{PULL}/labels/{{labelIdOrName}}", "vso.code_write", location=_LABELS)
def remove_label(call: Call) -> Answer:
    wanted, labels = call.params["labelIdOrName"], call.pull.labels
    kept = [
        name for name in labels
        if name.casefold() != wanted.casefold() and call.shapes.label(call.repository, name)["id"] != wanted
    ]  # fmt: skip
    if len(kept) == len(labels):
        raise Problem(404, "TagNotFoundException", f"The tag {wanted} was not found.")
    call.pull.labels = kept
    return Answer(200)


# reviewers

_REVIEWERS = "4b6702c7-aa35-4b89-9c96-b9abf6d3e540"


def _somebody(call: Call, wanted: str) -> Identity:
    found = next((one for one in call.azure.identities.values() if one.id == wanted), None)
    if found is None:
        raise Problem(404, "IdentityNotFoundException", f"The identity {wanted} could not be found.")
    return found


def _add(call: Call, identity: Identity, shown: Any) -> Any:
    if call.pull.status != "active":
        raise problems.not_editable()
    vote = shown.get("vote", 0)
    if vote and identity.name != call.identity.name:
        raise Problem(403, "GitPullRequestCannotVoteException", "You cannot record a vote for someone else.")
    made = call.azure.life.vote(call.pull, identity, vote, required=shown.get("isRequired"))
    return call.shapes.reviewer(call.repository, call.pull, made)


@route("GET", f"{PULL}/reviewers", "vso.code", location=_REVIEWERS)
def list_reviewers(call: Call) -> Answer:
    return listed([call.shapes.reviewer(call.repository, call.pull, one) for one in call.pull.reviewers])


@route("POST", f"{PULL}/reviewers", "vso.code_write", location=_REVIEWERS)
def add_reviewers(call: Call) -> Answer:
    return listed([_add(call, _somebody(call, one["id"]), one) for one in call.body])


@route("PUT", f"{PULL}/reviewers/{{reviewerId}}", "vso.code_write", location=_REVIEWERS)
def add_reviewer(call: Call) -> Answer:
    """Asks somebody for a review, or votes for oneself."""
    return Answer(200, _add(call, _somebody(call, call.params["reviewerId"]), call.body))


@route("DELETE", f"{PULL}/reviewers/{{reviewerId}}", "vso.code_write", location=_REVIEWERS)
def remove_reviewer(call: Call) -> Answer:
    call.pull.reviewers = [one for one in call.pull.reviewers if one.identity.id != call.params["reviewerId"]]
    return Answer(200)


# statuses

_STATUSES = "b5f6bb4f-8d1e-4d79-8d11-4c9172c99c35"


@route("GET", f"{PULL}/statuses", "vso.code", "vso.code_status", location=_STATUSES)
def list_statuses(call: Call) -> Answer:
    return listed([call.shapes.status(one) for one in call.pull.statuses])


@route("POST", f"{PULL}/statuses", "vso.code_write", "vso.code_status", location=_STATUSES)
def new_status(call: Call) -> Answer:
    context = call.part("context") or {}
    made = Status(
        call.azure.next_id(), context.get("genre") or "", context["name"], call.part("state"),
        call.part("description") or "", call.part("targetUrl") or "", call.identity, call.azure.now(),
    )  # fmt: skip
    call.pull.statuses.append(made)
    return Answer(200, call.shapes.status(made))
