"""The library beside the editor, by keys, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from accounts.models import Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign, SavedText
from tests import factories
from tests.outreach.test_browser_campaigns import draft, saved, text_of, visit

__all__ = ["draft", "visit"]
Visit = Callable[[str], Page]
KEPT = '<p>Dear {{ first_name | default: "reader" }},</p><p>kept <b>words</b>.</p>'


@pytest.fixture
def kept(ws: Workspace, transactional_db: None) -> None:
    with workspace(ws):
        factories.make_text("Kept note", folder="Huts", subject="Kept for {{ site }}", body=KEPT)
        factories.make_text("Closing", is_snippet=True, body="<p>Yours, {{ sender_name }}</p>")


def blank(ws: Workspace, *, text_only: bool = False) -> Campaign:
    with workspace(ws):
        ana = factories.make_contact("ana@a.example", first_name="Ana")
        return factories.make_campaign(steps=[("", "")], contacts=[ana], text_only=text_only)


def choose(page: Page, entry: str) -> None:
    """An entry of the library's menu, by keys alone."""
    page.locator("[data-library] summary").focus()
    page.keyboard.press("Enter")
    for _ in range({"Use a text": 1, "Insert a snippet": 2, "Save to library": 3}[entry]):
        page.keyboard.press("ArrowDown")
    expect(page.locator("[data-library]").get_by_role("button", name=entry)).to_be_focused()
    page.keyboard.press("Enter")
    field = page.get_by_role("combobox").first if entry != "Save to library" else page.get_by_label("Name")
    expect(field).to_be_focused()


def test_a_text_goes_into_an_empty_step_at_once_and_undo_takes_it_back(
    visit: Visit, ws: Workspace, kept: None
) -> None:
    campaign = blank(ws)
    page = visit(f"campaigns/{campaign.pk}/compose/")

    def use() -> None:
        choose(page, "Use a text")
        page.keyboard.type("kept")
        page.keyboard.press("Enter")

    saved(page, use)
    expect(page.get_by_role("textbox", name="Text of the mail").locator(".chip")).to_have_text(
        ["First name or “reader”"]
    )
    assert text_of(campaign, ws) == ("Kept for {{ site }}", KEPT)
    expect(page.locator("#preview article")).to_contain_text("Dear Ana")
    saved(page, lambda: page.keyboard.press("z"))
    assert text_of(campaign, ws)[0] == ""
    assert "kept" not in text_of(campaign, ws)[1]
    saved(page, lambda: page.keyboard.press("z"))
    assert text_of(campaign, ws) == ("Kept for {{ site }}", KEPT)


def test_it_asks_before_it_replaces_what_was_written(
    visit: Visit, draft: Campaign, ws: Workspace, kept: None
) -> None:
    before = text_of(draft, ws)
    page = visit(f"campaigns/{draft.pk}/compose/")
    editor = page.get_by_role("textbox", name="Text of the mail")
    editor.click()
    page.keyboard.press("Control+End")
    saved(page, lambda: page.keyboard.type(" typed just now"))
    choose(page, "Use a text")
    page.get_by_role("option", name="Kept note").click()
    asked = page.get_by_role("dialog", name="Replace the text of this step")
    expect(asked).to_contain_text("“Kept note”")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(editor).to_contain_text("typed just now")
    choose(page, "Use a text")
    page.get_by_role("option", name="Kept note").click()
    saved(page, lambda: asked.get_by_role("button", name="Replace the text").press("Enter"))
    assert text_of(draft, ws) == ("Kept for {{ site }}", KEPT)
    saved(page, lambda: page.keyboard.press("z"))
    subject, body = text_of(draft, ws)
    assert subject == before[0]
    assert body.endswith(" typed just now</p>")


