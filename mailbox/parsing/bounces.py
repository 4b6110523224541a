"""Mails that say our mail came back: delivery reports (RFC 3464), complaints (RFC 5965), prose.

What is read here is a stranger's claim. Whoever uses it matches it with a sent mail and its recipient first;
a report that matches none is ignored (faults.md F39).
"""

from __future__ import annotations

from dataclasses import replace

from mailbox.parsing import (
    addresses,
    bounce_complaints,
    bounce_notices,
    bounce_prose,
    bounce_reasons,
    bounce_words,
    html,
    mime,
    text,
)
from mailbox.parsing import bounce_report as reports
from mailbox.parsing.bounce_reasons import Category
from mailbox.parsing.bounce_report import BounceReport, FailedRecipient

__all__ = ["BounceReport", "Category", "FailedRecipient", "parse"]

_REPORTS = {"message/delivery-status", "message/global-delivery-status"}
_RECEIPTS = {"message/disposition-notification"}
_ACTIONS = {"failed", "delayed", "delivered", "relayed", "expanded"}
ARRIVED = {"delivered", "relayed", "expanded"}


def parse(raw: bytes) -> BounceReport | None:
    """None for a mail that is no report, and for one that nothing ties to any mail that was sent."""
    mail = mime.read(raw)
    return _parse(mail) or _enclosed(mail)


def _enclosed(mail: mime.Mail) -> BounceReport | None:
    """A report that a gateway wrapped into one more mail of its own (Trend Micro, Exchange connectors)."""
    if not bounce_prose.looks_returned(mail.headers, enclosed=True, words=""):
        return None
    for part in mail.parts:
        if part.content_type == "message/rfc822":
            inner = mime.read(mail.body(part, reports.MAX_REPORT).lstrip())
            if inner.content_type == "multipart/report" or any(
                one.content_type in _REPORTS for one in inner.parts
            ):
                return _parse(inner)
    return None


def _parse(mail: mime.Mail) -> BounceReport | None:
    original = reports.original_of(mail)
    words = _words(mail)
    if bounce_complaints.is_one(mail, original):
        return bounce_complaints.read(mail, original)
    notice = bounce_notices.read(mail, words)
    if notice is not None:
        return notice
    # A report that lost its structure on the way lies in the words themselves.
    loose = _loose_groups(words)
    parts = [part for part in mail.parts if part.content_type in _REPORTS]
    prose = bounce_prose.read_prose(words)
    enclosed = bool(original.pairs or loose)
    if not original.pairs:
        original = prose.original
    own = _own_addresses(mail.headers, original)
    recipients: tuple[FailedRecipient, ...] = ()
    if parts:
        groups = [group for part in parts for group in reports.groups(mail.text(part, reports.MAX_REPORT))]
        recipients = _reported(groups, prose, own=own)
    if not recipients and (
        parts or bounce_prose.looks_returned(mail.headers, enclosed=enclosed, words=prose.words)
    ):
        recipients = _reported(loose, prose, own=own) or _refusals(mail, prose)
        recipients = recipients or _from_prose(mail, prose, original, own=own)
    if recipients and all(one.category is Category.UNKNOWN for one in recipients):
        recipients = _explained(mail, recipients)
    report = reports.made(mail, original, recipients)
    return report if recipients else None


def _explained(mail: mime.Mail, recipients: tuple[FailedRecipient, ...]) -> tuple[FailedRecipient, ...]:
    """The reason out of the transcript of a bounce that a gateway (InterScan) enclosed without its parts."""
    part = next((one for one in mail.parts if one.content_type == "message/rfc822"), None)
    inner = mime.read(mail.body(part, reports.MAX_REPORT).lstrip()) if part else None
    answers = bounce_prose.answers(bounce_prose.read_prose(_words(inner))) if inner else ""
    category = bounce_reasons.judge("", answers) if answers else Category.UNKNOWN
    return tuple(replace(one, category=category) for one in recipients)


def _words(mail: mime.Mail) -> str:
    """What the server wrote for people: the first text part, plain before HTML."""
    texts = [
        part
        for part in mail.parts
        if part.content_type.startswith("text/") and part.content_type not in reports.ORIGINALS
    ]
    plain = next((part for part in texts if part.content_type != "text/html"), None)
    words = mail.text(plain, bounce_prose.MAX_PROSE) if plain else ""
    if words.strip():
        return words
    rich = next((part for part in texts if part.content_type == "text/html"), None)
    return html.to_text(mail.text(rich, bounce_prose.MAX_PROSE * 4))[: bounce_prose.MAX_PROSE] if rich else ""


def _loose_groups(words: str) -> list[mime.Headers]:
    if "final-recipient:" not in words.lower():
        return []
    pieces = [piece for piece in words.split("\n\n") if "final-recipient:" in piece.lower()]
    return [
        group for piece in pieces[: reports.MAX_RECIPIENTS] for group in reports.groups(piece.strip("\n"))
    ]


