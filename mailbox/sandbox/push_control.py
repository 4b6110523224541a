"""The control API of the pushes: where they go, what is watched, what was told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from mailbox.sandbox.context import Sandbox
from mailbox.sandbox.control import account_named, posted, shown_by
from mailbox.sandbox.pushes import LIFECYCLE
from mailbox.sandbox.refusals import Refusal


def routes() -> list[web.RouteDef]:
    return [
        web.post("/_sandbox/push_to", posted(push_to)),
        web.post("/_sandbox/lifecycle", posted(lifecycle)),
        web.post("/_sandbox/lapse", posted(lapse)),
        web.get("/_sandbox/watches", shown_by(show_watches)),
        web.get("/_sandbox/pushes", shown_by(show_pushes)),
    ]


async def push_to(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{endpoint, audience}: where Pub/Sub posts to, as its operator enters it."""
    endpoint, audience = str(wish.get("endpoint", "")), str(wish.get("audience", ""))
    sandbox.settings = replace(sandbox.settings, push_endpoint=endpoint, push_audience=audience)
    return {}


async def lifecycle(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email, event}: tell the account's subscriptions."""
    if wish.get("event") not in LIFECYCLE:
        raise Refusal(400, "event", f"event is one of {', '.join(LIFECYCLE)}.")
    account = account_named(sandbox, wish.get("email"), "microsoft")
    return {"told": sandbox.pushes.lifecycle(account, str(wish["event"]))}


async def lapse(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email, provider?}: watches and subscriptions of the account end without a word."""
    account = account_named(sandbox, wish.get("email"), wish.get("provider"))
    sandbox.pushes.stop(account)
    sandbox.store.change("DELETE FROM subscriptions WHERE account = ?", account.pk)
    return {}


def show_watches(sandbox: Sandbox, query: dict[str, str]) -> dict[str, Any]:
    account = account_named(sandbox, query.get("mailbox"), query.get("provider"))
    watches = sandbox.store.rows("SELECT * FROM watches WHERE account = ?", account.pk)
    subscriptions = sandbox.store.rows("SELECT * FROM subscriptions WHERE account = ?", account.pk)
    return {
        "watches": [dict(row) for row in watches],
        "subscriptions": [dict(row) for row in subscriptions],
    }


def show_pushes(sandbox: Sandbox, query: dict[str, str]) -> list[dict[str, Any]]:
    """Every push, oldest first, with the status of its answer or "dropped"."""
    return [dict(row) for row in sandbox.store.rows("SELECT * FROM pushes ORDER BY pk")]
