"""A mailbox's state after what a provider answered: waiting, needing its owner, or well again.

Conditional on the generation that was called, so that a late answer never touches a mailbox that was
revoked or reconnected in between.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from accounts.clock import Now
from mailbox import failures
from mailbox.errors import Disconnected, MailboxError, Retry
from mailbox.models import USABLE, Mailbox, MailboxState
from mailbox.signals import mailbox_changed

# Waits of our own making: nothing the provider asked for, and over in a moment.
_OUR_OWN = {
    "token_refreshed",
    "refresh_under_way",
    "refresh_overtaken",
    "grant_refused_once",
    "busy",
    "stale",
    "workspace_suspended",
}
_NO_ANSWER = {"unreachable", "no_answer", "too_slow"}


def wait(mailbox: Mailbox, error: Retry) -> None:
    """The provider asked for patience: nothing is called before its time (F6).

    A shorter wait that another call was told meanwhile does not replace a longer one.
    """
    if error.reason in _OUR_OWN:
        return
    count(mailbox, error)
    # GREATEST passes over NULL: a mailbox that does not wait yet waits from now.
    until = Greatest(F("throttled_until"), Now() + dt.timedelta(seconds=error.after))
    _rows(mailbox).filter(state__in=USABLE).update(
        state=MailboxState.THROTTLED, state_reason=error.reason[:60], state_at=Now(), throttled_until=until
    )


def broke(mailbox: Mailbox, error: Disconnected) -> None:
    """A person must act. Announced once, however many calls find it out (F13)."""
    with transaction.atomic():
        changed = (
            _rows(mailbox)
            .filter(state__in=USABLE)
            .update(state=MailboxState.BROKEN, state_reason=error.reason[:60], state_at=Now())
        )
        if changed:
            if not error.status:  # An answer with a status was counted where it came in.
                failures.note(mailbox.provider, failures.Kind.AUTH)
            mailbox.refresh_from_db()
            mailbox_changed.send(sender=Mailbox, mailbox=mailbox, fact="broken")


def count(mailbox: Mailbox, error: MailboxError) -> None:
    """For the operator's figures: a provider that gave no answer at all. The others count themselves."""
    if not error.status and error.reason in _NO_ANSWER:
        failures.note(mailbox.provider, failures.Kind.UNREACHABLE)


def recover(mailbox: Mailbox) -> None:
    """The provider's wait is over."""
    _rows(mailbox).filter(state=MailboxState.THROTTLED, throttled_until__lte=Now()).update(
        state=MailboxState.CONNECTED, state_reason="", state_at=Now(), throttled_until=None
    )


def may_be_called(mailbox: Mailbox) -> bool:
    """Connected, or its wait is over, and its workspace not suspended; as of the rows in the database."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_BE_CALLED, [mailbox.pk, mailbox.generation])
        state, waited = cursor.fetchone() or ("", False)
    if state == MailboxState.THROTTLED and waited:
        recover(mailbox)
        return True
    return bool(state == MailboxState.CONNECTED)


_MAY_BE_CALLED = """
SELECT m.state, m.throttled_until <= app_now() FROM mailbox_mailbox m
WHERE m.id = %s AND m.generation = %s
    AND (SELECT w.suspended_at IS NULL FROM accounts_workspace w WHERE w.id = m.workspace_id)
"""


def _rows(mailbox: Mailbox) -> QuerySet[Mailbox]:
    rows: QuerySet[Mailbox] = Mailbox.objects.filter(pk=mailbox.pk, generation=mailbox.generation)
    return rows
