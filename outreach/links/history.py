"""What happened in a case, newest first: decisions, requests, replies, and what is still to come."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.db.models import Count, Max, Min
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import audit
from outreach import labels, why
from outreach.links.cases import mails_of
from outreach.links.words import link_state
from outreach.models import Backlink, LinkState, Message, MessageState, RemovalCase, Reply, ReplyKind

MOST_DECISIONS = 60
_UNDER_WAY = [
    MessageState.PLANNED,
    MessageState.QUEUED,
    MessageState.CLAIMED,
    MessageState.DRAFTED,
    MessageState.DEFERRED,
]
# action → (tone, mark, what the person did)
_MARKS = {
    "case.verdict": ("m", "minus", "decided"),
    "case.contact": ("n", "accepted", "named the contact"),
    "case.links": ("n", "live", "recorded what the page shows"),
    "case.scope": ("n", "minus", "changed the disavow entry"),
}


@dataclass(frozen=True)
class Entry:
    """`at` None: still to come. `said` is another person's own text; `sentence` is safe HTML."""

    at: dt.datetime | None
    tone: str
    mark: str
    words: str
    title: str
    sentence: SafeString = field(default_factory=SafeString)
    said: str = ""
    thread: object = None
    due: dt.datetime | None = None


def of_case(case: RemovalCase, *, now: dt.datetime) -> list[Entry]:
    """Five queries, whatever the length of the story."""
    mails = list(Message.objects.filter(mails_of(case)).select_related(*why.WITH).order_by("created_at"))
    replies = Reply.objects.filter(thread__messages__in=[mail.pk for mail in mails]).distinct()
    entries = [
        *_decisions(case),
        *(_mail(mail, now) for mail in mails if mail.state != MessageState.CANCELLED),
        *(_reply(reply) for reply in replies),
        *_cancelled([mail for mail in mails if mail.state == MessageState.CANCELLED]),
        *_looks(case),
        Entry(
            case.created_at,
            "n",
            "accepted",
            "Imported",
            "Imported",
            SafeString("The site came with a list of links."),
        ),
    ]
    coming = [entry for entry in entries if entry.at is None]
    done = [entry for entry in entries if entry.at is not None]
    return coming + sorted(done, key=lambda entry: entry.at or now, reverse=True)


def _decisions(case: RemovalCase) -> list[Entry]:
    rows = audit.lines().filter(object_id=str(case.pk), action__in=_MARKS)
    found = []
    for row in rows[:MOST_DECISIONS]:
        tone, mark, did = _MARKS[row.action]
        who = row.actor.short_name if row.actor else "The product"
        found.append(Entry(row.at, tone, mark, "Decided", f"{who} {did}", format_html("{}.", row.sentence)))
    return found


def _mail(mail: Message, now: dt.datetime) -> Entry:
    shown = why.of_message(mail, now)
    number = mail.step.position if mail.step else 1
    if mail.state in _UNDER_WAY:
        title = f"Request {number}, if nobody answers" if number > 1 else "Request 1"
        at = shown.next_at or mail.not_before or mail.due_at
        return Entry(
            None, shown.tone, shown.mark, shown.words, title, format_html("{}", shown.sentence), due=at
        )
    at = mail.sent_at or mail.ended_at or mail.attempted_at or mail.created_at
    title = f"Request {number} · {shown.words}"
    return Entry(
        at,
        shown.tone,
        shown.mark,
        shown.words,
        title,
        format_html("{}", shown.sentence),
        thread=mail.open_thread_id,
    )


def _cancelled(mails: list[Message]) -> list[Entry]:
    """Cancelled requests in one line for each moment and reason."""
    groups: dict[tuple[object, str], list[Message]] = {}
    for mail in mails:
        groups.setdefault((mail.ended_at, mail.reason), []).append(mail)
    found = []
    for rows in groups.values():
        shown = why.of_message(rows[0], rows[0].ended_at or rows[0].created_at)
        many = "1 request" if len(rows) == 1 else f"{len(rows)} requests"
        found.append(
            Entry(
                rows[0].ended_at or rows[0].created_at,
                "n",
                "cancelled",
                "Cancelled",
                f"{many} cancelled",
                format_html("{}", shown.sentence),
            )
        )
    return found


def _reply(reply: Reply) -> Entry:
    shown = labels.shown(reply)
    who = reply.from_name or reply.from_address
    title = {
        ReplyKind.REPLY: f"{who} replied",
        ReplyKind.AUTO_REPLY: f"Automatic answer from {who}",
        ReplyKind.BOUNCE: "The mail came back",
    }[ReplyKind(reply.kind)]
    said = str(reply.diagnostic or "") if reply.kind == ReplyKind.BOUNCE else str(reply.text)
    if reply.label:
        title = f"{title} · {shown.words}"
    return Entry(
        reply.received_at,
        shown.tone,
        shown.mark,
        shown.words,
        title,
        said=said[:1200],
        thread=reply.thread_id,
    )


def _looks(case: RemovalCase) -> list[Entry]:
    """What the other side claimed about links; what a person recorded stands among the decisions."""
    rows = (
        Backlink.objects.filter(case=case, state=LinkState.SAYS_REMOVED, state_at__isnull=False)
        .values("state")
        .annotate(number=Count("id"), at=Max("state_at"), first=Min("state_at"))
    )
    found = []
    for row in rows:
        chip = link_state(row["state"])
        words = "1 link" if row["number"] == 1 else f"{row['number']} links"
        sentence = SafeString("A claim. Look at the page, and record what you see.")
        found.append(
            Entry(row["at"], chip.tone, chip.mark, chip.words, f"{words}: {chip.words.lower()}", sentence)
        )
    return found
