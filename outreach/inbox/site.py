"""All contact with one site, over all projects: who wrote, what came of it, and the budget of mails."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db.models import F

from accounts.viewpoint import whole_workspace
from outreach import labels, why
from outreach.gates.facts import SITE_DAYS, SITE_MAILS
from outreach.inbox.listing import newest_replies
from outreach.models import Contact, Message, MessageKind, Thread
from outreach.models.messages import COUNTED

MOST_SHOWN = 8


@dataclass(frozen=True)
class Talk:
    """One conversation with somebody of the site."""

    thread: Thread
    tone: str
    mark: str
    words: str
    title: str
    at: dt.datetime
    line: str


@dataclass(frozen=True)
class Contacted:
    """`pips` are true for each mail used of the budget."""

    talks: list[Talk]
    used: int
    budget: int
    days: int

    @property
    def pips(self) -> list[bool]:
        return [number < self.used for number in range(self.budget)]


def contact_with(contact: Contact, *, now: dt.datetime) -> Contacted:
    """Of the contact's site, or of the contact alone where it has none."""
    here = {"contact__site": contact.site_id} if contact.site_id else {"contact": contact.pk}
    # Not the column itself: its index leads through all conversations in search of this site's.
    newest = F("last_at") + dt.timedelta(0)
    threads = list(
        Thread.objects.filter(**here)
        .select_related("contact", "project", "campaign", "mailbox")
        .order_by(newest.desc(), "-id")[:MOST_SHOWN]
    )
    ids = [thread.pk for thread in threads]
    replies, mails = newest_replies(ids), _newest_mails(ids)
    talks = []
    for thread in threads:
        reply, mail = replies.get(thread.pk), mails.get(thread.pk)
        title = thread.campaign.name if thread.campaign else thread.project.name
        who = thread.contact.greeting
        if reply is not None:
            shown = labels.shown(reply)
            words = (shown.tone, shown.mark, shown.words)
            talks.append(Talk(thread, *words, title, reply.received_at, f"{who}: {shown.words.lower()}"))
        elif mail is not None:
            state = why.of_message(mail, now)
            at = mail.sent_at or thread.last_at
            line = f"to {who}, no answer" if mail.sent_at else f"to {who}"
            talks.append(Talk(thread, state.tone, state.mark, state.words, title, at, line))
    since = now - dt.timedelta(seconds=SITE_DAYS * settings.DAY_SECONDS)
    kinds = [MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL]
    with whole_workspace("a site's budget is one over all projects"):
        used = Message.objects.filter(**here, state__in=COUNTED, kind__in=kinds, created_at__gt=since).count()
    return Contacted(talks, used, SITE_MAILS, SITE_DAYS)


def _newest_mails(ids: list[uuid.UUID]) -> dict[uuid.UUID, Message]:
    rows = (
        Message.objects.filter(thread__in=ids, state__in=COUNTED)
        .select_related(*why.WITH)
        .order_by("thread", "-created_at")
        .distinct("thread")
    )
    return {row.thread_id: row for row in rows if row.thread_id}
