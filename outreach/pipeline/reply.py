"""The reply stage: what is new in a mailbox, headers first, bodies only of our own conversations.

One poll at a time per mailbox. The cursor moves in the transaction of the last mails, after all pages, so
that a crash repeats work and loses none; a mail that is already stored is skipped (faults.md 4.3).
"""

from __future__ import annotations

import dataclasses
import enum
import logging
from typing import Any

from accounts.clock import Now
from accounts.encryption import seal
from mailbox import gateway, health
from mailbox.errors import Disconnected, MailboxError, Retry
from mailbox.models import Mailbox
from mailbox.types import Cursor, HeaderPage, InboundHeader
from outreach import intake, looks, suggestions, threads
from outreach.models import Reply

log = logging.getLogger(__name__)
# Conversations asked about by name in one look.
MOST_FOLLOWED = 30


class Polled(enum.Enum):
    """What a call of `poll` did."""

    DONE = "done"
    BUSY = "busy"
    WAITS = "waits"
    BROKEN = "broken"


def poll(mailbox: Mailbox) -> Polled:
    """Look once, due or not. Never raises a MailboxError: the mailbox's row says what happened."""
    look = looks.begin(mailbox.pk, generation=mailbox.generation)
    if look is None:
        return Polled.BUSY if health.may_be_called(mailbox) else Polled.WAITS
    return carry_out(look)


def carry_out(look: looks.Look) -> Polled:
    """The look that has begun, until it is finished. Never raises a MailboxError."""
    mailbox = look.mailbox
    at_once, seen, cursor = False, False, None
    try:
        if look.confirmed:
            suggestions.take_confirmed(mailbox)
        page = gateway.headers_since(mailbox, Cursor(mailbox.cursor) if mailbox.cursor else None)
        if look.follows and page.stopped is None:
            page = dataclasses.replace(page, headers=_with_followed(mailbox, page))
        # Where mails of ours came, the cursor has moved with the last of them.
        if not _take_in(mailbox, page):
            seen, cursor = not page.more, str(page.cursor)
        if page.stopped is not None:
            # What came before the failure is stored, and the cursor stands behind it.
            raise page.stopped
        at_once = page.more
    except Disconnected as error:
        health.broke(mailbox, error)
        return Polled.BROKEN
    except Retry as error:
        health.wait(mailbox, error)
        return Polled.WAITS
    except MailboxError as error:
        # A reading that told nothing: the cursor stays, the next poll begins at the same place.
        log.warning("poll of mailbox %s: %s", mailbox.pk, error.reason)
        return Polled.WAITS
    finally:
        looks.finish(mailbox, at_once=at_once, seen=seen, cursor=cursor)
    return Polled.DONE


def _with_followed(mailbox: Mailbox, page: HeaderPage) -> tuple[InboundHeader, ...]:
    """Also what lies elsewhere in the conversations that are written to next (F27)."""
    found = {header.provider_id: header for header in page.headers}
    for name in threads.followed_soon(mailbox, within=looks.FOLLOWED_WITHIN, limit=MOST_FOLLOWED):
        for header in gateway.headers_in(mailbox, name):
            found.setdefault(header.provider_id, header)
    return tuple(found.values())


def _take_in(mailbox: Mailbox, page: HeaderPage) -> bool:
    """Store what is ours and move the cursor with the last of it, in one transaction; False for nothing."""
    if not page.headers:
        return False
    found = intake.look(mailbox, page.headers)
    suspects = suggestions.among(mailbox, page.headers)
    if not found and not suspects:
        return False
    # A look that ended before the end does not count: a follow-up waits for the rest of the inbox (F27).
    looked: dict[str, Any] = {} if page.more else {"last_poll_at": Now()}

    def with_the_last(stored: list[Reply]) -> None:
        suggestions.remember(mailbox, suspects)
        cursor = intake.leading_back(mailbox, str(page.cursor), stored)
        Mailbox.objects.filter(pk=mailbox.pk).update(**looked, **seal(mailbox, cursor=cursor))

    intake.take_in(mailbox, found, with_the_last=with_the_last)
    return True
