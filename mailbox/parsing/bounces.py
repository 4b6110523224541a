"""Mails that say our mail came back: delivery reports (RFC 3464), complaints (RFC 5965), prose.

What is read here is a stranger's claim. Whoever uses it matches it with a sent mail and its recipient first;
a report that matches none is ignored (faults.md F39).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mailbox.parsing import addresses, bounce_prose, bounce_reasons, html, mime, text
from mailbox.parsing.bounce_reasons import BounceKind

__all__ = ["Bounce", "BounceKind", "FailedRecipient", "read_bounce"]

KEY_HEADER = "x-outreach-id"
MAX_RECIPIENTS = 100
MAX_REPORT = 256 * 1024
MAX_DIAGNOSTIC = 1000
_REPORTS = {"message/delivery-status", "message/global-delivery-status"}
_FEEDBACK = {"message/feedback-report"}
_ORIGINALS = {
    "message/rfc822",
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
}
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
_ARRIVED = {"delivered", "relayed", "expanded"}
_NO_COMPLAINT = {"not-spam", "auth-failure", "virus"}
# The worst of several recipients stands for the whole report.
_WORST = (BounceKind.COMPLAINT, BounceKind.HARD, BounceKind.BLOCKED, BounceKind.SOFT, BounceKind.DELAYED)


@dataclass(frozen=True)
class FailedRecipient:
    """`action` is RFC 3464's (failed or delayed), `status` x.y.z or "", `diagnostic` the server's words."""

    address: str
    action: str
    status: str
    diagnostic: str
    kind: BounceKind


@dataclass(frozen=True)
class Bounce:
    """`recipients` may be empty for a complaint: then the ids alone tell which mail it is about.

    `original_message_ids` have angle brackets, the surest first; `original_key` is the X-Outreach-Id of
    the returned mail, or "".
    """

    kind: BounceKind
    recipients: tuple[FailedRecipient, ...]
    original_message_ids: tuple[str, ...]
    original_key: str


def read_bounce(raw: bytes) -> Bounce | None:
    """None for a mail that is no bounce, and for a report that every recipient's server took the mail."""
    mail = mime.read(raw)
    original = _original(mail)
    words = _words(mail)
    # A report that lost its structure on the way lies in the words themselves.
    loose = _loose_groups(words)
    enclosed = bool(original.pairs or loose)
    if any(part.content_type in _FEEDBACK for part in mail.parts) or _is_hotmail_complaint(mail, original):
        return _complaint(mail, original)
    reports = [part for part in mail.parts if part.content_type in _REPORTS]
    prose = bounce_prose.read_prose(words)
    if not original.pairs:
        original = prose.original
    own = _own_addresses(mail.headers, original)
    recipients: tuple[FailedRecipient, ...] = ()
    arrived = False
    if reports:
        groups = [group for part in reports for group in _groups(mail.text(part, MAX_REPORT))]
        recipients, arrived = _reported(groups, prose, own=own)
    if (
        not recipients
        and not arrived
        and (reports or bounce_prose.looks_returned(mail.headers, enclosed=enclosed))
    ):
        recipients, arrived = _reported(loose, prose, own=own)
        if not recipients and not arrived:
            recipients = _from_prose(mail, prose, original, own=own)
    if not recipients:
        return None
    kind = next(kind for kind in _WORST if any(one.kind is kind for one in recipients))
    return Bounce(kind, recipients, _ids(mail, original), text.one_line(original.get(KEY_HEADER), 100))


def _original(mail: mime.Mail) -> mime.Headers:
    """The header fields of the mail that came back, from the part that holds it."""
    for part in mail.parts:
        if part.content_type in _ORIGINALS:
            raw = mail.body(part, mime.MAX_HEADER_BYTES).lstrip()
            return mime.read_headers(raw, 0, len(raw))[0]
    return mime.Headers()


