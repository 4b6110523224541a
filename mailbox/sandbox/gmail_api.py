"""Gmail's API under /gmail/v1/users/{user}: drafts, messages, threads, history and settings."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from mailbox.sandbox import gmail_search, gmail_shapes
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.bearer import gmail_account, metadata_only, note_gmail_read
from mailbox.sandbox.calls import note_body_read
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.gmail_drafts import draft_routes
from mailbox.sandbox.mailstore import Stored
from mailbox.sandbox.refusals import Refusal

BASE = "/gmail/v1/users/{user}"
READ = "readonly modify"
READ_OR_METADATA = "readonly modify metadata"
KINDS = {"messageAdded": "added", "messageDeleted": "deleted"}
WEEK_MS = 604_800_000
TOPIC = re.compile(r"projects/[a-z0-9-]+/topics/[\w.~+%-]+")


def routes() -> list[web.RouteDef]:
    return [
        web.get(BASE + "/profile", get_profile),
        web.get(BASE + "/messages", list_messages),
        web.get(BASE + "/messages/{id}", get_message),
        web.get(BASE + "/messages/{id}/attachments/{attachment}", get_attachment),
        web.get(BASE + "/threads", list_threads),
        web.get(BASE + "/threads/{id}", get_thread),
        web.get(BASE + "/history", list_history),
        web.get(BASE + "/settings/sendAs", list_send_as),
        web.get(BASE + "/labels", list_labels),
        web.post(BASE + "/watch", watch),
        web.post(BASE + "/stop", stop),
        *draft_routes(BASE),
    ]


async def get_profile(request: web.Request) -> web.Response:
    account = gmail_account(request, units=1, scopes="readonly compose modify metadata")
    mail = request.app[SANDBOX].mail
    messages, threads = mail.counts(account)
    return web.json_response(
        {
            "emailAddress": account.email,
            "messagesTotal": messages,
            "threadsTotal": threads,
            "historyId": str(mail.cursor(account)),
        }
    )


async def list_messages(request: web.Request) -> web.Response:
    account = gmail_account(request, units=5, scopes=READ_OR_METADATA)
    found = _search(request, account)
    page, token = _page(found, request, "maxResults", 100)
    body: dict[str, Any] = {"resultSizeEstimate": len(found)}
    if page:
        body["messages"] = [gmail_shapes.short(stored) for stored in page]
    if token:
        body["nextPageToken"] = token
    return web.json_response(body)


async def get_message(request: web.Request) -> web.Response:
    account = gmail_account(request, units=20, scopes=READ_OR_METADATA)
    stored = request.app[SANDBOX].mail.get(account, request.match_info["id"])
    if stored is None:
        raise Refusal(404, "notFound", "Requested entity was not found.")
    format_ = _format(request)
    note_gmail_read(request, format_, [stored.id])
    return web.json_response(
        gmail_shapes.message(stored, format_, request.query.getall("metadataHeaders", []))
    )


async def get_attachment(request: web.Request) -> web.Response:
    account = gmail_account(request, units=20, scopes=READ)
    stored = request.app[SANDBOX].mail.get(account, request.match_info["id"])
    data = gmail_shapes.attachment(stored, request.match_info["attachment"]) if stored else None
    if stored is None or data is None:
        raise Refusal(404, "notFound", "Requested entity was not found.")
    note_body_read(request, [stored.id])
    return web.json_response({"size": len(data), "data": gmail_shapes.encode(data)})


async def list_threads(request: web.Request) -> web.Response:
    account = gmail_account(request, units=10, scopes=READ_OR_METADATA)
    newest: dict[str, Stored] = {}
    for stored in _search(request, account):
        newest.setdefault(stored.thread, stored)
    page, token = _page(list(newest.values()), request, "maxResults", 100)
    body: dict[str, Any] = {"resultSizeEstimate": len(newest)}
    if page:
        body["threads"] = [{"id": s.thread, "snippet": s.snippet, "historyId": str(s.seq)} for s in page]
    if token:
        body["nextPageToken"] = token
    return web.json_response(body)


async def get_thread(request: web.Request) -> web.Response:
    account = gmail_account(request, units=40, scopes=READ_OR_METADATA)
    stored = request.app[SANDBOX].mail.thread(account, request.match_info["id"])
    if not stored:
        raise Refusal(404, "notFound", "Requested entity was not found.")
    format_ = _format(request)
    wanted = request.query.getall("metadataHeaders", [])
    note_gmail_read(request, format_, [one.id for one in stored])
    messages = [gmail_shapes.message(one, format_, wanted) for one in stored]
    return web.json_response(
        {"id": stored[0].thread, "historyId": str(max(one.seq for one in stored)), "messages": messages}
    )


async def list_history(request: web.Request) -> web.Response:
    account = gmail_account(request, units=2, scopes=READ_OR_METADATA)
    mail = request.app[SANDBOX].mail
    start = request.query.get("startHistoryId", "")
    if not start.isdigit():
        raise Refusal(400, "invalidArgument", "Missing or invalid startHistoryId")
    if not mail.oldest(account) <= int(start) <= mail.cursor(account):
        raise Refusal(404, "notFound", "Requested entity was not found.")
    wanted = {KINDS[name] for name in request.query.getall("historyTypes", []) if name in KINDS}
    limit = _limit(request, "maxResults", 100)
    after = int(request.query.get("pageToken") or start)
    changes = mail.changes(account, after, limit + 1)
    body: dict[str, Any] = {"historyId": str(mail.cursor(account))}
    records = []
    for change in changes[:limit]:
        record = _history_record(
            request.app[SANDBOX], account, dict(change), wanted, request.query.get("labelId")
        )
        if record:
            records.append(record)
    if records:
        body["history"] = records
    if len(changes) > limit:
        body["nextPageToken"] = str(changes[limit - 1]["seq"])
    return web.json_response(body)


async def list_send_as(request: web.Request) -> web.Response:
    account = gmail_account(request, units=1, scopes="readonly modify settings.basic")
    alias = {
        "sendAsEmail": account.email,
        "displayName": account.name,
        "replyToAddress": "",
        "signature": "",
        "isPrimary": True,
        "isDefault": True,
    }
    return web.json_response({"sendAs": [alias]})


async def list_labels(request: web.Request) -> web.Response:
    gmail_account(request, units=1, scopes="readonly modify metadata labels")
    names = ("INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "UNREAD", "CATEGORY_PERSONAL")
    return web.json_response({"labels": [{"id": name, "name": name, "type": "system"} for name in names]})


async def watch(request: web.Request) -> web.Response:
    account = gmail_account(request, units=100, scopes=READ_OR_METADATA)
    try:
        wish = json.loads(await request.text() or "{}")
        topic, labels = str(wish.get("topicName") or ""), [str(one) for one in wish.get("labelIds", [])]
    except (ValueError, AttributeError, TypeError):
        topic, labels = "", []
    if not TOPIC.fullmatch(topic):
        raise Refusal(400, "invalidArgument", "Invalid topicName")
    sandbox = request.app[SANDBOX]
    expiration = int(sandbox.clock.now() * 1000) + WEEK_MS
    sandbox.pushes.watch(account, labels, expiration / 1000)
    return web.json_response({"historyId": str(sandbox.mail.cursor(account)), "expiration": str(expiration)})


async def stop(request: web.Request) -> web.Response:
    account = gmail_account(request, units=50, scopes=READ_OR_METADATA)
    request.app[SANDBOX].pushes.stop(account)
    return web.Response(status=204)


def _format(request: web.Request) -> str:
    return request.query.get("format", "full").lower()


def _search(request: web.Request, account: Account) -> list[Stored]:
    query = request.query.get("q", "")
    if query and metadata_only(request):
        raise Refusal(403, "forbidden", "Metadata scope does not support 'q' parameter")
    sandbox = request.app[SANDBOX]
    spam_too = request.query.get("includeSpamTrash", "").lower() == "true"
    condition, values = gmail_search.condition(query, now=sandbox.clock.now(), spam_too=spam_too)
    wanted = set(request.query.getall("labelIds", []))
    found = sandbox.mail.where(account, condition, *values)
    return [stored for stored in found if wanted <= set(gmail_shapes.labels(stored))]


def _limit(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if text and not text.isdigit():
        raise Refusal(400, "invalidArgument", f"Invalid value at '{name}'")
    return max(1, min(500, int(text or default)))


def _page(found: list[Stored], request: web.Request, name: str, default: int) -> tuple[list[Stored], str]:
    limit = _limit(request, name, default)
    token = request.query.get("pageToken", "0")
    if not token.isdigit():
        raise Refusal(400, "invalidArgument", "Invalid pageToken")
    start = int(token)
    return found[start : start + limit], str(start + limit) if len(found) > start + limit else ""


def _history_record(
    sandbox: Sandbox, account: Account, change: dict[str, Any], wanted: set[str], label: str | None
) -> dict[str, Any] | None:
    kind = change["kind"]
    if kind not in KINDS.values() or (wanted and kind not in wanted):
        return None
    labels = list(gmail_shapes.LABELS.get(change["folder"], []))
    if label and label not in labels:
        return None
    short = {"id": change["message"], "threadId": change["thread"]}
    stored = sandbox.mail.get(account, change["message"])
    if stored is not None:
        labels = gmail_shapes.labels(stored)
    name = "messagesAdded" if kind == "added" else "messagesDeleted"
    return {"id": str(change["seq"]), "messages": [short], name: [{"message": {**short, "labelIds": labels}}]}
