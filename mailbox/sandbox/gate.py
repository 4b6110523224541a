"""What stands before every handler: the record, planted faults, latency and the wording of refusals."""

from __future__ import annotations

import asyncio
import json
import re
from email.utils import formatdate
from html import escape
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from mailbox.sandbox import calls, user
from mailbox.sandbox.bearer import token_of
from mailbox.sandbox.consent import page
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.fault_answers import BEFORE, applies, refusal
from mailbox.sandbox.refusals import Refusal, google_answer, graph_answer, guid
from mailbox.sandbox.sending import double
from mailbox.sandbox.weather import Fault, strike

OPS = frozenset({"send", "draft", "get", "list", "token"})
SUBERRORS = {65001: "consent_required", 50173: "bad_token"}


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    provider, op = classify(request)
    if not provider:
        answer = await _answered(request, handler, provider, op)
        await sandbox.store.committed()
        return answer
    mailbox = await _mailbox(sandbox, request, op)
    now = sandbox.clock.now()
    call = calls.start(sandbox.store, request, provider=provider, mailbox=mailbox, op=op, now=now)
    status = 0
    sandbox.running[mailbox] += 1
    try:
        if sandbox.settings.latency_ms:
            await asyncio.sleep(sandbox.settings.latency_ms / 1000)
        response = await _through(sandbox, request, handler, call)
        status = response.status if response else 0
        if response is not None:
            # The mails' times and this one are of one clock, also where a test has moved it.
            response.headers["Date"] = formatdate(sandbox.clock.now(), usegmt=True)
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    finally:
        sandbox.running[mailbox] -= 1
        calls.finish(sandbox.store, call, status)
        await sandbox.store.committed()
    return response or _cut(request)


def classify(request: web.Request) -> tuple[str, str]:
    """Provider and kind of a call; ('', '') for what belongs to no provider."""
    path, method = request.path, request.method
    if path.startswith("/gmail/"):
        if path.endswith("/send"):
            return "google", "send"
        if path.endswith(("/watch", "/stop")):
            return "google", "watch"
        if method != "GET":
            return "google", "draft"
        return "google", "list" if re.search(r"/(drafts|messages|threads|history|sendAs)$", path) else "get"
    if path.startswith("/v1.0/"):
        if path.endswith(("/send", "/sendMail")):
            return "microsoft", "send"
        if path.startswith("/v1.0/subscriptions"):
            return "microsoft", "watch"
        if method != "GET":
            return "microsoft", "draft"
        return "microsoft", "list" if re.search(r"/(messages|delta|mailFolders)$", path) else "get"
    if path.startswith("/google/"):
        return "google", {"/google/token": "token", "/google/revoke": "revoke"}.get(path, "page")
    if "/oauth2/v2.0/" in path:
        return "microsoft", "token" if path.endswith("/token") else "page"
    return "", ""


async def _mailbox(sandbox: Sandbox, request: web.Request, op: str) -> str:
    if op in ("token", "revoke"):
        form = await request.post()
        token = form.get("refresh_token") or form.get("token")
        found = sandbox.tokens.holder(token, "refresh") if isinstance(token, str) else None
    else:
        found = sandbox.tokens.holder(token_of(request), "access")
    return found[0].account.email if found else ""


async def _through(
    sandbox: Sandbox, request: web.Request, handler: Handler, call: calls.Call
) -> web.StreamResponse | None:
    """The answer, or None where the connection is to be cut without one."""
    provider, op = call.provider, call.op
    if (
        provider == "microsoft"
        and sandbox.running[call.mailbox] > sandbox.settings.concurrency
        and call.mailbox
    ):
        message = "Application is over its MailboxConcurrency limit."
        return _worded(
            request, Refusal(429, "ApplicationThrottled", message, {"Retry-After": "1"}), provider, op
        )
    fault = await _fault(sandbox, request, call)
    if fault is None:
        return await _answered(request, handler, provider, op)
    call.fault = fault.kind
    if fault.kind in BEFORE:
        return _worded(request, refusal(fault, provider, op, now=sandbox.clock.now()), provider, op)
    if fault.kind == "hang":
        await asyncio.sleep(float(fault.options.get("seconds", 120)))
        return None
    if fault.kind == "accept_after":
        payload = {
            "provider": provider,
            "mailbox": call.mailbox,
            "draft": await _draft_of(request),
            "call": call.pk,
            "started_at": call.started_at,
        }
        sandbox.jobs.add("late_send", payload, after=float(fault.options.get("after", 300)))
        await asyncio.sleep(float(fault.options.get("hold", 0)))
        return None
    done = await _answered(request, handler, provider, op)
    return await _spoiled(sandbox, request, call, fault, done)