def _reported(
    groups: list[mime.Headers], prose: bounce_prose.Prose, *, own: frozenset[str]
) -> tuple[FailedRecipient, ...]:
    """The recipients of a report and what became of each; one that failed beside arriving has failed."""
    found: dict[str, FailedRecipient] = {}
    said: dict[str, str] | None = None
    for group in groups:
        address, original = _recipient(group)
        if not address:
            continue
        status = bounce_reasons.status_in(group.get("status"))
        action = _action(group.get("action"), status, group.get("status"))
        diagnostic = text.decode_words(" ".join(group.all("diagnostic-code")), reports.MAX_DIAGNOSTIC)
        if said is None:
            said = {one.address.lower(): one.words for one in bounce_prose.told(prose, own=own)}
        about = said.get(address.lower()) or said.get(original.lower()) or prose.words
        words = diagnostic
        if not bounce_reasons.explains(diagnostic):
            words = f"{diagnostic} {group.get('status')} {about}"
        category = Category.DELIVERED
        if action not in ARRIVED:
            step = bounce_words.step(diagnostic) or bounce_words.step(about)
            category = bounce_reasons.judge(status, words, step=step)
            if category is Category.UNKNOWN and action == "delayed":
                category = Category.TEMPORARY
            category = bounce_reasons.POWERMTA.get(group.get("x-powermta-bouncecategory").lower(), category)
        status = status or bounce_reasons.status_in(words)
        one = FailedRecipient(address, category, status, diagnostic, action, original)
        known = found.get(address.lower())
        if known is None or (known.action in ARRIVED and action not in ARRIVED):
            found[address.lower()] = one
    return tuple(found.values())


def _action(stated: str, status: str, raw_status: str) -> str:
    """What the report says was done; where it says nothing that RFC 3464 knows, the status decides."""
    stated = stated.partition(";")[0].strip().split(" ")[0].strip().lower()
    if stated in _ACTIONS:
        return stated
    return "delivered" if not status and raw_status.strip().startswith("2.") else "failed"


def _recipient(group: mime.Headers) -> tuple[str, str]:
    """Where the mail was for in the end, and where its sender had sent it if that is another address."""
    found: list[str] = []
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
        value = group.get(name)
        address = addresses.first_address(value.partition(";")[2] or value)
        if address and address.lower() not in (one.lower() for one in found):
            found.append(address)
    return (found[0] if found else "", found[1] if len(found) > 1 else "")


def _refusals(mail: mime.Mail, prose: bounce_prose.Prose) -> tuple[FailedRecipient, ...]:
    """A filter of the recipient's refused the mail and said so in a receipt (RFC 5429, section 2.2)."""
    parts = [part for part in mail.parts if part.content_type in _RECEIPTS]
    groups = [group for part in parts for group in reports.groups(mail.text(part, reports.MAX_REPORT))]
    found = []
    for group in groups:
        done = group.get("disposition").lower().replace(" ", "")
        address, original = _recipient(group)
        if address and done.startswith("automatic-action/") and bounce_reasons.says_failure(prose.words):
            category = bounce_reasons.judge("", prose.words)
            words = text.one_line(prose.words, reports.MAX_DIAGNOSTIC)
            found.append(FailedRecipient(address, category, "", words, "failed", original))
    return tuple(found)


def _from_prose(
    mail: mime.Mail, prose: bounce_prose.Prose, original: mime.Headers, *, own: frozenset[str]
) -> tuple[FailedRecipient, ...]:
    subject = text.decode_words(mail.headers.get("subject"), 400)
    named = addresses.read_addresses(",".join(mail.headers.all("x-failed-recipients")))
    told = bounce_prose.told(prose, own=own)
    said_so = bounce_reasons.says_failure(f"{subject} {prose.words}")
    if not said_so and not named and not (original.pairs and bounce_prose.by_daemon(mail.headers)):
        return ()
    if named and not (told and prose.listed):
        said = {one.address.lower(): one.words for one in told}
        told = tuple(
            bounce_prose.Told(one.address, said.get(one.address.lower(), prose.words)) for one in named
        )
    if not told and original.get("content-type").lower().startswith("multipart/report"):
        return ()  # a report about a report: what it encloses says more
    if not told:
        told = tuple(bounce_prose.Told(address, prose.words) for address in reports.addressed(original))
    # What other servers put there is our own subject.
    titled = subject if subject.lower().startswith("returned mail:") else ""
    told = tuple(
        one
        if bounce_reasons.explains(one.words)
        else replace(one, words=f"{one.words} {prose.words} {titled}")
        for one in told
    )
    if len(told) == 1 and bounce_prose.answers(prose):
        told = (replace(told[0], words=f"{bounce_prose.answers(prose)} {told[0].words}"),)
    # Google Groups says in fifty languages that the sender may not post; the link is the same in all of them.
    in_group = "groups.google.com/" in prose.words and not bounce_reasons.status_in(prose.words)
    action = "delayed" if bounce_prose.still_trying(f"{subject} {prose.words}") else "failed"
    return tuple(
        FailedRecipient(
            address=one.address,
            category=_of_prose(one.words, in_group=in_group, delayed=action == "delayed"),
            status=bounce_reasons.status_in(one.words),
            diagnostic=text.one_line(one.words, reports.MAX_DIAGNOSTIC),
            action=action,
            original=one.original,
        )
        for one in told[: reports.MAX_RECIPIENTS]
    )


def _of_prose(words: str, *, in_group: bool, delayed: bool) -> Category:
    category = Category.BLOCKED if in_group else bounce_reasons.judge("", words)
    return Category.TEMPORARY if delayed and category is Category.UNKNOWN else category


def _own_addresses(headers: mime.Headers, original: mime.Headers) -> frozenset[str]:
    """The sender's and the server's own addresses, which a report names without meaning a recipient."""
    names = ("to", "from", "delivered-to", "return-path", "x-original-to")
    values = [
        *(headers.get(name) for name in names),
        *(original.get(name) for name in ("from", "return-path", "sender")),
    ]
    meant = {one.lower() for one in reports.addressed(original)}
    return (
        frozenset(address.lower() for value in values if (address := addresses.first_address(value))) - meant
    )
