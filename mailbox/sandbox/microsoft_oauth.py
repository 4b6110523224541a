"""Microsoft's sign-in: discovery, consent page, token endpoint and the admin's approval.

The consent page is advertised on the plain HTTP port, so that a browser meets no unknown certificate;
everything that MSAL itself calls speaks TLS, because it refuses anything else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

from aiohttp import web

from mailbox.sandbox import clients, consent, id_tokens, userinfo
from mailbox.sandbox.calls import set_mailbox
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.refusals import Refusal
from mailbox.sandbox.settings import MICROSOFT_CLIENT
from mailbox.sandbox.tokens import Code, Grant, client_credentials

GRAPH = "https://graph.microsoft.com/"
WORDS = {
    "Mail.ReadWrite": "Read and write your mail",
    "Mail.Send": "Send mail as you",
    "Mail.Read": "Read your mail",
    "User.Read": "Read your profile",
    "offline_access": "Keep access to what you have given it access to",
}
AUTO = ("openid", "profile", "email")
DEFAULT_SCOPES = ("openid", "profile", "email", "offline_access", "Mail.ReadWrite", "Mail.Send", "User.Read")
NEEDS_ADMIN = "AADSTS90094: The grant requires admin permissions: an administrator must approve this app."
DENIED = "AADSTS65004: User declined to consent to access the app."


def routes() -> list[web.RouteDef]:
    return [
        web.get("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
        web.get("/{tenant}/discovery/v2.0/keys", keys),
        web.post("/{tenant}/oauth2/v2.0/token", token),
        web.get("/{tenant}/oauth2/v2.0/authorize", ask),
        web.post("/{tenant}/oauth2/v2.0/authorize", answer),
        web.get("/{tenant}/adminconsent", ask_admin),
        web.post("/{tenant}/adminconsent", answer_admin),
        web.get("/_sandbox/consent.css", consent.stylesheet),
        *userinfo.microsoft_routes(),
    ]


def page_routes() -> list[web.RouteDef]:
    """The pages that a person sees, for the plain port."""
    return [
        web.get("/microsoft/{tenant}/oauth2/v2.0/authorize", ask),
        web.post("/microsoft/{tenant}/oauth2/v2.0/authorize", answer),
        web.get("/microsoft/{tenant}/adminconsent", ask_admin),
        web.post("/microsoft/{tenant}/adminconsent", answer_admin),
    ]


async def discovery(request: web.Request) -> web.Response:
    settings = request.app[SANDBOX].settings
    tenant = request.match_info["tenant"]
    base = f"{settings.tls_url}/{tenant}"
    issuer_tenant = "{tenantid}" if tenant in ("common", "organizations", "consumers") else tenant
    return web.json_response(
        {
            "issuer": f"{settings.tls_url}/{issuer_tenant}/v2.0",
            "authorization_endpoint": f"{settings.http_url}/microsoft/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "userinfo_endpoint": f"{settings.tls_url}/oidc/userinfo",
            "response_modes_supported": ["query"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["pairwise"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "tenant_region_scope": None,
            "cloud_instance_name": "sandbox",
        }
    )


async def keys(request: web.Request) -> web.Response:
    return web.json_response(request.app[SANDBOX].signer.jwk_set())


async def ask(request: web.Request) -> web.Response:
    query = dict(request.query)
    sandbox = request.app[SANDBOX]
    scopes = _checked(sandbox, query)
    return consent.consent_page(
        "Microsoft",
        accounts=sandbox.accounts.all_of("microsoft"),
        hint=query.get("login_hint", ""),
        scopes=[(scope, WORDS.get(scope, "")) for scope in scopes],
        query=query,
        admin_button=True,
    )


async def answer(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    data = await request.post()
    form = {name: value for name, value in data.items() if isinstance(value, str)}
    asked = _checked(sandbox, form)
    state, redirect_uri = form.get("state", ""), form["redirect_uri"]
    decision = form.get("decision")
    if decision == "admin":
        values = {"error": "consent_required", "error_description": NEEDS_ADMIN, "state": state}
        raise consent.back(redirect_uri, values)
    if decision != "allow":
        values = {
            "error": "access_denied",
            "error_subcode": "cancel",
            "error_description": DENIED,
            "state": state,
        }
        raise consent.back(redirect_uri, values)
    email = consent.account_email(form)
    if not email:
        return consent.page(
            "Choose an account", "<p>Go back and pick or type an e-mail address.</p>", status=400
        )
    account = sandbox.accounts.ensure("microsoft", email)
    if sandbox.needs_admin(account.tenant) and not set(asked) <= set(AUTO):
        values = {"error": "consent_required", "error_description": NEEDS_ADMIN, "state": state}
        raise consent.back(redirect_uri, values)
    ticked = {str(value) for value in data.getall("scope_granted", [])}
    code = Code(
        account=account,
        client=form["client_id"],
        redirect_uri=redirect_uri,
        scopes=tuple(scope for scope in asked if scope in AUTO or scope in ticked),
        nonce=form.get("nonce", ""),
        offline="offline_access" in ticked,
    )
    text = sandbox.tokens.new_code("microsoft", code, form.get("code_challenge", ""))
    raise consent.back(redirect_uri, {"code": "0.A" + text, "state": state, "session_state": "sandbox"})


async def ask_admin(request: web.Request) -> web.Response:
    _admin_request(request.app[SANDBOX], dict(request.query))
    hidden = dict(request.query)
    return consent.consent_page(
        "Microsoft for administrators",
        accounts=request.app[SANDBOX].accounts.all_of("microsoft"),
        hint="",
        scopes=[(name, words) for name, words in WORDS.items() if name in DEFAULT_SCOPES],
        query=hidden,
        admin_button=False,
    )


async def answer_admin(request: web.Request) -> web.StreamResponse:
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    sandbox = request.app[SANDBOX]
    _admin_request(sandbox, form)
    state = form.get("state", "")
    if form.get("decision") != "allow":
        values = {"error": "access_denied", "error_description": DENIED, "state": state}
        raise consent.back(form["redirect_uri"], values)
    email = consent.account_email(form)
    tenant = sandbox.accounts.ensure("microsoft", email).tenant if email else request.match_info["tenant"]
    sandbox.approved.add(tenant)
    raise consent.back(form["redirect_uri"], {"admin_consent": "True", "tenant": tenant, "state": state})


async def token(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    client, secret = client_credentials(request.headers.get("Authorization", ""), form)
    registered = clients.find("microsoft", client)
    if registered is None:
        missing = f"AADSTS700016: Application with identifier '{client}' was not found in the directory."
        raise Refusal(400, "unauthorized_client", missing)
    if secret != registered.secret:
        raise Refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
    if form.get("grant_type") == "authorization_code":
        code = _code(sandbox, form, client)
        set_mailbox(request, code.account.email)
        grant = sandbox.tokens.new_grant(code.account, client, code.scopes)
        return web.json_response(answer_body(sandbox, grant, nonce=code.nonce, offline=code.offline))
    if form.get("grant_type") == "refresh_token":
        body = answer_body(sandbox, grant := _refreshed(request, sandbox, form, client), nonce="")
        sandbox.challenges.note(grant.account, body["access_token"], form.get("claims", ""))
        return web.json_response(body)
    raise Refusal(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")


def answer_body(sandbox: Sandbox, grant: Grant, *, nonce: str, offline: bool = True) -> dict[str, Any]:
    """A token answer; each one brings a new refresh token, the old ones stay good."""
    seconds = sandbox.settings.token_seconds
    account = grant.account
    now = int(time.time())
    claims: dict[str, Any] = {
        "ver": "2.0",
        "iss": f"{sandbox.settings.tls_url}/{account.tenant}/v2.0",
        "sub": hashlib.sha256(f"{account.subject}:{grant.client}".encode()).hexdigest()[:43],
        "aud": grant.client,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "name": account.name,
        "oid": account.subject,
        "preferred_username": account.email,
        "email": account.email,
        "tid": account.tenant,
    }
    if nonce:
        claims["nonce"] = nonce
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(scope for scope in grant.scopes if scope != "offline_access"),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": sandbox.tokens.new_access(grant, grant.scopes, seconds),
        "id_token": id_tokens.issue(sandbox, account, claims),
        "client_info": client_info(grant),
    }
    if offline:
        body["refresh_token"] = sandbox.tokens.new_refresh(grant)
    return body


def client_info(grant: Grant) -> str:
    text = json.dumps({"uid": grant.account.subject, "utid": grant.account.tenant})
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _code(sandbox: Sandbox, form: dict[str, str], client: str) -> Code:
    try:
        return sandbox.tokens.use_code(
            "microsoft",
            form.get("code", "").removeprefix("0.A"),
            client=client,
            redirect_uri=form.get("redirect_uri", ""),
            verifier=form.get("code_verifier", ""),
        )
    except Refusal as refusal:
        number = "AADSTS501481" if "verifier" in refusal.message else "AADSTS70008"
        raise Refusal(400, "invalid_grant", f"{number}: {refusal.message}") from None


def _refreshed(request: web.Request, sandbox: Sandbox, form: dict[str, str], client: str) -> Grant:
    text = form.get("refresh_token", "")
    known = sandbox.tokens.holder(text, "refresh")
    if known:
        set_mailbox(request, known[0].account.email)
    grant = sandbox.tokens.refreshable(text, client=client)
    if grant is None:
        revoked = "AADSTS50173: The provided grant has expired due to it being revoked; sign in again."
        unknown = "AADSTS9002313: Invalid request. Request is malformed or invalid."
        raise Refusal(400, "invalid_grant", revoked if known else unknown)
    wanted = [_short(scope) for scope in form.get("scope", "").split()]
    missing = [scope for scope in wanted if scope not in grant.scopes and scope not in AUTO]
    if missing:
        names = " ".join(missing)
        text = f"AADSTS65001: The user or administrator has not consented to use the application: {names}."
        raise Refusal(400, "invalid_grant", text)
    return grant


def _checked(sandbox: Sandbox, query: dict[str, str]) -> tuple[str, ...]:
    client = clients.find("microsoft", query.get("client_id", ""))
    if client is None:
        raise Refusal(
            400, "unauthorized_client", "AADSTS700016: The application was not found in the directory."
        )
    if not consent.may_redirect_to(sandbox.settings, query.get("redirect_uri", "")):
        raise Refusal(
            400, "invalid_request", "AADSTS50011: The redirect URI does not match the registered ones."
        )
    if query.get("response_type") != "code":
        raise Refusal(400, "unsupported_response_type", "AADSTS70007: response_type must be code.")
    if query.get("response_mode", "query") != "query":
        raise Refusal(400, "invalid_request", "AADSTS70007: The sandbox knows response_mode=query only.")
    if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
        raise Refusal(400, "invalid_request", "AADSTS501491: code_challenge_method must be S256.")
    scopes = tuple(dict.fromkeys(_short(scope) for scope in query.get("scope", "").split()))
    may = AUTO if client.sign_in_only else (*WORDS, *AUTO)
    unknown = [scope for scope in scopes if scope not in may]
    if unknown or not scopes:
        raise Refusal(
            400,
            "invalid_scope",
            "AADSTS70011: The provided value for 'scope' is not valid: " + " ".join(unknown),
        )
    return scopes


def _admin_request(sandbox: Sandbox, query: dict[str, str]) -> None:
    known = query.get("client_id") == MICROSOFT_CLIENT[0]
    if not known or not consent.may_redirect_to(sandbox.settings, query.get("redirect_uri", "")):
        raise Refusal(
            400, "invalid_request", "AADSTS50011: The client or the redirect URI is not registered."
        )


def _short(scope: str) -> str:
    """The usual spelling of a scope, without Graph's address in front."""
    bare = scope.removeprefix(GRAPH)
    return next((name for name in (*WORDS, *AUTO) if name.lower() == bare.lower()), bare)
