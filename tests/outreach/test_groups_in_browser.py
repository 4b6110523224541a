"""Tags, filters and views as a marketer uses them, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.models import Grouping, SavedView
from tests import factories
from tests.outreach.test_browser_campaigns import visit

__all__ = ["visit"]
Visit = Callable[[str], Page]


@pytest.fixture
def people(ws: Workspace, transactional_db: None) -> None:
    with workspace(ws):
        for name, country in (("Ana", "PT"), ("Ben", "PT"), ("Cleo", "DE")):
            factories.make_contact(f"{name.lower()}@{name.lower()}.example", name=name, country=country)


def test_a_selection_is_tagged_filtered_and_kept(visit: Visit, ws: Workspace, people: None) -> None:
    page = visit("contacts/")
    expect(page.locator("#bulk")).to_be_hidden()
    page.get_by_label("Select Ana").check()
    page.get_by_label("Select Cleo").check()
    bar = page.locator("#bulk")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_placeholder("Name").fill("Press")
    bar.get_by_role("button", name="Put in").click()
    expect(page.locator("#toasts")).to_contain_text("2 people put into tag “Press”")
    page.keyboard.press("z")
    expect(page.locator("#toasts")).to_contain_text("Undone for 2 people")
    with workspace(ws):
        assert not Grouping.objects.standing().exists()
    page.get_by_label("Select Ana").check()
    page.locator("#bulk").get_by_placeholder("Name").fill("press")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("1 person put into tag “Press”")
    page.keyboard.press("f")
    page.get_by_label("Tag", exact=True).select_option("Press")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-list] tr")).to_have_count(1)
    page.locator(".views summary").click()
    page.get_by_label("Keep this filter as").fill("Press people")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator(".views summary")).to_contain_text("Press people")
    with workspace(ws):
        assert SavedView.objects.get().name == "Press people"
    page.get_by_role("link", name="Remove this filter").click()
    expect(page.locator("[data-list] tr")).to_have_count(3)


@pytest.mark.parametrize("width", [390, 1440])
def test_it_is_accessible_and_fits(visit: Visit, ws: Workspace, people: None, width: int) -> None:
    with workspace(ws):
        person = factories.make_contact("dan@d.example", name="Dan")
        tag = factories.make_group("A very long name of a tag that hardly fits " + "x" * 16, people=[person])
        factories.make_group("Other")
    for path in (
        f"contacts/?country=US&tag={tag.pk}",
        f"contacts/{person.pk}/",
        "contacts/groups/",
        f"contacts/groups/{tag.pk}/",
    ):
        page = visit(path)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert Axe().run(page).response["violations"] == [], path
