"""What happened to one mail, in the order of time, in the screen's words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import clock
from outreach import why
from outreach.models import Message, MessageState, Reply, ReplyKind
from tracking.models import Event, Kind, Source

_SAW = {
    Source.HUMAN: "a person, as far as we can tell",
    Source.PROXY: "a mail proxy, for a person or ahead of one",
    Source.PRIVACY: "a privacy proxy, which says nothing about a person",
    Source.SCANNER: "a scanner",
    Source.SELF: "the sender",
}
_AUTOMATIC = (Source.SCANNER, Source.SELF, Source.PRIVACY)


@dataclass(frozen=True)
class Entry:
    """`at` is None only for what is still to come. `sentence` is safe HTML."""

    at: dt.datetime | None
    tone: str
    mark: str
    words: str
    sentence: str


def of_message(
    message: Message, events: Iterable[Event] = (), *, now: dt.datetime | None = None
) -> list[Entry]:
    """`message` with its `replies` prefetched; `events` are tracking's, of this message.

    For many mails pass `now` once (clock.now()).
    """
    moment = now or clock.now()
    found = [
        *_way(message, moment),
        *(_event(row) for row in events),
        *(_reply(row) for row in message.replies.all()),
    ]
    found += _afterwards(message, moment)
    done = sorted((entry for entry in found if entry.at is not None), key=_moment)
    return done + [entry for entry in found if entry.at is None]


def _moment(entry: Entry) -> dt.datetime:
    return entry.at or dt.datetime.max.replace(tzinfo=dt.UTC)


def _way(row: Message, now: dt.datetime) -> list[Entry]:
    """Up to the provider's answer."""
    company = why.product(row.mailbox)
    found: list[Entry] = []
    if row.queued_at is not None:
        found.append(Entry(row.queued_at, "m", "queued", "Queued", "The text was fixed."))
    if row.attempted_at is not None and row.state != MessageState.SENT:
        found.append(
            Entry(row.attempted_at, "m", "sending", "Sending now", format_html("Handed to {}.", company))
        )
    if row.sent_at is not None:
        copies = ""
        if row.provider_copies > 1:
            copies = f" {company} made {row.provider_copies} copies of this one submit."
        sentence = format_html("{} took the mail to {}.{}", company, row.to_address, copies)
        found.append(Entry(row.sent_at, "n", "accepted", "Accepted", sentence))
    elif row.state in (
        MessageState.REFUSED,
        MessageState.CANCELLED,
        MessageState.SUPPRESSED,
        MessageState.DOUBT,
    ):
        shown = why.of_message(row, row.ended_at or row.attempted_at or row.created_at)
        at = row.ended_at or row.attempted_at
        found.append(Entry(at, shown.tone, shown.mark, shown.words, shown.sentence))
    else:
        shown = why.of_message(row, now)
        if row.state != MessageState.SUBMITTING:
            found.append(Entry(None, shown.tone, shown.mark, shown.words, shown.sentence))
    return found


def _afterwards(row: Message, now: dt.datetime) -> list[Entry]:
    quiet = row.quiet_at(settings.QUIET_SECONDS)
    if quiet is None or (row.bounced_at is not None and row.bounce_kind in ("hard", "blocked")):
        return []
    if quiet <= now:
        sentence = "The most one can know without an answer."
        return [Entry(quiet, "g", "quiet", "No bounce after 72 h", sentence)]
    return [Entry(None, "n", "planned", "No bounce after 72 h", "Too early to say.")]


def _event(row: Event) -> Entry:
    who = _SAW[Source(row.source)]
    match row.kind:
        case Kind.OPENED:
            sentence = format_html("Image fetched by {}.", who)
            if row.source == Source.HUMAN:
                # The same words as in why.py: a fetch by nobody we know is still no proof of a person.
                sentence = SafeString(
                    "Image fetched, not by a proxy we know. This says little about a person."
                )
            return Entry(row.at, "n", "opened", "Opened (may be automatic)", sentence)
        case Kind.CLICKED:
            link = f"Link {row.link}" if row.link else "A link"
            sentence = format_html("{} opened by {}.", link, who)
            if row.source in _AUTOMATIC:
                return Entry(row.at, "n", "clicked", "Clicked (looks automatic)", sentence)
            return Entry(row.at, "g", "clicked", "Clicked", sentence)
        case _:
            sentence = SafeString("Asked not to be written to. Every later mail stops here.")
            return Entry(row.at, "b", "suppressed", "Opted out", sentence)


def _reply(row: Reply) -> Entry:
    if row.kind == ReplyKind.BOUNCE:
        words = row.diagnostic or row.bounce_status or "without a reason"
        if row.bounce_kind in ("soft", "delayed"):
            sentence = format_html("“{}” It may still arrive.", words)
            return Entry(row.received_at, "w", "held", "Waiting for their server", sentence)
        return Entry(row.received_at, "b", "bounced", "Bounced", format_html("“{}”", words))
    if row.kind == ReplyKind.AUTO_REPLY:
        sentence = format_html("An automatic answer from {}. It stops nothing.", row.from_address)
        return Entry(row.received_at, "n", "auto", "Auto-reply", sentence)
    other = " This is another address than the one written to." if row.different_sender else ""
    sentence = format_html("{} answered.{}", row.from_name or row.from_address, other)
    return Entry(row.received_at, "g", "replied", "Replied", sentence)
