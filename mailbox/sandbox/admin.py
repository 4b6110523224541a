"""The page at /_sandbox/: accounts, what was accepted, calls and faults, and forms that plant and choose."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from aiohttp import web

from mailbox.sandbox.accounts import PROVIDERS
from mailbox.sandbox.consent import page
from mailbox.sandbox.context import SANDBOX, Sandbox
from mailbox.sandbox.faults import KINDS, OPS
from mailbox.sandbox.refusals import Refusal
from mailbox.sandbox.settings import PROFILES, SettingsRefused, changed
from mailbox.sandbox.weather import WEATHERS

LAST = 25
HERE = "/_sandbox/"


def routes() -> list[web.RouteDef]:
    return [
        web.get(HERE, show),
        web.post(HERE + "page/weather", choose),
        web.post(HERE + "page/fault", plant),
        web.post(HERE + "page/clear", clear),
    ]


async def show(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    parts = (_weather(sandbox), _faults(sandbox), _accounts(sandbox), _ledger(sandbox), _calls(sandbox))
    return page("Sandbox", "".join(parts))


async def choose(request: web.Request) -> web.Response:
    form = await _form(request)
    sandbox = request.app[SANDBOX]
    try:
        wish = {
            "profile": form.get("profile"),
            "weather": form.get("weather"),
            "seed": int(form.get("seed", "")),
        }
        sandbox.settings = changed(sandbox.settings, wish)
    except (SettingsRefused, ValueError) as problem:
        raise Refusal(400, "settings", str(problem)) from None
    # From here on the same calls meet the same faults again.
    sandbox.faults.draws.forget()
    raise web.HTTPSeeOther(HERE)


async def plant(request: web.Request) -> web.Response:
    wish = {name: value for name, value in (await _form(request)).items() if value.strip()}
    try:
        request.app[SANDBOX].faults.plant(wish)
    except (ValueError, TypeError) as problem:
        raise Refusal(400, "fault", str(problem)) from None
    raise web.HTTPSeeOther(HERE)


async def clear(request: web.Request) -> web.Response:
    await _form(request)
    request.app[SANDBOX].faults.clear()
    raise web.HTTPSeeOther(HERE)


async def _form(request: web.Request) -> dict[str, str]:
    """The form's fields, from this page only. Raises Refusal."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refusal(403, "origin", "This form is sent from the sandbox's own page.")
    return {name: str(value) for name, value in (await request.post()).items()}


def _weather(sandbox: Sandbox) -> str:
    settings = sandbox.settings
    fields = (
        _choice("profile", PROFILES, settings.profile)
        + _choice("weather", WEATHERS, settings.weather)
        + f'<label>seed <input name="seed" inputmode="numeric" value="{settings.seed}"></label>'
    )
    return f"<h2>Weather</h2>{_form_of('weather', fields, 'Choose')}"


def _faults(sandbox: Sandbox) -> str:
    rows = (
        (one.mailbox, one.op, one.kind, "for ever" if one.times < 0 else one.times, json.dumps(one.options))
        for one in sandbox.faults.planted
    )
    fields = (
        '<label>mailbox <input name="mailbox" value="*"></label>'
        + _choice("op", OPS, "send")
        + _choice("kind", KINDS, "accept_then_reset")
        + '<label>times (0: for ever) <input name="times" inputmode="numeric" value="1"></label>'
        + '<label>after, seconds <input name="after" inputmode="numeric"></label>'
        + '<label>Retry-After <input name="retry_after"></label>'
    )
    kinds = "".join(f"<dt>{escape(kind)}</dt><dd>{escape(words)}</dd>" for kind, words in KINDS.items())
    return (
        f"<h2>Planted faults</h2>{_table(('mailbox', 'op', 'kind', 'times', 'options'), rows)}"
        f"{_form_of('fault', fields, 'Plant')}{_form_of('clear', '', 'Clear all')}"
        f"<details><summary>What each kind does</summary><dl>{kinds}</dl></details>"
    )


def _accounts(sandbox: Sandbox) -> str:
    rows = []
    for provider in PROVIDERS:
        for account in sandbox.accounts.all_of(provider):
            mails = sandbox.mail.counts(account)[0]
            rows.append((account.email, account.name, provider, mails, sandbox.tokens.living_grants(account)))
    return f"<h2>Accounts</h2>{_table(('address', 'name', 'provider', 'mails', 'living grants'), rows[:200])}"


def _ledger(sandbox: Sandbox) -> str:
    found = sandbox.store.rows(
        "SELECT accepted_at, mailbox, recipients, subject, how FROM ledger ORDER BY pk DESC LIMIT ?", LAST
    )
    rows = ((_when(at), box, ", ".join(json.loads(to)), subject, how) for at, box, to, subject, how in found)
    return f"<h2>Last accepted</h2>{_table(('accepted', 'mailbox', 'to', 'subject', 'how'), rows)}"


def _calls(sandbox: Sandbox) -> str:
    found = sandbox.store.rows(
        "SELECT at, mailbox, op, method, path, status, fault FROM calls ORDER BY pk DESC LIMIT ?", LAST
    )
    rows = ((_when(row[0]), *row[1:5], row[5] or "no answer", row[6]) for row in found)
    return (
        f"<h2>Last calls</h2>{_table(('start', 'mailbox', 'op', 'method', 'path', 'status', 'fault'), rows)}"
    )


def _form_of(name: str, fields: str, words: str) -> str:
    return f'<form method="post" action="{HERE}page/{name}">{fields}<button>{escape(words)}</button></form>'


def _choice(name: str, values: Iterable[str], chosen: str) -> str:
    options = "".join(
        f"<option{' selected' if value == chosen else ''}>{escape(value)}</option>" for value in values
    )
    return f'<label>{escape(name)} <select name="{escape(name)}">{options}</select></label>'


def _table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    if not body:
        return "<p>None.</p>"
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
