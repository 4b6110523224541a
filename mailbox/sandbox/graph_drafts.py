"""Graph's drafts: create from JSON or MIME, change, answer, send and delete."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from html import escape
from typing import Any

from mailbox.sandbox import mime
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.context import Sandbox
from mailbox.sandbox.graph_shapes import FIELDS
from mailbox.sandbox.mailstore import DRAFTS, Stored
from mailbox.sandbox.refusals import Refusal

People = tuple[tuple[str, str], ...]
WRITABLE = frozenset(FIELDS) | {"internetMessageHeaders", "singleValueExtendedProperties", "attachments"}
LISTS = {"toRecipients": "to", "ccRecipients": "cc", "bccRecipients": "bcc", "replyTo": "reply_to"}


@dataclass(frozen=True)
class Content:
    """A draft's parts as Graph sees them; `headers` are the x- ones."""

    message_id: str
    subject: str = ""
    html: str = ""
    text: str = ""
    to: People = ()
    cc: People = ()
    bcc: People = ()
    reply_to: People = ()
    references: tuple[str, ...] = ()
    headers: People = ()
    receipt: bool = False
    files: tuple[mime.File, ...] = ()


def create(sandbox: Sandbox, account: Account, wish: dict[str, Any]) -> Stored:
    """A draft from a JSON message. Raises Refusal."""
    content = changed(Content(message_id=new_message_id()), wish)
    return sandbox.mail.add(
        account, written(sandbox, account, content), folder=DRAFTS, properties=properties(wish)
    )


