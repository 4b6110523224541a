"""Microsoft's sign-in with MSAL: consent with PKCE, the admin's approval, refresh.

An app object is built per call: MSAL answers from memory for a minute after a refusal (providers.md 6.2).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msal
import requests
from django.conf import settings
from msal.exceptions import MsalError

from accounts import clock
from accounts.people import openid
from mailbox.consents import ConsentError, Declined, NeedsAdmin, NoMailbox, Stale, Unreachable, Withheld
from mailbox.errors import Retry
from mailbox.limited_use import MICROSOFT_SCOPES, PERMISSIONS
from mailbox.providers.sign_in import Departure, Lost, Tokens, TokenSession, json_of
from mailbox.types import Connection

KEEP_ACCESS = "Keep access between visits"
# Microsoft's numbers → the stable reason; sentences are in outreach/mailbox_words.py.
REASONS = {
    "50173": "grant_ended",
    "70008": "unused_too_long",
    "700082": "unused_too_long",
    "50076": "asks_second_factor",
    "50079": "asks_second_factor",
    "65001": "consent_withdrawn",
    "53003": "policy_blocks",
    "50057": "account_disabled",
    "700084": "unused_too_long",
}
OURS = {"7000215", "7000222", "700016"}
ADMIN_STATE = "admin"
ADMIN = {"65001", "90094", "90095", "90093"}
NO_MAILBOX = {"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ResourceNotFound"}


def depart(*, redirect_uri: str, state: str, hint: str) -> Departure:
    """The consent page's address. MSAL makes nonce and PKCE verifier; they stay in the flow."""
    try:
        flow = _app().initiate_auth_code_flow(
            list(MICROSOFT_SCOPES),
            redirect_uri=redirect_uri,
            state=state,
            login_hint=hint or None,
            prompt="select_account" if not hint else None,
        )
    except (requests.RequestException, MsalError, ValueError) as problem:
        raise Unreachable(type(problem).__name__) from problem
    return Departure(flow["auth_uri"], flow)


def arrive(query: Mapping[str, str], kept: dict[str, Any], *, redirect_uri: str) -> Connection:
    """Trade the code in. Raises ConsentError; nothing is stored here."""
    if "iss" in query and not openid.names_issuer(query["iss"], [_issuer()]):
        raise Stale("the answer names another issuer")
    if query.get("error"):
        raise _refusal(query.get("error", ""), query.get("error_description", ""))
    cache = msal.SerializableTokenCache()
    try:
        result = _app(cache).acquire_token_by_auth_code_flow(kept, dict(query))
    except (ValueError, RuntimeError, TypeError, AttributeError) as problem:
        # MSAL's words for a state or a nonce that is not ours, and for an ID token that cannot be read.
        raise Stale("state or nonce") from problem
    except (requests.RequestException, MsalError) as problem:
        raise Unreachable(type(problem).__name__) from problem
    if "access_token" not in result:
        raise _refusal(str(result.get("error", "")), str(result.get("error_description", "")), late=True)
    claims = _claims(str(result.get("id_token", "")), nonce=str(kept.get("nonce", "")))
    tid, oid = claims.get("tid"), claims.get("oid")
    if not tid or not oid:
        raise Stale("the answer names no account")
    granted = tuple(_short(scope) for scope in str(result.get("scope", "")).split())
    missing = [p.title for p in PERMISSIONS["microsoft"] if not set(p.scopes) <= set(granted)]
    if not any(cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)):
        missing.append(KEEP_ACCESS)
    if missing:
        raise Withheld("scopes", names=tuple(missing))
    _check_mailbox(result["access_token"])
    address, name = _person(result["access_token"])
    return Connection(
        provider="microsoft",
        subject=f"{tid}.{oid}",
        address=(address or str(claims.get("preferred_username", ""))).lower(),
        name=name or str(claims.get("name", "")),
        scopes=granted,
        secret=cache.serialize(),
        access_token=result["access_token"],
        expires_at=clock.now() + dt.timedelta(seconds=float(result.get("expires_in", 3600))),
    )


