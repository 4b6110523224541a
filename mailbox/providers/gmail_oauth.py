"""Google's sign-in: consent with PKCE, the checked ID token, refresh, and the end of a grant."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Any

import requests
from django.conf import settings
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error

from accounts import clock
from accounts.people import openid
from mailbox.consents import Declined, NeedsAdmin, NoMailbox, Stale, Unreachable, Withheld
from mailbox.errors import Retry
from mailbox.limited_use import GOOGLE_SCOPES, PERMISSIONS
from mailbox.providers.sign_in import Departure, Lost, Tokens, TokenSession, json_of, outside_transactions
from mailbox.types import Connection

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
ALREADY_OVER = {"invalid_token"}
ADMIN = {"admin_policy_enforced", "org_internal"}
# Refused because of our own registration: nobody is disconnected for it.
OURS = {"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_request"}


def depart(*, redirect_uri: str, state: str, hint: str) -> Departure:
    """The consent page's address."""
    nonce = secrets.token_urlsafe(24)
    flow = _flow(redirect_uri, scopes=list(GOOGLE_SCOPES))
    extra = {"login_hint": hint} if hint else {}
    # A refresh token comes only with offline access and a fresh consent.
    url, _ = flow.authorization_url(
        state=state, access_type="offline", prompt="consent", nonce=nonce, **extra
    )
    return Departure(url, {"verifier": flow.code_verifier, "nonce": nonce})


def arrive(query: Mapping[str, str], kept: dict[str, Any], *, redirect_uri: str) -> Connection:
    """Trade the code in. Raises ConsentError; nothing is stored here."""
    if "iss" in query and not openid.names_issuer(query["iss"], ISSUERS):
        raise Stale("the answer names another issuer")
    if query.get("error"):
        refusal = NeedsAdmin if query["error"] in ADMIN else Declined
        raise refusal(query["error"])
    if not query.get("code"):
        raise Stale("no code")
    # Without the asked scopes: an unticked one is ours to explain, and no reason to raise inside the library.
    flow = _flow(redirect_uri, scopes=None, code_verifier=kept["verifier"])
    outside_transactions()
    try:
        answer = flow.fetch_token(code=query.get("code", ""), include_client_id=True, timeout=10)
    except OAuth2Error as problem:
        raise Stale(problem.error) from problem
    except (requests.RequestException, ValueError) as problem:
        raise Unreachable(type(problem).__name__) from problem
    claims = _claims(answer.get("id_token", ""), nonce=kept["nonce"])
    granted = _granted(answer)
    missing = tuple(p.title for p in PERMISSIONS["google"] if not set(p.scopes) <= set(granted))
    if missing:
        raise Withheld("scopes", names=missing)
    if not answer.get("refresh_token"):
        raise Stale("no lasting access was given")
    _check_mailbox(answer["access_token"])
    return Connection(
        provider="google",
        subject=str(claims["sub"]),
        address=str(claims["email"]).lower(),
        name=str(claims.get("name", "")),
        scopes=granted,
        secret=answer["refresh_token"],
        access_token=answer["access_token"],
        expires_at=clock.now() + dt.timedelta(seconds=float(answer.get("expires_in", 3600))),
    )


def refresh(secret: str, *, claims: str = "") -> Tokens:
    """A new access token. Raises Lost, or Retry for anything that may pass. Google asks for no `claims`."""
    try:
        answer = TokenSession().post(
            settings.GOOGLE_TOKEN_URI,
            data={
                "grant_type": "refresh_token",
                "refresh_token": secret,
                "client_id": settings.GOOGLE_CLIENT_ID,
                "client_secret": settings.GOOGLE_CLIENT_SECRET,
            },
        )
    except requests.RequestException as problem:
        raise Retry("token_endpoint", type(problem).__name__) from problem
    body = json_of(answer)
    if answer.status_code == 200 and body.get("access_token"):
        return Tokens(body["access_token"], float(body.get("expires_in", 3600)), body.get("refresh_token"))
    code = str(body.get("error", ""))
    if code == "invalid_grant":
        raise Lost("grant_ended", str(body.get("error_description", "")))
    ours = code in OURS
    raise Retry("our_registration" if ours else "token_endpoint", code, after=300 if ours else 60)


def end_grant(secret: str, *, seconds: float) -> bool:
    """Ask Google to end the whole grant; True when it is over. Raises Retry."""
    try:
        answer = TokenSession().post(settings.GOOGLE_REVOKE_URI, data={"token": secret}, timeout=seconds)
    except requests.RequestException as problem:
        raise Retry("revoke", type(problem).__name__) from problem
    if answer.status_code == 200:
        return True
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Retry("revoke", f"HTTP {answer.status_code}")
    return json_of(answer).get("error") in ALREADY_OVER


def _flow(redirect_uri: str, *, scopes: list[str] | None, code_verifier: str | None = None) -> Flow:
    client = {
        "client_id": settings.GOOGLE_CLIENT_ID,
        "client_secret": settings.GOOGLE_CLIENT_SECRET,
        "auth_uri": settings.GOOGLE_AUTH_URI,
        "token_uri": settings.GOOGLE_TOKEN_URI,
    }
    return Flow.from_client_config(
        {"web": client}, scopes=scopes, redirect_uri=redirect_uri, code_verifier=code_verifier
    )


def _claims(id_token: str, *, nonce: str) -> dict[str, Any]:
    """The ID token's claims: signature, audience, issuer, times and nonce are checked (T8)."""
    try:
        keys = json_of(TokenSession().get(settings.GOOGLE_JWKS_URI))
        claims = openid.check(
            id_token, keys=keys, audience=settings.GOOGLE_CLIENT_ID, issuers=ISSUERS, nonce=nonce
        )
    except (requests.RequestException, Retry) as problem:
        raise Unreachable(type(problem).__name__) from problem
    except openid.Untrusted as problem:
        raise Stale(str(problem)) from problem
    if not claims.get("email"):
        raise Stale("ID token: no address")
    return claims


def _granted(answer: Mapping[str, Any]) -> tuple[str, ...]:
    scope = answer.get("scope") or ()
    return tuple(scope.split() if isinstance(scope, str) else scope)


def _check_mailbox(access_token: str) -> None:
    """Only a definite "this account has no Gmail" stops here; anything else may pass by itself."""
    try:
        answer = TokenSession().get(
            f"{settings.GMAIL_API_BASE}/gmail/v1/users/me/profile",
            headers={"Authorization": f"Bearer {access_token}"},
        )
    except requests.RequestException:
        return
    if answer.status_code == 400 and "failedPrecondition" in answer.text:
        raise NoMailbox("Mail service not enabled")