def _words(mail: mime.Mail) -> str:
    """What the server wrote for people: the first text part, plain before HTML."""
    texts = [
        part
        for part in mail.parts
        if part.content_type.startswith("text/") and part.content_type not in _ORIGINALS
    ]
    plain = next((part for part in texts if part.content_type != "text/html"), None)
    words = mail.text(plain, bounce_prose.MAX_PROSE) if plain else ""
    if words.strip():
        return words
    rich = next((part for part in texts if part.content_type == "text/html"), None)
    return html.to_text(mail.text(rich, bounce_prose.MAX_PROSE * 4))[: bounce_prose.MAX_PROSE] if rich else ""


def _groups(report: str) -> list[mime.Headers]:
    """The groups of fields of a delivery-status part; blank lines stand between them."""
    groups: list[mime.Headers] = []
    raw = report.encode("utf-8", "replace")
    at = 0
    while at < len(raw) and len(groups) <= MAX_RECIPIENTS:
        group, after = mime.read_headers(raw, at, len(raw), most=mime.MAX_PART_HEADERS)
        groups += _split_group(group)
        if after <= at:
            break
        at = after
    return groups


def _split_group(group: mime.Headers) -> list[mime.Headers]:
    """One group for each recipient, also where a server forgot the blank line between them."""
    starts = [index for index, (name, _) in enumerate(group.pairs) if name == "final-recipient"]
    if len(starts) < 2:
        return [group] if group.pairs else []
    ends = [*starts[1:], len(group.pairs)]
    return [mime.Headers(group.pairs[start:end]) for start, end in zip(starts, ends, strict=True)]


def _loose_groups(words: str) -> list[mime.Headers]:
    if "final-recipient:" not in words.lower():
        return []
    pieces = [piece for piece in words.split("\n\n") if "final-recipient:" in piece.lower()]
    return [group for piece in pieces[:MAX_RECIPIENTS] for group in _groups(piece.strip("\n"))]


def _reported(
    groups: list[mime.Headers], prose: bounce_prose.Prose, *, own: frozenset[str]
) -> tuple[tuple[FailedRecipient, ...], bool]:
    """The recipients that failed, and whether the report says of any that the mail arrived."""
    found: dict[str, FailedRecipient] = {}
    arrived = False
    said: dict[str, str] | None = None
    for group in groups:
        address = _recipient(group)
        action = group.get("action").partition(";")[0].split(" ")[0].strip().lower()
        status = bounce_reasons.status_in(group.get("status"))
        diagnostic = text.decode_words(" ".join(group.all("diagnostic-code")), MAX_DIAGNOSTIC)
        if not address:
            continue
        action = _action(action, status, group.get("status"))
        if action in _ARRIVED:
            arrived = True
            continue
        words = diagnostic
        if not words:
            if said is None:
                said = {one.address.lower(): one.words for one in bounce_prose.told(prose, own=own)}
            words = said.get(address.lower(), prose.words)
        kind = bounce_reasons.judge(status, words, action=action)
        status = status or bounce_reasons.status_in(words)
        found.setdefault(address.lower(), FailedRecipient(address, action, status, diagnostic, kind))
    return tuple(found.values()), arrived


def _action(stated: str, status: str, raw_status: str) -> str:
    """What the report says was done; where it says nothing that RFC 3464 knows, the status decides."""
    if stated in _ACTIONS:
        return stated
    return "delivered" if not status and raw_status.strip().startswith("2.") else "failed"


def _recipient(group: mime.Headers) -> str:
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        value = group.get(name)
        address = addresses.first_address(value.partition(";")[2] or value)
        if address:
            return address
    return ""


