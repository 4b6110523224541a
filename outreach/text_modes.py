"""Rich text or plain text: one switch of a campaign turns the text of all its steps."""

from __future__ import annotations

import html as entities
import re

from django.db import transaction

from accounts.models import User
from outreach import campaigns, hand_edits
from outreach.models import Campaign, HandEdit
from outreach.rendering import text_of

_FORM = re.compile(r"<(?!/|(?:p|br|div)\b)[a-z]", re.IGNORECASE)


def set_text_only(campaign: Campaign, text_only: bool, *, actor: User | None) -> None:
    """Raises campaigns.NotAllowed where the steps may not be edited. Bold, italic and link words are lost."""
    if campaign.text_only == text_only:
        return
    with transaction.atomic():
        campaign.text_only = text_only
        campaign.save(update_fields=["text_only"])
        for step in campaign.steps.all():
            campaigns.save_step(
                campaign,
                step.position,
                subject=step.subject,
                body=text_of(step.body) if text_only else html_of(step.body),
                wait_days=step.wait_days,
                working_days=step.working_days,
                new_thread=step.new_thread,
                condition=step.condition,
                actor=actor,
            )
            for edit in HandEdit.objects.filter(step=step):
                edit.body = text_of(edit.body) if text_only else html_of(edit.body)
                edit.of_text = hand_edits.text_hash(campaign.steps.get(pk=step.pk))
                edit.save(update_fields=["body", "of_text"])


def loses_form(campaign: Campaign) -> bool:
    """Whether plain text would lose more of the steps than paragraphs and line breaks."""
    return any(_FORM.search(step.body) for step in campaign.steps.all())


def html_of(text: str) -> str:
    """Paragraphs at empty lines, breaks at the others. Quotes stay, so that fields keep their fallbacks."""
    parts = [part for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()) if part.strip()]
    return "".join(
        "<p>" + "<br>".join(entities.escape(line, quote=False) for line in part.splitlines()) + "</p>"
        for part in parts
    )
