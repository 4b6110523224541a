"""Who a bearer token speaks for, what it may do and how much of its quota is left."""

from __future__ import annotations

import time

from aiohttp import web

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.calls import add_units, note_body_read
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.refusals import Refusal

GOOGLE_401 = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
GMAIL = "https://www.googleapis.com/auth/gmail."
MAIL = "https://mail.google.com/"


def token_of(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def gmail_account(request: web.Request, *, units: int, scopes: str) -> Account:
    """The account a Gmail call is for. `scopes` are short names, any of which will do. Raises Refusal."""
    sandbox = request.app[SANDBOX]
    account, granted = _holder(sandbox, token_of(request), "google")
    if account is None:
        raise Refusal(401, "authError", GOOGLE_401)
    if MAIL not in granted and not any(GMAIL + name in granted for name in scopes.split()):
        raise Refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
    if request.match_info.get("user", "me") not in ("me", account.email):
        raise Refusal(403, "forbidden", f"Delegation denied for {account.email}")
    add_units(request, units)
    settings = sandbox.settings
    if settings.meter:
        sandbox.quotas.gmail(
            account.email,
            units,
            user=settings.units_per_minute,
            project=settings.project_units_per_minute,
            now=sandbox.clock.now(),
        )
    return account


def graph_account(request: web.Request, *scopes: str) -> Account:
    """The account a Graph call is for; any of the scopes will do. Raises Refusal."""
    token = token_of(request)
    if not token:
        raise Refusal(401, "InvalidAuthenticationToken", "Access token is empty.")
    sandbox = request.app[SANDBOX]
    account, granted = _holder(sandbox, token, "microsoft")
    if account is None:
        raise Refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
    sandbox.challenges.check(account, token, sandbox.settings.tls_url)
    if not {scope.lower() for scope in scopes} & {scope.lower() for scope in granted}:
        raise Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    if sandbox.settings.meter:
        found = sandbox.tokens.holder(token, "access")
        app = found[0].client if found else ""
        limit = sandbox.settings.graph_requests_per_ten_minutes
        sandbox.quotas.graph_request(account.email, app, limit=limit, now=sandbox.clock.now())
    return account


def metadata_only(request: web.Request) -> bool:
    """A Google token that holds gmail.metadata is held to it, whatever else was granted."""
    _, granted = _holder(request.app[SANDBOX], token_of(request), "google")
    return GMAIL + "metadata" in granted


def note_gmail_read(request: web.Request, format_: str, message_ids: list[str]) -> None:
    """Note whose bodies go out; refuse them to a metadata token. Raises Refusal."""
    if format_ in ("full", "raw"):
        if metadata_only(request):
            raise Refusal(403, "forbidden", f"Metadata scope doesn't allow format {format_.upper()}")
        note_body_read(request, message_ids)


def _holder(sandbox: Sandbox, token: str, provider: str) -> tuple[Account | None, tuple[str, ...]]:
    found = sandbox.tokens.holder(token, "access") if token else None
    if not found or found[0].revoked or found[2] <= time.time() or found[0].account.provider != provider:
        return None, ()
    return found[0].account, found[1]
