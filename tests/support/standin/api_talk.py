"""Labels, comments, requested reviewers and reviews of pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import shapes_pulls as shown
from standin.answers import Answer, Call, Problem, invalid, route

if TYPE_CHECKING:
    from standin.records import Comment, Label, Review

REPO = "/repos/{owner}/{repo}"
ISSUE = REPO + "/issues/{number#}"
READ = ("issues:read", "pull_requests:read")
WRITE = ("issues:write", "pull_requests:write")


# labels


@route("GET", ISSUE + "/labels", *READ)
def labels_of(call: Call) -> Answer:
    return call.paged([call.repository.labels[name] for name in call.pull.labels], _label(call))


@route("POST", ISSUE + "/labels", *WRITE, role="triage")
def add_labels(call: Call) -> Answer:
    """Adds labels; one that isn't there yet is made on the fly, and names are one whatever their case."""
    for name in _names(call):
        label = _made(call, name)
        if label.name not in call.pull.labels:
            call.pull.labels.append(label.name)
    call.pull.updated_at = call.standin.now()
    return _labels(call)


def _labels(call: Call) -> Answer:
    return Answer(200, [_label(call)(call.repository.labels[name]) for name in call.pull.labels])


@route("PUT", ISSUE + "/labels", *WRITE, role="triage")
def set_labels(call: Call) -> Answer:
    call.pull.labels = list(dict.fromkeys(_made(call, name).name for name in _names(call)))
    return _labels(call)


@route("DELETE", ISSUE + "/labels/{name}", *WRITE, role="triage")
def remove_label(call: Call) -> Answer:
    name = call.params["name"]
    if name not in call.pull.labels:
        raise Problem(404, "Label does not exist")
    call.pull.labels.remove(name)
    return _labels(call)


@route("GET", REPO + "/labels", *READ)
def list_labels(call: Call) -> Answer:
    return call.paged(list(call.repository.labels.values()), _label(call))


@route("GET", REPO + "/labels/{name}", *READ)
def get_label(call: Call) -> Answer:
    label = call.repository.labels.get(call.params["name"])
    if label is None:
        raise Problem(404, "Not Found")
    return Answer(200, _label(call)(label))


@route("POST", REPO + "/labels", *WRITE)
def create_label(call: Call) -> Answer:
    name = call.text("name", 50, "Label")
    if not name:
        raise invalid("Label", "name", "missing_field")
    if any(known.lower() == name.lower() for known in call.repository.labels):
        raise invalid("Label", "name", "already_exists")
    label = _made(call, name)
    label.color, label.description = call.body.get("color") or "ededed", call.text("description", 100, "Label")
    return Answer(201, _label(call)(label))


def _names(call: Call) -> list[str]:
    given = call.body.get("labels", []) if isinstance(call.body, dict) else call.body
    names = [one["name"] if isinstance(one, dict) else one for one in ([given] if isinstance(given, str) else given)]
    for name in names:
        if not name or len(name) > 50:
            raise invalid("Label", "name", message="" if not name else "name is too long (maximum is 50 characters)")
    return names


def _made(call: Call, name: str) -> Label:
    known = {label.lower(): label for label in call.repository.labels}
    if name.lower() not in known:
        return call.standin.new_label(call.repository, name)
    return call.repository.labels[known[name.lower()]]


def _label(call: Call) -> Any:
    return lambda label: call.shapes.label(call.repository, label)


# comments


@route("GET", ISSUE + "/comments", *READ)
def comments_of(call: Call) -> Answer:
    found = [comment for comment in call.repository.comments.values() if comment.number == call.pull.number]
    return call.paged(found, lambda one: shown.comment(call.shapes, call.repository, one))


@route("POST", ISSUE + "/comments", *WRITE, role="read")
def add_comment(call: Call) -> Answer:
    text = _comment_text(call)
    one = call.standin.new_comment(call.repository, call.pull, call.user, text)
    answer = shown.comment(call.shapes, call.repository, one)
    return Answer(201, answer, {"Location": answer["url"]})


@route("GET", REPO + "/issues/comments/{id#}", *READ)
def get_comment(call: Call) -> Answer:
    return Answer(200, shown.comment(call.shapes, call.repository, _comment(call)))


