"""Which conversation a mail belongs to: by the provider's thread, then by Message-IDs, never by a guess.

Headers are all that is needed for it, so that a mail that is not ours is never read (providers.md 5.3).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts import clock
from accounts.encryption import blind_index
from accounts.tenancy import current_workspace_id
from mailbox.limited_use import Purpose
from mailbox.models import Mailbox
from mailbox.types import InboundHeader, ThreadRef
from outreach.models import Message, MessageKind, MessageState, Reply, ReplyKind, Thread
from outreach.models.contacts import address_index

# States in which a mail may have reached somebody.
HANDED_OVER = [MessageState.SUBMITTING, MessageState.DOUBT, MessageState.SENT]
MOST_REFERENCES = 30
# How long after a mail a report that names only its recipient may still be about it.
REPORT_DAYS = 7
_REPORTERS = ("mailer-daemon", "postmaster", "microsoftexchange")


def thread_index(provider_thread_id: str) -> bytes:
    return blind_index(current_workspace_id(), "thread", provider_thread_id)


def message_id_index(rfc_message_id: str) -> bytes:
    return blind_index(current_workspace_id(), "message-id", rfc_message_id.strip())


def provider_index(provider_id: str) -> bytes:
    return blind_index(current_workspace_id(), "provider-id", provider_id)


class IdsMissing(Exception):
    """The mail before this one has no provider ids yet: this one waits for them."""


def reference(message: Message) -> ThreadRef | None:
    """The conversation that a mail joins; None for a mail that begins one. Raises IdsMissing.

    A follow-up continues our own newest mail, an answer the newest mail of the other side.
    """
    thread = message.thread
    begins = message.kind in (MessageKind.FIRST, MessageKind.TEST) or (
        message.kind != MessageKind.ANSWER and message.step is not None and message.step.begins_thread
    )
    if thread is None or begins:
        return None
    earlier = Message.objects.filter(thread=thread, state=MessageState.SENT).exclude(pk=message.pk)
    mails = [(row.sent_at, row.rfc_message_id or "", row.provider_id or "") for row in earlier if row.sent_at]
    answers = [
        (row.received_at, row.rfc_message_id, row.provider_id)
        for row in Reply.objects.filter(thread=thread, kind=ReplyKind.REPLY)
    ]
    ours, theirs = sorted(mails), sorted(answers)
    newest = theirs[-1] if theirs and message.kind == MessageKind.ANSWER else (ours[-1] if ours else None)
    if newest is None or not newest[1] or not newest[2] or not thread.provider_thread_id:
        raise IdsMissing
    ids = [rfc for _, rfc, _ in sorted([*ours, *theirs]) if rfc and rfc != newest[1]]
    return ThreadRef(
        thread_id=thread.provider_thread_id,
        last_sent_id=newest[2],
        references=(*ids[-MOST_REFERENCES:], newest[1]),
    )


def newest_sent_before(message: Message, moment: dt.datetime) -> bool:
    """Whether everything that left in this mail's conversation left before `moment`."""
    left = Message.objects.filter(thread=message.thread, state=MessageState.SENT).exclude(pk=message.pk)
    return not left.filter(sent_at__gte=moment).exists()


@dataclass(frozen=True)
class Match:
    """An inbound mail of one of our conversations; `message` is our mail that it is about, if known."""

    header: InboundHeader
    thread: Thread
    message: Message | None

    @property
    def purpose(self) -> Purpose:
        report = is_report(self.header)
        return Purpose.BOUNCE_OF_OUR_MAIL if report else Purpose.REPLY_IN_OUR_THREAD


def is_report(header: InboundHeader) -> bool:
    """Written by a mail system, to tell by the sender and the header that Gmail sets on reports."""
    sender = header.from_address.lower()
    return sender.startswith(_REPORTERS) or bool(_failed_recipients(header))


