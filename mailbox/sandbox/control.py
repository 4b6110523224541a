"""The control API under /_sandbox/: JSON in, JSON out, for tests, benchmarks and the demo."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Any

from aiohttp import web

from mailbox.sandbox import decoys, grants, id_tokens, user
from mailbox.sandbox.accounts import PROVIDERS, Account
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.mailstore import FOLDERS, INBOX, Stored
from mailbox.sandbox.refusals import Refusal, json_object
from mailbox.sandbox.replies import one_line
from mailbox.sandbox.settings import OPEN_NAMES, SettingsRefused, changed

Act = Callable[[Sandbox, dict[str, Any]], Awaitable[Any]]


def routes() -> list[web.RouteDef]:
    acts: dict[str, Act] = {
        "reset": reset,
        "accounts": make_account,
        "inbound": inbound,
        "faults": plant_fault,
        "faults/clear": clear_faults,
        "expire_history": expire_history,
        "expire_access": expire_access,
        "revoke_grant": revoke_grant,
        "settings": change_settings,
        "grant": grant,
        "clock": advance_clock,
        "delete": delete_message,
        "same_second": same_second,
        "edit": edit_draft,
        "send": send_draft,
        "forge": forge,
        "gate": gate_tenant,
        "challenge": challenge,
    }
    shown: dict[str, Callable[[Sandbox, dict[str, str]], Any]] = {
        "health": health,
        "accounts": show_accounts,
        "ledger": show_ledger,
        "calls": show_calls,
        "private": show_private,
        "messages": show_messages,
        "acts": show_acts,
        "settings": show_settings,
        "grants": show_grants,
    }
    posts = [web.post(f"/_sandbox/{name}", posted(act)) for name, act in acts.items()]
    return posts + [web.get(f"/_sandbox/{name}", shown_by(show)) for name, show in shown.items()]


# -- acts


async def reset(sandbox: Sandbox, _: dict[str, Any]) -> dict[str, Any]:
    sandbox.store.clear()
    sandbox.accounts.forget()
    sandbox.tokens.forget()
    sandbox.faults.forget()
    sandbox.settings = sandbox.initial
    sandbox.clock.offset = 0.0
    sandbox.quotas.clear()
    sandbox.forgeries.clear()
    sandbox.gated.clear()
    sandbox.approved.clear()
    sandbox.challenges.clear()
    return {}


async def make_account(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{provider, email, name?, private_mails?} → the account with the ids of its decoys."""
    account = _account_wished(sandbox, wish)
    count = int(wish.get("private_mails", 0))
    with sandbox.store.transaction():
        ids = decoys.fill(sandbox.mail, account, count, now=sandbox.clock.now()) if count else []
    return {**asdict(account), "private": ids}


