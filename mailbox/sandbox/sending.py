"""What happens when a provider takes a mail: the stamp, the Sent copy, the ledger and the delivery."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from email.utils import formataddr, formatdate

from mailbox.sandbox import mime
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.calls import Origin
from mailbox.sandbox.context import Sandbox
from mailbox.sandbox.mailstore import INBOX, SENT, Stored
from mailbox.sandbox.recipients import schedule
from mailbox.sandbox.refusals import Refusal

STANDARD_HEADERS = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "sender",
        "subject",
        "date",
        "message-id",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "content-language",
    ]
)


BY_HAND = Origin(call=None, started_at=0, how="hand")


def send_from_gmail(
    sandbox: Sandbox, account: Account, raw: bytes, *, thread: str, draft: Stored | None, origin: Origin
) -> Stored:
    """The draft goes, a new mail with label SENT comes. Raises Refusal for a mail without recipients."""
    mail = mime.parse(raw)
    if not mail.recipients:
        raise Refusal(400, "invalidArgument", "Recipient address required")
    stamped = _stamped(
        sandbox, account, raw, mail, "mail.gmail.com", sandbox.settings.traits.rewrite_message_id
    )
    with sandbox.store.transaction():
        if draft is not None:
            sandbox.mail.remove(account, draft)
        lag = _share(sandbox.settings.traits.index_lag, stamped)
        sent = sandbox.mail.add(account, stamped, folder=SENT, thread=thread, lag=lag)
        _record(sandbox, account, sent, stamped, origin)
    return sent


def send_from_graph(
    sandbox: Sandbox, account: Account, draft: Stored, *, origin: Origin, keep_id: bool = True
) -> None:
    """Accepted now, moved to Sent Items at once or later. `keep_id`: immutable ids were asked for.

    Raises Refusal.
    """
    traits = sandbox.settings.traits
    if draft.moving and not traits.second_send_mails:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    mail = mime.parse(draft.raw)
    if not mail.recipients or not all("@" in address for address in mail.recipients):
        raise Refusal(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
    stamped = _stamped(
        sandbox, account, draft.raw, mail, "SBXP001.PROD.OUTLOOK.COM", traits.rewrite_graph_message_id
    )
    list_unsubscribe = _list_unsubscribe(draft.properties)
    if list_unsubscribe and not traits.strip_headers:
        stamped = mime.with_headers(stamped, {"List-Unsubscribe": list_unsubscribe})
    lag = _share(traits.move_lag, stamped)
    new_id = traits.id_changes_on_send or not keep_id
    with sandbox.store.transaction():
        if draft.moving:
            # The window in which Graph may take one draft twice: a second mail, a second copy.
            copy = sandbox.mail.add(
                account, stamped, folder=SENT, thread=draft.thread, properties=draft.properties
            )
            _record(sandbox, account, copy, stamped, origin)
            return
        sandbox.mail.mark_moving(draft, stamped)
        if lag:
            _record(sandbox, account, draft, stamped, origin)
            payload = {"account": account.pk, "draft": draft.id, "new_id": new_id}
            sandbox.jobs.add("move", payload, after=lag)
            return
        sent = sandbox.mail.move(account, draft, SENT, new_id=new_id, lag=_share(traits.index_lag, stamped))
        _record(sandbox, account, sent, stamped, origin)


def double(sandbox: Sandbox, call: int) -> None:
    """The provider delivers what this call submitted once more, and keeps a second sent copy (F45)."""
    entry = sandbox.store.row("SELECT * FROM ledger WHERE call = ? AND copy_of IS NULL", call)
    if entry is None:
        return
    account = sandbox.accounts.get(entry["account"])
    with sandbox.store.transaction():
        copy = sandbox.mail.add(
            account,
            entry["raw"],
            folder=SENT,
            thread=entry["thread"],
            properties=json.loads(entry["properties"]),
        )
        origin = Origin(call, entry["started_at"], "double")
        _record(sandbox, account, copy, entry["raw"], origin, copy_of=entry["pk"])


def _record(
    sandbox: Sandbox,
    account: Account,
    stored: Stored,
    raw: bytes,
    origin: Origin,
    *,
    copy_of: int | None = None,
) -> None:
    """Write the ledger, then deliver to accounts kept here and wake the simulated recipients."""
    mail = mime.parse(raw)
    now = sandbox.clock.now()
    entry = sandbox.store.insert(
        "ledger",
        provider=account.provider,
        account=account.pk,
        mailbox=account.email,
        recipients=json.dumps(mail.recipients),
        subject=mail.subject,
        raw=raw,
        message_id=mail.message_id,
        thread=stored.thread,
        provider_id=stored.id,
        properties=json.dumps(stored.properties),
        accepted_at=now,
        started_at=origin.started_at or now,
        call=origin.call,
        copy_of=copy_of,
        how=origin.how,
    )
    for recipient in mail.recipients:
        sandbox.store.insert("ledger_recipients", entry=entry, account=account.pk, recipient=recipient)
        here = sandbox.accounts.by_email(recipient)
        for other in here:
            changes = {"Bcc": None, "Return-Path": f"<{account.email}>", "Delivered-To": recipient}
            sandbox.mail.add(other, mime.with_headers(raw, changes), folder=INBOX)
        if not here and recipient.endswith(".example"):
            schedule(sandbox, entry, account, recipient)


def _stamped(
    sandbox: Sandbox, account: Account, raw: bytes, mail: mime.Mail, domain: str, rewrite: bool
) -> bytes:
    """The mail as it leaves: own From, a Date, the provider's Message-ID, perhaps only common headers."""
    if sandbox.settings.traits.strip_headers:
        raw = mime.without_headers(raw, STANDARD_HEADERS)
    changes: dict[str, str | None] = {}
    if mail.sender != account.email:
        changes["From"] = formataddr((mail.sender_name or account.name, account.email))
    if not mail.header("Date"):
        changes["Date"] = formatdate(sandbox.clock.now())
    if rewrite or not mail.message_id:
        stamp = secrets.token_urlsafe(32)
        changes["Message-ID"] = f"<CA{stamp}@{domain}>"
    return mime.with_headers(raw, changes) if changes else raw


def _share(longest: float, raw: bytes) -> float:
    """A mail's own part of a lag, the same each time it is asked."""
    return longest * random.Random(hashlib.sha256(raw).digest()).random() if longest else 0.0


def _list_unsubscribe(properties: dict[str, str]) -> str:
    """PidTagListUnsubscribe, the property that Exchange turns into the header."""
    return next((value for name, value in properties.items() if name.lower() == "string 0x1045"), "")
