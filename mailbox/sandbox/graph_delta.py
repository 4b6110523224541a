"""Graph's delta query over the mails of one folder: first walk, then changes, with opaque tokens."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from aiohttp import web

from mailbox.sandbox import graph_query, graph_shapes
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.calls import note_body_read
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.mailstore import Stored
from mailbox.sandbox.refusals import Refusal

KEPT = ("$select", "$filter", "changeType", "$expand")
SCAN = 2_000


async def delta(request: web.Request, account: Account, folder: str) -> web.Response:
    """One page. A token too old answers 410 with the address to start again from. Raises Refusal."""
    sandbox = request.app[SANDBOX]
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken")
    state = _unpacked(token) if token else _fresh(request, sandbox, account)
    start = f"{request.scheme}://{request.host}{request.path}"
    if not sandbox.mail.oldest(account) <= state["seq"] <= sandbox.mail.cursor(account):
        message = "The sync state generation is not found; continue with a full synchronization."
        raise Refusal(410, "SyncStateNotFound", message, {"Location": f"{start}?$deltatoken="})
    size = graph_query.page_size(request)
    walk = _walk if "offset" in state else _changes
    value, next_state, more = walk(sandbox, account, folder, state, size, graph_query.wants_text(request))
    if "body" in _fields(state):
        note_body_read(request, [one["id"] for one in value if "@removed" not in one])
    link = "@odata.nextLink" if more else "@odata.deltaLink"
    name = "$skiptoken" if more else "$deltatoken"
    body = {
        "@odata.context": f"{request.scheme}://{request.host}/v1.0/$metadata#Collection(message)",
        "value": value,
        link: f"{start}?{name}={_packed(next_state)}",
    }
    return web.json_response(body)


def _fresh(request: web.Request, sandbox: Sandbox, account: Account) -> dict[str, Any]:
    if "$search" in request.query:
        raise Refusal(400, "ErrorInvalidUrlQuery", "$search is not supported with delta.")
    names = graph_query.filtered(request.query.get("$filter")).names
    if any(name != "receivedDateTime" for name in names):
        raise Refusal(400, "ErrorInvalidUrlQueryFilter", "Delta filters only by receivedDateTime ge or gt.")
    graph_query.selected(request.query.get("$select"))
    kept = {name: request.query[name] for name in KEPT if name in request.query}
    return {"seq": sandbox.mail.cursor(account), "offset": 0, "query": kept}


def _walk(
    sandbox: Sandbox, account: Account, folder: str, state: dict[str, Any], size: int, as_text: bool
) -> tuple[list[dict[str, Any]], dict[str, Any], bool]:
    """A page of what was there when the walk began."""
    filter_ = graph_query.filtered(state["query"].get("$filter"))
    condition = f"folder = ? AND ({filter_.condition})"
    found = sandbox.mail.where(account, condition, folder, *filter_.values)
    offset = int(state["offset"])
    value = [_shape(account, stored, state, as_text) for stored in found[offset : offset + size]]
    more = len(found) > offset + size
    kept = {"seq": state["seq"], "query": state["query"]}
    return value, {**kept, "offset": offset + size} if more else kept, more


def _changes(
    sandbox: Sandbox, account: Account, folder: str, state: dict[str, Any], size: int, as_text: bool
) -> tuple[list[dict[str, Any]], dict[str, Any], bool]:
    """A page of what changed since. A mail that came and went is only told as gone."""
    filter_ = graph_query.filtered(state["query"].get("$filter"))
    only = state["query"].get("changeType", "")
    value: list[dict[str, Any]] = []
    seen: set[str] = set()
    last = state["seq"]
    rows = sandbox.mail.changes(account, last, SCAN)
    for row in rows:
        if len(value) >= size:
            return value, {"seq": last, "query": state["query"]}, True
        last = row["seq"]
        if row["folder"] != folder or row["message"] in seen:
            continue
        stored = sandbox.mail.get(account, row["message"])
        gone = stored is None or stored.folder != folder
        kind = "deleted" if gone else "created" if row["kind"] == "added" else "updated"
        if only and kind != only:
            continue
        if stored is not None and not gone and not _passes(stored, filter_):
            continue
        seen.add(row["message"])
        removed = {"@removed": {"reason": "deleted"}, "id": row["message"]}
        value.append(removed if stored is None or gone else _shape(account, stored, state, as_text))
    return value, {"seq": last, "query": state["query"]}, len(rows) == SCAN


def _passes(stored: Stored, filter_: graph_query.Filter) -> bool:
    """Only receivedDateTime ge|gt can be in a delta's filter."""
    return all(stored.at >= float(value) for value in filter_.values)


def _fields(state: dict[str, Any]) -> frozenset[str]:
    select = graph_query.selected(state["query"].get("$select"))
    return frozenset(graph_shapes.FIELDS) if select is None else select


def _shape(account: Account, stored: Stored, state: dict[str, Any], as_text: bool) -> dict[str, Any]:
    expand = graph_query.expanded(state["query"].get("$expand"))
    return graph_shapes.message(account, stored, select=_fields(state), expand=expand, as_text=as_text)


def _packed(state: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(state).encode()).rstrip(b"=").decode()


def _unpacked(token: str) -> dict[str, Any]:
    try:
        state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return {"seq": int(state["seq"]), "query": dict(state["query"]), **_offset(state)}
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise Refusal(400, "ErrorInvalidUrlQuery", "Badly formed token.") from None


def _offset(state: dict[str, Any]) -> dict[str, int]:
    return {"offset": int(state["offset"])} if "offset" in state else {}
