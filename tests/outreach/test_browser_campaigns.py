"""The composer and a campaign's page in a real browser: chips, autosave, preview, launch, live parts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts import clock
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from outreach.models import Campaign, CampaignState, ContactImport, ImportState, Message, MessageState
from outreach.models.contacts import address_index
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def visit(
    page: Page, live_server: LiveServer, ws: Workspace, member: User, signed_in: SignedIn
) -> Callable[[str], Page]:
    """Opens a page of the workspace as a member; anything on the console makes the test red."""
    session = signed_in(member).cookies["outreach_session"].value
    page.context.add_cookies([{"name": "outreach_session", "value": session, "url": live_server.url}])
    said: list[str] = []
    page.on("console", lambda note: said.append(note.text) if note.type in ("error", "warning") else None)
    page.on("pageerror", lambda fault: said.append(str(fault)))

    def go(path: str) -> Page:
        page.goto(f"{live_server.url}/w/{ws.slug}/{path}")
        assert said == []
        return page

    return go


@pytest.fixture
def draft(ws: Workspace, transactional_db: None) -> Campaign:
    with workspace(ws):
        people = [
            factories.make_contact("anselm@ridge.example", first_name="Anselm", fields={"topic": "huts"}),
            factories.make_contact("brisa@long-way.example", first_name="Brisa"),
        ]
        body = '<p>Hello {{ first_name | default: "there" }}, about {{ topic }}.</p>'
        return factories.make_campaign(steps=[("A map for {{ first_name }}", body)], contacts=people)


def text_of(campaign: Campaign, ws: Workspace) -> tuple[str, str]:
    with workspace(ws):
        step = campaign.steps.get(position=1)
        return step.subject, step.body.replace("&quot;", '"')


def saved(page: Page, act: Callable[[], object]) -> None:
    """Does the act and waits until the text is stored and the checks have followed."""
    with page.expect_response(re.compile("/compose/checks/")):
        act()


def test_it_keeps_the_cursor_while_the_rows_are_fetched_again(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    with workspace(ws):
        Campaign.objects.filter(pk=draft.pk).update(state=CampaignState.RUNNING)
    page = visit(f"campaigns/{draft.pk}/")
    page.keyboard.press("j")
    at = page.locator("tr.cursor a[data-row-link]").get_attribute("id")
    with workspace(ws), page.expect_response(lambda answer: "live=" in answer.url and answer.status == 200):
        draft.enrollments.get(contact__address_index=address_index("brisa@long-way.example")).delete()
        Campaign.objects.filter(pk=draft.pk).update(pause_reason="x")
    expect(page.locator("tr.cursor")).to_have_count(1)
    assert page.locator("tr.cursor a[data-row-link]").get_attribute("id") == at


def test_it_asks_for_an_address_of_a_link_and_takes_one_without_https(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.get_by_role("textbox", name="Text of the mail").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Shift+Home")
    page.get_by_role("button", name="Link", exact=True).click()
    dialog = page.get_by_role("dialog", name="Link")
    expect(dialog.get_by_role("button", name="Remove the link")).to_be_hidden()
    for refused in ("", "javascript:alert(1)", "two words"):
        dialog.get_by_label("Address").fill(refused)
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_role("alert")).to_have_text("Type an address such as site.example/page.")
    dialog.get_by_label("Address").fill("fernhill.example/map")
    saved(page, lambda: page.keyboard.press("Enter"))
    expect(dialog).to_be_hidden()
    assert 'href="https://fernhill.example/map"' in text_of(draft, ws)[1]
    page.get_by_role("button", name="Link", exact=True).click()
    expect(dialog.get_by_label("Address")).to_have_value("https://fernhill.example/map")
    saved(page, lambda: dialog.get_by_role("button", name="Remove the link").click())
    assert "href" not in text_of(draft, ws)[1]


def test_it_shows_fields_as_chips_and_stores_them_as_text(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    editor = page.get_by_role("textbox", name="Text of the mail")
    expect(editor.locator(".chip")).to_have_text(["First name or “there”", "Topic no fallback, 1 blank"])
    expect(page.get_by_role("textbox", name="Subject").locator(".chip")).to_have_count(1)
    editor.click()
    page.keyboard.press("Control+End")

    def write() -> None:
        page.keyboard.type(" And ")
        page.keyboard.press("Control+b")
        page.keyboard.type("bold")
        page.keyboard.press("Control+b")

    saved(page, write)
    expect(page.locator("#saved")).to_contain_text("Saved")
    subject, body = text_of(draft, ws)
    assert subject == "A map for {{ first_name }}"
    assert '{{ first_name | default: "there" }}' in body
    assert "{{ topic }}" in body
    assert "<b>bold</b>" in body
    assert "chip" not in body
    expect(page.locator("#preview article")).to_contain_text("And bold")


def test_it_inserts_a_field_by_slash_and_gives_it_a_fallback(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    editor = page.get_by_role("textbox", name="Text of the mail")
    editor.click()
    page.keyboard.press("Control+End")

    def insert() -> None:
        page.keyboard.type(" at /")
        page.locator("[data-fields]").get_by_role("button", name="Company").click()
        editor.locator(".chip", has_text="Company").click()
        page.get_by_label("When it is blank, write").fill("your place")
        page.get_by_role("button", name="Set").click()

    saved(page, insert)
    assert '{{ company | default: "your place" }}' in text_of(draft, ws)[1]
    expect(page.locator("#preview article")).to_contain_text("at your place")


def test_it_keeps_a_slash_that_was_meant_as_one(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.get_by_role("textbox", name="Text of the mail").click()
    page.keyboard.press("Control+End")

    def write() -> None:
        page.keyboard.type(" and/or /")
        page.keyboard.press("Escape")
        page.keyboard.type("x")

    saved(page, write)
    assert "and/or /x" in text_of(draft, ws)[1]


def test_it_walks_the_preview_by_keys_and_launches_with_the_number(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    expect(page.get_by_role("heading", name="As Anselm gets it")).to_be_visible()
    page.locator("h1").click(position={"x": 1, "y": 1}, trial=True)
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="As Brisa gets it")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("Blank for Brisa: Topic")
    page.keyboard.press("[")
    expect(page.get_by_role("heading", name="As Anselm gets it")).to_be_visible()
    expect(page.get_by_text("1 ready, 1 held back")).to_be_visible()
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Queue 1", exact=True).click()
    page.wait_for_url(f"**/campaigns/{draft.pk}/")
    expect(page.get_by_text("1 mail is planned, 1 held back")).to_be_visible()
    with workspace(ws):
        assert Message.objects.count() == 1


ANSWERS_AT_ONCE = """
new MutationObserver((_, watch) => {
  if (!document.querySelector("#preview h2").textContent.includes("Brisa")) return;
  watch.disconnect();
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "[", bubbles: true }));
}).observe(document.getElementById("preview"), { childList: true, subtree: true });
"""


def test_it_takes_a_key_in_the_very_moment_in_which_the_next_person_appears(
    visit: Callable[[str], Page], draft: Campaign
) -> None:
    """Buttons that are seen can be pressed: they are not deaf for the first milliseconds."""
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.evaluate(ANSWERS_AT_ONCE)
    with page.expect_response(re.compile("/preview/.*n=1$")):
        page.keyboard.press("]")
    expect(page.get_by_role("heading", name="As Anselm gets it")).to_be_visible()


def test_it_loses_no_key_while_an_answer_is_on_its_way(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    """Three quick keys over a slow line are three steps, each from where the one before it led."""
    with workspace(ws):
        factories.make_enrollment(draft, factories.make_contact("corin@far.example", first_name="Corin"))
    page = visit(f"campaigns/{draft.pk}/compose/")
    asked: list[str] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route.request.url.rpartition("n=")[2])
        if len(asked) == 1:
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile("/compose/preview/"), hold)
    with page.expect_request(re.compile("/preview/")):
        page.keyboard.press("]")
    page.keyboard.press("]")
    page.keyboard.press("[")
    assert asked == ["2"]
    with page.expect_response(re.compile("n=3$")):
        held[0].continue_()
    expect(page.get_by_role("heading", name="As Brisa gets it")).to_be_visible()
    assert asked == ["2", "3", "2"]


def test_it_shows_the_stored_text_without_taking_back_the_step_to_the_next_person(
    visit: Callable[[str], Page], draft: Campaign
) -> None:
    """The refresh after a save asks for the person shown by then, and waits for a walk under way."""
    page = visit(f"campaigns/{draft.pk}/compose/")
    asked: list[str] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route.request.url.rpartition("n=")[2])
        if len(asked) == 1:
            held.append(route)
        else:
            route.continue_()

    page.route(re.compile("/compose/preview/"), hold)
    with page.expect_request(re.compile("/preview/")):
        page.get_by_role("button", name="Next person").click()
    with page.expect_response(re.compile("/checks/")):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('stored', { bubbles: true }))")
    with page.expect_response(lambda answer: "/preview/" in answer.url and len(asked) > 1):
        held[0].continue_()
    expect(page.get_by_role("heading", name="As Brisa gets it")).to_be_visible()
    assert asked == ["2", "2"]


def test_it_says_what_was_not_saved_and_keeps_it_on_the_page(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    before = text_of(draft, ws)
    subject = page.get_by_role("textbox", name="Subject")
    subject.focus()
    with page.expect_response(re.compile("/compose/\\?step=1")):
        page.keyboard.insert_text("x" * 300)
    expect(page.locator("#saved")).to_have_text("Not saved")
    expect(page.get_by_text("A subject has at most 250 characters")).to_be_visible()
    expect(subject).to_contain_text("xxx")
    assert text_of(draft, ws) == before


def test_it_follows_the_sending_without_a_reload_and_pauses_by_key(
    visit: Callable[[str], Page], ws: Workspace, transactional_db: None
) -> None:
    with workspace(ws):
        campaign = factories.make_campaign(state=CampaignState.RUNNING, launched_at=clock.now())
        people = [factories.make_enrollment(campaign, state="running") for _ in range(3)]
        mails = [factories.make_message(each, state=MessageState.QUEUED) for each in people]
    page = visit(f"campaigns/{campaign.pk}/")
    expect(page.get_by_text("0 of 3 written to")).to_be_visible()
    with workspace(ws):
        Message.objects.filter(pk=mails[0].pk).update(state=MessageState.SENT, sent_at=clock.now())
    expect(page.get_by_text("1 of 3 written to")).to_be_visible(timeout=6000)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Step 1")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.get_by_text("Nothing is handed over until you resume")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#campaign-state")).to_contain_text("Running")


def test_it_works_without_script(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace, live_server: LiveServer
) -> None:
    page = visit("contacts/")
    browser = page.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    bare = plain.new_page()
    bare.goto(f"{live_server.url}/w/{ws.slug}/campaigns/{draft.pk}/compose/")
    bare.get_by_label("Text of step 1").fill("<p>Hello {{ first_name }}</p>")
    bare.get_by_role("button", name="Save").click()
    assert text_of(draft, ws)[1] == "<p>Hello {{ first_name }}</p>"
    bare.get_by_role("link", name=re.compile("Queue 2")).click()
    bare.get_by_role("button", name="Queue 2").click()
    bare.wait_for_url(f"**/campaigns/{draft.pk}/")
    plain.close()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_gives_axe_nothing_to_object_to_and_never_scrolls_sideways(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace, page: Page, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    with workspace(ws):
        running = factories.make_campaign(state=CampaignState.RUNNING, launched_at=clock.now())
        doubt = factories.make_message(
            factories.make_enrollment(running, state="running"), state=MessageState.DOUBT
        )
        contact = draft.enrollments.first()
        assert contact is not None
        factories.make_suppression("acme.example", scope="domain")
        imports = [factories.make_import("new@one.example", "no address") for _ in range(3)]
        ContactImport.objects.filter(pk=imports[1].pk).update(state=ImportState.STORING)
        ContactImport.objects.filter(pk=imports[2].pk).update(state=ImportState.DONE)
    paths = [
        "campaigns/",
        "campaigns/new/",
        f"campaigns/{running.pk}/",
        f"campaigns/{draft.pk}/compose/",
        f"campaigns/{draft.pk}/people/",
        f"campaigns/{draft.pk}/settings/",
        f"doubt/{doubt.pk}/",
        "contacts/",
        f"contacts/{contact.contact_id}/",
        "contacts/import/",
        "contacts/imports/",
        *[f"contacts/imports/{row.pk}/" for row in imports],
        "sites/",
        "suppressions/",
        "projects/",
    ]
    found = []
    for path in paths:
        visit(path)
        wrong = Axe().run(page).response["violations"]
        found += [f"{path} {each['id']}: {node['html'][:100]}" for each in wrong for node in each["nodes"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{path} scrolls sideways")
    assert found == []
