"""The text of a project's removal requests: plain text with fields, one for all its sites."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts import audit
from accounts.models import User
from mailbox.models import Mailbox
from outreach import campaigns, text_modes
from outreach.models import Campaign, CampaignKind, Project
from outreach.pipeline import compose


@dataclass(frozen=True)
class Part:
    """One mail of the sequence; an empty `body` means that it is not sent."""

    body: str
    wait_days: int = 0
    subject: str = ""


def campaign_of(project: Project) -> Campaign | None:
    """The project's removal campaign where there is one."""
    rows = Campaign.objects.filter(project=project, kind=CampaignKind.REMOVAL)
    return rows.select_related("mailbox", "workspace", "project").first()


def prepare(project: Project, *, actor: User | None) -> Campaign:
    """The removal campaign with its preset text, as plain text, which a person can read and change."""
    with transaction.atomic():
        row = compose.removal_campaign(project, actor=actor)
        if not row.text_only and row.launched_at is None:
            text_modes.set_text_only(row, True, actor=actor)
    return row


def save(campaign: Campaign, parts: list[Part], *, mailbox: Mailbox | None, actor: User | None) -> None:
    """Store the text; mails that wait are written anew. Raises campaigns.NotAllowed."""
    with transaction.atomic():
        if mailbox is not None and mailbox.pk != campaign.mailbox_id:
            if campaign.launched_at is not None and campaign.mailbox is not None and campaign.mailbox.is_live:
                raise campaigns.NotAllowed("Requests went out already, so the mailbox stays.")
            campaign.mailbox = mailbox
            campaign.save(update_fields=["mailbox"])
        text_modes.set_text_only(campaign, True, actor=actor)
        wanted = [part for part in parts if part.body.strip()]
        for step in campaign.steps.filter(position__gt=len(wanted)).order_by("-position"):
            campaigns.remove_step(step, actor=actor)
        for position, part in enumerate(wanted, start=1):
            campaigns.save_step(
                campaign,
                position,
                subject=part.subject,
                body=part.body,
                wait_days=part.wait_days,
                actor=actor,
            )
        audit.record(
            "removal.text",
            f"Text of the removal requests in {campaign.project.name} saved",
            actor=actor,
            object_id=campaign.pk,
        )
