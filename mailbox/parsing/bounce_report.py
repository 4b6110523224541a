"""What a report says, in one shape whatever it was read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailbox.parsing import addresses, mime, text
from mailbox.parsing.bounce_reasons import Category

KEY_HEADER = "x-outreach-id"
MAX_RECIPIENTS = 100
MAX_REPORT = 256 * 1024
MAX_DIAGNOSTIC = 1000
ORIGINALS = {
    "message/rfc822",
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
    "message/partial",
}
# The worst of several recipients stands for the whole report.
_WORST = (
    Category.COMPLAINT,
    Category.INVALID,
    Category.BLOCKED,
    Category.UNKNOWN,
    Category.TEMPORARY,
    Category.DELIVERED,
)
_ID_HEADERS = (
    "message-id",
    "x-google-original-message-id",
    "x-original-message-id",
    "x-ms-exchange-original-message-id",
)


@dataclass(frozen=True)
class FailedRecipient:
    """`address` is the last that the mail was for, `original` another that the sender wrote to, or "".

    `status` is x.y.z or "", `diagnostic` the server's words, `action` RFC 3464's: a `delayed` mail may still
    arrive, whatever its category; `delivered`, `relayed` and `expanded` are no failures, and "" is said of a
    recipient about whom the report tells no failure.
    """

    address: str
    category: Category
    status: str
    diagnostic: str
    action: str = "failed"
    original: str = ""


@dataclass(frozen=True)
class BounceReport:
    """`recipients` may be empty for a complaint: then the ids alone tell which mail it is about.

    `original_message_ids` have angle brackets, the surest first; `original_key` is the X-Outreach-Id of
    the returned mail, or "".
    """

    category: Category
    recipients: tuple[FailedRecipient, ...]
    original_message_ids: tuple[str, ...]
    original_key: str


def made(
    mail: mime.Mail,
    original: mime.Headers,
    recipients: Iterable[FailedRecipient],
    *,
    more_ids: Iterable[str] = (),
) -> BounceReport:
    found = tuple(recipients)[:MAX_RECIPIENTS]
    category = next(
        (one for one in _WORST if any(each.category is one for each in found)), Category.COMPLAINT
    )
    return BounceReport(
        category,
        found,
        ids(mail, original, more_ids),
        text.one_line(original.get(KEY_HEADER), 100),
    )


def original_of(mail: mime.Mail) -> mime.Headers:
    """The header fields of the mail that came back, from the part that holds it."""
    for part in mail.parts:
        if part.content_type in ORIGINALS:
            raw = mail.body(part, mime.MAX_HEADER_BYTES).lstrip()
            found = mime.read_headers(raw, 0, len(raw))[0]
            if found.pairs:
                return found
    return mime.Headers()


def groups(report: str) -> list[mime.Headers]:
    """The groups of fields of a delivery-status part; blank lines stand between them."""
    found: list[mime.Headers] = []
    raw = report.encode("utf-8", "replace")
    at = 0
    while at < len(raw) and len(found) <= MAX_RECIPIENTS:
        group, after = mime.read_headers(raw, at, len(raw), most=mime.MAX_PART_HEADERS)
        found += _split(group)
        if after <= at:
            break
        at = after
    return found


def _split(group: mime.Headers) -> list[mime.Headers]:
    """One group for each recipient, also where a server forgot the blank line between them."""
    starts = [index for index, (name, _) in enumerate(group.pairs) if name == "final-recipient"]
    if len(starts) < 2:
        return [group] if group.pairs else []
    ends = [*starts[1:], len(group.pairs)]
    return [mime.Headers(group.pairs[start:end]) for start, end in zip(starts, ends, strict=True)]


def addressed(original: mime.Headers) -> list[str]:
    """Whom the returned mail was for."""
    for name in ("x-envelope-to", "envelope-to", "x-rcpt-to", "to"):
        found = addresses.read_addresses(original.get(name))
        if found:
            return [one.address for one in found]
    return []


def ids(mail: mime.Mail, original: mime.Headers, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Message-IDs of the mail that the report may be about, the surest first."""
    values = [
        *more,
        original.get("message-id"),
        original.get("x-google-original-message-id"),
        *(mail.headers.get(name) for name in _ID_HEADERS[2:]),
        mail.headers.get("in-reply-to"),
        mail.headers.get("references"),
    ]
    found = [one for value in values for one in addresses.message_ids(value)]
    return tuple(dict.fromkeys(found))[: addresses.MAX_IDS]
