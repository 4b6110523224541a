"""The form of a new campaign tells the zone of the browser in which it is filled in."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign


def test_a_campaign_made_in_denver_sends_by_denvers_clock(
    browser: Browser,
    live_server: LiveServer,
    ws: Workspace,
    member: User,
    signed_in: Callable[[User], Client],
) -> None:
    session = signed_in(member).cookies["outreach_session"].value
    context = browser.new_context(timezone_id="America/Denver")
    context.add_cookies([{"name": "outreach_session", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/w/{ws.slug}/campaigns/new/")
    page.get_by_label("Name", exact=True).fill("Huts")
    page.get_by_label("Name of the new project").fill("Guides")
    page.get_by_role("button", name="Write the first mail").click()
    expect(page.get_by_role("textbox", name="Subject")).to_be_visible()
    with workspace(ws):
        assert Campaign.objects.get().timezone == "America/Denver"
    context.close()
