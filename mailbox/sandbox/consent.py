"""The consent pages: pick an account, untick a permission, allow or deny."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.settings import Settings

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 30rem; margin: 2rem auto; padding: 0 1rem }
fieldset { border: 1px solid #8888; border-radius: .5rem; margin: 0 0 1rem; padding: .75rem 1rem }
label { display: block; padding: .25rem 0; overflow-wrap: anywhere }
input[type=email] { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem }
button { font: inherit; padding: .5rem 1rem; margin: 0 .5rem .5rem 0; cursor: pointer }
body:has(table) { max-width: 72rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .875rem }
th, td { border-bottom: 1px solid #8886; padding: .25rem .5rem; text-align: left }
select, input { font: inherit }
dt { font-family: ui-monospace, monospace }
.note { border-left: .25rem solid #b26a00; padding-left: .75rem }
"""


def page(title: str, body: str, *, status: int = 200) -> web.Response:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/_sandbox/consent.css"></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


async def stylesheet(_: web.Request) -> web.Response:
    return web.Response(text=STYLE, content_type="text/css")


def consent_page(
    provider: str,
    *,
    accounts: Sequence[Account],
    hint: str,
    scopes: Sequence[tuple[str, str]],
    query: dict[str, str],
    admin_button: bool,
) -> web.Response:
    """The form posts back to its own address. `scopes` holds (name, what it allows), '' is not shown."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in query.items()
    )
    chosen = hint.lower() or (accounts[0].email if accounts else "")
    choices = "".join(
        f'<label><input type="radio" name="account" value="{escape(a.email)}"'
        f"{' checked' if a.email == chosen else ''}> {escape(a.name)} ({escape(a.email)})</label>"
        for a in accounts
    )
    typed = hint if chosen not in {a.email for a in accounts} else ""
    boxes = "".join(
        f'<label><input type="checkbox" name="scope_granted" value="{escape(name)}" checked> '
        f"{escape(text)}</label>"
        for name, text in scopes
        if text
    )
    admin = '<button name="decision" value="admin">My organisation needs its admin to approve</button>'
    body = (
        f'<p class="note">This is the sandbox, a simulated {escape(provider)}. No real account is used.</p>'
        f'<form method="post">{hidden}'
        f"<fieldset><legend>Account</legend>{choices}"
        '<label for="other">Or type an e-mail address</label>'
        f'<input type="email" id="other" name="other" value="{escape(typed)}" autocomplete="off"></fieldset>'
        f"<fieldset><legend>What the app may do</legend>{boxes}</fieldset>"
        '<button name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button>'
        f"{admin if admin_button else ''}</form>"
    )
    return page(f"Sign in with {provider}", body)


def may_redirect_to(settings: Settings, redirect_uri: str) -> bool:
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"} and parts.hostname in settings.redirect_hosts and not parts.fragment
    )


def back(redirect_uri: str, values: dict[str, str]) -> web.HTTPFound:
    """The redirect that carries the answer to the app."""
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return web.HTTPFound(redirect_uri + joint + urlencode({k: v for k, v in values.items() if v}))


def account_email(form: dict[str, str]) -> str:
    """The address typed, else the one picked; '' where neither looks like an address."""
    email = (form.get("other") or form.get("account") or "").strip().lower()
    local, at, domain = email.rpartition("@")
    return email if at and local and "." in domain and " " not in email else ""
