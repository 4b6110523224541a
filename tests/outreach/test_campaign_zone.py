"""A new campaign's zone: the browser's, else that of the last campaign, else UTC; the settings say which."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from outreach.models import Campaign
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def made(client: Client, ws: Workspace, zone: str | None) -> Campaign:
    """The campaign that a browser of this zone makes."""
    named = {} if zone is None else {"timezone": zone}
    client.post(f"/w/{ws.slug}/campaigns/new/", {"name": "Huts", "new_project": "Guides", **named})
    return Campaign.objects.get(name="Huts")


def test_it_takes_the_browsers_zone(client: Client, in_ws: Workspace) -> None:
    assert made(client, in_ws, "America/Denver").timezone == "America/Denver"


@pytest.mark.parametrize(
    "zone", [None, "", "Mars/Olympus", "../../etc/passwd", "x" * 500, "Europe/Lisbon\r\nx"]
)
def test_a_zone_that_is_none_stands_in_nobodys_way(
    client: Client, in_ws: Workspace, zone: str | None
) -> None:
    assert made(client, in_ws, zone).timezone == "UTC"


def test_without_a_zone_it_takes_that_of_the_persons_last_campaign(
    client: Client, in_ws: Workspace, member: User, owner: User
) -> None:
    factories.make_campaign(timezone="Europe/Lisbon", created_by=member)
    factories.make_campaign(timezone="Asia/Tokyo", created_by=owner)
    assert made(client, in_ws, "").timezone == "Europe/Lisbon"


def test_the_form_asks_the_browser_and_the_settings_say_which_zone_it_is(
    client: Client, in_ws: Workspace
) -> None:
    form = client.get(f"/w/{in_ws.slug}/campaigns/new/").content.decode()
    assert "data-browser-zone" in form
    assert 'type="hidden" name="timezone"' in form
    row = made(client, in_ws, "America/Denver")
    page = client.get(f"/w/{in_ws.slug}/campaigns/{row.pk}/settings/").content.decode()
    there = clock.now().astimezone(zoneinfo.ZoneInfo("America/Denver"))
    minutes = [there - dt.timedelta(minutes=1), there]
    assert any(f"In America/Denver it is now {minute:%a %H:%M}." in page for minute in minutes)
