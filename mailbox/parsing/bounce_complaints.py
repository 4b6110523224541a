"""Reports that somebody pressed "this is spam" (RFC 5965), and those about authentication (RFC 6591)."""

from __future__ import annotations

from mailbox.parsing import addresses, mime, text
from mailbox.parsing import bounce_report as reports
from mailbox.parsing.bounce_reasons import Category
from mailbox.parsing.bounce_report import BounceReport, FailedRecipient

_PARTS = {"message/feedback-report"}
_NO_COMPLAINT = {"not-spam", "virus"}
_REFUSED = {"reject", "policy"}
_TAKEN = {"delivered", "inbox", "spam"}


def is_one(mail: mime.Mail, original: mime.Headers) -> bool:
    return any(part.content_type in _PARTS for part in mail.parts) or _is_hotmails(mail, original)


def read(mail: mime.Mail, original: mime.Headers) -> BounceReport | None:
    """None for a report that says nothing against the mail."""
    parts = [part for part in mail.parts if part.content_type in _PARTS]
    fields = [group for part in parts for group in reports.groups(mail.text(part, reports.MAX_REPORT))]
    kind = next((group.get("feedback-type") for group in fields if group.get("feedback-type")), "abuse")
    kind = kind.strip().lower()
    if kind in _NO_COMPLAINT:
        return None
    values = [value for group in fields for value in group.all("original-rcpt-to")]
    named = [one.address for value in values for one in addresses.read_addresses(value)]
    category, action = Category.COMPLAINT, "failed"
    if kind == "auth-failure":
        results = {group.get("delivery-result").strip().lower() for group in fields}
        category, action = _of_authentication(results)
    recipients = tuple(
        FailedRecipient(address, category, "", text.one_line(kind, 60), action)
        for address in dict.fromkeys(named or reports.addressed(original))
    )
    if category is not Category.COMPLAINT and not recipients:
        return None
    more = [value for group in fields for value in group.all("original-message-id")]
    return reports.made(mail, original, recipients, more_ids=more)


def _of_authentication(results: set[str]) -> tuple[Category, str]:
    """Nobody complained: a server says that a signature did not hold, and what it did with the mail."""
    if results & _REFUSED:
        return Category.BLOCKED, "failed"
    return (Category.DELIVERED, "delivered") if results & _TAKEN else (Category.UNKNOWN, "")


def _is_hotmails(mail: mime.Mail, original: mime.Headers) -> bool:
    """Outlook.com's junk mail report: the mail itself, enclosed, without RFC 5965's part."""
    sender = addresses.first_address(mail.headers.get("from")).lower()
    subject = mail.headers.get("subject").strip().lower()
    return (
        bool(original.pairs)
        and sender == "staff@hotmail.com"
        and subject.startswith("complaint about message")
    )
