"""The projects of members with limited access: the rows behind the members page of accounts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import projects
from accounts.models import Membership, Role
from accounts.projects import ProjectName
from accounts.tenancy import current_workspace_id
from outreach.models import Project, ProjectAccess


class Access:
    """accounts.projects.Projects, over ProjectAccess."""

    def names(self) -> list[ProjectName]:
        return [ProjectName(row.pk, row.name) for row in Project.objects.order_by("name")]

    def seen_by(self, memberships: Iterable[Membership]) -> Mapping[uuid.UUID, list[ProjectName]]:
        found: dict[uuid.UUID, list[ProjectName]] = {}
        rows = ProjectAccess.objects.filter(membership__in=[row.pk for row in memberships])
        for row in rows.select_related("project").order_by("project__name"):
            found.setdefault(row.membership_id, []).append(ProjectName(row.project_id, row.project.name))
        return found

    def limit(self, membership: Membership, projects: Iterable[uuid.UUID]) -> None:
        chosen = Project.objects.filter(pk__in=list(projects))
        rows = ProjectAccess.objects.filter(membership=membership)
        rows.exclude(project__in=chosen).delete()
        known = set(rows.values_list("project_id", flat=True))
        ProjectAccess.objects.bulk_create(
            [ProjectAccess(membership=membership, project=row) for row in chosen if row.pk not in known]
        )


def working_on(project: uuid.UUID) -> QuerySet[Membership]:
    """Members who see this project and may change something there, by name."""
    rows = Membership.objects.filter(workspace_id=current_workspace_id(), user__is_active=True)
    rows = rows.exclude(role=Role.VIEWER).select_related("user").order_by("user__name", "pk")
    sees = ProjectAccess.objects.filter(membership=OuterRef("pk"), project=project)
    return rows.filter(Q(all_projects=True) | Q(role__in=[Role.OWNER, Role.ADMIN]) | Exists(sees))


projects.register(Access())
