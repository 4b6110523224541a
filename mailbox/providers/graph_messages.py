"""A mail in Graph's JSON: what we write, and what we read of one that came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mailbox.providers import inbound, likeness
from mailbox.providers.likeness import bare_subject
from mailbox.providers.outgoing import KEY_HEADER
from mailbox.types import InboundHeader, OutgoingEmail

PREFER = {"Prefer": 'IdType="ImmutableId"'}
# Ours for ever: sent mails are found by it. The name is case-sensitive.
KEY_PROPERTY = "String {8f1d5c6e-2b0a-4c57-9c3e-6d1f0a7be942} Name OutreachSendKey"
LIST_UNSUBSCRIBE = "String 0x1045"
IN_REPLY_TO = "String 0x1042"
REFERENCES = "String 0x1039"
# Never a body, and no preview of one.
SELECT = (
    "id,conversationId,internetMessageId,subject,from,toRecipients,receivedDateTime,isDraft,"
    "internetMessageHeaders"
)
# What a recipient gets of a draft.
FACE = "isDraft,subject,body,toRecipients,ccRecipients,bccRecipients,hasAttachments"


def key_filter(key: str) -> str:
    return (
        f"singleValueExtendedProperties/Any(ep: ep/id eq '{KEY_PROPERTY}' and ep/value eq "
        f"'{key.replace(chr(39), chr(39) * 2)}')"
    )


def mark(key: str) -> str:
    """One word for the text of an answer that does not carry the property yet: found by it if it stays so."""
    return f"outreach{key.replace('-', '')}"


def new(mail: OutgoingEmail) -> dict[str, Any]:
    """A message of its own. Where it belongs to a thread that cannot be answered any more, properties
    lead the recipient's side to it: Graph takes no such header."""
    own = {KEY_HEADER: mail.key} | dict(mail.headers)
    # The others would fail the whole send with InvalidInternetMessageHeader (providers.md 1, 8).
    headers = [{"name": n, "value": v} for n, v in own.items() if n.lower().startswith("x-")]
    properties = _properties(mail)
    if mail.thread is not None and mail.thread.references:
        ids = mail.thread.references
        properties += [_property(IN_REPLY_TO, ids[-1]), _property(REFERENCES, " ".join(ids[-12:]))]
    return {
        "subject": mail.subject,
        **_content(mail),
        "internetMessageHeaders": headers,
        "singleValueExtendedProperties": properties,
    }


def follow_up(mail: OutgoingEmail, *, subject: str) -> dict[str, Any]:
    """What makes createReply's draft ours. The subject stays while it is the same: a new one would
    open a new conversation. Headers can be set at the making only."""
    change = {**_content(mail), "singleValueExtendedProperties": _properties(mail)}
    if bare_subject(mail.subject) != bare_subject(subject):
        change["subject"] = mail.subject
    return change


def _content(mail: OutgoingEmail) -> dict[str, Any]:
    html = mail.html is not None
    person = {"address": mail.to_address} | ({"name": mail.to_name} if mail.to_name else {})
    return {
        "body": {"contentType": "html" if html else "text", "content": mail.html if html else mail.text},
        "toRecipients": [{"emailAddress": person}],
        "ccRecipients": [],
        "bccRecipients": [],
    }


def _properties(mail: OutgoingEmail) -> list[dict[str, str]]:
    listed = next((value for name, value in mail.headers if name.lower() == "list-unsubscribe"), "")
    return [_property(KEY_PROPERTY, mail.key)] + ([_property(LIST_UNSUBSCRIBE, listed)] if listed else [])


def _property(name: str, value: str) -> dict[str, str]:
    return {"id": name, "value": value}


def face(shape: dict[str, Any]) -> likeness.Face:
    """Of a message with the fields of FACE."""
    fields = ("toRecipients", "ccRecipients", "bccRecipients")
    people = [one for field in fields for one in shape.get(field) or []]
    body = shape.get("body") or {}
    content = str(body.get("content") or "")
    is_html = str(body.get("contentType") or "").lower() == "html"
    return likeness.Face.made(
        people=[str((one.get("emailAddress") or {}).get("address") or "") for one in people],
        subject=str(shape.get("subject") or ""),
        text="" if is_html else content,
        html=content if is_html else "",
        attached=bool(shape.get("hasAttachments")),
    )


def header(shape: dict[str, Any], *, own: bool) -> InboundHeader:
    """The mail's own headers, completed by Graph's fields where a header is missing."""
    pairs = [
        (str(one.get("name", "")), str(one.get("value", "")))
        for one in shape.get("internetMessageHeaders") or []
    ]
    names = {name.lower() for name, _ in pairs}
    wanted = {name.lower() for name in inbound.WANTED}
    pairs = [pair for pair in pairs if pair[0].lower() in wanted]
    fields = {
        "From": _person(shape.get("from")),
        "To": ", ".join(_person(one) for one in shape.get("toRecipients") or []),
        "Subject": str(shape.get("subject") or ""),
        "Message-ID": str(shape.get("internetMessageId") or ""),
    }
    pairs += [(name, value) for name, value in fields.items() if value and name.lower() not in names]
    return inbound.header_of(
        pairs,
        provider_id=str(shape["id"]),
        thread_id=str(shape.get("conversationId") or ""),
        received_at=_moment(str(shape.get("receivedDateTime") or "")),
        own=own,
    )


def _person(one: Any) -> str:
    address = (one or {}).get("emailAddress") or {}
    name = str(address.get("name") or "").replace("\\", "").replace('"', "")
    found = str(address.get("address") or "")
    return f'"{name}" <{found}>' if name and name != found else found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
