"""The board by pointer, by keys and by touch, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach import campaigns, stages
from outreach.models import Card, Project, Stage
from tests import factories
from tests.outreach.test_browser_campaigns import visit

__all__ = ["visit"]
Visit = Callable[[str], Page]


@pytest.fixture
def project(ws: Workspace, transactional_db: None) -> Project:
    with workspace(ws):
        row = factories.make_campaign()
        names = ("ana@ridge.example", "bo@moor.example", f"cy@{'long-' * 10}name.example")
        campaigns.add_contacts(row, [factories.make_contact(name) for name in names])
        return row.project


def column(page: Page, name: str) -> Locator:
    return page.locator(f"[data-stage={name}]")


def test_a_card_is_dragged_and_undone(visit: Visit, project: Project, ws: Workspace) -> None:
    page = visit(f"projects/{project.pk}/board/")
    page.locator(".bcard", has_text="ridge.example").drag_to(column(page, "agreed"))
    expect(column(page, "agreed")).to_contain_text("ridge.example")
    expect(page.locator("#toasts")).to_contain_text("ridge.example is in Agreed")
    page.keyboard.press("z")
    expect(column(page, "prospect")).to_contain_text("ridge.example")
    with workspace(ws):
        assert set(Card.objects.values_list("stage", flat=True)) == {"prospect"}


def test_a_card_is_moved_by_keys_alone_and_keeps_the_focus(
    visit: Visit, project: Project, ws: Workspace
) -> None:
    page = visit(f"projects/{project.pk}/board/")
    link = page.get_by_role("link", name="moor.example")
    link.focus()
    for name in ("contacted", "replied"):
        page.keyboard.press("Shift+ArrowRight")
        expect(column(page, name)).to_contain_text("moor.example")
        expect(link).to_be_focused()
    page.keyboard.press("m")
    expect(column(page, "replied").get_by_role("button", name="Prospect")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(column(page, "contacted")).to_contain_text("moor.example")
    expect(page.locator("#toasts")).to_contain_text("moor.example is in Contacted")


def test_it_says_on_the_board_that_somebody_was_there_before(
    visit: Visit, project: Project, ws: Workspace, owner: User
) -> None:
    page = visit(f"projects/{project.pk}/board/")
    with workspace(ws):
        row = Card.objects.get(site__domain="ridge.example")
        stages.move(row, Stage.WON, seen="prospect", actor=owner)
    page.locator(".bcard", has_text="ridge.example").drag_to(column(page, "lost"))
    expect(page.get_by_role("alert").filter(has_text="moved meanwhile")).to_be_visible()
    expect(column(page, "won")).to_contain_text("ridge.example")


@pytest.mark.parametrize("width", [390, 900, 1440])
def test_it_is_accessible_and_fits(visit: Visit, project: Project, ws: Workspace, width: int) -> None:
    with workspace(ws):
        card = Card.objects.get(site__domain="ridge.example")
    for path in (f"projects/{project.pk}/board/", f"cards/{card.pk}/"):
        page = visit(path)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert Axe().run(page).response["violations"] == [], path
    page = visit(f"projects/{project.pk}/board/")
    page.locator(".bcard", has_text="ridge.example").locator("summary").click()
    box = page.locator(".bcard .menu[open] .pop").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.locator(".bcard .menu[open]").get_by_role("button", name="Won").click()
    expect(page.locator("#toasts")).to_contain_text("ridge.example is in Won")
    if width < 1100:
        page.get_by_role("navigation", name="Stages").get_by_role("link", name="Won").click()
    expect(column(page, "won").get_by_role("link", name="ridge.example")).to_be_visible()
