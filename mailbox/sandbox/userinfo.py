"""Who a token speaks for (OpenID Connect Core 5.3), and where Google's endpoints are (Discovery 4)."""

from __future__ import annotations

from aiohttp import web

from mailbox.sandbox.bearer import token_of
from mailbox.sandbox.context import SANDBOX
from mailbox.sandbox.refusals import Refusal

GOOGLE_ISSUER = "https://accounts.google.com"


def google_routes() -> list[web.RouteDef]:
    return [
        web.get("/google/.well-known/openid-configuration", google_discovery),
        web.get("/google/userinfo", userinfo),
    ]


def microsoft_routes() -> list[web.RouteDef]:
    return [web.get("/oidc/userinfo", userinfo)]


async def google_discovery(request: web.Request) -> web.Response:
    base = f"{request.app[SANDBOX].settings.http_url}/google"
    return web.json_response(
        {
            "issuer": GOOGLE_ISSUER,
            "authorization_endpoint": f"{base}/o/oauth2/v2/auth",
            "token_endpoint": f"{base}/token",
            "revocation_endpoint": f"{base}/revoke",
            "userinfo_endpoint": f"{base}/userinfo",
            "jwks_uri": f"{base}/certs",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
    )


async def userinfo(request: web.Request) -> web.Response:
    found = request.app[SANDBOX].tokens.holder(token_of(request), "access")
    if found is None or found[0].revoked or "openid" not in found[1]:
        raise Refusal(401, "invalid_token", "The access token is not good for this.")
    account = found[0].account
    told = {"sub": account.subject, "name": account.name, "email": account.email}
    return web.json_response(told | ({"email_verified": True} if account.provider == "google" else {}))
