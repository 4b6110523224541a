"""A mail's headers in our words, built from what a provider gave: pairs of names and values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from mailbox.errors import Retry
from mailbox.parsing.addresses import message_ids, read_addresses
from mailbox.parsing.text import decode_words
from mailbox.types import InboundHeader

MOST_HEADERS = 200
MOST_CHARS = 8_000
_NO_ANSWER = {"unreachable", "no_answer", "too_slow", "unreadable_answer"}
# What matching a reply, a bounce or an auto-reply needs; nothing else is asked for.
WANTED = (
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Delivered-To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Content-Type",
    "Return-Path",
    "Auto-Submitted",
    "Precedence",
    "List-Id",
    "Feedback-Type",
    "X-Failed-Recipients",
    "X-Original-Message-ID",
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply",
    "X-Auto-Response-Suppress",
    "X-MS-Exchange-Inbox-Rules-Loop",
    "X-MS-Exchange-Generated-Message-Source",
    "X-Outreach-Id",
)


def may_go_on(error: Retry, headers: Mapping[str, str]) -> bool:
    """Whether what was read before this failure may be used: nobody asked us to wait (F6)."""
    return error.reason in _NO_ANSWER and "retry-after" not in {name.lower() for name in headers}


def header_of(
    pairs: Iterable[tuple[str, str]],
    *,
    provider_id: str,
    thread_id: str,
    received_at: datetime,
    own: bool,
    size: int = 0,
) -> InboundHeader:
    """Names are looked up without regard to case; a header that is missing is an empty text."""
    kept = tuple((name, value[:MOST_CHARS]) for name, value in pairs)[:MOST_HEADERS]
    first: dict[str, str] = {}
    for name, value in kept:
        first.setdefault(name.lower(), value)
    author = next(iter(read_addresses(first.get("from", ""))), None)
    recipient = next(iter(read_addresses(first.get("to", ""))), None)
    return InboundHeader(
        provider_id=provider_id,
        thread_id=thread_id,
        message_id=_first(first.get("message-id", "")),
        in_reply_to=_first(first.get("in-reply-to", "")),
        references=message_ids(first.get("references", "")),
        from_address=author.address if author else "",
        from_name=author.name if author else "",
        to=recipient.address if recipient else "",
        subject=decode_words(first.get("subject", ""), MOST_CHARS),
        received_at=received_at,
        own=own,
        size=size,
        headers=kept,
    )


def _first(value: str) -> str:
    return next(iter(message_ids(value)), "")
