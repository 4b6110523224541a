"""Two projects of one workspace, each with everything a project has, under a word of its own."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from mailbox.models import Mailbox
from outreach.models import (
    Campaign,
    CampaignState,
    EnrollmentState,
    Message,
    MessageState,
    Project,
    RemovalCase,
    Reply,
    Thread,
    Verdict,
)
from tests import factories


@dataclass(frozen=True)
class Side:
    """One project with a campaign, a mail, a reply and a removal case, all with a word of their own."""

    word: str
    project: Project
    campaign: Campaign
    mail: Message
    thread: Thread
    reply: Reply
    case: RemovalCase
    mailbox: Mailbox


def side(word: str, mailbox: Mailbox) -> Side:
    project = factories.make_project(f"Project {word}", website=f"{word}.example")
    campaign = factories.make_campaign(
        project=project, mailbox=mailbox, name=f"Campaign {word}", state=CampaignState.RUNNING
    )
    person = factories.make_contact(f"ana@{word}-site.example", name=f"Ana {word}")
    asked = factories.make_enrollment(campaign, person, state=EnrollmentState.REPLIED)
    mail = factories.make_message(asked, state=MessageState.SENT, text=f"Hello {word}")
    reply = factories.make_reply(mail, text=f"Answer {word}")
    thread = reply.thread
    Thread.objects.filter(pk=thread.pk).update(waits_since=reply.received_at)
    assert person.site is not None
    case = RemovalCase.objects.create(
        project=project, site=person.site, contact=person, verdict=Verdict.REMOVE
    )
    return Side(word, project, campaign, mail, thread, reply, case, mailbox)


@dataclass(frozen=True)
class Both:
    mine: Side
    other: Side


def both_sides(owner: User) -> Both:
    """The heron's and the osprey's. The workspace must be open."""
    mailbox = factories.make_mailbox(address="mira@studio.example", owner=owner)
    return Both(side("heron", mailbox), side("osprey", mailbox))
