"""The shell in a real browser: keys, palette, dialog, theme, and nothing that axe objects to."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import audit
from accounts.models import User, Workspace
from accounts.tenancy import workspace
from tests import factories
from tests.conftest import PASSWORD

OUTSIDE = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/privacy/", "/cookies/"]
INSIDE = ["settings", "activity", "activity/export"]
CONFIRM = """
  <dialog class="dlg" id="ask" aria-labelledby="ask-h" data-open><form method="post" action="#">
  <header><h2 id="ask-h">Cancel Winter gear</h2></header><div class="in"><p>41 mails.</p></div>
  <footer><div class="acts"><button class="btn" type="button" data-close>Cancel</button>
  <button class="btn btn-stop">Cancel 41 mails</button></div></footer></form></dialog>
"""
ROW = """
  <tr><td><input type="checkbox" aria-label="{0}"> <a data-row-link href="#{0}">{0}</a>
  <button data-key="1">keep</button></td></tr>
"""
ROWS = f"""
  <table class="tbl"><caption>Sites</caption><tbody data-list>
  {"".join(ROW.format(name) for name in ("one", "two", "three"))}
  </tbody></table>
"""


def sign_in(page: Page, server: LiveServer, user: User) -> None:
    page.goto(f"{server.url}/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/w/**")


@pytest.fixture
def inside(page: Page, live_server: LiveServer, owner: User, ws: Workspace) -> Page:
    with workspace(ws):
        for number in range(3):
            audit.record("test.act", f"Act number {number}", actor=owner)
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/settings/")
    return page


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_gives_axe_nothing_to_object_to(
    scheme: str, width: int, browser: Browser, live_server: LiveServer, owner: User, ws: Workspace
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 860}
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    for address in OUTSIDE:
        page.goto(live_server.url + address)
        assert (address, faults(page)) == (address, [])
    sign_in(page, live_server, owner)
    said.clear()
    for place in INSIDE:
        page.goto(f"{live_server.url}/w/{ws.slug}/{place}/")
        assert (place, faults(page)) == (place, [])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0
    assert said == []
    context.close()


def test_it_finds_and_goes_by_keys(inside: Page) -> None:
    inside.keyboard.press("Control+k")
    expect(inside.get_by_role("combobox", name="Find or do")).to_be_focused()
    inside.keyboard.type("activity")
    expect(inside.get_by_role("option")).to_have_count(1)
    assert faults(inside) == []
    inside.keyboard.press("Enter")
    inside.wait_for_url("**/activity/")
    inside.keyboard.press("j")
    expect(inside.locator("tr.cursor")).to_have_count(1)
    inside.keyboard.press("Control+k")
    inside.keyboard.type("no such thing")
    # The log's own lists of choices stand beside the palette.
    expect(inside.locator("#palette").get_by_role("option")).to_have_count(0)
    inside.keyboard.press("Escape")
    expect(inside.locator("#palette")).to_be_hidden()
    inside.locator("h1").click()
    inside.keyboard.press("g")
    inside.keyboard.press("l")
    inside.wait_for_url("**/activity/")


def test_it_finds_what_the_workspace_holds_and_goes_there(inside: Page, ws: Workspace) -> None:
    with workspace(ws):
        row = factories.make_campaign(name="Ridge in winter")
    inside.keyboard.press("Control+k")
    inside.keyboard.type("ridge in", delay=20)
    option = inside.locator("#palette").get_by_role("option", name="Ridge in winter")
    expect(option).to_be_visible()
    expect(inside.locator("#palette").get_by_role("group", name="Found")).to_be_visible()
    assert faults(inside) == []
    inside.keyboard.press("Enter")
    inside.wait_for_url(f"**/campaigns/{row.pk}/")
    inside.keyboard.press("Control+k")
    inside.keyboard.type("ridge in summer")
    expect(inside.locator("#palette .none")).to_contain_text("A person is found by the whole address")


def test_it_shows_all_keys_and_gives_the_focus_back(inside: Page) -> None:
    button = inside.get_by_role("button", name="Keyboard shortcuts")
    button.click()
    expect(inside.get_by_role("dialog", name="Keys")).to_be_visible()
    assert faults(inside) == []
    inside.keyboard.press("Escape")
    expect(inside.get_by_role("dialog", name="Keys")).to_be_hidden()
    expect(button).to_be_focused()


def test_it_lets_single_keys_rest_in_fields_and_when_they_are_off(inside: Page) -> None:
    field = inside.get_by_role("textbox", name="Postal address")
    field.fill("")
    field.press_sequentially("g?l/")
    expect(field).to_have_value("g?l/")
    expect(inside.locator("#all-keys")).to_be_hidden()
    inside.get_by_label("Single keys").uncheck()
    inside.get_by_role("button", name="Save workspace settings").click()
    expect(inside.locator("[data-toast]")).to_contain_text("Workspace settings are saved")
    inside.locator("h1").click()
    inside.keyboard.press("?")
    expect(inside.locator("#all-keys")).to_be_hidden()
    inside.keyboard.press("Control+k")
    expect(inside.locator("#palette")).to_be_visible()


def test_it_follows_the_system_until_a_theme_is_chosen(inside: Page) -> None:
    root = inside.locator("html")
    inside.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    inside.get_by_role("button", name="Light").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    inside.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")
    inside.get_by_role("button", name="As the system").click()
    expect(root).to_have_attribute("data-bs-theme", "dark")


def test_it_writes_times_in_the_readers_own_zone(
    browser: Browser, live_server: LiveServer, owner: User, ws: Workspace
) -> None:
    shown: dict[str, str] = {}
    for zone in ("UTC", "Asia/Kolkata"):
        context = browser.new_context(timezone_id=zone)
        page = context.new_page()
        sign_in(page, live_server, owner)
        page.goto(f"{live_server.url}/w/{ws.slug}/activity/")
        shown[zone] = page.locator("time").first.inner_text()
        context.close()
    assert shown["UTC"] != shown["Asia/Kolkata"]


def test_it_opens_the_rest_of_the_navigation_on_a_small_screen(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/settings/")
    page.locator(".mobnav summary").click()
    page.locator(".mobnav").get_by_role("link", name="Activity log").click()
    page.wait_for_url("**/activity/")


def test_it_adds_a_toast_from_a_response_and_keeps_its_undo(inside: Page) -> None:
    told = json.dumps({"text": "Paused <b>", "undo": "/w/studio/settings/"})
    inside.evaluate(f"document.dispatchEvent(new CustomEvent('toast', {{detail: {told}}}))")
    toast = inside.locator("[data-toast]")
    expect(toast).to_contain_text("Paused <b>")
    assert toast.locator("form").get_attribute("action") == "/w/studio/settings/"
    assert toast.locator("input[name=csrfmiddlewaretoken]").input_value()


def test_it_works_without_script(
    browser: Browser, live_server: LiveServer, owner: User, ws: Workspace
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/settings/")
    page.get_by_role("textbox", name="Postal address").fill("1 Mill Road")
    page.get_by_role("button", name="Save workspace settings").click()
    expect(page.locator("[data-toast]")).to_contain_text("Workspace settings are saved")
    page.locator("summary.ws").click()
    page.locator(".side").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/")
    context.close()


def put(page: Page, html: str, into: str) -> None:
    """What a view would have answered, put where htmx puts it."""
    page.evaluate("([html, into]) => { document.querySelector(into).innerHTML = html; }", [html, into])


def test_it_opens_a_fetched_dialog_on_its_cancel_and_lets_it_go(inside: Page) -> None:
    put(inside, CONFIRM, "#dialog-slot")
    inside.evaluate("htmx.trigger('#dialog-slot', 'htmx:afterSwap', {})")
    dialog = inside.get_by_role("dialog", name="Cancel Winter gear")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    assert faults(inside) == []
    inside.keyboard.press("Escape")
    expect(inside.locator("#ask")).to_have_count(0)


def test_it_moves_selects_opens_and_acts_on_the_row_under_the_cursor(inside: Page) -> None:
    put(inside, ROWS, "#main")
    inside.evaluate(
        """document.querySelectorAll('#main button').forEach((button) =>
           button.addEventListener('click', () => button.closest('tr').setAttribute('data-kept', '')))"""
    )
    inside.keyboard.press("1")
    expect(inside.locator("[data-kept]")).to_have_count(0)
    inside.keyboard.press("j")
    inside.keyboard.press("j")
    inside.keyboard.press("1")
    expect(inside.locator("[data-kept]")).to_have_count(1)
    expect(inside.locator("tr.cursor")).to_have_attribute("data-kept", "")
    inside.keyboard.press("k")
    inside.keyboard.press("x")
    expect(inside.get_by_label("one")).to_be_checked()
    inside.keyboard.press("j")
    inside.keyboard.press("j")
    inside.keyboard.press("Shift+X")
    expect(inside.locator("input:checked")).to_have_count(3)
    inside.keyboard.press("Enter")
    expect(inside).to_have_url(re.compile("#three$"))
