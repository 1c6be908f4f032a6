"""One route more for the stand-in: a ruleset, with what its bypass list means for the one who asks."""

from __future__ import annotations

from standin.answers import Answer, Call, Problem, route
from standin.shapes import stamp


@route("GET", "/repos/{owner}/{repo}/rulesets/{ruleset#}", "metadata:read")
def get_ruleset(call: Call) -> Answer:
    found = [one for one in call.repository.rulesets if one.id == int(call.params["ruleset"])]
    if not found:
        raise Problem(404, "Not Found")
    one, at = found[0], stamp(call.repository.created_at)
    include = [f"refs/heads/{pattern}" for pattern in one.branches]
    return Answer(200, {
        "id": one.id, "name": one.name, "target": "branch", "source_type": "Repository",
        "source": call.repository.full_name, "enforcement": "active", "node_id": f"RRS_{one.id}",
        "_links": {"self": {"href": call.url}, "html": {"href": f"{call.standin.web}/rules/{one.id}"}},
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "rules": [{"type": kind, **({"parameters": given} if given else {})} for kind, given in one.rules.items()],
        "current_user_can_bypass": "always" if call.user.login in one.bypass else "never",
        "created_at": at, "updated_at": at,
    })  # fmt: skip
