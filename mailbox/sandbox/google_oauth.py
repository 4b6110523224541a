"""Google's sign-in: consent page, token, revoke and certificate endpoints."""

from __future__ import annotations

import secrets
import time
from typing import Any

from aiohttp import web

from mailbox.sandbox import clients, consent, id_tokens, userinfo
from mailbox.sandbox.calls import set_mailbox
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.refusals import Refusal
from mailbox.sandbox.tokens import Code, Grant, client_credentials

PREFIX = "https://www.googleapis.com/auth/"
EMAIL = PREFIX + "userinfo.email"
PROFILE = PREFIX + "userinfo.profile"
LONG = {"email": EMAIL, "profile": PROFILE}
WORDS = {
    PREFIX + "gmail.compose": "Manage drafts and send e-mail",
    PREFIX + "gmail.readonly": "View your e-mail messages and settings",
    PREFIX + "gmail.send": "Send e-mail on your behalf",
    PREFIX + "gmail.modify": "Read, compose and send e-mail",
    PREFIX + "gmail.metadata": "View e-mail headers, but not bodies",
    PREFIX + "gmail.labels": "See and edit your labels",
    "https://mail.google.com/": "Read, compose, send and delete all your e-mail",
}
DEFAULT_SCOPES = ("openid", EMAIL, PREFIX + "gmail.compose", PREFIX + "gmail.readonly")
AUTO = ("openid", EMAIL, PROFILE)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/google/o/oauth2/v2/auth", ask),
        web.post("/google/o/oauth2/v2/auth", answer),
        web.post("/google/token", token),
        web.post("/google/revoke", revoke),
        web.get("/google/certs", certs),
        web.get("/_sandbox/consent.css", consent.stylesheet),
        *userinfo.google_routes(),
    ]


async def ask(request: web.Request) -> web.Response:
    query = dict(request.query)
    scopes = _checked(request.app[SANDBOX], query)
    return consent.consent_page(
        "Google",
        accounts=request.app[SANDBOX].accounts.all_of("google"),
        hint=query.get("login_hint", ""),
        scopes=[(scope, WORDS.get(scope, "")) for scope in scopes],
        query=query,
        admin_button=False,
    )


