"""Making a workspace: the journey behind sign-up and "New workspace"."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import Membership, Role, User, Workspace
from accounts.tenancy import workspace


def create_workspace(owner: User, *, name: str) -> Workspace:
    """A workspace with `owner` as its owner, and the first line of its activity log."""
    with transaction.atomic():
        row = Workspace.objects.create(name=name, slug=Workspace.free_slug(name))
        Membership.objects.create(workspace=row, user=owner, role=Role.OWNER)
        with workspace(row):
            audit.record("workspace.created", f"Workspace {name} created", actor=owner, object_id=row.pk)
    return row
