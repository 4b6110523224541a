"""What a member, or an API key, sees of a workspace: their projects, and no private replies of others."""

from __future__ import annotations

from accounts import viewpoint
from accounts.models import Membership, Role
from accounts.viewpoint import Viewpoint
from mailbox.models import Mailbox, Replies
from outreach.models import ProjectAccess


def viewpoint_of(membership: Membership | None) -> Viewpoint | None:
    """None where there is nothing to narrow. The workspace must be open. One query, two where limited."""
    private = Mailbox.objects.filter(replies=Replies.PRIVATE)
    if membership is not None:
        private = private.exclude(owner=membership.user_id)
    hidden = frozenset(private.values_list("pk", flat=True))
    projects = None
    if membership is not None and is_limited(membership):
        rows = ProjectAccess.objects.filter(membership=membership)
        projects = frozenset(rows.values_list("project_id", flat=True))
    if projects is None and not hidden:
        return None
    return Viewpoint(membership.user_id if membership else None, projects, hidden)


def is_limited(membership: Membership) -> bool:
    """Owners and admins see every project, whatever their row says."""
    return not membership.all_projects and not membership.may(Role.ADMIN)


viewpoint.register(viewpoint_of)