async def inbound(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """A mail arrives: {email, raw (base64)} or {email, from, subject, text, html?, headers?, reply_to?}.

    `reply_to` is the Message-ID it answers.
    `thread` puts it into a conversation by its provider id, `folder` elsewhere than into the inbox.
    """
    account = account_named(sandbox, wish.get("email"), wish.get("provider"))
    folder = wish.get("folder", INBOX)
    if folder not in FOLDERS:
        raise Refusal(400, "folder", f"folder is one of {', '.join(FOLDERS)}.")
    raw = _raw(wish["raw"]) if "raw" in wish else _composed(sandbox, account, wish)
    stored = sandbox.mail.add(account, raw, folder=folder, thread=str(wish.get("thread", "")))
    return {"id": stored.id, "thread": stored.thread, "message_id": stored.message_id}


async def plant_fault(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"fault": sandbox.faults.plant(wish)}
    except (ValueError, TypeError) as problem:
        raise Refusal(400, "fault", str(problem)) from None


async def clear_faults(sandbox: Sandbox, _: dict[str, Any]) -> dict[str, Any]:
    sandbox.faults.clear()
    return {}


async def expire_history(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    sandbox.mail.expire_cursors(
        account_named(sandbox, wish.get("mailbox") or wish.get("email"), wish.get("provider"))
    )
    return {}


async def expire_access(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    sandbox.tokens.expire_access(
        account_named(sandbox, wish.get("mailbox") or wish.get("email"), wish.get("provider"))
    )
    return {}


async def revoke_grant(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """As if the user had removed the app at the provider's account page."""
    account = account_named(sandbox, wish.get("email") or wish.get("mailbox"), wish.get("provider"))
    return {"revoked": sandbox.tokens.revoke(account)}


async def change_settings(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    try:
        sandbox.settings = changed(sandbox.settings, wish)
    except SettingsRefused as problem:
        raise Refusal(400, "settings", str(problem)) from None
    if {"weather", "seed"} & set(wish):
        sandbox.faults.draws.forget()
    return show_settings(sandbox, {})


async def grant(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{provider, email, name?, scopes?, client?} → the tokens a finished consent would have given."""
    account = _account_wished(sandbox, wish)
    return grants.issue(sandbox, account, scopes=wish.get("scopes", ()), client=str(wish.get("client", "")))


async def advance_clock(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{advance: seconds} moves the sandbox's time: lags, recipients and late submits come due."""
    sandbox.clock.advance(float(wish.get("advance", 0)))
    sandbox.jobs.ring()
    return {"offset": sandbox.clock.offset}


async def delete_message(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email, id} or {email, draft}: the user deletes a mail or a draft in the mailbox."""
    account = account_named(sandbox, wish.get("email"), wish.get("provider"))
    find = sandbox.mail.draft if "draft" in wish else sandbox.mail.get
    stored = find(account, str(wish.get("draft") or wish.get("id") or ""))
    if stored is None:
        raise Refusal(404, "message", "There is no such mail.")
    sandbox.mail.remove(account, stored)
    return {}


async def same_second(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email}: everything in the mailbox has come within this second."""
    account = account_named(sandbox, wish.get("email"), wish.get("provider"))
    now = int(sandbox.clock.now())
    sandbox.store.change("UPDATE messages SET at = ? + pk * 1e-6 WHERE account = ?", now, account.pk)
    return {}


async def edit_draft(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email, draft, subject?, html?}: the user edits a draft. `draft`: at Google its draft id."""
    account, draft = _draft_wished(sandbox, wish)
    subject = str(wish.get("subject", f"{draft.subject} (edited)"))
    edited = user.edit(sandbox, account, draft, subject, str(wish.get("html", "")))
    return {"id": edited.id}


async def send_draft(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email, draft}: the user sends a draft by hand."""
    user.send(sandbox, *_draft_wished(sandbox, wish))
    return {}


async def forge(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{provider, email, claims?, sign?}: this account's next ID token says something false, once."""
    account = _account_wished(sandbox, wish)
    try:
        id_tokens.plant(
            sandbox,
            account,
            claims=dict(wish.get("claims", {})),
            sign=str(wish.get("sign") or id_tokens.WAYS[0]),
        )
    except ValueError as problem:
        raise Refusal(400, "forge", str(problem)) from None
    return {}


async def gate_tenant(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email}: in this account's organisation only an admin approves apps, from now on."""
    account = _account_wished(sandbox, {**wish, "provider": "microsoft"})
    sandbox.gated.add(account.tenant)
    sandbox.approved.discard(account.tenant)
    return {"tenant": account.tenant}


async def challenge(sandbox: Sandbox, wish: dict[str, Any]) -> dict[str, Any]:
    """{email}: Graph takes only tokens of this account that are fetched with the claims it asks for."""
    account = _account_wished(sandbox, {**wish, "provider": "microsoft"})
    sandbox.challenges.ask(account, int(sandbox.clock.now()))
    return {"claims": sandbox.challenges.asked[account.pk]}


# -- shown


def health(sandbox: Sandbox, _: dict[str, str]) -> dict[str, Any]:
    return {"ok": True, "profile": sandbox.settings.profile, "pending": sandbox.jobs.pending()}


def show_accounts(sandbox: Sandbox, _: dict[str, str]) -> list[dict[str, Any]]:
    return [asdict(account) for provider in PROVIDERS for account in sandbox.accounts.all_of(provider)]


def show_ledger(sandbox: Sandbox, query: dict[str, str]) -> list[dict[str, Any]]:
    """Every accepted mail, oldest first; ?mailbox= and ?to= narrow it, ?after= is the last `pk` known."""
    sql = (
        "SELECT * FROM ledger WHERE pk > ? AND (? = '' OR mailbox = ?) AND (? = '' OR recipients LIKE ?) "
        "ORDER BY pk"
    )
    mailbox, to = query.get("mailbox", "").lower(), query.get("to", "").lower()
    rows = sandbox.store.rows(sql, int(query.get("after", "0")), mailbox, mailbox, to, f'%"{to}"%')
    return [
        {
            "pk": row["pk"],
            "provider": row["provider"],
            "mailbox": row["mailbox"],
            "to": json.loads(row["recipients"]),
            "subject": row["subject"],
            "raw": base64.b64encode(row["raw"]).decode(),
            "message_id": row["message_id"],
            "thread": row["thread"],
            "id": row["provider_id"],
            "properties": json.loads(row["properties"]),
            "accepted_at": row["accepted_at"],
            "started_at": row["started_at"],
            "call": row["call"],
            "copy_of": row["copy_of"],
            "how": row["how"],
        }
        for row in rows
    ]


def show_calls(sandbox: Sandbox, query: dict[str, str]) -> list[dict[str, Any]]:
    """Every call with its start, oldest first; ?mailbox=, ?op=, ?after= (last `pk`), ?since= (seconds)."""
    sql = (
        "SELECT * FROM calls WHERE pk > ? AND at >= ? AND (? = '' OR mailbox = ?) AND (? = '' OR op = ?) "
        "ORDER BY pk"
    )
    mailbox, op = query.get("mailbox", "").lower(), query.get("op", "")
    after, since = int(query.get("after", "0")), float(query.get("since", "0"))
    calls = [dict(row) for row in sandbox.store.rows(sql, after, since, mailbox, mailbox, op, op)]
    for call in calls:
        call["full_read"] = bool(call["full_read"])
        call["message_ids"] = json.loads(call["message_ids"])
        call["message_id"] = call["message_ids"][0] if call["message_ids"] else None
    return calls


def show_private(sandbox: Sandbox, query: dict[str, str]) -> list[str]:
    account = account_named(sandbox, query.get("mailbox"), query.get("provider"))
    return [stored.id for stored in sandbox.mail.where(account, "decoy = 1")]


def show_messages(sandbox: Sandbox, query: dict[str, str]) -> list[dict[str, Any]]:
    """Everything in a mailbox but its decoys."""
    account = account_named(sandbox, query.get("mailbox"), query.get("provider"))
    names = (
        "id",
        "thread",
        "folder",
        "draft",
        "message_id",
        "subject",
        "sender",
        "recipients",
        "snippet",
        "at",
    )
    found = sandbox.mail.where(account, "decoy = 0", order="pk")
    return [{name: getattr(stored, name) for name in names} for stored in found]


def show_acts(sandbox: Sandbox, _: dict[str, str]) -> list[dict[str, Any]]:
    return [dict(row) for row in sandbox.store.rows("SELECT * FROM acts ORDER BY pk")]


def show_settings(sandbox: Sandbox, _: dict[str, str]) -> dict[str, Any]:
    settings = sandbox.settings
    names = ("profile", "weather", *sorted(OPEN_NAMES))
    return {**{name: getattr(settings, name) for name in names}, **asdict(settings.traits)}


def show_grants(sandbox: Sandbox, query: dict[str, str]) -> dict[str, Any]:
    account = account_named(sandbox, query.get("mailbox") or query.get("email"), query.get("provider"))
    return {"living": sandbox.tokens.living_grants(account)}


# -- inside


def posted(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        wish = json_object(await request.text(), code="json")
        return web.json_response(await act(request.app[SANDBOX], wish))

    return handle


def shown_by(
    show: Callable[[Sandbox, dict[str, str]], Any],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(show(request.app[SANDBOX], dict(request.query)))

    return handle


def _account_wished(sandbox: Sandbox, wish: dict[str, Any]) -> Account:
    provider, email = wish.get("provider"), wish.get("email")
    if provider not in PROVIDERS or not isinstance(email, str) or "@" not in email:
        raise Refusal(400, "account", f"provider is one of {', '.join(PROVIDERS)}; email is an address.")
    return sandbox.accounts.ensure(provider, email, str(wish.get("name", "")))


def account_named(sandbox: Sandbox, email: object, provider: object) -> Account:
    for account in sandbox.accounts.by_email(str(email or "")):
        if provider in (None, "", account.provider):
            return account
    raise Refusal(404, "account", f"There is no account {email}.")


def _draft_wished(sandbox: Sandbox, wish: dict[str, Any]) -> tuple[Account, Stored]:
    account = account_named(sandbox, wish.get("email"), wish.get("provider"))
    draft = user.draft_of(sandbox, account, str(wish.get("draft", "")))
    if draft is None or draft.moving:
        raise Refusal(404, "draft", "There is no such draft.")
    return account, draft


def _raw(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error:
        raise Refusal(400, "raw", "raw is the mail in base64.") from None


def _composed(sandbox: Sandbox, account: Account, wish: dict[str, Any]) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = str(wish.get("from", "somebody@elsewhere.example"))
    message["To"] = account.email
    message["Subject"] = one_line(str(wish.get("subject", "")))
    message["Date"] = formatdate(sandbox.clock.now())
    message["Message-ID"] = f"<{secrets.token_hex(16)}@inbound.example>"
    if wish.get("reply_to"):
        message["In-Reply-To"] = str(wish["reply_to"])
        message["References"] = str(wish["reply_to"])
    for name, value in dict(wish.get("headers", {})).items():
        message[name] = str(value)
    message.set_content(str(wish.get("text", "")))
    if wish.get("html"):
        message.add_alternative(str(wish["html"]), subtype="html")
    return message.as_bytes()