def _from_prose(
    mail: mime.Mail, prose: bounce_prose.Prose, original: mime.Headers, *, own: frozenset[str]
) -> tuple[FailedRecipient, ...]:
    subject = text.decode_words(mail.headers.get("subject"), 400)
    if not bounce_reasons.says_failure(f"{subject} {prose.words}") and not mail.headers.get(
        "x-failed-recipients"
    ):
        return ()
    named = addresses.read_addresses(",".join(mail.headers.all("x-failed-recipients")))
    told = bounce_prose.told(prose, own=own)
    if named:
        said = {one.address.lower(): one.words for one in told}
        told = tuple(
            bounce_prose.Told(one.address, said.get(one.address.lower(), prose.words)) for one in named
        )
    if not told:
        told = tuple(bounce_prose.Told(address, prose.words) for address in _addressed(original))
    told = tuple(
        one if bounce_reasons.explains(one.words) else replace(one, words=f"{one.words} {prose.words}")
        for one in told
    )
    delayed = bounce_prose.still_trying(f"{subject} {prose.words}")
    return tuple(
        FailedRecipient(
            address=one.address,
            action="delayed" if delayed else "failed",
            status=bounce_reasons.status_in(one.words),
            diagnostic=text.one_line(one.words, MAX_DIAGNOSTIC),
            kind=bounce_reasons.judge("", one.words, action="delayed" if delayed else "failed"),
        )
        for one in told[:MAX_RECIPIENTS]
    )


def _own_addresses(headers: mime.Headers, original: mime.Headers) -> frozenset[str]:
    names = ("to", "from", "delivered-to", "return-path", "x-original-to")
    values = [
        *(headers.get(name) for name in names),
        *(original.get(name) for name in ("from", "return-path", "sender")),
    ]
    meant = {one.lower() for one in _addressed(original)}
    return (
        frozenset(address.lower() for value in values if (address := addresses.first_address(value))) - meant
    )


def _addressed(original: mime.Headers) -> Iterable[str]:
    """Whom the returned mail was for."""
    for name in ("x-envelope-to", "envelope-to", "to"):
        found = addresses.read_addresses(original.get(name))
        if found:
            return [one.address for one in found]
    return []


def _ids(mail: mime.Mail, original: mime.Headers) -> tuple[str, ...]:
    values = [
        original.get("message-id"),
        original.get("x-google-original-message-id"),
        mail.headers.get("x-original-message-id"),
        mail.headers.get("x-ms-exchange-original-message-id"),
        mail.headers.get("in-reply-to"),
        mail.headers.get("references"),
    ]
    found = [one for value in values for one in addresses.message_ids(value)]
    return tuple(dict.fromkeys(found))[: addresses.MAX_IDS]


def _complaint(mail: mime.Mail, original: mime.Headers) -> Bounce | None:
    """A report in the abuse reporting format: the person pressed "this is spam"."""
    reports = [part for part in mail.parts if part.content_type in _FEEDBACK]
    fields = [group for part in reports for group in _groups(mail.text(part, MAX_REPORT))]
    kind = next((group.get("feedback-type") for group in fields if group.get("feedback-type")), "abuse")
    if kind.strip().lower() in _NO_COMPLAINT:
        return None
    values = [
        value
        for group in fields
        for name in ("original-rcpt-to", "removal-recipient")
        for value in group.all(name)
    ]
    named = [one.address for value in values for one in addresses.read_addresses(value)] or list(
        _addressed(original)
    )
    recipients = tuple(
        FailedRecipient(address, "failed", "", text.one_line(kind, 60), BounceKind.COMPLAINT)
        for address in dict.fromkeys(named)
    )[:MAX_RECIPIENTS]
    return Bounce(
        BounceKind.COMPLAINT, recipients, _ids(mail, original), text.one_line(original.get(KEY_HEADER), 100)
    )


def _is_hotmail_complaint(mail: mime.Mail, original: mime.Headers) -> bool:
    """Outlook.com's junk mail report: the mail itself, enclosed, without RFC 5965's part."""
    sender = addresses.first_address(mail.headers.get("from")).lower()
    subject = mail.headers.get("subject").strip().lower()
    return (
        bool(original.pairs)
        and sender == "staff@hotmail.com"
        and subject.startswith("complaint about message")
    )
