"""Gmail's drafts and the two ways to send."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web

from mailbox.sandbox import gmail_search, gmail_shapes, mime
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.bearer import gmail_account, note_gmail_read
from mailbox.sandbox.calls import origin_of
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.mailstore import DRAFTS, Stored
from mailbox.sandbox.refusals import Refusal, json_object
from mailbox.sandbox.sending import send_from_gmail

WRITE = "compose modify"


def draft_routes(base: str) -> list[web.RouteDef]:
    return [
        web.post(base + "/drafts", create),
        web.get(base + "/drafts", list_drafts),
        web.post(base + "/drafts/send", send),
        web.get(base + "/drafts/{id}", get),
        web.put(base + "/drafts/{id}", update),
        web.delete(base + "/drafts/{id}", delete),
        web.post(base + "/messages/send", send_message),
    ]


async def create(request: web.Request) -> web.Response:
    account = gmail_account(request, units=10, scopes=WRITE)
    sandbox = request.app[SANDBOX]
    message = (await _body(request)).get("message")
    raw, thread = _content(sandbox, account, message if isinstance(message, dict) else {})
    draft = f"r{secrets.randbelow(10**19):019d}"
    stored = sandbox.mail.add(account, raw, folder=DRAFTS, thread=thread, draft=draft)
    return web.json_response(_draft(stored))


async def list_drafts(request: web.Request) -> web.Response:
    account = gmail_account(request, units=5, scopes="readonly compose modify metadata")
    sandbox = request.app[SANDBOX]
    query = request.query.get("q", "")
    condition, values = gmail_search.condition(query, now=sandbox.clock.now(), spam_too=False)
    found = sandbox.mail.where(account, f"folder = ? AND {condition}", DRAFTS, *values)
    start = int(request.query.get("pageToken") or 0)
    limit = max(1, min(500, int(request.query.get("maxResults") or 100)))
    body: dict[str, Any] = {"resultSizeEstimate": len(found)}
    if found[start : start + limit]:
        body["drafts"] = [
            {"id": s.draft, "message": gmail_shapes.short(s)} for s in found[start : start + limit]
        ]
    if len(found) > start + limit:
        body["nextPageToken"] = str(start + limit)
    return web.json_response(body)


async def get(request: web.Request) -> web.Response:
    account = gmail_account(request, units=20, scopes="readonly compose modify metadata")
    stored = _existing(request.app[SANDBOX], account, request.match_info["id"])
    format_ = request.query.get("format", "full").lower()
    note_gmail_read(request, format_, [stored.id])
    return web.json_response({"id": stored.draft, "message": gmail_shapes.message(stored, format_)})


async def update(request: web.Request) -> web.Response:
    account = gmail_account(request, units=15, scopes=WRITE)
    sandbox = request.app[SANDBOX]
    old = _existing(sandbox, account, request.match_info["id"])
    message = (await _body(request)).get("message")
    raw, thread = _content(sandbox, account, message if isinstance(message, dict) else {})
    kept = mime.base_subject(mime.parse(raw).subject) == mime.base_subject(old.subject)
    with sandbox.store.transaction():
        sandbox.mail.remove(account, old)
        new_thread = thread or (old.thread if kept else "")
        stored = sandbox.mail.add(account, raw, folder=DRAFTS, thread=new_thread, draft=old.draft)
    return web.json_response(_draft(stored))


async def delete(request: web.Request) -> web.Response:
    account = gmail_account(request, units=10, scopes=WRITE)
    sandbox = request.app[SANDBOX]
    sandbox.mail.remove(account, _existing(sandbox, account, request.match_info["id"]))
    return web.Response(status=204)


async def send(request: web.Request) -> web.Response:
    account = gmail_account(request, units=100, scopes=WRITE)
    sandbox = request.app[SANDBOX]
    body = await _body(request)
    draft = _existing(sandbox, account, str(body.get("id", "")))
    return _sent(sandbox, _submitted(request, account, draft.raw, draft.thread, draft))


async def send_message(request: web.Request) -> web.Response:
    account = gmail_account(request, units=100, scopes=f"{WRITE} send")
    sandbox = request.app[SANDBOX]
    raw, thread = _content(sandbox, account, await _body(request))
    return _sent(sandbox, _submitted(request, account, raw, thread, None))


def _submitted(
    request: web.Request, account: Account, raw: bytes, thread: str, draft: Stored | None
) -> Stored:
    sandbox = request.app[SANDBOX]
    return send_from_gmail(sandbox, account, raw, thread=thread, draft=draft, origin=origin_of(request))


async def _body(request: web.Request) -> dict[str, Any]:
    return json_object(await request.text(), code="parseError")


def _content(sandbox: Sandbox, account: Account, message: dict[str, Any]) -> tuple[bytes, str]:
    """The raw mail and the thread it joins ('' = a new one). Raises Refusal.

    A thread is joined only with threadId, References and an equal Subject together (providers.md 5.2).
    """
    raw = gmail_shapes.decode(message.get("raw"))
    mail = mime.parse(raw)
    for header, found in (("To", mail.to), ("Cc", mail.cc), ("Bcc", mail.bcc)):
        if mail.header(header) and (not found or any(not _is_address(address) for _, address in found)):
            raise Refusal(400, "invalidArgument", f"Invalid {header} header")
    thread = str(message.get("threadId") or "")
    if not thread:
        return raw, ""
    earlier = sandbox.mail.thread(account, thread)
    if not earlier:
        raise Refusal(404, "notFound", "Requested entity was not found.")
    referenced = any(one.message_id in mail.references for one in earlier)
    equal = any(mime.base_subject(one.subject) == mime.base_subject(mail.subject) for one in earlier)
    return raw, thread if referenced and equal else ""


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and not any(c.isspace() or c in "<>,;" for c in text)


def _existing(sandbox: Sandbox, account: Account, draft_id: str) -> Stored:
    stored = sandbox.mail.draft(account, draft_id) if draft_id else None
    if stored is None:
        raise Refusal(404, "notFound", "Requested entity was not found.")
    return stored


def _draft(stored: Stored) -> dict[str, Any]:
    return {
        "id": stored.draft,
        "message": {**gmail_shapes.short(stored), "labelIds": gmail_shapes.labels(stored)},
    }


def _sent(sandbox: Sandbox, stored: Stored) -> web.Response:
    headers = {"Retry-After": "20"} if sandbox.settings.traits.retry_after_on_accept else {}
    body = {**gmail_shapes.short(stored), "labelIds": gmail_shapes.labels(stored)}
    return web.json_response(body, headers=headers)
