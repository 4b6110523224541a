"""The bin. One transaction ends everything on our side; then one call at most: Google's revoke.

The call uses the token that this process still holds in memory. It is never stored, so a lost call is not
repeated: the receipt then links to the provider's page (decisions 15, faults 4.3).
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
import uuid
from collections.abc import Iterable

from django.db import DatabaseError, connections, transaction
from django.db.models import F

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from accounts.tenancy import workspace
from mailbox import oauth, standing, watches
from mailbox.errors import Retry
from mailbox.models import (
    Credential,
    Mailbox,
    MailboxIdentity,
    MailboxState,
    Provider,
    Receipt,
    ReceiptStep,
    StepState,
)
from mailbox.receipts import grants_page, line
from mailbox.signals import mailbox_changed

log = logging.getLogger(__name__)
TRIES = 3
SECONDS = 15.0
NO_WAY_TO_END = (
    "Microsoft offers no call that ends one app’s grant. Without our token it is of no use to us, but only "
    "you can take it off your list. We cannot see whether you did."
)


def revoke(
    mailbox: Mailbox, *, actor: User | None, kept_projects: Iterable[str] = (), how: str = ""
) -> Receipt:
    """Remove access at once, whatever the provider does. A second press gives the first one's receipt.

    `kept_projects` are ids of projects whose mail a person keeps: Microsoft only, Google's data always goes.
    `how` is what the activity log says where nobody pressed the bin.
    """
    with transaction.atomic():
        # Not the key: a worker that holds a mail of this mailbox writes rows that refer to the mailbox, while
        # this transaction waits for that mail.
        row = Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        if row.state == MailboxState.REVOKED:
            return Receipt.objects.filter(mailbox=row).order_by("-at")[0]
        credential = Credential.objects.filter(mailbox=row).first()
        secret = str(credential.secret) if credential else ""
        Credential.objects.filter(mailbox=row).delete()
        Mailbox.objects.filter(pk=row.pk).update(
            state=MailboxState.REVOKED,
            state_reason="",
            state_at=Now(),
            revoked_at=Now(),
            generation=F("generation") + 1,
            cursor=None,
            throttled_until=None,
            next_poll_at=None,
            poll_lease_until=None,
            next_send_at=None,
        )
        MailboxIdentity.objects.filter(pk=row.identity, live_mailbox=row.pk).update(
            live_in=None, live_mailbox=None
        )
        watches.end(row)
        row.refresh_from_db()
        kept = [] if row.provider == Provider.GOOGLE else sorted({str(project) for project in kept_projects})
        receipt = Receipt.objects.create(
            mailbox=row,
            provider=row.provider,
            address=row.address,
            actor=actor,
            kept_projects=kept,
            connected_at=row.connected_at,
        )
        _first_lines(receipt, row, has_token=bool(secret))
        way = how or f"by {actor.short_name if actor else 'the product'}"
        audit.record(
            "mailbox.revoked", f"Access to {row.address} removed {way}", actor=actor, object_id=receipt.pk
        )
        mailbox_changed.send(sender=Mailbox, mailbox=row, fact="revoked", receipt=receipt)
        if row.provider == Provider.GOOGLE and secret:
            transaction.on_commit(lambda: _ask_in_background(receipt, row, secret), robust=True)
    return receipt


def close_forgotten() -> int:
    """Lines of a revoke whose process ended before the provider answered become the person's turn."""
    old = ReceiptStep.objects.filter(
        code="provider", state=StepState.DOING, receipt__at__lt=Now() - dt.timedelta(seconds=SECONDS * 4)
    ).select_related("receipt__mailbox")
    count = 0
    for step in old:
        if step.receipt.mailbox is not None:
            _your_turn(step.receipt, step.receipt.mailbox)
            count += 1
    return count


def _first_lines(receipt: Receipt, mailbox: Mailbox, *, has_token: bool) -> None:
    company = mailbox.company
    line(receipt, "stopped", StepState.DONE, "No mail leaves through this mailbox any more.")
    destroyed = (
        "Deleted in the same transaction that stopped sending. Encrypted backups that still hold it expire "
        "within 28 days."
    )
    line(receipt, "token", StepState.DONE, destroyed if has_token else "There was no token any more.")
    line(
        receipt,
        "watch",
        StepState.DONE,
        f"No later check, notice or read. A notice that {company} still sends is dropped unread.",
    )
    if mailbox.provider != Provider.GOOGLE:
        line(receipt, "provider", StepState.YOUR_TURN, NO_WAY_TO_END, link=grants_page(mailbox))
    elif has_token:
        line(receipt, "provider", StepState.DOING, "Google is asked to end the grant.")
    else:
        _your_turn(receipt, mailbox)


def _ask_in_background(receipt: Receipt, mailbox: Mailbox, secret: str) -> None:
    """The page never waits for Google. The thread ends with the process: stopping is not held up."""
    arguments = (receipt.pk, mailbox.pk, receipt.workspace_id, secret)
    threading.Thread(target=_ask, args=arguments, name="revoke", daemon=True).start()


def _ask(receipt_id: uuid.UUID, mailbox_id: uuid.UUID, workspace_id: uuid.UUID, secret: str) -> None:
    try:
        with workspace(workspace_id):
            receipt = Receipt.objects.get(pk=receipt_id)
            mailbox = Mailbox.objects.get(pk=mailbox_id)
            if _ended(mailbox, secret):
                line(receipt, "provider", StepState.DONE, "Google confirms: the grant is over.")
            else:
                _your_turn(receipt, mailbox)
    except (Receipt.DoesNotExist, Mailbox.DoesNotExist, DatabaseError) as problem:
        log.warning("the receipt of a revoke could not be completed: %s", type(problem).__name__)
    finally:
        connections.close_all()


def _ended(mailbox: Mailbox, secret: str) -> bool:
    """Three tries within 15 s. Stops where the account is wanted anew: a revoke ends every grant of it."""
    until = time.monotonic() + SECONDS
    for attempt in range(TRIES):
        if standing.is_needed(bytes(mailbox.identity)):
            return False
        left = until - time.monotonic()
        if left <= 0:
            return False
        try:
            return oauth.revoke_grant(mailbox.provider, secret, seconds=min(4.0, left))
        except Retry as problem:
            log.info("Google did not end a grant yet: %s", problem.reason)
            if attempt + 1 < TRIES:
                time.sleep(min(float(attempt + 1), max(until - time.monotonic(), 0)))
    return False


def _your_turn(receipt: Receipt, mailbox: Mailbox) -> None:
    line(
        receipt,
        "provider",
        StepState.YOUR_TURN,
        f"{mailbox.company} did not confirm that the grant is over. Our token is gone, so nobody here can "
        "use it. You can take it off your list there.",
        link=grants_page(mailbox),
    )
