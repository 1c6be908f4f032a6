"""GitLab's quick actions: lines of a text that begin with `/` and a known word act, and are taken out of the text."""

from __future__ import annotations

import re

_KNOWN = (
    r"approve|assign|assign_reviewer|assignee|award|clear_weight|close|confidential|copy_metadata|"
    r"create_merge_request|done|draft|due|duplicate|epic|estimate|health_status|iteration|label|labels|link|lock|"
    r"merge|milestone|move|react|ready|reassign|reassign_reviewer|rebase|relabel|relate|remove_due_date|"
    r"remove_estimate|remove_label|remove_milestone|remove_time_spent|reopen|request_changes|request_review|shrug|"
    r"ship|spend|spent|spend_time|submit_review|subscribe|tableflip|tag|target_branch|title|todo|unapprove|"
    r"unassign|unassign_reviewer|unlabel|unlock|unsubscribe|weight"
)

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_ACTION = re.compile(rf"/({_KNOWN})(?:[ \t]+(.*))?[ \t]*", re.IGNORECASE)


def without_actions(text: str | None) -> tuple[str | None, list[tuple[str, str]]]:
    """A text as it is kept, and what was in it to do: (word, the rest of its line). Code, HTML and quotes don't act.

    White space at the end and carriage returns go in any case.
    """
    if not text:
        return text, []
    kept, found, fence, html = [], [], "", False
    for line in text.replace("\r", "").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and line.strip().startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif not html and (action := _ACTION.fullmatch(line)):
            found.append((action[1].lower(), (action[2] or "").strip()))
            continue
        else:
            html = bool(line.strip()) and (html or bool(re.match(r"<[a-zA-Z/!]", line)))
        kept.append(line)
    return "\n".join(kept).rstrip(), found
