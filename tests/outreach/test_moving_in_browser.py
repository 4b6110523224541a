"""Selected people are moved to another campaign and brought back, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign, Enrollment
from tests import factories
from tests.outreach.test_browser_campaigns import visit

__all__ = ["visit"]


@pytest.fixture
def spring(ws: Workspace, transactional_db: None) -> Campaign:
    with workspace(ws):
        people = [factories.make_contact(f"{name}@{name}.example") for name in ("ana", "bo", "cy")]
        factories.make_campaign(name="Autumn")
        return factories.make_campaign(name="Spring", contacts=people)


def people_of(ws: Workspace, name: str) -> int:
    with workspace(ws):
        return Enrollment.objects.filter(campaign__name=name, state="planned").count()


def test_two_are_moved_by_the_bar_and_brought_back_by_undo(
    visit: Callable[[str], Page], ws: Workspace, spring: Campaign
) -> None:
    page = visit(f"campaigns/{spring.pk}/")
    boxes = page.locator("[data-list] input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Move…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Move 2 people")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_label("To campaign").focus()
    page.keyboard.type("Autumn")
    page.get_by_role("button", name="Move 2 people").click()
    expect(page.get_by_text("2 people moved to “Autumn”").first).to_be_visible()
    expect(page.get_by_text("Moved to “Autumn” by a person.")).to_have_count(2)
    assert (people_of(ws, "Spring"), people_of(ws, "Autumn")) == (1, 2)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("2 people are back in this campaign").first).to_be_visible()
    assert (people_of(ws, "Spring"), people_of(ws, "Autumn")) == (3, 0)