def create_from_mime(sandbox: Sandbox, account: Account, text: str) -> Stored:
    """A draft from a whole mail in base64. Raises Refusal."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if not raw:
        message = "Invalid base64 string for MIME content."
        raise Refusal(400, "ErrorMimeContentInvalidBase64String", message)
    mail = mime.parse(raw)
    if not mail.message_id:
        raw = mime.with_headers(raw, {"Message-ID": new_message_id()})
    parent = sandbox.mail.with_references(account, mail.references)
    joins = parent is not None and mime.base_subject(parent.subject) == mime.base_subject(mail.subject)
    return sandbox.mail.add(account, raw, folder=DRAFTS, thread=parent.thread if parent and joins else "")


def change(sandbox: Sandbox, account: Account, draft: Stored, wish: dict[str, Any]) -> Stored:
    """PATCH. A new subject opens a new conversation. Raises Refusal."""
    if not draft.is_draft and set(wish) - {"isRead", "categories", "flag", "importance"}:
        raise Refusal(
            400, "ErrorInvalidRequest", "The message is not a draft: this property cannot be changed."
        )
    content = changed(_read(draft), wish)
    own = {**draft.properties, **properties(wish)}
    same = mime.base_subject(content.subject) == mime.base_subject(draft.subject) or not draft.subject
    thread = draft.thread if same else "AAQkAD" + secrets.token_urlsafe(36)
    raw = written(sandbox, account, content) if draft.is_draft else draft.raw
    return sandbox.mail.rewrite(account, draft, raw, properties=own, thread=thread)


def create_reply(sandbox: Sandbox, account: Account, original: Stored, wish: dict[str, Any]) -> Stored:
    """A draft that answers `original` in its conversation. Raises Refusal."""
    message = wish.get("message") or {}
    if not isinstance(message, dict):
        raise Refusal(400, "ErrorInvalidRequest", "message must be an object.")
    if wish.get("comment") and "body" in message:
        raise Refusal(400, "ErrorInvalidRequest", "Comment and message body cannot both be given.")
    if original.is_draft:
        raise Refusal(400, "ErrorInvalidOperation", "A draft cannot be answered.")
    mail = mime.parse(original.raw)
    comment = f"<p>{escape(str(wish['comment']))}</p>" if wish.get("comment") else ""
    quoted = mail.html or f"<pre>{escape(mail.text)}</pre>"
    subject = mail.subject if mail.subject.lower().startswith("re:") else f"RE: {mail.subject}"
    content = Content(
        message_id=new_message_id(),
        subject=subject,
        html=f"{comment}<hr><p><b>From:</b> {escape(mail.header('From'))}</p>{quoted}",
        to=((mail.sender_name, mail.sender),),
        references=tuple(dict.fromkeys([*mail.references, original.message_id])),
    )
    content = changed(content, message)
    same = mime.base_subject(content.subject) == mime.base_subject(original.subject)
    return sandbox.mail.add(
        account,
        written(sandbox, account, content),
        folder=DRAFTS,
        thread=original.thread if same else "",
        properties=properties(message),
    )


def changed(content: Content, wish: dict[str, Any]) -> Content:
    """The content with what a JSON message sets. Raises Refusal for what Graph refuses."""
    for name in wish:
        if name not in WRITABLE and not name.startswith("@odata"):
            message = f"The property '{name}' does not exist on type 'microsoft.graph.message'."
            raise Refusal(400, "RequestBodyRead", message)
    new: dict[str, Any] = {}
    if "subject" in wish:
        new["subject"] = " ".join(str(wish["subject"] or "").split())
    body = wish.get("body")
    if isinstance(body, dict):
        words = str(body.get("content") or "")
        is_html = str(body.get("contentType") or "text").lower() == "html"
        new |= {"html": words if is_html else "", "text": "" if is_html else words}
    for name, field in LISTS.items():
        if name in wish:
            new[field] = _people(wish[name])
    if "internetMessageHeaders" in wish:
        new["headers"] = _headers(wish["internetMessageHeaders"])
    if wish.get("internetMessageId"):
        new["message_id"] = str(wish["internetMessageId"])
    if "isDeliveryReceiptRequested" in wish:
        new["receipt"] = bool(wish["isDeliveryReceiptRequested"])
    return replace(content, **new)


def properties(wish: dict[str, Any]) -> dict[str, str]:
    """The extended properties that a JSON message sets."""
    given = wish.get("singleValueExtendedProperties") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) and "id" in one for one in given):
        raise Refusal(
            400, "ErrorInvalidRequest", "singleValueExtendedProperties must be a list of id and value."
        )
    return {str(one["id"]): str(one.get("value", "")) for one in given}


def written(sandbox: Sandbox, account: Account, content: Content) -> bytes:
    """The mail in bytes, as Exchange would write it."""
    headers = [("From", _address((account.name, account.email)))]
    for name, people in (
        ("To", content.to),
        ("Cc", content.cc),
        ("Bcc", content.bcc),
        ("Reply-To", content.reply_to),
    ):
        if people:
            headers.append((name, ", ".join(_address(one) for one in people)))
    headers += [
        ("Subject", content.subject),
        ("Date", formatdate(sandbox.clock.now())),
        ("Message-ID", content.message_id),
    ]
    if content.references:
        headers.append(("In-Reply-To", content.references[-1]))
        headers.append(("References", " ".join(content.references)))
    if content.receipt:
        headers.append(("Return-Receipt-To", account.email))
    headers += [*content.headers, ("MIME-Version", "1.0")]
    parts = [("plain", content.text or mime.as_text(content.html))]
    if content.html:
        parts.append(("html", content.html))
    try:
        return b"".join(
            _lines(headers, parts) if not content.files else _with_files(headers, parts, content.files)
        )
    except (UnicodeError, ValueError, IndexError):
        raise Refusal(400, "ErrorInvalidRecipients", "At least one recipient is not valid.") from None


def _lines(headers: list[tuple[str, str]], parts: list[tuple[str, str]]) -> Iterator[bytes]:
    """A mail of one part or of two alternatives, written out: the library takes a millisecond for it."""
    for name, value in headers:
        text = value if value.isascii() and len(value) < 900 else _encoded(name, value)
        yield f"{name}: {text}\r\n".encode("ascii")
    alternatives = len(parts) > 1
    boundary = f"=_sbx_{secrets.token_hex(12)}"
    if alternatives:
        yield f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode()
    for kind, text in parts:
        if alternatives:
            yield f"--{boundary}\r\n".encode()
        head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        yield head.encode()
        lines = "\r\n".join(f"{text}\n".splitlines()) + "\r\n"
        yield base64.encodebytes(lines.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    if alternatives:
        yield f"--{boundary}--\r\n".encode()


def _with_files(
    headers: list[tuple[str, str]], parts: list[tuple[str, str]], files: tuple[mime.File, ...]
) -> Iterator[bytes]:
    """The text as the first part of a mixed mail, the files behind it."""
    boundary = f"=_sbf_{secrets.token_hex(12)}"
    yield from _lines([*headers, ("Content-Type", f'multipart/mixed; boundary="{boundary}"')], [])
    yield f"\r\n--{boundary}\r\n".encode()
    yield from _lines([], parts)
    for file in files:
        yield f"\r\n--{boundary}\r\n".encode() + mime.file_part(file)
    yield f"\r\n--{boundary}--\r\n".encode()


def attach(sandbox: Sandbox, account: Account, draft: Stored, file: mime.File) -> Stored:
    """The draft with one more file. Raises Refusal."""
    if not draft.is_draft:
        raise Refusal(400, "ErrorInvalidRequest", "Attachments can be added to a draft only.")
    content = _read(draft)
    raw = written(sandbox, account, replace(content, files=(*content.files, file)))
    return sandbox.mail.rewrite(account, draft, raw, properties=draft.properties, thread=draft.thread)


def _encoded(name: str, value: str) -> str:
    """A header that needs folding or RFC 2047 words, as the library writes it."""
    message = EmailMessage(policy=SMTP)
    message[name] = value
    return message.as_string().partition(":")[2].strip()


def new_message_id() -> str:
    return f"<SBX{secrets.token_hex(16).upper()}@SBXP001.PROD.OUTLOOK.COM>"


def _read(draft: Stored) -> Content:
    mail = mime.parse(draft.raw)
    return Content(
        message_id=draft.message_id,
        subject=mail.subject,
        html=mail.html,
        text="" if mail.html else mail.text,
        to=mail.to,
        cc=mail.cc,
        bcc=mail.bcc,
        references=mail.references,
        headers=tuple(pair for pair in mail.headers if pair[0].lower().startswith("x-")),
        receipt=bool(mail.header("Return-Receipt-To")),
        files=mime.files_of(draft.raw),
    )


def _people(given: object) -> People:
    if not isinstance(given, list):
        raise Refusal(400, "ErrorInvalidRequest", "A list of recipients was expected.")
    found = []
    for one in given:
        address = one.get("emailAddress") if isinstance(one, dict) else None
        if not isinstance(address, dict):
            raise Refusal(400, "ErrorInvalidRequest", "A recipient needs an emailAddress.")
        found.append(
            (" ".join(str(address.get("name") or "").split()), str(address.get("address") or "").strip())
        )
    return tuple(found)


def _headers(given: object) -> People:
    found = []
    for one in given if isinstance(given, list) else []:
        name, value = str(one.get("name", "")), str(one.get("value", ""))
        if not name.lower().startswith("x-"):
            message = f"The internet message header name '{name}' should start with 'x-' or 'X-'."
            raise Refusal(400, "InvalidInternetMessageHeader", message)
        found.append((name, " ".join(value.split())))
    return tuple(found)


def _address(one: tuple[str, str]) -> str:
    name, address = one
    if any(c.isspace() or c in "<>,;" for c in address):
        raise Refusal(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
    quoted = name.replace("\\", "").replace('"', "")
    return f'"{quoted}" <{address}>' if quoted and quoted != address else address
