"""The door to the two sign-ins: where the browser goes, and what the code is worth (OpenID Connect Core 3.1).

The verifier of PKCE and the nonce are made from the state and a key of this installation: the session keeps
the state alone, which without that key is of no use to anybody who reads it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.db import connection

from accounts.encryption import platform_index
from accounts.people import openid
from accounts.social.houses import GOOGLE_ISSUERS, SCOPES, House


class Refused(Exception):
    """The answer is not one to our question, or was used. The text is a reason, without content."""


class OutOfReach(Exception):
    """The provider gave no usable answer."""


@dataclass(frozen=True)
class Endpoints:
    """Where a provider's sign-in lives. `issuers` may hold `{tenantid}`."""

    authorize: str
    token: str
    keys: str
    issuers: tuple[str, ...]


def depart(house: House, *, state: str) -> str:
    """The address of the provider's page."""
    challenge = hashlib.sha256(_derived("verifier", state).encode()).digest()
    query = {
        "client_id": house.client_id,
        "redirect_uri": house.redirect_uri,
        "response_type": "code",
        "scope": " ".join(SCOPES),
        "state": state,
        "nonce": _derived("nonce", state),
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "prompt": "select_account",
    }
    return f"{_endpoints(house).authorize}?{urlencode(query)}"


def arrive(house: House, query: Mapping[str, str], *, state: str) -> dict[str, Any]:
    """Trade the code in; the ID token's checked claims. Raises Refused or OutOfReach."""
    place = _endpoints(house)
    if "iss" in query and not openid.names_issuer(query["iss"], place.issuers):
        raise Refused("issuer")
    answer = _json(
        "POST",
        place.token,
        data={
            "grant_type": "authorization_code",
            "code": query.get("code", ""),
            "redirect_uri": house.redirect_uri,
            "client_id": house.client_id,
            "client_secret": house.secret,
            "code_verifier": _derived("verifier", state),
        },
    )
    try:
        return openid.check(
            str(answer.get("id_token", "")),
            keys=_json("GET", place.keys),
            audience=house.client_id,
            issuers=place.issuers,
            nonce=_derived("nonce", state),
        )
    except openid.Untrusted as problem:
        raise Refused(str(problem)) from problem


def _endpoints(house: House) -> Endpoints:
    if house.id == "google":
        return Endpoints(
            settings.GOOGLE_AUTH_URI, settings.GOOGLE_TOKEN_URI, settings.GOOGLE_JWKS_URI, GOOGLE_ISSUERS
        )
    found = _json("GET", f"{settings.MS_AUTHORITY}/v2.0/.well-known/openid-configuration")
    try:
        return Endpoints(
            str(found["authorization_endpoint"]),
            str(found["token_endpoint"]),
            str(found["jwks_uri"]),
            (str(found["issuer"]),),
        )
    except KeyError as problem:
        raise OutOfReach("discovery") from problem


def _json(method: str, url: str, **more: Any) -> dict[str, Any]:
    """The answer as a JSON object. A refused code is Refused, anything else that is no answer OutOfReach."""
    if connection.in_atomic_block:
        raise RuntimeError("no call to a provider inside a transaction")
    try:
        with get_adapter().get_requests_session() as session:
            answer = session.request(method, url, allow_redirects=False, **more)
            body = answer.json()
    except (OSError, ValueError) as problem:  # what requests raises derives from these
        raise OutOfReach(type(problem).__name__) from problem
    if answer.status_code == 400 and isinstance(body, dict) and method == "POST":
        raise Refused(str(body.get("error", ""))[:40])
    if answer.status_code != 200 or not isinstance(body, dict):
        raise OutOfReach(f"HTTP {answer.status_code}")
    return body


def _derived(what: str, state: str) -> str:
    return base64.urlsafe_b64encode(platform_index("sign-in", f"{what}:{state}")).rstrip(b"=").decode()