def match(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> list[Match]:
    """Those of `headers` that belong to our conversations in this mailbox, in the order given."""
    candidates = foreign(mailbox, headers)
    by_conversation = _threads_by_conversation(mailbox, candidates)
    by_message_id = _messages_by_id(mailbox, candidates)
    by_answer = _threads_by_answer(mailbox, candidates)
    found: dict[str, Match] = {}
    left: list[InboundHeader] = []
    for header in candidates:
        if header.message_id in by_message_id:
            continue  # Our own mail, on its way back by an alias or a list.
        mentioned = _mentioned(header)
        message = next((by_message_id[known] for known in mentioned if known in by_message_id), None)
        thread = by_conversation.get(header.thread_id)
        if message is None and thread is None and is_report(header):
            message = _by_failed_recipient(mailbox, header)
        if thread is None and message is not None:
            thread = message.thread
        if thread is None:
            thread = next((by_answer[known] for known in mentioned if known in by_answer), None)
        if thread is None:
            left.append(header)
            continue
        if message is None or message.thread_id != thread.pk:
            message = newest_before(thread, header.received_at)
        found[header.provider_id] = Match(header, thread, message)
    for match in _answers_to_answers(list(found.values()), left):
        found[match.header.provider_id] = match
    return [found[header.provider_id] for header in candidates if header.provider_id in found]


def foreign(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> list[InboundHeader]:
    """Without what the account wrote itself: sent copies, and copies of mails to itself, by an alias too."""
    own = {header.message_id for header in headers if header.own and header.message_id}
    address = mailbox.address.lower()
    return [
        header
        for header in headers
        if not header.own and header.from_address.lower() != address and header.message_id not in own
    ]


def followed_soon(mailbox: Mailbox, *, within: dt.timedelta, limit: int) -> list[str]:
    """The provider's names of conversations whose next mail is due, those that are due first."""
    soon = clock.now() + within
    rows = (
        Message.objects.stoppable()
        .filter(mailbox=mailbox, step__position__gt=1, due_at__lte=soon)
        .filter(Q(not_before__isnull=True) | Q(not_before__lte=soon), enrollment__isnull=False)
        .order_by("due_at", "pk")
    )
    # A sequence may stand in several conversations, and an answer in any of them ends it.
    people = list(rows.values_list("enrollment", flat=True)[:limit])
    standing = Thread.objects.filter(enrollment__in=people, mailbox=mailbox).order_by("-created_at")
    by_person: dict[uuid.UUID | None, list[str]] = {}
    for thread in standing:
        if thread.provider_thread_id:
            by_person.setdefault(thread.enrollment_id, []).append(thread.provider_thread_id)
    return [name for person in dict.fromkeys(people) for name in by_person.get(person, [])][:limit]


def answered_by_hand(mailbox: Mailbox, headers: Iterable[InboundHeader]) -> list[tuple[Thread, dt.datetime]]:
    """Conversations in which the user wrote in the mailbox itself, and when.

    Our own mails are told apart by the provider's id and by the Message-ID.
    """
    own = [header for header in headers if header.own]
    threads = _threads_by_conversation(mailbox, own)
    candidates = [header for header in own if header.thread_id in threads]
    if not candidates:
        return []
    ours = Message.objects.filter(thread__in=set(threads.values()))
    by_provider = {bytes(value) for value in ours.values_list("provider_index", flat=True) if value}
    by_message_id = {bytes(value) for value in ours.values_list("rfc_message_index", flat=True) if value}
    return [
        (threads[header.thread_id], header.received_at)
        for header in candidates
        if provider_index(header.provider_id) not in by_provider
        and message_id_index(header.message_id) not in by_message_id
    ]


def _mentioned(header: InboundHeader) -> list[str]:
    """Message-IDs that the mail refers to, the closest first, each once."""
    return list(dict.fromkeys([header.in_reply_to, *reversed(header.references)]))


def _threads_by_conversation(mailbox: Mailbox, headers: Iterable[InboundHeader]) -> dict[str, Thread]:
    wanted = {
        thread_index(name): name for name in {header.thread_id for header in headers if header.thread_id}
    }
    rows = Thread.objects.filter(mailbox=mailbox, provider_thread_index__in=list(wanted))
    return {wanted[bytes(row.provider_thread_index or b"")]: row for row in rows.select_related("enrollment")}


def _messages_by_id(mailbox: Mailbox, headers: Iterable[InboundHeader]) -> dict[str, Message]:
    wanted = _wanted(headers)
    rows = Message.objects.filter(
        mailbox=mailbox, rfc_message_index__in=list(wanted), thread__isnull=False
    ).select_related("thread__enrollment")
    return {wanted[bytes(row.rfc_message_index or b"")]: row for row in rows}


def _threads_by_answer(mailbox: Mailbox, headers: Iterable[InboundHeader]) -> dict[str, Thread]:
    """Message-IDs of mails that came → their conversation: a colleague may name only the answer (F36)."""
    wanted = _wanted(headers)
    rows = Reply.objects.filter(mailbox=mailbox, rfc_message_index__in=list(wanted)).select_related(
        "thread__enrollment"
    )
    return {wanted[bytes(row.rfc_message_index)]: row.thread for row in rows}


def _answers_to_answers(found: list[Match], left: Iterable[InboundHeader]) -> list[Match]:
    """Who names only an answer that comes with the same look, in whatever order, and who answers them (F36).

    A report leads nobody into a conversation: whether it is about us is not known yet.
    """
    naming: dict[str, list[InboundHeader]] = {}
    for header in left:
        for name in _mentioned(header):
            if name:
                naming.setdefault(name, []).append(header)
    added: dict[str, Match] = {}
    leading = list(found)
    while leading:
        match = leading.pop(0)
        if is_report(match.header):
            continue
        for header in naming.pop(match.header.message_id, []):
            if header.provider_id not in added:
                message = newest_before(match.thread, header.received_at)
                added[header.provider_id] = Match(header, match.thread, message)
                leading.append(added[header.provider_id])
    return list(added.values())


def _wanted(headers: Iterable[InboundHeader]) -> dict[bytes, str]:
    """Blind index → Message-ID, of the mails themselves and of all that they name."""
    names = {
        name
        for header in headers
        for name in [header.message_id, *_mentioned(header)[:MOST_REFERENCES]]
        if name
    }
    return {message_id_index(name): name for name in names}


def _failed_recipients(header: InboundHeader) -> list[str]:
    values = [value for name, value in header.headers if name.lower() == "x-failed-recipients"]
    return [address.strip() for value in values for address in value.split(",") if "@" in address]


def _by_failed_recipient(mailbox: Mailbox, header: InboundHeader) -> Message | None:
    """Our newest mail to the recipient that a report names in its header."""
    addresses = [address_index(address) for address in _failed_recipients(header)]
    if not addresses:
        return None
    rows = Message.objects.filter(
        mailbox=mailbox,
        to_index__in=addresses,
        state__in=HANDED_OVER,
        thread__isnull=False,
        attempted_at__gte=clock.now() - dt.timedelta(days=REPORT_DAYS),
    )
    found: Message | None = rows.select_related("thread__enrollment").order_by("-attempted_at").first()
    return found


def newest_before(thread: Thread, moment: dt.datetime) -> Message | None:
    """Our newest mail in the thread that had left by then; else the thread's newest at all.

    The clocks of provider and database differ a little, hence the second look.
    """
    rows = Message.objects.filter(thread=thread, state__in=HANDED_OVER).order_by("-attempted_at")
    found: Message | None = rows.filter(attempted_at__lte=moment).first() or rows.first()
    return found
