"""A mailbox with mail in every state, and the address of its bin."""

from __future__ import annotations

from typing import Any

from accounts.models import Workspace
from mailbox.models import Mailbox
from outreach.models import Campaign
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_enrollment,
    make_message,
    make_project,
    make_reply,
)


def fill(mailbox: Mailbox, name: str, *, text: str = "Hello") -> Campaign:
    """A running campaign: one mail accepted with a reply, one queued, one with a draft, one in doubt."""
    campaign = make_campaign(
        project=make_project(name), mailbox=mailbox, steps=(FIRST_MAIL, FOLLOW_UP), state="running"
    )
    people = [make_enrollment(campaign, state="running") for _ in range(4)]
    sent = make_message(people[0], state="sent", text=text, replied_at="2026-01-01T00:00Z")
    make_reply(sent, text=f"reply to {text}")
    make_message(people[0], position=2, state="queued", text=text)
    make_message(people[1], state="queued", text=text)
    make_message(people[2], state="drafted", draft_id="r-1", text=text)
    make_message(people[3], state="submitting", text=text)
    return campaign


def bin_of(ws: Workspace, row: Mailbox) -> str:
    return f"/w/{ws.slug}/mailboxes/{row.pk}/remove/"


def words(answer: Any) -> str:
    """The text of a page, its white space folded."""
    return " ".join(answer.content.decode().split())