def test_a_snippet_goes_where_the_cursor_stands(
    visit: Visit, draft: Campaign, ws: Workspace, kept: None
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    editor = page.get_by_role("textbox", name="Text of the mail")

    def insert() -> None:
        choose(page, "Insert a snippet")
        page.keyboard.press("Enter")

    saved(page, insert)
    expect(editor).to_be_focused()
    assert text_of(draft, ws)[1].endswith("Yours, {{ sender_name }}</p>")
    expect(editor.locator(".chip", has_text="Your name")).to_have_count(1)
    page.keyboard.press("Control+Home")
    page.keyboard.type("First. ")
    saved(page, insert)
    assert text_of(draft, ws)[1].startswith("<p>First. Yours, {{ sender_name }}")


def test_plain_text_takes_both_too(visit: Visit, ws: Workspace, kept: None) -> None:
    campaign = blank(ws, text_only=True)
    page = visit(f"campaigns/{campaign.pk}/compose/")
    area = page.locator("textarea[name=body]")

    def use() -> None:
        choose(page, "Use a text")
        page.keyboard.press("Enter")

    saved(page, use)
    assert text_of(campaign, ws)[1] == 'Dear {{ first_name | default: "reader" }},\n\nkept words.'
    area.focus()
    page.keyboard.press("Control+Home")

    def insert() -> None:
        choose(page, "Insert a snippet")
        page.keyboard.press("Enter")

    saved(page, insert)
    assert text_of(campaign, ws)[1].startswith("Yours, {{ sender_name }}Dear")


def test_the_text_of_a_step_is_kept_and_the_palette_leads_there(
    visit: Visit, draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.get_by_role("textbox", name="Text of the mail").click()
    page.keyboard.press("Control+k")
    page.keyboard.type("save to lib")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Save to library")
    name = dialog.get_by_label("Name")
    expect(name).to_be_focused()
    with page.expect_response(lambda answer: answer.status == 422):
        page.keyboard.press("Control+Enter")
    expect(dialog).to_contain_text("This field is required")
    expect(name).to_be_focused()
    name.fill("My note")
    dialog.get_by_label("Folder").fill("Huts")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("“My note” is in the library")
    with workspace(ws):
        row = SavedText.objects.get()
        assert (row.name, row.folder, row.subject) == ("My note", "Huts", "A map for {{ first_name }}")
        assert row.body.replace("&quot;", '"') == text_of(draft, ws)[1]


def test_a_text_is_written_in_the_library_itself(visit: Visit, ws: Workspace, transactional_db: None) -> None:
    page = visit("library/new/")
    page.get_by_label("Name").fill("Written here")
    page.get_by_role("textbox", name="Subject").click()
    page.keyboard.type("About {{site}}")
    page.keyboard.press("Enter")
    page.keyboard.type("Hello /first")
    page.keyboard.press("Enter")
    page.keyboard.type(", on {{topic}} today")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("“Written here” is in the library")
    with workspace(ws):
        row = SavedText.objects.get()
    assert row.subject == "About {{ site }}"
    assert "Hello {{ first_name | default:" in row.body
    assert "{{topic}} today" in row.body
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    chips = page.get_by_role("textbox", name="Text", exact=False).locator(".chip")
    expect(chips.last).to_have_text("topic")


@pytest.mark.parametrize("width", [390, 1440])
def test_it_is_accessible_and_fits(
    visit: Visit, draft: Campaign, ws: Workspace, kept: None, width: int
) -> None:
    with workspace(ws):
        row = SavedText.objects.get(name="Kept note")
        factories.make_text("A very long name " * 7, folder="A very long folder of texts, by its name")
    for path in ("library/", f"library/{row.pk}/", "library/new/?kind=snippet"):
        page = visit(path)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert Axe().run(page).response["violations"] == [], path
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.locator("[data-library] summary").click()
    entries = page.locator("[data-library] .pop").bounding_box()
    assert entries is not None
    assert entries["x"] >= 0
    assert entries["x"] + entries["width"] <= width
    page.keyboard.press("Escape")
    for entry, dialog in (("Use a text", "#library-pick"), ("Save to library", "#library-keep")):
        choose(page, entry)
        expect(page.locator(dialog)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), entry
        assert Axe().run(page).response["violations"] == [], entry
        page.keyboard.press("Escape")
