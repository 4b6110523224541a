"""Mails that may be an answer, and that only a person can tell: a changed subject and no headers (F37).

Matching never guesses. Where somebody who was written to, and has not answered, writes a new mail, or where a
subject of ours comes back from the same company, the conversation's sequence waits and a person is asked. A
mail is known by its headers until they have said yes; behind a no nothing of it stays but an HMAC.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit
from accounts.clock import Now
from accounts.encryption import seal
from accounts.models import User
from mailbox import gateway
from mailbox.errors import Refused
from mailbox.limited_use import Purpose
from mailbox.models import Mailbox
from mailbox.parsing import autoreplies
from mailbox.types import InboundEmail, InboundHeader
from outreach import arrivals, intake, refused_reads, sequences, threads
from outreach.contacts import registrable
from outreach.conversation import bare_subject
from outreach.inbox import search
from outreach.models import (
    EnrollmentState,
    Message,
    MessageState,
    Reply,
    ReplyKind,
    Suggested,
    Suggestion,
    Thread,
)
from outreach.models.contacts import address_index
from tracking.freemail import company_domain

# How long after a mail of ours a new mail may still be its answer.
WITHIN_DAYS = 30
# A subject shorter than this says nothing: "Hello" comes from everybody.
SHORTEST_SUBJECT = 8
MOST_CANDIDATES = 50
log = logging.getLogger(__name__)


class Decided(Exception):
    """Somebody said so before."""


def waiting() -> QuerySet[Suggestion]:
    """Those that a person has to decide, the oldest first."""
    asked = Q(looks=0) | Q(looks__gte=refused_reads.MOST_LOOKS)
    rows: QuerySet[Suggestion] = Suggestion.objects.filter(asked, state=Suggested.OPEN)
    return rows.select_related("thread__contact", "thread__campaign", "mailbox").order_by("received_at", "pk")


def of_thread(thread: Thread) -> QuerySet[Suggestion]:
    """Those that may belong to one conversation."""
    return waiting().filter(thread=thread)


def among(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> list[tuple[InboundHeader, Message]]:
    """Those of `headers` that may answer a mail of ours and are not known to; nothing is read or kept.

    Two queries for a page without any, however many private mails are on it.
    """
    candidates = [header for header in threads.foreign(mailbox, headers) if _is_personal(header)]
    if not candidates:
        return []
    written, colleagues = _written_to(mailbox, candidates), _written_to_company(mailbox, candidates)
    found = []
    for header in candidates:
        message = _asked_by(header, written, colleagues)
        if message is not None:
            found.append((header, message))
    if not found:
        return []
    # Among all of them: what one names may be another.
    ours = {match.header.provider_id for match in threads.match(mailbox, headers)}
    return [(header, message) for header, message in found if header.provider_id not in ours]


def remember(mailbox: Mailbox, suspects: Sequence[tuple[InboundHeader, Message]]) -> int:
    """Keep sender and subject of these, and let their sequences wait; how many were new.

    Inside the transaction that moves the cursor.
    """
    return sum(_remember(mailbox, header, message) for header, message in suspects)


def decide(suggestion: Suggestion, *, is_answer: bool, actor: User) -> None:
    """A person's word. Raises Decided where it was said already.

    Yes: the sequence stops now, and the text is fetched with the next look at the mailbox. No: it goes on,
    unless another mail waits to be told.
    """
    enrollment = suggestion.thread.enrollment
    with transaction.atomic():
        said = Suggestion.objects.filter(pk=suggestion.pk, state=Suggested.OPEN).update(
            state=Suggested.YES if is_answer else Suggested.NO,
            decided_at=Now(),
            decided_by=actor,
            **(
                {}
                if is_answer
                else seal(suggestion, provider_id="", from_address="", from_name="", subject="")
            ),
        )
        if said != 1:
            raise Decided
        if enrollment is not None and is_answer:
            sequences.stop(enrollment, EnrollmentState.REPLIED, reason="replied")
        refused_reads.trust(suggestion.thread, told=is_answer)
        word = "is an answer" if is_answer else "is no answer"
        audit.record(
            "reply.suggestion", f"A suggested mail {word}", actor=actor, object_id=suggestion.thread_id
        )


def take_confirmed(mailbox: Mailbox) -> None:
    """Fetch and store the mails behind a yes. Raises what the gateway raises; the rest comes next time.

    One whose text the provider refuses holds up no other, and is not asked for for ever.
    """
    rows = Suggestion.objects.filter(
        mailbox=mailbox, state=Suggested.YES, stored_at=None, looks__lt=refused_reads.MOST_LOOKS
    )
    for row in rows.select_related("thread__enrollment", "thread__contact")[:MOST_CANDIDATES]:
        try:
            arrival = arrivals.read(*_confirmed(mailbox, row))
        except Refused as refused:
            log.warning("a confirmed answer in mailbox %s: %s", mailbox.pk, refused.reason)
            refused_reads.count(row)
            continue
        with transaction.atomic():
            if not intake.still_ours(mailbox):
                return
            reply = arrivals.store(mailbox, arrival)
            search.index_mails([reply] if reply else [])
            intake.look_again(mailbox, [reply] if reply is not None else [])
            Suggestion.objects.filter(pk=row.pk, stored_at=None).update(stored_at=Now())


# --- which ------------------------------------------------------------------------------------------


def _is_personal(header: InboundHeader) -> bool:
    """Neither a report nor written by a machine, as far as headers tell."""
    if not header.from_address or threads.is_report(header):
        return False
    return autoreplies.detect(header.headers, header.subject) is None


def _asked_by(
    header: InboundHeader, written: dict[bytes, Message], colleagues: dict[str, list[Message]]
) -> Message | None:
    """Our mail that this one may answer."""
    direct = written.get(address_index(header.from_address))
    if direct is not None:
        alone = not header.in_reply_to and not header.references
        if _same_subject(header, direct) or (alone and not _is_answered(direct)):
            return direct
        return None
    asked = colleagues.get(_site_of(header), [])
    return next((message for message in asked if _same_subject(header, message)), None)


def _written_to(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> dict[bytes, Message]:
    """Address of a sender → our newest mail to it."""
    indexes = {address_index(header.from_address) for header in headers}
    rows = _sent(mailbox).filter(to_index__in=list(indexes)).order_by("to_index", "-sent_at")
    return {bytes(row.to_index or b""): row for row in rows.distinct("to_index")}


def _written_to_company(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> dict[str, list[Message]]:
    """Site of a sender → our newest mails to people there."""
    sites = {site for header in headers if (site := _site_of(header))}
    found: dict[str, list[Message]] = {}
    rows = _sent(mailbox).filter(contact__site__domain__in=sites).select_related("contact__site")
    for row in rows.order_by("-sent_at")[:MOST_CANDIDATES] if sites else ():
        if row.contact is not None and row.contact.site is not None:
            found.setdefault(row.contact.site.domain, []).append(row)
    return found


def _site_of(header: InboundHeader) -> str:
    """The registrable domain of a sender whose subject could be ours; "" where nothing can be told by it."""
    if len(bare_subject(header.subject)) < SHORTEST_SUBJECT:
        return ""
    domain = company_domain(header.from_address)
    return registrable(domain) if domain else ""


def _sent(mailbox: Mailbox) -> QuerySet[Message]:
    """Our mails that may still be answered."""
    rows: QuerySet[Message] = Message.objects.filter(
        mailbox=mailbox,
        state=MessageState.SENT,
        thread__isnull=False,
        sent_at__gt=Now() - sequences.days(WITHIN_DAYS),
    )
    return rows.select_related("thread__enrollment")


def _is_answered(message: Message) -> bool:
    return Reply.objects.filter(thread=message.thread_id, kind=ReplyKind.REPLY).exists()


def _same_subject(header: InboundHeader, message: Message) -> bool:
    ours, theirs = bare_subject(str(message.subject)), bare_subject(header.subject)
    return len(ours) >= SHORTEST_SUBJECT and ours in theirs


def _remember(mailbox: Mailbox, header: InboundHeader, message: Message) -> int:
    thread = message.thread
    index = threads.provider_index(header.provider_id)
    if thread is None or Suggestion.objects.filter(mailbox=mailbox, provider_index=index).exists():
        return 0
    Suggestion.objects.create(
        thread=thread,
        mailbox=mailbox,
        provider_id=header.provider_id,
        provider_index=index,
        from_address=header.from_address,
        from_name=header.from_name,
        subject=header.subject,
        received_at=header.received_at,
    )
    refused_reads.suspect(thread)
    return 1


def _confirmed(mailbox: Mailbox, row: Suggestion) -> tuple[threads.Match, InboundEmail]:
    provider_id = str(row.provider_id)
    try:
        email = gateway.fetch(
            mailbox, provider_id, purpose=Purpose.A_PERSON_SAID_IT_ANSWERS, limit=intake.MOST_BYTES
        )
    except Refused as refused:
        if refused.reason != "gone":
            raise
        # Deleted meanwhile. That they answered is known all the same.
        email = InboundEmail(_header(row), b"", truncated=True)
    message = threads.newest_before(row.thread, row.received_at)
    return threads.Match(email.header, row.thread, message), email


def _header(row: Suggestion) -> InboundHeader:
    return InboundHeader(
        provider_id=str(row.provider_id),
        thread_id="",
        message_id="",
        in_reply_to="",
        references=(),
        from_address=str(row.from_address),
        from_name=str(row.from_name),
        to="",
        subject=str(row.subject),
        received_at=row.received_at,
        own=False,
    )
