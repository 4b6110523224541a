"""Why a mail has not gone, on the person's page; and this page, the doubts and the figures in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach import policy
from outreach.models import Campaign, CampaignState, Enrollment, Message, MessageKind, MessageState
from outreach.pipeline import settle
from tests import factories
from tests.accounts.test_browser import faults, sign_in

SignedIn = Callable[[User], Client]


def waiting(**values: object) -> Enrollment:
    campaign = factories.make_campaign(state=CampaignState.RUNNING, launched_at=clock.now())
    person = factories.make_enrollment(campaign, state="running")
    factories.make_message(person, **values)  # type: ignore[arg-type]
    return person


def person_path(here: Workspace, person: Enrollment) -> str:
    return f"/w/{here.slug}/campaigns/{person.campaign_id}/people/{person.pk}/"


@pytest.mark.parametrize("htmx", [True, False])
def test_it_lists_every_gate_of_the_mail_that_waits(
    signed_in: SignedIn, viewer: User, in_ws: Workspace, htmx: bool
) -> None:
    person = waiting(reason="window")
    Workspace.objects.filter(pk=in_ws.pk).update(postal_address="")
    headers = {"HX-Request": "true"} if htmx else {}
    page = signed_in(viewer).get(person_path(in_ws, person), headers=headers).content.decode()
    gates = [gate for gate in policy.GATES if MessageKind.FIRST in gate.kinds]
    for gate in gates:
        assert gate.rule in page
    assert "Why step 1 has not gone" in page
    assert "no_postal_address" in page
    assert page.count(">Waits<") == 1
    assert page.count(">Passes<") == page.count('<li class="off">')
    assert f"{page.count('>Passes<')} of {len(gates)} pass" in page


def test_it_lists_no_gate_where_nothing_waits(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    page = signed_in(viewer).get(person_path(in_ws, waiting(state=MessageState.SENT))).content.decode()
    assert "has not gone" not in page


# --- in a browser ---------------------------------------------------------------------------------------


@pytest.fixture
def places(ws: Workspace, owner: User) -> dict[str, str]:
    """Addresses of pages that have something to show."""
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    with workspace(ws):
        person = waiting(reason="window")
        Campaign.objects.update(state=CampaignState.PAUSED)
        for reason in (settle.NO_TRACE, settle.DISCONNECTED):
            waiting(state=MessageState.DOUBT, reason=reason, attempted_at=clock.now())
        return {
            "home": f"/w/{ws.slug}/",
            "doubts": f"/w/{ws.slug}/doubt/",
            "person": person_path(ws, person),
            "staff": "/staff/",
        }


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]
)
def test_it_gives_axe_nothing_to_object_to(
    scheme: str, width: int, browser: Browser, live_server: LiveServer, owner: User, places: dict[str, str]
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 860}
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(page, live_server, owner)
    for place, path in places.items():
        page.goto(f"{live_server.url}{path}")
        assert (place, faults(page)) == (place, [])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (place, wide) == (place, 0)
    assert said == []
    context.close()


def test_it_decides_by_keys_and_asks_before_it_sends_again(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, places: dict[str, str]
) -> None:
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}{places['doubts']}")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("1 selected")
    page.keyboard.press("2")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("the person gets it twice")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with workspace(ws):
        assert Message.objects.filter(state=MessageState.DOUBT).count() == 2
    page.keyboard.press("3")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("2")
    dialog.get_by_role("button", name="Send 1 mail again").click()
    expect(page.locator("main")).to_contain_text("No mail is in doubt")
    with workspace(ws):
        left = Message.objects.exclude(reason="window").order_by("attempted_at")
        assert [row.state for row in left] == [MessageState.CANCELLED, MessageState.QUEUED]
