"""Graph's /subscriptions: made with a handshake, renewed, told to be authorized anew, deleted."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime
from typing import Any

from aiohttp import web

from mailbox.sandbox import graph_shapes
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.bearer import graph_account
from mailbox.sandbox.context import SANDBOX
from mailbox.sandbox.pushes import HandshakeFailed, iso
from mailbox.sandbox.refusals import Refusal, guid, json_object

BASE = "/v1.0/subscriptions"
READ = ("Mail.Read", "Mail.ReadWrite")
# The lower of the two figures that Microsoft's pages give.
LONGEST = 4_230 * 60
LONGEST_STATE = 128
_FOLDER = re.compile(r"/?me/mailFolders(?:/|\(')([^/')]+)(?:'\))?/messages/?", re.I)
_ALL = re.compile(r"/?me/messages/?", re.I)


def routes() -> list[web.RouteDef]:
    return [
        web.get(BASE, list_all),
        web.post(BASE, create),
        web.get(BASE + "/{id}", get_one),
        web.patch(BASE + "/{id}", renew),
        web.post(BASE + "/{id}/reauthorize", reauthorize),
        web.delete(BASE + "/{id}", delete),
    ]


async def create(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    sandbox = request.app[SANDBOX]
    wish = json_object(await request.text(), code="BadRequest")
    url, lifecycle = str(wish.get("notificationUrl", "")), str(wish.get("lifecycleNotificationUrl") or "")
    state = str(wish.get("clientState") or "")
    if wish.get("changeType") != "created" or not url or len(state) > LONGEST_STATE:
        raise Refusal(400, "InvalidRequest", "changeType, notificationUrl or clientState is wrong.")
    folder = _folder(account, str(wish.get("resource", "")))
    until = _until(request, wish)
    try:
        for one in dict.fromkeys(filter(None, (url, lifecycle))):
            await sandbox.pushes.shake_hands(one)
    except HandshakeFailed as problem:
        raise Refusal(400, "ValidationError", str(problem)) from problem
    pk = guid()
    sandbox.store.insert(
        "subscriptions",
        id=pk,
        account=account.pk,
        folder=folder,
        url=url,
        lifecycle_url=lifecycle,
        client_state=state,
        expires_at=until,
    )
    return web.json_response(_shape(_row(request, account, pk)), status=201)


async def list_all(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    rows = request.app[SANDBOX].store.rows("SELECT * FROM subscriptions WHERE account = ?", account.pk)
    return web.json_response({"value": [_shape(row) for row in rows]})


async def get_one(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    return web.json_response(_shape(_row(request, account, request.match_info["id"])))


async def renew(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    row = _row(request, account, request.match_info["id"])
    wish = json_object(await request.text(), code="BadRequest")
    if set(wish) - {"expirationDateTime", "notificationUrl"}:
        raise Refusal(400, "InvalidRequest", "Only the expiration and the notification address can change.")
    request.app[SANDBOX].store.change(
        "UPDATE subscriptions SET expires_at = ? WHERE id = ?", _until(request, wish), row["id"]
    )
    return web.json_response(_shape(_row(request, account, row["id"])))


async def reauthorize(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    _row(request, account, request.match_info["id"])
    return web.Response(status=204)


async def delete(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    row = _row(request, account, request.match_info["id"])
    request.app[SANDBOX].store.change("DELETE FROM subscriptions WHERE id = ?", row["id"])
    return web.Response(status=204)


def _row(request: web.Request, account: Account, pk: str) -> sqlite3.Row:
    sandbox = request.app[SANDBOX]
    row = sandbox.store.row(
        "SELECT * FROM subscriptions WHERE id = ? AND account = ? AND expires_at > ?",
        pk,
        account.pk,
        sandbox.clock.now(),
    )
    if row is None:
        raise Refusal(404, "ResourceNotFound", "The object was not found.")
    return row


def _folder(account: Account, resource: str) -> str:
    """The folder that is watched; "" for all of them."""
    if _ALL.fullmatch(resource):
        return ""
    named = _FOLDER.fullmatch(resource)
    found = graph_shapes.folder_named(account, named.group(1)) if named else None
    if found is None:
        raise Refusal(400, "InvalidRequest", "The resource cannot be subscribed to.")
    return found


def _until(request: web.Request, wish: dict[str, Any]) -> float:
    try:
        until = datetime.fromisoformat(str(wish.get("expirationDateTime")).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise Refusal(400, "InvalidRequest", "expirationDateTime cannot be read.") from None
    now = request.app[SANDBOX].clock.now()
    if not now < until <= now + LONGEST:
        raise Refusal(400, "ExtensionError", "Expiration can only be 4230 minutes in the future.")
    return until


def _shape(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "resource": f"me/mailFolders/{row['folder']}/messages" if row["folder"] else "me/messages",
        "changeType": "created",
        "clientState": None,
        "notificationUrl": row["url"],
        "lifecycleNotificationUrl": row["lifecycle_url"] or None,
        "expirationDateTime": iso(row["expires_at"]),
    }
