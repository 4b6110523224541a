"""Removal work and the inbox in a real browser: keys, dialogs, the frame of an original, nothing for axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox.parsing import html
from outreach.links import cases, request_text
from outreach.models import Label, RemovalCase, Thread, Verdict
from tests import factories
from tests.accounts.test_browser import faults, sign_in
from tests.outreach.removal_cast import make_asked, make_list, make_ready


@pytest.fixture
def places(ws: Workspace) -> dict[str, str]:
    """Addresses of pages that have something to show."""
    with workspace(ws):
        factories.make_mailbox()
        project = factories.make_project("Backlink clean-up 2026", website="fernhill.example")
        rows = make_list(project, sites=4)
        mail = make_asked(rows[0])
        original = html.keep("<p>Both are <b>down</b>.</p><script>document.title = 'x'</script>")
        reply = factories.make_reply(mail, text="Both are down.", label=Label.SAYS_REMOVED, html=original)
        Thread.objects.filter(messages=mail).update(waits_since=reply.received_at)
        make_ready(rows[1])
        cases.set_verdict(rows[2], Verdict.DISAVOW, actor=None)
        request_text.prepare(project, actor=None)
        return {
            "home": "",
            "inbox": "inbox/",
            "thread": f"inbox/{mail.thread_id}/",
            "removals": "removals/",
            "removal": f"removals/{project.pk}/",
            "text": f"removals/{project.pk}/text/",
            "import": f"removals/{project.pk}/import/",
            "case": f"cases/{rows[0].pk}/",
        }


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_it_gives_axe_nothing_to_object_to(
    scheme: str,
    width: int,
    browser: Browser,
    live_server: LiveServer,
    owner: User,
    ws: Workspace,
    places: dict[str, str],
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
        page.goto(f"{live_server.url}/w/{ws.slug}/{path}")
        assert (place, faults(page)) == (place, [])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (place, wide) == (place, 0)
    assert said == []
    context.close()


def test_it_gives_verdicts_by_key_and_disavows_by_dialog_alone(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, places: dict[str, str]
) -> None:
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/{places['removal']}")
    for _ in range(4):
        page.keyboard.press("j")
    row = page.locator("tr.cursor")
    expect(row).to_contain_text("Undecided")
    page.keyboard.press("1")
    expect(row).to_contain_text("Kept")
    expect(page.locator("#removal-tallies")).to_contain_text("Keep1")
    page.keyboard.press("3")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Disavow site003.example")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with workspace(ws):
        assert RemovalCase.objects.get(site__domain="site003.example").verdict == Verdict.KEEP
    page.keyboard.press("3")
    dialog.get_by_role("button", name="Put 1 site into the file").click()
    expect(page.locator("#removal-file")).to_contain_text("domain:site003.example")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_contain_text("1 selected")


def test_it_disavows_the_selected_sites_and_no_other(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, places: dict[str, str]
) -> None:
    """The question comes between selection and act: what was selected has to survive it."""
    chosen = ["site001.example", "site003.example"]
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/{places['removal']}")
    for domain in chosen:
        page.get_by_role("row").filter(has_text=domain).get_by_role("checkbox").check()
    expect(page.locator("#bulk")).to_contain_text("2 selected")
    page.locator("#bulk").get_by_role("button", name="Disavow").click()
    expect(page.get_by_role("heading", name="Disavow 2 sites").last).to_be_visible()
    assert disavowed(ws) == {"site002.example"}
    page.get_by_role("button", name="Put 2 sites into the file").click()
    expect(page.get_by_text("2 of 2 sites: Disavow")).to_be_visible()
    for domain in chosen:
        expect(page.locator("#removal-file")).to_contain_text(f"domain:{domain}")
    assert disavowed(ws) == {*chosen, "site002.example"}


def disavowed(ws: Workspace) -> set[str]:
    with workspace(ws):
        rows = RemovalCase.objects.filter(verdict=Verdict.DISAVOW)
        return set(rows.values_list("site__domain", flat=True))


def test_it_closes_a_menu_without_leaving_the_page(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, places: dict[str, str]
) -> None:
    sign_in(page, live_server, owner)
    address = f"{live_server.url}/w/{ws.slug}/{places['removal']}"
    page.goto(address)
    page.locator("summary.verdict-x").first.click()
    page.keyboard.press("Escape")
    expect(page.locator("details[open]")).to_have_count(0)
    assert page.url == address


def test_it_answers_labels_and_shows_the_original_in_its_frame(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, places: dict[str, str]
) -> None:
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/{places['thread']}")
    page.get_by_text("Show it as it was sent").click()
    frame = page.frame_locator("iframe.original")
    expect(frame.locator("b")).to_have_text("down")
    assert page.locator("iframe.original").get_attribute("sandbox") is not None
    page.keyboard.press("l")
    page.get_by_role("button", name="Question").click()
    expect(page.locator(".lab .pill")).to_contain_text("Question")
    page.get_by_label("Answer to").fill("Thank you for telling us.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#thread-mails")).to_contain_text("Thank you for telling us.")
    expect(page.locator("#nav-inbox")).to_be_empty()
