"""Mails to the owners about the log's chain: its daily head, where they want it, and a fault in any case."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts import mail
from accounts.activity.chain import Anchor
from accounts.models import AuditAnchor, Membership, Role, Workspace


def tell(row: AuditAnchor) -> None:
    """Called with the workspace open, behind the walk that made the anchor."""
    here = Workspace.objects.get(pk=row.workspace_id)
    page = settings.PUBLIC_BASE_URL + reverse("activity", kwargs={"slug": here.slug})
    if row.fault:
        text = (
            f"The activity log of {here.name} does not fit its chain any more. {row.fault}\n\n"
            "Somebody may have changed the database behind the product. Keep earlier exports and mails with "
            f"heads of the chain, and ask whoever runs the installation.\n\n{page}\n"
        )
        _mail(here, f"The activity log of {here.name} was changed", text)
    if here.mails_anchors:
        head = Anchor(f"{row.day:%Y-%m-%d}", str(row.workspace_id), row.seq, bytes(row.hash).hex())
        text = (
            f"Keep this mail. It shows later whether the first {row.seq} acts in the activity log of "
            f"{here.name} are still those of today:\n\n{head}\n\n"
            f"How to compare a download of the log with it stands on this page:\n{page}export/\n"
        )
        _mail(here, f"Head of the activity log of {here.name}, {row.day:%-d %B %Y}", text)


def _mail(here: Workspace, subject: str, text: str) -> None:
    owners = Membership.objects.filter(workspace=here, role=Role.OWNER, user__is_active=True)
    mail.tell(owners.values_list("user__email", flat=True), subject, text)
