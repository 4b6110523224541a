"""Microsoft Graph mail under /v1.0: the profile, folders, messages and what is done with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from mailbox.sandbox import graph_delta, graph_drafts, graph_query, graph_shapes
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.bearer import graph_account
from mailbox.sandbox.calls import note_body_read, origin_of
from mailbox.sandbox.context import SANDBOX
from mailbox.sandbox.mailstore import FOLDERS, Stored
from mailbox.sandbox.refusals import Refusal, json_object
from mailbox.sandbox.sending import send_from_graph

READ = ("Mail.Read", "Mail.ReadWrite")
WRITE = ("Mail.ReadWrite",)
ME = "/v1.0/me"


def routes() -> list[web.RouteDef]:
    return [
        web.get(ME, get_me),
        web.get(ME + "/messages", list_messages),
        web.post(ME + "/messages", create_message),
        web.get(ME + "/messages/{id}", get_message),
        web.patch(ME + "/messages/{id}", update_message),
        web.delete(ME + "/messages/{id}", delete_message),
        web.get(ME + "/messages/{id}/$value", get_value),
        web.post(ME + "/messages/{id}/send", send_message),
        web.post(ME + "/messages/{id}/createReply", create_reply),
        web.get(ME + "/mailFolders", list_folders),
        web.get(ME + "/mailFolders/{folder}", get_folder),
        web.get(ME + "/mailFolders/{folder}/messages", list_messages),
        web.get(ME + "/mailFolders/{folder}/messages/delta", list_delta),
        web.get(ME + "/mailFolders/{folder}/messages/{id}", get_message),
    ]


async def get_me(request: web.Request) -> web.Response:
    account = graph_account(request, "User.Read")
    first, _, last = account.name.partition(" ")
    return web.json_response(
        {
            "@odata.context": _context(request, "users/$entity"),
            "id": account.subject,
            "displayName": account.name,
            "givenName": first,
            "surname": last,
            "mail": account.email,
            "userPrincipalName": account.email,
            "businessPhones": [],
            "preferredLanguage": None,
        }
    )


async def list_folders(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    value = [graph_shapes.folder(account, name, _total(request, account, name)) for name in FOLDERS]
    return web.json_response({"@odata.context": _context(request, "mailFolders"), "value": value})


async def get_folder(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    name = _folder(request, account)
    return web.json_response(graph_shapes.folder(account, name, _total(request, account, name)))


async def list_messages(request: web.Request) -> web.Response:
    """Messages of a folder or of all, newest first; filters see what the index has caught up with."""
    account = graph_account(request, *READ)
    sandbox = request.app[SANDBOX]
    query = request.query
    select = graph_query.selected(query.get("$select"))
    filter_ = graph_query.filtered(query.get("$filter"))
    conditions, values = [filter_.condition, "visible_at <= ?"], [*filter_.values, sandbox.clock.now()]
    if "folder" in request.match_info:
        conditions.append("folder = ?")
        values.append(_folder(request, account))
    if "$search" in query:
        conditions.append("instr(words, ?)")
        values.append(query["$search"].strip('"').lower())
    order = graph_query.order(query.get("$orderby"), filter_)
    found = [
        stored
        for stored in sandbox.mail.where(account, " AND ".join(conditions), *values, order=order)
        if filter_.fits(stored)
    ]
    size = graph_query.page_size(request)
    skip = int(query["$skip"]) if query.get("$skip", "").isdigit() else 0
    body: dict[str, Any] = {
        "@odata.context": _context(request, "messages"),
        "value": [_shape(request, account, stored, select) for stored in found[skip : skip + size]],
    }
    if query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(found)
    if len(found) > skip + size:
        link = urlencode({**dict(query), "$top": size, "$skip": skip + size}, safe="$")
        body["@odata.nextLink"] = f"{request.scheme}://{request.host}{request.path}?{link}"
    return _answer(request, body)


async def list_delta(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    return await graph_delta.delta(request, account, _folder(request, account))


async def get_message(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    select = graph_query.selected(request.query.get("$select"))
    return _answer(request, _shape(request, account, _message(request, account), select))


async def get_value(request: web.Request) -> web.Response:
    account = graph_account(request, *READ)
    stored = _message(request, account)
    note_body_read(request, [stored.id])
    return web.Response(body=stored.raw, content_type="text/plain")


async def create_message(request: web.Request) -> web.Response:
    account = graph_account(request, *WRITE)
    sandbox = request.app[SANDBOX]
    if request.content_type == "text/plain":
        stored = graph_drafts.create_from_mime(sandbox, account, "".join((await request.text()).split()))
    else:
        stored = graph_drafts.create(sandbox, account, await _body(request))
    return _own(request, account, stored, 201)


async def update_message(request: web.Request) -> web.Response:
    account = graph_account(request, *WRITE)
    stored = _message(request, account)
    changed = graph_drafts.change(request.app[SANDBOX], account, stored, await _body(request))
    return _own(request, account, changed, 200)


async def create_reply(request: web.Request) -> web.Response:
    account = graph_account(request, *WRITE)
    original = _message(request, account)
    stored = graph_drafts.create_reply(request.app[SANDBOX], account, original, await _body(request))
    return _own(request, account, stored, 201)


async def delete_message(request: web.Request) -> web.Response:
    account = graph_account(request, *WRITE)
    request.app[SANDBOX].mail.remove(account, _message(request, account))
    return web.Response(status=204)


async def send_message(request: web.Request) -> web.Response:
    account = graph_account(request, "Mail.Send")
    sandbox = request.app[SANDBOX]
    stored = _message(request, account)
    if not stored.is_draft:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    if sandbox.settings.meter:
        limit = sandbox.settings.graph_mails_per_minute
        sandbox.quotas.graph_mail(account.email, limit=limit, now=sandbox.clock.now())
    keep_id = graph_query.wants_immutable_ids(request)
    send_from_graph(sandbox, account, stored, origin=origin_of(request), keep_id=keep_id)
    headers = {"Retry-After": "20"} if sandbox.settings.traits.retry_after_on_accept else {}
    return web.Response(status=202, headers=headers)


async def _body(request: web.Request) -> dict[str, Any]:
    return json_object(await request.text(), code="BadRequest")


def _folder(request: web.Request, account: Account) -> str:
    found = graph_shapes.folder_named(account, request.match_info["folder"])
    if found is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified folder was not found in the store.")
    return found


def _message(request: web.Request, account: Account) -> Stored:
    stored = request.app[SANDBOX].mail.get(account, request.match_info["id"])
    if stored is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return stored


def _shape(
    request: web.Request, account: Account, stored: Stored, select: frozenset[str] | None
) -> dict[str, Any]:
    if select is None or select & set(graph_shapes.BODIES):
        note_body_read(request, [stored.id])
    return graph_shapes.message(
        account,
        stored,
        select=select,
        expand=graph_query.expanded(request.query.get("$expand")),
        as_text=graph_query.wants_text(request),
    )


def _own(request: web.Request, account: Account, stored: Stored, status: int) -> web.Response:
    """The answer to a write: the draft itself, which is no reading of anybody's mail."""
    shape = {"@odata.context": _context(request, "messages/$entity"), **graph_shapes.message(account, stored)}
    return _answer(request, shape, status)


def _answer(request: web.Request, body: dict[str, Any], status: int = 200) -> web.Response:
    headers = (
        {"Preference-Applied": 'IdType="ImmutableId"'} if graph_query.wants_immutable_ids(request) else {}
    )
    return web.json_response(body, status=status, headers=headers)


def _total(request: web.Request, account: Account, folder: str) -> int:
    return len(request.app[SANDBOX].mail.where(account, "folder = ?", folder))


def _context(request: web.Request, what: str) -> str:
    return f"{request.scheme}://{request.host}/v1.0/$metadata#{what}"
