"""Whether an ID token is what it says: signature, issuer, audience, times, nonce (OpenID Connect 3.1.3.7).

No network here: whoever holds the token fetches the provider's keys through a door of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import jwt

LEEWAY = 120  # seconds between their clock and ours
NEEDED = ["exp", "iat", "aud", "iss", "sub"]
TENANT = "{tenantid}"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Untrusted(Exception):
    """The token is not the provider's answer to our question. The text names the reason, no content."""


def check(
    token: str, *, keys: Mapping[str, Any], audience: str, issuers: Collection[str], nonce: str
) -> dict[str, Any]:
    """The claims. `keys` is a JWK set; `{tenantid}` in an issuer stands for the token's own `tid`.

    Raises Untrusted, also where only RS256 would do and the token names another way or none (T8).
    """
    try:
        key = jwt.PyJWKSet.from_dict(dict(keys))[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=audience,
            leeway=LEEWAY,
            options={"require": NEEDED},
        )
    except (jwt.PyJWTError, KeyError) as problem:
        raise Untrusted(f"ID token: {type(problem).__name__}") from problem
    if claims["aud"] not in (audience, [audience]) or claims.get("azp", audience) != audience:
        raise Untrusted("ID token: audience")
    if claims["iss"] not in _named(issuers, str(claims.get("tid", ""))):
        raise Untrusted("ID token: issuer")
    if not nonce or claims.get("nonce") != nonce:
        raise Untrusted("ID token: nonce")
    return claims


def names_issuer(issuer: str, issuers: Collection[str]) -> bool:
    """Whether an answer's `iss` parameter (RFC 9207) may be the provider's: any tenant stands for itself."""
    return any(
        re.fullmatch(re.escape(known).replace(re.escape(TENANT), _GUID.pattern), issuer) for known in issuers
    )


def _named(issuers: Collection[str], tenant: str) -> list[str]:
    if not _GUID.fullmatch(tenant):
        return [issuer for issuer in issuers if TENANT not in issuer]
    return [issuer.replace(TENANT, tenant) for issuer in issuers]
