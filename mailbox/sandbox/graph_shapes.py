"""Graph's JSON for messages and folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mailbox.sandbox import mime
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.mailstore import FOLDERS, Stored

NAMES = {
    "inbox": "Inbox",
    "sentitems": "Sent Items",
    "drafts": "Drafts",
    "junkemail": "Junk Email",
    "deleteditems": "Deleted Items",
    "archive": "Archive",
    "outbox": "Outbox",
}
MESSAGE_CLASS = "String 0x001A"
ON_DEMAND = ("internetMessageHeaders", "uniqueBody")
FIELDS = (
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
)
BODIES = ("body", "uniqueBody")


def folder_id(account: Account, folder: str) -> str:
    return "AQMkADSBX" + hashlib.sha256(f"{account.subject}:{folder}".encode()).hexdigest()[:40]


def folder_named(account: Account, name: str) -> str | None:
    """The folder behind a well-known name or an id."""
    return next((f for f in FOLDERS if name.lower() == f or name == folder_id(account, f)), None)


def folder(account: Account, name: str, total: int) -> dict[str, Any]:
    return {
        "id": folder_id(account, name),
        "displayName": NAMES[name],
        "parentFolderId": folder_id(account, "root"),
        "childFolderCount": 0,
        "unreadItemCount": 0,
        "totalItemCount": total,
        "isHidden": False,
    }


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def message(
    account: Account,
    stored: Stored,
    *,
    select: frozenset[str] | None = None,
    expand: Iterable[str] = (),
    as_text: bool = False,
) -> dict[str, Any]:
    """One message; `select` None means every usual field, `expand` holds ids of extended properties."""
    wanted = frozenset(FIELDS) if select is None else select
    mail = mime.parse(stored.raw)
    whole = _fields(account, stored, mail) if wanted - {"id"} else {}
    if wanted & {"body", "uniqueBody", "bodyPreview", "hasAttachments"}:
        whole |= _read_fields(stored, mail, as_text)
    shape: dict[str, Any] = {"@odata.etag": f'W/"{_change_key(stored)}"', "id": stored.id}
    shape |= {name: whole[name] for name in FIELDS if name in wanted and name in whole}
    if "internetMessageHeaders" in wanted and not stored.is_draft:
        shape["internetMessageHeaders"] = [{"name": name, "value": value} for name, value in mail.headers]
    if "uniqueBody" in wanted:
        shape["uniqueBody"] = whole["body"]
    properties = _properties(stored, mail, expand)
    if properties:
        shape["singleValueExtendedProperties"] = properties
    return shape


def property_key(name: str) -> str:
    """A property's id for comparing: only the part after Name is case-sensitive."""
    head, separator, own = name.partition(" Name ")
    return " ".join(head.split()).lower() + separator + own


def person(name: str, address: str) -> dict[str, Any]:
    return {"emailAddress": {"name": name or address, "address": address}}


def _read_fields(stored: Stored, mail: mime.Mail, as_text: bool) -> dict[str, Any]:
    """What only the body tells."""
    html = bool(mail.html) and not as_text
    return {
        "hasAttachments": _has_attachments(stored.raw),
        "bodyPreview": " ".join(mail.plain.split())[:255],
        "body": {"contentType": "html" if html else "text", "content": mail.html if html else mail.plain},
    }


def _fields(account: Account, stored: Stored, mail: mime.Mail) -> dict[str, Any]:
    at = moment(stored.at)
    author = person(mail.sender_name, mail.sender) if mail.sender else person(account.name, account.email)
    receipt = mail.header("Return-Receipt-To") != ""
    return {
        "id": stored.id,
        "createdDateTime": at,
        "lastModifiedDateTime": at,
        "changeKey": _change_key(stored),
        "categories": [],
        "receivedDateTime": at,
        "sentDateTime": at,
        "internetMessageId": stored.message_id,
        "subject": mail.subject,
        "importance": "normal",
        "parentFolderId": folder_id(account, stored.folder),
        "conversationId": stored.thread,
        "conversationIndex": "AQHSandbox",
        "isDeliveryReceiptRequested": receipt,
        "isReadReceiptRequested": False,
        "isRead": stored.folder != "inbox",
        "isDraft": stored.is_draft,
        "webLink": "",
        "inferenceClassification": "focused",
        "sender": author,
        "from": author,
        "toRecipients": [person(*one) for one in mail.to],
        "ccRecipients": [person(*one) for one in mail.cc],
        "bccRecipients": [person(*one) for one in mail.bcc],
        "replyTo": [],
        "flag": {"flagStatus": "notFlagged"},
    }


def _properties(stored: Stored, mail: mime.Mail, expand: Iterable[str]) -> list[dict[str, str]]:
    kept = {property_key(name): (name, value) for name, value in stored.properties.items()}
    report = mail.header("Content-Type").lower().startswith("multipart/report")
    automatic = mail.header("Auto-Submitted").lower() == "auto-replied" and not report
    kind = (
        "IPM.Note.Rules.OofTemplate.Microsoft"
        if automatic
        else "REPORT.IPM.Note.NDR"
        if report
        else "IPM.Note"
    )
    kept[property_key(MESSAGE_CLASS)] = (MESSAGE_CLASS, kind)
    found = (kept.get(property_key(name)) for name in expand)
    return [{"id": pair[0], "value": pair[1]} for pair in found if pair]


def _has_attachments(raw: bytes) -> bool:
    if b"filename" not in raw:
        return False
    return any(part.get_filename() for part in mime.message_of(raw).walk())


def _change_key(stored: Stored) -> str:
    return f"CQAAABYAAAC{stored.seq:08d}"
