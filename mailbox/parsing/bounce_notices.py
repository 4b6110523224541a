"""Amazon's notifications about a mail (SES through SNS), which come as JSON in the body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mailbox.parsing import addresses, bounce_reasons, mime, text
from mailbox.parsing import bounce_report as reports
from mailbox.parsing.bounce_reasons import Category
from mailbox.parsing.bounce_report import BounceReport, FailedRecipient

MAX_BODY = 256 * 1024
_LISTS = {
    "bounce": "bouncedRecipients",
    "complaint": "complainedRecipients",
    "delivery": "recipients",
    "deliverydelay": "delayedRecipients",
}
_ACTIONS = {"complaint": "failed", "delivery": "delivered", "deliverydelay": "delayed"}


def read(mail: mime.Mail, words: str) -> BounceReport | None:
    """None for a body that is no such notification."""
    found = _object(words)
    if isinstance(found.get("Message"), str):
        found = _object(found["Message"])
    about = found.get("mail")
    kind = str(found.get("notificationType") or found.get("eventType") or "")[:40].replace(" ", "").lower()
    if kind not in _LISTS or not isinstance(about, dict):
        return None
    section = found.get("deliveryDelay" if kind == "deliverydelay" else kind)
    if not isinstance(section, dict):
        return None
    headers = about.get("commonHeaders")
    ids = [headers.get("messageId")] if isinstance(headers, dict) else []
    ids.append(f"<{about.get('messageId')}@email.amazonses.com>")
    recipients = tuple(_recipients(section, kind))
    if not recipients:
        return None
    return reports.made(
        mail, mime.Headers(), recipients, more_ids=[one for one in ids if isinstance(one, str)]
    )


def _object(words: str) -> dict[str, Any]:
    words = words[:MAX_BODY].lstrip()
    if not words.startswith("{"):
        return {}
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(words)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _recipients(section: dict[str, Any], kind: str) -> Iterator[FailedRecipient]:
    listed = section.get(_LISTS[kind])
    for one in listed[: reports.MAX_RECIPIENTS] if isinstance(listed, list) else []:
        fields = one if isinstance(one, dict) else {"emailAddress": one}
        address = addresses.first_address(str(fields.get("emailAddress", ""))[:1000])
        if not address:
            continue
        words = text.one_line(str(fields.get("diagnosticCode", ""))[:4000], reports.MAX_DIAGNOSTIC)
        status = bounce_reasons.status_in(str(fields.get("status", ""))[:40])
        yield FailedRecipient(
            address, _category(section, kind, status, words), status, words, _ACTIONS.get(kind, "failed")
        )


def _category(section: dict[str, Any], kind: str, status: str, words: str) -> Category:
    if kind == "complaint":
        return Category.COMPLAINT
    if kind == "delivery":
        return Category.DELIVERED
    if kind == "deliverydelay":
        return Category.TEMPORARY
    told = f"{section.get('bounceType', '')} {section.get('bounceSubType', '')}"[:100].lower()
    judged = bounce_reasons.judge(status, words)
    if judged is not Category.UNKNOWN or not told.strip():
        return judged
    if "toolarge" in told or "rejected" in told:
        return Category.BLOCKED
    return Category.TEMPORARY if told.startswith("transient") else Category.UNKNOWN