async def _fault(sandbox: Sandbox, request: web.Request, call: calls.Call) -> Fault | None:
    """What strikes this call: a planted fault before the weather."""
    op, settings = call.op, sandbox.settings
    if op not in OPS:
        return None
    fault = sandbox.faults.draw(call.mailbox, op, seed=settings.seed)
    if fault is None and settings.weather != "calm" and call.mailbox:
        about = await _about(sandbox, request, call) if op == "send" else ""
        number = sandbox.faults.draws.number(settings.seed, call.mailbox, op, about)
        fault = strike(settings.weather, op, number)
        if fault and op == "draft" and fault.kind in user.ACTS and not _makes_draft(request):
            fault = None
    return fault if fault and applies(fault, op) else None


async def _spoiled(
    sandbox: Sandbox, request: web.Request, call: calls.Call, fault: Fault, done: web.StreamResponse
) -> web.StreamResponse | None:
    """The call was done: what becomes of its answer, and what somebody does with its outcome."""
    good = done.status < 300
    if fault.kind in user.ACTS:
        handle = await _handle(sandbox, request, call, fault, done) if good else ""
        if handle:
            account = sandbox.accounts.find(call.provider, call.mailbox)
            payload = {"account": account.pk if account else 0, "act": fault.kind, "handle": handle}
            sandbox.jobs.add("user", payload, after=float(fault.options.get("after", 0)))
        return done
    if fault.kind == "double":
        if good:
            double(sandbox, call.pk)
        return done
    if fault.kind == "accept_then_reset":
        return None
    if fault.kind == "error_but_accepted":
        return _worded(
            request, refusal(fault, call.provider, call.op, now=sandbox.clock.now()), call.provider, call.op
        )
    if fault.kind == "truncate":
        await sandbox.store.committed()
        await _truncate(request, done)
        return None
    done.headers["Retry-After"] = str(fault.options.get("retry_after", 30))
    return done


async def _handle(
    sandbox: Sandbox, request: web.Request, call: calls.Call, fault: Fault, done: web.StreamResponse
) -> str:
    """What the user will find it by: the new draft's id, or the Message-ID of what was sent."""
    if fault.kind == "user_forgets":
        entry = sandbox.store.row("SELECT message_id FROM ledger WHERE call = ?", call.pk)
        return str(entry["message_id"]) if entry else ""
    if isinstance(done, web.Response) and done.text and _makes_draft(request):
        return str(json.loads(done.text).get("id", ""))
    return await _draft_of(request)


def _makes_draft(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith(("/drafts", "/me/messages", "/createReply"))


async def _about(sandbox: Sandbox, request: web.Request, call: calls.Call) -> str:
    """Whom a submit goes to: the same in each run, where ids are not."""
    account = sandbox.accounts.find(call.provider, call.mailbox)
    draft = user.draft_of(sandbox, account, await _draft_of(request)) if account else None
    return draft.recipients if draft else ""


async def _answered(request: web.Request, handler: Handler, provider: str, op: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refused:
        return _worded(request, refused, provider, op)


def _worded(request: web.Request, refused: Refusal, provider: str, op: str) -> web.StreamResponse:
    if op == "page" and not request.path.endswith("/certs"):
        return page(refused.code, f"<p>{escape(refused.message)}</p>", status=refused.status)
    if op in ("token", "revoke"):
        body: dict[str, Any] = {"error": refused.code, "error_description": refused.message}
        found = re.match(r"AADSTS(\d+)", refused.message)
        if provider == "microsoft":
            number = int(found.group(1)) if found else 0
            body |= {"error_codes": [number], "correlation_id": guid(), "trace_id": guid()}
            if number in SUBERRORS:
                body["suberror"] = SUBERRORS[number]
        return web.json_response(body, status=refused.status, headers=refused.headers)
    if provider == "google":
        return google_answer(refused)
    if provider == "microsoft":
        return graph_answer(refused, request.headers.get("client-request-id", ""))
    return web.json_response({"error": refused.message}, status=refused.status)


async def _draft_of(request: web.Request) -> str:
    if "id" in request.match_info:
        return request.match_info["id"]
    try:
        return str(json.loads(await request.text()).get("id", ""))
    except (ValueError, AttributeError):
        return ""


async def _truncate(request: web.Request, done: web.StreamResponse) -> None:
    """Announce the whole answer, write half of it and cut the connection."""
    body = done.body if isinstance(done, web.Response) and isinstance(done.body, bytes) else b""
    half = web.StreamResponse(status=done.status, headers={"Content-Type": "application/json"})
    half.content_length = max(len(body), 20)
    await half.prepare(request)
    await half.write(body[: len(body) // 2] or b"{")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)
