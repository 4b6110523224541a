"""A person at the provider's consent page: read the form, pick an account, tick or untick, answer."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

from accounts.models import Workspace


def begin(client: Client, ws: Workspace, provider: str, **data: str) -> str:
    """Press "Go on"; the address of the consent page."""
    answer = client.post(f"/w/{ws.slug}/mailboxes/connect/{provider}/", data)
    assert answer.status_code == 200, answer.status_code
    wait, _, url = answer["Refresh"].partition("; url=")
    assert wait == "0"
    return str(url)


def decide(url: str, *, email: str, decision: str = "allow", without: tuple[str, ...] = ()) -> dict[str, str]:
    """What the provider sends the browser back with."""
    page = requests.get(url, timeout=10)
    assert page.status_code == 200, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    boxes = re.findall(r'name="scope_granted" value="([^"]*)"', page.text)
    form = [(name, unescape(value)) for name, value in hidden]
    form += [("scope_granted", box) for box in boxes if not box.endswith(without or ("\0",))]
    form += [("other", email), ("decision", decision)]
    back = requests.post(url.partition("?")[0], data=form, timeout=10, allow_redirects=False)
    assert back.status_code == 302, back.text
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}


def arrive(client: Client, provider: str, query: dict[str, str]) -> HttpResponse:
    """The browser comes back; redirects inside the product are followed."""
    return client.get(f"/oauth/{provider}/callback/", query, follow=True)  # type: ignore[return-value]


def press(client: Client, ws: Workspace, page: HttpResponse, decision: str = "connect") -> HttpResponse:
    """A button of the page that asks before anything is connected."""
    found = re.search(r'name="offer" value="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    fields = {"offer": found[1], "decision": decision}
    return client.post(f"/w/{ws.slug}/mailboxes/connect/confirm/", fields, follow=True)  # type: ignore[return-value]


def offered(client: Client, ws: Workspace, provider: str, email: str) -> HttpResponse:
    """As far as the page that asks."""
    return arrive(client, provider, decide(begin(client, ws, provider), email=email))


def connect(client: Client, ws: Workspace, provider: str, email: str) -> HttpResponse:
    return press(client, ws, offered(client, ws, provider, email))
