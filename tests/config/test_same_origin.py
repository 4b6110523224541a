"""No page of ours asks anybody else for anything: every request of a real browser's walk is written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach.models import MessageState
from tests.factories import make_message, make_reply, make_thread


def let_in(page: Page, server: LiveServer, client: Client) -> None:
    """The browser goes on with what this client has signed in to."""
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server.url}])


def addresses(slug: str) -> list[str]:
    """Every address that needs no more than the workspace."""
    found = set()

    def walk(patterns: list[URLPattern | URLResolver], space: str) -> None:
        for one in patterns:
            if isinstance(one, URLResolver):
                walk(one.url_patterns, f"{space}{one.namespace}:" if one.namespace else space)
            elif one.name:
                for given in ({}, {"slug": slug}):
                    try:
                        found.add(reverse(space + one.name, kwargs=given))
                    except NoReverseMatch:
                        continue

    walk(get_resolver().url_patterns, "")
    return sorted(found)


@pytest.mark.slow
def test_it_asks_nobody_else(
    page: Page,
    live_server: LiveServer,
    owner: User,
    ws: Workspace,
    signed_in: Callable[[User], Client],
) -> None:
    with workspace(ws):
        message = make_message(state=MessageState.SENT)
        message.thread = message.thread or make_thread(message.enrollment)  # type: ignore[arg-type]
        message.save()
        reply = make_reply(message, html='<p>Hello <img src="https://site.example/p.png"></p>')
        rows = [f"/w/{ws.slug}/inbox/{reply.thread_id}/", f"/w/{ws.slug}/campaigns/{message.campaign_id}/"]
    asked: list[str] = []
    blocked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.on(
        "console",
        lambda said: blocked.append(f"{page.url}: {said.text}") if "Content Security" in said.text else None,
    )
    outside = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/privacy/", "/cookies/"]
    for path in outside:
        page.goto(live_server.url + path)
    let_in(page, live_server, signed_in(owner))
    walked = [path for path in addresses(ws.slug) if "logout" not in path and "/oauth/" not in path]
    pages = 0
    for path in rows + walked:
        answer = page.request.get(live_server.url + path, max_redirects=0)
        if answer.status == 200 and answer.headers["content-type"].startswith("text/html"):
            page.goto(live_server.url + path, wait_until="load")
            pages += 1
    assert pages > 25
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []
    assert blocked == []