@route("PATCH", REPO + "/issues/comments/{id#}", *WRITE, role="read")
def change_comment(call: Call) -> Answer:
    one = _comment(call)
    one.body, one.updated_at = _comment_text(call), call.standin.now()
    return Answer(200, shown.comment(call.shapes, call.repository, one))


@route("DELETE", REPO + "/issues/comments/{id#}", *WRITE)
def delete_comment(call: Call) -> Answer:
    del call.repository.comments[_comment(call).id]
    return Answer(204)


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(int(call.params["id"]))
    if found is None:
        raise Problem(404, "Not Found")
    return found


def _comment_text(call: Call) -> str:
    text = call.text("body", resource="IssueComment")
    if not text:
        raise invalid("IssueComment", "body", "missing_field")
    return text


# reviewers and reviews

REVIEWERS = REPO + "/pulls/{number#}/requested_reviewers"
REVIEWS = REPO + "/pulls/{number#}/reviews"


@route("GET", REVIEWERS, "pull_requests:read")
def reviewers_of(call: Call) -> Answer:
    answer = shown.pull_simple(call.shapes, call.repository, call.pull)
    return Answer(200, {"users": answer["requested_reviewers"], "teams": answer["requested_teams"]})


@route("POST", REVIEWERS, "pull_requests:write")
def request_reviewers(call: Call) -> Answer:
    repository, pull = call.repository, call.pull
    users, teams = call.body.get("reviewers", []), call.body.get("team_reviewers", [])
    if pull.user.login in users:
        raise Problem(422, "Review cannot be requested from pull request author.")
    strangers = [login for login in users if login not in repository.roles and login != repository.owner.login]
    if strangers or set(teams) - set(repository.teams):
        message = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the "
        raise Problem(422, f"{message}{repository.full_name} repository.")
    pull.reviewers += [call.standin.user(login) for login in users if login not in {u.login for u in pull.reviewers}]
    pull.teams += [team for team in teams if team not in pull.teams]
    return Answer(201, shown.pull_simple(call.shapes, repository, pull))


@route("DELETE", REVIEWERS, "pull_requests:write")
def remove_reviewers(call: Call) -> Answer:
    pull = call.pull
    pull.reviewers = [user for user in pull.reviewers if user.login not in call.body.get("reviewers", [])]
    pull.teams = [team for team in pull.teams if team not in call.body.get("team_reviewers", [])]
    return Answer(200, shown.pull_simple(call.shapes, call.repository, pull))


@route("GET", REVIEWS, "pull_requests:read")
def reviews_of(call: Call) -> Answer:
    return call.paged(call.pull.reviews, _review(call))


@route("POST", REVIEWS, "pull_requests:write", role="read")
def add_review(call: Call) -> Answer:
    states = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", None: "PENDING"}
    event = call.body.get("event")
    if event not in states:
        raise invalid("PullRequestReview", "event")
    if call.pull.user.login == call.user.login and event in ("APPROVE", "REQUEST_CHANGES"):
        word = "approve" if event == "APPROVE" else "request changes on"
        raise Problem(422, "Unprocessable Entity", [f"Can not {word} your own pull request"])
    of_a_job = call.token is not None and call.token.kind == "actions"
    if of_a_job and event == "APPROVE" and not call.repository.actions_may_open_pull_requests:
        raise Problem(422, "Unprocessable Entity", ["GitHub Actions is not permitted to approve pull requests."])
    one = call.standin.new_review(call.repository, call.pull, call.user, states[event], call.text("body") or "")
    return Answer(200, _review(call)(one))


@route("PUT", REVIEWS + "/{id#}/dismissals", "pull_requests:write")
def dismiss_review(call: Call) -> Answer:
    found = [review for review in call.pull.reviews if review.id == int(call.params["id"])]
    if not found:
        raise Problem(404, "Not Found")
    found[0].state = "DISMISSED"
    return Answer(200, _review(call)(found[0]))


def _review(call: Call) -> Any:
    def show(one: Review) -> dict[str, Any]:
        return shown.review(call.shapes, call.repository, call.pull, one)

    return show
