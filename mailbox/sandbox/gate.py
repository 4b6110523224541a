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

from mailbox.sandbox import calls
from mailbox.sandbox.bearer import token_of
from mailbox.sandbox.consent import page
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.faults import Fault
from mailbox.sandbox.refusals import Refusal, google_answer, graph_answer, guid

BEFORE = {"error_not_accepted", "throttle", "refuse_permanent", "auth_lost"}
SUBERRORS = {65001: "consent_required", 50173: "bad_token"}


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    provider, op = classify(request)
    if not provider:
        return await _answered(request, handler, provider, op)
    mailbox = await _mailbox(sandbox, request, op)
    call = calls.start(sandbox.store, request, provider=provider, mailbox=mailbox, op=op)
    status = 0
    sandbox.running[mailbox] += 1
    try:
        if sandbox.settings.latency_ms:
            await asyncio.sleep(sandbox.settings.latency_ms / 1000)
        response = await _through(sandbox, request, handler, call)
        status = response.status if response else 0
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    finally:
        sandbox.running[mailbox] -= 1
        calls.finish(sandbox.store, call, status)
    return response or _cut(request)


def classify(request: web.Request) -> tuple[str, str]:
    """Provider and kind of a call; ('', '') for what belongs to no provider."""
    path, method = request.path, request.method
    if path.startswith("/gmail/"):
        if path.endswith("/send"):
            return "google", "send"
        if method != "GET":
            return "google", "draft"
        return "google", "list" if re.search(r"/(drafts|messages|threads|history|sendAs)$", path) else "get"
    if path.startswith("/v1.0/"):
        if path.endswith(("/send", "/sendMail")):
            return "microsoft", "send"
        if method != "GET":
            return "microsoft", "draft"
        return "microsoft", "list" if re.search(
            r"/(messages|delta|mailFolders|subscriptions)$", path
        ) else "get"
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
    fault = sandbox.faults.draw(call.mailbox, op) if op in ("send", "draft", "get", "list", "token") else None
    if fault is None:
        return await _answered(request, handler, provider, op)
    call.fault = fault.kind
    if fault.kind in BEFORE:
        return _worded(request, _refusal(fault, provider, op), provider, op)
    if fault.kind == "hang":
        await asyncio.sleep(float(fault.options.get("seconds", 120)))
        return None
    if fault.kind == "accept_after":
        payload = {"provider": provider, "mailbox": call.mailbox, "draft": await _draft_of(request)}
        sandbox.jobs.add("late_send", payload, after=float(fault.options.get("after", 300)))
        await asyncio.sleep(float(fault.options.get("hold", 0)))
        return None
    done = await _answered(request, handler, provider, op)
    if fault.kind == "accept_then_reset":
        return None
    if fault.kind == "error_but_accepted":
        return _worded(request, _refusal(fault, provider, op), provider, op)
    if fault.kind == "truncate":
        await _truncate(request, done)
        return None
    done.headers["Retry-After"] = str(fault.options.get("retry_after", 30))
    return done


async def _answered(request: web.Request, handler: Handler, provider: str, op: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _worded(request, refusal, provider, op)


def _worded(request: web.Request, refusal: Refusal, provider: str, op: str) -> web.StreamResponse:
    if op == "page" and not request.path.endswith("/certs"):
        return page(refusal.code, f"<p>{escape(refusal.message)}</p>", status=refusal.status)
    if op in ("token", "revoke"):
        body: dict[str, Any] = {"error": refusal.code, "error_description": refusal.message}
        found = re.match(r"AADSTS(\d+)", refusal.message)
        if provider == "microsoft":
            number = int(found.group(1)) if found else 0
            body |= {"error_codes": [number], "correlation_id": guid(), "trace_id": guid()}
            if number in SUBERRORS:
                body["suberror"] = SUBERRORS[number]
        return web.json_response(body, status=refusal.status, headers=refusal.headers)
    if provider == "google":
        return google_answer(refusal)
    if provider == "microsoft":
        return graph_answer(refusal, request.headers.get("client-request-id", ""))
    return web.json_response({"error": refusal.message}, status=refusal.status)


def _refusal(fault: Fault, provider: str, op: str) -> Refusal:
    google = provider == "google"
    options = fault.options
    if fault.kind == "throttle":
        headers: dict[str, str] = {}
        wait = options.get("retry_after")
        if wait == "date":
            headers["Retry-After"] = formatdate(usegmt=True)
        elif wait is not None:
            headers["Retry-After"] = str(wait)
        code = "rateLimitExceeded" if google else "ApplicationThrottled"
        message = (
            "User-rate limit exceeded." if google else "Application is over its MailboxConcurrency limit."
        )
        return Refusal(429, str(options.get("code", code)), str(options.get("message", message)), headers)
    if fault.kind == "auth_lost":
        if op == "token":
            lost = "Token has been expired or revoked."
            text = lost if google else "AADSTS50173: The provided grant has expired due to it being revoked."
            return Refusal(400, "invalid_grant", text)
        return Refusal(401, "authError" if google else "InvalidAuthenticationToken", "Invalid Credentials")
    if fault.kind == "refuse_permanent":
        code = "invalidArgument" if google else "ErrorInvalidRecipients"
        message = "Invalid To header" if google else "At least one recipient is not valid."
        status = int(options.get("status", 400))
        return Refusal(status, str(options.get("code", code)), str(options.get("message", message)))
    status = int(options.get("status", 503))
    code = "backendError" if google else "ServiceUnavailable"
    return Refusal(status, str(options.get("code", code)), "The service is currently unavailable.")


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