async def answer(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    data = await request.post()
    form = {name: value for name, value in data.items() if isinstance(value, str)}
    asked = _checked(sandbox, form)
    state = form.get("state", "")
    if form.get("decision") != "allow":
        raise consent.back(form["redirect_uri"], {"error": "access_denied", "state": state})
    email = consent.account_email(form)
    if not email:
        return consent.page(
            "Choose an account", "<p>Go back and pick or type an e-mail address.</p>", status=400
        )
    ticked = {str(value) for value in data.getall("scope_granted", [])}
    granted = tuple(scope for scope in asked if scope in AUTO or scope in ticked)
    code = Code(
        account=sandbox.accounts.ensure("google", email),
        client=form["client_id"],
        redirect_uri=form["redirect_uri"],
        scopes=granted,
        nonce=form.get("nonce", ""),
        offline=form.get("access_type") == "offline",
    )
    text = sandbox.tokens.new_code("google", code, form.get("code_challenge", ""))
    values = {
        "state": state,
        "iss": userinfo.GOOGLE_ISSUER,
        "code": "4/0A" + text,
        "scope": " ".join(granted),
        "authuser": "0",
        "prompt": "consent",
    }
    raise consent.back(form["redirect_uri"], values)


async def token(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    client, secret = client_credentials(request.headers.get("Authorization", ""), form)
    known_client = clients.find("google", client)
    if known_client is None or known_client.secret != secret:
        unknown = (
            "The provided client secret is invalid." if known_client else "The OAuth client was not found."
        )
        raise Refusal(401, "invalid_client", unknown)
    if form.get("grant_type") == "authorization_code":
        code = sandbox.tokens.use_code(
            "google",
            form.get("code", "").removeprefix("4/0A"),
            client=client,
            redirect_uri=form.get("redirect_uri", ""),
            verifier=form.get("code_verifier", ""),
        )
        set_mailbox(request, code.account.email)
        grant = sandbox.tokens.new_grant(code.account, client, code.scopes)
        body = answer_body(sandbox, grant, nonce=code.nonce)
        if code.offline:
            body["refresh_token"] = sandbox.tokens.new_refresh(grant)
        return web.json_response(body)
    if form.get("grant_type") == "refresh_token":
        text = form.get("refresh_token", "")
        known = sandbox.tokens.holder(text, "refresh")
        if known:
            set_mailbox(request, known[0].account.email)
        living = sandbox.tokens.refreshable(text, client=client)
        if living is None:
            raise Refusal(400, "invalid_grant", "Token has been expired or revoked.")
        return web.json_response(answer_body(sandbox, living))
    raise Refusal(400, "unsupported_grant_type", "Invalid grant_type: " + form.get("grant_type", ""))


async def revoke(request: web.Request) -> web.Response:
    """RFC 7009 in Google's words: either kind of token ends the whole grant of that user and client."""
    sandbox = request.app[SANDBOX]
    form = {**dict(request.query), **{k: v for k, v in (await request.post()).items() if isinstance(v, str)}}
    text = form.get("token", "")
    found = sandbox.tokens.holder(text, "refresh") or sandbox.tokens.holder(text, "access")
    if found:
        set_mailbox(request, found[0].account.email)
    if not found or found[0].revoked:
        raise Refusal(400, "invalid_token", "Token expired or revoked")
    sandbox.tokens.revoke(found[0].account, found[0].client)
    return web.json_response({})


async def certs(request: web.Request) -> web.Response:
    return web.json_response(request.app[SANDBOX].signer.jwk_set())


def answer_body(sandbox: Sandbox, grant: Grant, nonce: str = "") -> dict[str, Any]:
    """A token answer with a new access token, and an ID token where openid was granted."""
    seconds = sandbox.settings.token_seconds
    body: dict[str, Any] = {
        "access_token": sandbox.tokens.new_access(grant, grant.scopes, seconds),
        "expires_in": seconds - 1 if seconds > 1 else seconds,
        "scope": " ".join(grant.scopes),
        "token_type": "Bearer",
    }
    if "openid" in grant.scopes:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": userinfo.GOOGLE_ISSUER,
            "azp": grant.client,
            "aud": grant.client,
            "sub": grant.account.subject,
            "at_hash": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 3600,
        }
        if EMAIL in grant.scopes:
            claims |= {"email": grant.account.email, "email_verified": True}
        if PROFILE in grant.scopes:
            claims["name"] = grant.account.name
        if nonce:
            claims["nonce"] = nonce
        body["id_token"] = id_tokens.issue(sandbox, grant.account, claims)
    return body


def _checked(sandbox: Sandbox, query: dict[str, str]) -> tuple[str, ...]:
    """The asked scopes in long form. Raises Refusal, shown as a page: no redirect address can be trusted."""
    client = clients.find("google", query.get("client_id", ""))
    if client is None:
        raise Refusal(401, "invalid_client", "The OAuth client was not found.")
    if not consent.may_redirect_to(sandbox.settings, query.get("redirect_uri", "")):
        raise Refusal(400, "redirect_uri_mismatch", "The redirect address is not registered for this app.")
    if query.get("response_type") != "code":
        raise Refusal(400, "invalid_request", "Required parameter is missing: response_type")
    if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
        raise Refusal(400, "invalid_request", "code_challenge_method must be S256.")
    scopes = tuple(dict.fromkeys(LONG.get(scope, scope) for scope in query.get("scope", "").split()))
    may = AUTO if client.sign_in_only else (*WORDS, *AUTO)
    unknown = [scope for scope in scopes if scope not in may]
    if unknown or not scopes:
        raise Refusal(400, "invalid_scope", "Some requested scopes were invalid: " + " ".join(unknown))
    return scopes
