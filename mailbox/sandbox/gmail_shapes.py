"""Gmail's JSON: messages in four formats, as in the API's discovery document."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from email.message import Message
from typing import Any

from mailbox.sandbox import mime
from mailbox.sandbox.mailstore import DRAFTS, INBOX, JUNK, SENT, Stored
from mailbox.sandbox.refusals import Refusal

FORMATS = ("full", "metadata", "minimal", "raw")
LABELS = {
    INBOX: ["UNREAD", "CATEGORY_PERSONAL", "INBOX"],
    SENT: ["SENT"],
    DRAFTS: ["DRAFT"],
    JUNK: ["UNREAD", "SPAM"],
}
MAX_UPLOAD = 36_700_160


def labels(stored: Stored) -> list[str]:
    return list(LABELS.get(stored.folder, []))


def short(stored: Stored) -> dict[str, Any]:
    return {"id": stored.id, "threadId": stored.thread}


def message(stored: Stored, format_: str, wanted: Iterable[str] = ()) -> dict[str, Any]:
    """One message; `wanted` limits the headers of format metadata. Raises Refusal for an unknown format."""
    format_ = format_.lower()
    if format_ not in FORMATS:
        raise Refusal(400, "invalidArgument", f"Invalid value for format: {format_}")
    body: dict[str, Any] = {
        "id": stored.id,
        "threadId": stored.thread,
        "labelIds": labels(stored),
        "snippet": stored.snippet,
        "sizeEstimate": len(stored.raw),
        "historyId": str(stored.seq),
        "internalDate": str(int(stored.at * 1000)),
    }
    if format_ == "raw":
        body["raw"] = encode(stored.raw)
    elif format_ == "metadata":
        names = {name.lower() for name in wanted}
        mail = mime.parse(stored.raw)
        headers = [
            {"name": name, "value": value}
            for name, value in mail.headers
            if not names or name.lower() in names
        ]
        body["payload"] = {"mimeType": mail.content_type, "headers": headers}
    elif format_ == "full":
        body["payload"] = _part(mime.message_of(stored.raw), "")
    return body


def attachment(stored: Stored, attachment_id: str) -> bytes | None:
    """The bytes of one attachment; its id is the number of its part."""
    for part_id, part in _leaves(mime.message_of(stored.raw), ""):
        if f"att-{part_id}" == attachment_id:
            return mime.payload(part)
    return None


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def decode(text: object) -> bytes:
    """Base64url, with or without padding. Raises Refusal."""
    required = "'raw' RFC822 payload message string or uploading message via /upload/* URL required"
    if not isinstance(text, str) or not text:
        raise Refusal(400, "invalidArgument", required)
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Refusal(400, "invalidArgument", "Invalid value for ByteString: " + text[:20]) from None
    if len(data) > MAX_UPLOAD:
        raise Refusal(413, "uploadTooLarge", "Request Entity Too Large")
    return data


def _headers(part: Message) -> list[dict[str, str]]:
    return [{"name": name, "value": mime.decoded(str(value))} for name, value in part.items()]


def _part(part: Message, part_id: str) -> dict[str, Any]:
    filename = part.get_filename() or ""
    shape: dict[str, Any] = {
        "partId": part_id,
        "mimeType": part.get_content_type(),
        "filename": filename,
        "headers": _headers(part),
        "body": {"size": 0},
    }
    children = _children(part, part_id)
    if children:
        shape["parts"] = [_part(child, child_id) for child_id, child in children]
        return shape
    data = mime.payload(part)
    shape["body"] = {"size": len(data)}
    if filename:
        shape["body"]["attachmentId"] = f"att-{part_id}"
    elif data:
        shape["body"]["data"] = encode(data)
    return shape


def _children(part: Message, part_id: str) -> list[tuple[str, Message]]:
    inner = part.get_payload()
    if not part.is_multipart() or not isinstance(inner, list):
        return []
    prefix = f"{part_id}." if part_id else ""
    return [(f"{prefix}{i}", child) for i, child in enumerate(inner) if isinstance(child, Message)]


def _leaves(part: Message, part_id: str) -> Iterable[tuple[str, Message]]:
    children = _children(part, part_id)
    if not children:
        yield part_id, part
    for child_id, child in children:
        yield from _leaves(child, child_id)