def refresh(secret: str, *, claims: str = "") -> Tokens:
    """A new access token, and the cache that now holds the newer refresh token. Raises Lost or Retry.

    `claims` is the JSON of a claims challenge, which this token is to answer.
    """
    cache = msal.SerializableTokenCache()
    cache.deserialize(secret)
    try:
        app = _app(cache)
        accounts = app.get_accounts()
        if not accounts:
            raise Lost("grant_ended", "the token cache holds no account")
        result = app.acquire_token_silent_with_error(
            list(MICROSOFT_SCOPES),
            account=accounts[0],
            force_refresh=True,
            claims_challenge=claims or None,
        )
    except (requests.RequestException, MsalError, ValueError) as problem:
        raise Retry("token_endpoint", type(problem).__name__) from problem
    if not result:
        raise Lost("grant_ended", "the token cache holds no refresh token")
    if "access_token" in result:
        return Tokens(result["access_token"], float(result.get("expires_in", 3600)), cache.serialize())
    description = str(result.get("error_description", ""))
    numbers = _numbers(description)
    if numbers & OURS or result.get("error") in ("invalid_client", "unauthorized_client"):
        raise Retry("our_registration", description, after=300)
    if result.get("error") in ("invalid_grant", "interaction_required", "consent_required"):
        raise Lost(next((REASONS[n] for n in numbers if n in REASONS), "grant_ended"), description)
    raise Retry("token_endpoint", str(result.get("error", "")))


def admin_link(*, redirect_uri: str) -> str:
    """Where the organisation's admin approves the app for everybody (decisions 28)."""
    query = {"client_id": settings.MS_CLIENT_ID, "redirect_uri": redirect_uri, "state": ADMIN_STATE}
    return f"{settings.MS_ADMIN_CONSENT_URI}?{urlencode(query)}"


def _app(cache: msal.SerializableTokenCache | None = None) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        settings.MS_CLIENT_ID,
        client_credential=settings.MS_CLIENT_SECRET,
        authority=settings.MS_AUTHORITY,
        instance_discovery=settings.MS_INSTANCE_DISCOVERY,
        token_cache=cache,
        http_client=TokenSession(),
    )


def _claims(id_token: str, *, nonce: str) -> dict[str, Any]:
    """The ID token's checked claims (T8). MSAL reads an ID token and does not hold it against anything."""
    # What MSAL sends, and what the token must therefore hold, is the hash of the nonce that it keeps.
    sent = hashlib.sha256(nonce.encode()).hexdigest() if nonce else ""
    try:
        place = _discovery()
        keys = json_of(TokenSession().get(str(place["jwks_uri"])))
        return openid.check(
            id_token, keys=keys, audience=settings.MS_CLIENT_ID, issuers=[str(place["issuer"])], nonce=sent
        )
    except (requests.RequestException, Retry, KeyError) as problem:
        raise Unreachable(type(problem).__name__) from problem
    except openid.Untrusted as problem:
        raise Stale(str(problem)) from problem


def _discovery() -> dict[str, Any]:
    return json_of(TokenSession().get(f"{settings.MS_AUTHORITY}/v2.0/.well-known/openid-configuration"))


def _issuer() -> str:
    try:
        return str(_discovery().get("issuer", ""))
    except (requests.RequestException, Retry) as problem:
        raise Unreachable(type(problem).__name__) from problem


def _numbers(description: str) -> set[str]:
    return set(re.findall(r"AADSTS(\d+)", description))


def _refusal(error: str, description: str, *, late: bool = False) -> ConsentError:
    """What an error of the consent page or (`late`) of the code exchange means."""
    numbers = _numbers(description)
    if numbers & ADMIN or error == "consent_required":
        return NeedsAdmin(error)
    if numbers & OURS:
        return Unreachable("our_registration")
    if late:
        return Stale(error)
    return Declined(error)


def _short(scope: str) -> str:
    """The usual spelling of a scope, without an address in front."""
    bare = scope.rpartition("/")[2]
    return next((name for name in MICROSOFT_SCOPES if name.lower() == bare.lower()), bare)


def _check_mailbox(access_token: str) -> None:
    """Only a definite "no mailbox here" stops; anything else may pass by itself."""
    answer = _get("/me/mailFolders/inbox", access_token)
    refused = answer is not None and answer.status_code in (403, 404)
    if answer is not None and refused and any(code in answer.text for code in NO_MAILBOX):
        raise NoMailbox(str(answer.status_code))


def _person(access_token: str) -> tuple[str, str]:
    """The mailbox's address and the person's name; empty where Graph does not say."""
    answer = _get("/me?$select=mail,userPrincipalName,displayName", access_token)
    if answer is None or answer.status_code != 200:
        return "", ""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return "", ""
    return str(body.get("mail") or body.get("userPrincipalName") or ""), str(body.get("displayName") or "")


def _get(path: str, access_token: str) -> requests.Response | None:
    try:
        return TokenSession().get(
            f"{settings.GRAPH_BASE}{path}",
            headers={"Authorization": f"Bearer {access_token}", "Prefer": 'IdType="ImmutableId"'},
        )
    except requests.RequestException:
        return None
