"""The field menu by keys, and conditions around a chip, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign
from tests import factories
from tests.outreach.test_browser_campaigns import draft, saved, text_of, visit

__all__ = ["draft", "visit"]
Visit = Callable[[str], Page]


def at_the_end(visit: Visit, campaign: Campaign) -> Page:
    page = visit(f"campaigns/{campaign.pk}/compose/")
    page.get_by_role("textbox", name="Text of the mail").click()
    page.keyboard.press("Control+End")
    return page


def test_the_field_menu_narrows_as_one_types(visit: Visit, draft: Campaign, ws: Workspace) -> None:
    page = at_the_end(visit, draft)
    menu = page.locator("[data-fields]")
    page.keyboard.type(" at /")
    expect(menu.locator("button:visible")).not_to_have_count(1)
    page.keyboard.type("cmp")
    expect(menu.locator("button:visible")).to_have_count(0)
    expect(menu.get_by_role("status")).to_be_visible()
    for _ in range(2):
        page.keyboard.press("Backspace")
    page.keyboard.type("om")
    expect(menu.locator("button:visible")).to_have_count(1)
    expect(menu.get_by_role("button", name="Company")).to_be_focused()
    saved(page, lambda: page.keyboard.press("Enter"))
    assert text_of(draft, ws)[1].endswith(" at {{ company }}</p>")
    page.keyboard.type(" /")
    expect(menu.locator("button:visible")).not_to_have_count(1)


def test_two_braces_open_it_and_a_whole_field_becomes_a_chip(
    visit: Visit, draft: Campaign, ws: Workspace
) -> None:
    page = at_the_end(visit, draft)
    menu = page.locator("[data-fields]")
    page.keyboard.type(" a{{")
    expect(menu).to_have_attribute("open", "")
    page.keyboard.type("sit")
    expect(menu.get_by_role("button", name="Site")).to_be_focused()
    page.keyboard.press("Enter")
    saved(page, lambda: page.keyboard.type(" b {{ company }} c"))
    assert " a{{ site }} b {{ company }} c</p>" in text_of(draft, ws)[1]
    chips = page.get_by_role("textbox", name="Text of the mail").locator(".chip")
    expect(chips).to_have_count(4)


def test_what_is_no_field_stays_what_was_typed(visit: Visit, draft: Campaign, ws: Workspace) -> None:
    page = at_the_end(visit, draft)

    def write() -> None:
        page.keyboard.type(" / and /xyz")
        page.keyboard.press("Escape")
        page.keyboard.type(" {{ topic | upcase }}")

    saved(page, write)
    assert " / and /xyz {{ topic | upcase }}</p>" in text_of(draft, ws)[1]


def test_it_works_in_the_subject_too(visit: Visit, draft: Campaign, ws: Workspace) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.get_by_role("textbox", name="Subject").focus()
    page.keyboard.press("End")
    page.keyboard.type(" {{comp")
    expect(page.locator("[data-fields]").get_by_role("button", name="Company")).to_be_focused()
    page.keyboard.press("Enter")
    stored = page.locator("input[name=subject]")
    expect(stored).to_have_value("A map for {{ first_name }} {{ company }}")
    page.keyboard.type(" now")
    expect(stored).to_have_value("A map for {{ first_name }} {{ company }} now")
    expect(page.locator("#preview article")).to_contain_text("now")
    assert text_of(draft, ws)[0] == "A map for {{ first_name }} {{ company }} now"


def test_a_chip_keeps_its_condition(visit: Visit, ws: Workspace, transactional_db: None) -> None:
    first = '<p>Hello{% if topic == "huts" %}, about <b>{{ topic }}</b>{% else %} again{% endif %}.</p>'
    body = f"{first}<p>Bye</p>"
    with workspace(ws):
        people = [
            factories.make_contact("anselm@ridge.example", first_name="Anselm", fields={"topic": "huts"}),
            factories.make_contact("brisa@long-way.example", first_name="Brisa"),
        ]
        campaign = factories.make_campaign(steps=[("A map", body)], contacts=people)
    page = at_the_end(visit, campaign)
    saved(page, lambda: page.keyboard.type(" now"))
    assert text_of(campaign, ws)[1] == body.replace("Bye", "Bye now")
    expect(page.locator("#preview article")).to_contain_text("Hello, about huts.")
    page.locator("#preview-next").click()
    expect(page.locator("#preview article")).to_contain_text("Hello again.")
    expect(page.get_by_text("2 ready, 0 held back")).to_be_visible()
