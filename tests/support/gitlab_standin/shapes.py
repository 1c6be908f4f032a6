"""What GitLab's API shows of things: the shapes of its answers, written from its documentation."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gitlab_standin.records import LEVELS

if TYPE_CHECKING:
    from datetime import datetime

    from gitlab_standin.gitlab import GitLab
    from gitlab_standin.records import (
        ApprovalRule,
        Label,
        MergeRequest,
        Note,
        Pipeline,
        Project,
        ProtectedBranch,
        Token,
        User,
    )

WORDS = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers"}


def stamp(at: datetime | None) -> str | None:
    return at and f"{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class Shapes:
    def __init__(self, gitlab: GitLab) -> None:
        self._gitlab = gitlab

    def page(self, project: Project) -> str:
        return f"{self._gitlab.web}/{project.path}"

    def user(self, one: User | None) -> dict[str, Any] | None:
        return one and {
            "id": one.id, "username": one.username, "name": one.name, "state": "active", "locked": False,
            "avatar_url": None, "web_url": f"{self._gitlab.web}/{one.username}",
        }  # fmt: skip

    def self_(self, one: User) -> dict[str, Any]:
        """`/user`."""
        shown = self.user(one) or {}
        return shown | {"email": one.email, "bot": one.bot, "is_admin": False, "created_at": stamp(self._gitlab.began)}

    def token(self, one: Token) -> dict[str, Any]:
        return {
            "id": one.id, "name": one.user.username, "revoked": one.revoked, "created_at": stamp(one.created_at),
            "scopes": list(one.scopes), "user_id": one.user.id, "last_used_at": None,
            "active": not one.revoked, "expires_at": one.expires and f"{one.expires:%Y-%m-%d}",
        }  # fmt: skip

    def project(self, one: Project, viewer: User | None) -> dict[str, Any]:
        namespace, _, name = one.path.rpartition("/")
        level = one.level(viewer)
        access = {"access_level": level, "notification_level": 3} if level else None
        shown = {
            "id": one.id, "name": name, "path": name, "path_with_namespace": one.path,
            "name_with_namespace": one.path.replace("/", " / "), "description": None, "default_branch": one.default_branch,
            "created_at": stamp(one.created_at), "last_activity_at": stamp(one.created_at),
            "ssh_url_to_repo": f"git@gitlab.example.com:{one.path}.git", "http_url_to_repo": f"{self.page(one)}.git",
            "web_url": self.page(one), "readme_url": None, "avatar_url": None, "topics": [], "tag_list": [],
            "forks_count": 0, "star_count": 0, "visibility": "private" if one.private else "public",
            "namespace": {
                "id": 1, "name": namespace, "path": namespace.rpartition("/")[2], "kind": "group",
                "full_path": namespace, "parent_id": None, "avatar_url": None,
                "web_url": f"{self._gitlab.web}/groups/{namespace}",
            },
            "archived": one.archived, "mirror": one.mirrored, "empty_repo": not one.bare.heads(),
            "issues_enabled": True, "merge_requests_enabled": one.merge_requests_enabled,
            "jobs_enabled": True, "wiki_enabled": True, "snippets_enabled": True,
            "merge_requests_access_level": "enabled" if one.merge_requests_enabled else "disabled",
            "repository_access_level": "enabled", "builds_access_level": "enabled",
            "merge_method": one.merge_method, "squash_option": one.squash_option,
            "only_allow_merge_if_pipeline_succeeds": one.needs_pipeline,
            "allow_merge_on_skipped_pipeline": one.skipped_pipeline_is_enough,
            "only_allow_merge_if_all_discussions_are_resolved": one.needs_resolved,
            "remove_source_branch_after_merge": one.remove_source_branch, "autoclose_referenced_issues": True,
            "merge_commit_template": None, "squash_commit_template": None, "suggestion_commit_message": None,
            "request_access_enabled": True, "shared_runners_enabled": True, "ci_config_path": "",
            "permissions": {"project_access": access, "group_access": None},
        }  # fmt: skip
        if level >= LEVELS["maintainer"]:
            shown["ci_push_repository_for_job_token_allowed"] = one.job_token_pushes
        if one.premium:
            shown |= {
                "merge_pipelines_enabled": one.merge_pipelines, "merge_trains_enabled": one.merge_trains,
                "merge_trains_skip_train_allowed": False,
                "only_allow_merge_if_all_status_checks_passed": False, "approvals_before_merge": 0,
            }  # fmt: skip
        if forked := self._gitlab.projects.get(one.forked_from):
            shown["forked_from_project"] = {"id": forked.id, "path_with_namespace": forked.path}
        return shown

    def basic(self, project: Project, one: MergeRequest, *, look: bool = False) -> dict[str, Any]:
        """A merge request as in a list."""
        status, detailed = self._gitlab.changes.detailed_status(project, one, look=look)
        notes = [note for note in project.notes.values() if note.iid == one.iid and not note.system]
        shown = {
            "id": one.id, "iid": one.iid, "project_id": project.id, "title": one.title, "description": one.description,
            "state": one.state, "created_at": stamp(one.created_at), "updated_at": stamp(one.updated_at),
            "merged_by": self.user(one.merged_by),
            "merge_user": self.user(one.merged_by or (one.auto_merge and one.auto_merge.user)),
            "merged_at": stamp(one.merged_at), "closed_by": self.user(one.closed_by), "closed_at": stamp(one.closed_at),
            "target_branch": one.target_branch, "source_branch": one.source_branch,
            "user_notes_count": len(notes), "upvotes": 0, "downvotes": 0, "author": self.user(one.author),
            "assignees": [self.user(each) for each in one.assignees],
            "assignee": self.user(one.assignees[0]) if one.assignees else None,
            "reviewers": [self.user(each) for each in one.reviewers],
            "source_project_id": one.source.id, "target_project_id": project.id, "labels": sorted(one.labels),
            "draft": one.draft, "work_in_progress": one.draft, "milestone": None,
            "merge_when_pipeline_succeeds": one.auto_merge is not None, "merge_status": status,
            "detailed_merge_status": detailed, "merge_after": None, "sha": one.sha or None, "merge_commit_sha": one.merge_commit,
            "squash_commit_sha": one.squash_commit, "discussion_locked": one.locked,
            "should_remove_source_branch": one.should_remove, "force_remove_source_branch": one.remove_source_branch,
            "prepared_at": stamp(one.created_at) if one.prepared else None, "imported": False, "imported_from": "none",
            "reference": f"!{one.iid}",
            "references": {"short": f"!{one.iid}", "relative": f"!{one.iid}", "full": f"{project.path}!{one.iid}"},
            "web_url": f"{self.page(project)}/-/merge_requests/{one.iid}",
            "time_stats": {
                "time_estimate": 0, "total_time_spent": 0, "human_time_estimate": None, "human_total_time_spent": None,
            },
            "squash": one.squash, "squash_on_merge": project.squash_option == "always" or one.squash,
            "task_completion_status": {"count": 0, "completed_count": 0},
            "has_conflicts": status == "cannot_be_merged", "blocking_discussions_resolved": not any(
                note.resolved is False for note in notes
            ),
        }  # fmt: skip
        if project.premium:
            shown["approvals_before_merge"] = None
        if one.source is not project:
            shown |= {"allow_collaboration": False, "allow_maintainer_to_push": False}
        if self._gitlab.version < (17, 0):
            del shown["merge_after"], shown["imported"], shown["imported_from"]
        return shown

    def full(
        self, project: Project, one: MergeRequest, viewer: User | None, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A merge request by itself."""
        shown, pipeline = self.basic(project, one, look=True), project.head_pipeline(one)
        files = project.bare.git("diff", "--name-only", one.base_sha, one.sha or one.base_sha).splitlines()
        refs = {"base_sha": one.base_sha, "head_sha": one.sha, "start_sha": one.start_sha}
        shown |= {
            "subscribed": True, "changes_count": str(len(files)) if files else None,
            "latest_build_started_at": None, "latest_build_finished_at": None, "first_deployed_to_production_at": None,
            "pipeline": pipeline and self.pipeline(project, pipeline),
            "head_pipeline": pipeline and self.full_pipeline(project, pipeline, one.author),
            "diff_refs": refs if one.sha else None,
            "merge_error": one.merge_error,
            "user": {"can_merge": viewer is not None and project.may_merge(viewer, one.target_branch)},
        }  # fmt: skip
        asked = query or {}
        if asked.get("include_rebase_in_progress") == "true":
            shown["rebase_in_progress"] = False
        if asked.get("include_diverged_commits_count") == "true":
            base = project.bare.tip(one.target_branch)
            shown["diverged_commits_count"] = len(project.bare.ahead(one.sha, base)) if base and one.sha else 0
        return shown

    def pipeline(self, project: Project, one: Pipeline) -> dict[str, Any]:
        return {
            "id": one.id, "iid": one.iid, "project_id": project.id, "sha": one.sha, "ref": one.ref,
            "status": one.status, "source": one.source, "created_at": stamp(one.created_at),
            "updated_at": stamp(one.updated_at), "web_url": f"{self.page(project)}/-/pipelines/{one.id}",
        }  # fmt: skip

    def full_pipeline(self, project: Project, one: Pipeline, user: User) -> dict[str, Any]:
        ended = stamp(one.updated_at) if one.status in ("success", "failed", "canceled", "skipped") else None
        return self.pipeline(project, one) | {
            "before_sha": "0" * 40, "tag": False, "yaml_errors": None, "user": self.user(user),
            "started_at": stamp(one.created_at), "finished_at": ended, "committed_at": None,
            "duration": None, "queued_duration": None, "coverage": None,
            "detailed_status": {
                "icon": f"status_{one.status}", "text": one.status.title(), "label": one.status, "group": one.status,
                "tooltip": one.status, "has_details": True, "details_path": f"/{project.path}/-/pipelines/{one.id}",
                "illustration": None, "favicon": None,
            },
        }  # fmt: skip

    def note(self, project: Project, one: Note) -> dict[str, Any]:
        request = project.merge_requests[one.iid]
        shown = {
            "id": one.id, "type": None, "body": one.body, "attachment": None, "author": self.user(one.author),
            "created_at": stamp(one.created_at), "updated_at": stamp(one.updated_at), "system": one.system,
            "noteable_id": request.id, "noteable_type": "MergeRequest", "noteable_iid": one.iid,
            "project_id": project.id, "resolvable": one.resolved is not None, "confidential": False, "internal": False,
            "imported": False, "imported_from": "none", "commands_changes": {},
        }  # fmt: skip
        if one.resolved is not None:
            shown |= {"type": "DiscussionNote", "resolved": one.resolved, "resolved_by": None, "resolved_at": None}
        return shown

    def label(self, one: Label) -> dict[str, Any]:
        return {
            "id": one.id, "name": one.name, "color": one.color, "description": one.description,
            "description_html": one.description or "", "text_color": "#FFFFFF", "subscribed": False, "priority": None,
            "is_project_label": True, "archived": False,
        }  # fmt: skip

    def commit(self, project: Project, sha: str) -> dict[str, Any]:
        words = "%H%n%h%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI"
        id_, short, parents, author, mail, authored, committer, its, committed = project.bare.git(
            "show", "-s", f"--format={words}", sha
        ).split("\n")
        message = project.bare.message(sha)
        return {
            "id": id_, "short_id": short, "created_at": committed, "parent_ids": parents.split(),
            "title": message.split("\n")[0], "message": message, "author_name": author, "author_email": mail,
            "authored_date": authored, "committer_name": committer, "committer_email": its, "committed_date": committed,
            "trailers": {}, "extended_trailers": {}, "web_url": f"{self.page(project)}/-/commit/{id_}",
        }  # fmt: skip

    def branch(self, project: Project, name: str, viewer: User | None) -> dict[str, Any]:
        rules, sha = project.protections(name), project.bare.heads()[name]
        base = project.bare.tip(project.default_branch)
        default = name == project.default_branch
        return {
            "name": name, "commit": self.commit(project, sha), "default": default, "protected": bool(rules),
            "merged": bool(base) and not default and project.bare.contains(base or "", sha),
            "developers_can_push": any(one.push == LEVELS["developer"] for one in rules),
            "developers_can_merge": any(one.merge == LEVELS["developer"] for one in rules),
            "can_push": viewer is not None and project.may_push(viewer, name),
            "web_url": f"{self.page(project)}/-/tree/{quote(name)}",
        }  # fmt: skip

    def protected(self, project: Project, one: ProtectedBranch) -> dict[str, Any]:
        def levels(level: int, users: tuple[str, ...], start: int) -> list[dict[str, Any]]:
            premium = {"user_id": None, "group_id": None} if project.premium else {}
            shown: list[dict[str, Any]] = []
            if level or not users:
                shown.append({"id": start, "access_level": level, "access_level_description": WORDS[level], **premium})
            for at, name in enumerate(users):
                user = self._gitlab.user(name)
                entry = {"id": start + at + 1, "access_level": 40, "access_level_description": user.name}
                shown.append(entry | {"user_id": user.id, "group_id": None})
            return shown

        pushes = [each | {"deploy_key_id": None} for each in levels(one.push, one.push_users, one.id * 100)]
        shown = {
            "id": one.id, "name": one.name, "push_access_levels": pushes,
            "merge_access_levels": levels(one.merge, one.merge_users, one.id * 100 + 50),
            "allow_force_push": one.allow_force_push,
        }  # fmt: skip
        if project.premium:
            more = {"code_owner_approval_required": one.code_owner_approval_required, "inherited": False}
            shown |= {"unprotect_access_levels": [], **more}
        return shown

    def rule(self, project: Project, one: ApprovalRule) -> dict[str, Any]:
        users = [self.user(self._gitlab.user(name)) for name in one.users]
        protected = [self.protected(project, each) for name in one.branches if (each := project.protected.get(name))]
        return {
            "id": one.id, "name": one.name, "rule_type": "regular" if one.users else "any_approver", "report_type": None,
            "eligible_approvers": users, "approvals_required": one.required, "users": users, "groups": [],
            "contains_hidden_groups": False, "protected_branches": protected,
            "applies_to_all_protected_branches": False,
        }  # fmt: skip

    def member(self, project: Project, one: User) -> dict[str, Any]:
        return (self.user(one) or {}) | {
            "access_level": project.level(one), "expires_at": None, "created_at": stamp(project.created_at),
            "created_by": None, "membership_state": "active",
        }  # fmt: skip
