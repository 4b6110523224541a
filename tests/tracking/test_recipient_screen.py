"""The recipient's page in a real browser, without script: its forms work, and axe objects to nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.tracking.conftest import Upper
from tracking.tokens import opt_out_url


def address(upper: Upper, server: LiveServer) -> str:
    return server.url + urlsplit(opt_out_url(upper.ws.pk, upper.key, address_index=b"i" * 32)).path


@pytest.fixture(params=[("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def screen(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    yield context.new_page()
    context.close()


def picture(page: Page, name: str) -> None:
    """Kept where somebody asks for it: OUTREACH_PICTURES names a folder."""
    folder = os.environ.get("OUTREACH_PICTURES")
    if folder and page.viewport_size:
        scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
        width = page.viewport_size["width"]
        page.screenshot(path=f"{folder}/recipient-{name}-{scheme}-{width}.png", full_page=True)


def check(page: Page, name: str) -> None:
    picture(page, name)
    faults = Axe().run(page).response["violations"]
    assert [f"{each['id']}: {node['html'][:160]}" for each in faults for node in each["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_it_gives_axe_nothing_to_object_to(live_server: LiveServer, upper: Upper, screen: Page) -> None:
    url = address(upper, live_server)
    screen.goto(url)
    check(screen, "first")
    screen.goto(url + "?ask=wrong_person")
    check(screen, "asking")
    screen.goto(url + "x")
    check(screen, "cut-off")
    screen.goto(live_server.url + "/c/x")
    check(screen, "no-link")
    upper.say(stopped="domain", is_removal=False, links=(), site="")
    screen.goto(url)
    check(screen, "stopped")
    upper.erase()
    screen.goto(url)
    check(screen, "erased")


def test_it_works_without_script(live_server: LiveServer, upper: Upper, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(upper, live_server))
    page.get_by_role("button", name="Not my site").click()
    page.get_by_label("one line to Joren").fill("Ask ana@cheap-tents.example")
    page.get_by_role("button", name="Tell Joren").click()
    expect(page.get_by_text("Joren is told", exact=True)).to_be_visible()
    page.get_by_role("button", name="I have removed it").click()
    expect(page.get_by_text("Removed, as you say")).to_be_visible()
    page.get_by_role("button", name="Stop, for my whole company").click()
    expect(page.get_by_text("Stopped for the whole company")).to_be_visible()
    assert [(act.value, note) for _, act, note in upper.acts] == [
        ("wrong_person", "Ask ana@cheap-tents.example"),
        ("removed", ""),
    ]
    assert [fact["detail"] for fact in upper.facts_that_came_up] == ["domain"]
    assert context.cookies() == []
    context.close()
