"""The inbox in a real browser: its keys, its news, and nothing for axe, with menus open."""

from __future__ import annotations

import datetime as dt
import os
import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import clock
from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from outreach.inbox import acts, places, search
from outreach.models import Label, Reply, Thread
from tests import factories
from tests.accounts.test_browser import faults, sign_in
from tests.outreach.talks import again, talk

# A folder: each look is kept there as a picture.
PICTURES = os.environ.get("INBOX_PICTURES", "")


@pytest.fixture
def talks(ws: Workspace, owner: User, member: User) -> list[Thread]:
    """Newest first: unread, assigned, labelled, one with a note, one snoozed."""
    with workspace(ws):
        mailbox = factories.make_mailbox()
        rows = [
            talk(mailbox, f"editor{n}@journal{n}.example", text=f"Answer number {n}, with a tarn in it.")
            for n in range(5)
        ]
        for row in rows:
            search.index(row)
        Thread.objects.filter(pk__in=[rows[4].pk, rows[3].pk]).update(unread=True)
        Reply.objects.filter(thread=rows[3]).update(label=Label.INTERESTED, labelled_at=clock.now())
        Thread.objects.filter(pk=rows[3].pk).update(label=Label.INTERESTED)
        me = Membership.objects.get(user=member, workspace=ws)
        acts.assign(rows[3], me, actor=owner)
        acts.add_note(rows[4], "They know Jonas from the fair.", note_id=uuid.uuid4(), actor=owner)
        acts.snooze(rows[0], clock.now() + dt.timedelta(days=2), actor=owner)
        return list(reversed(rows))


def keep(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]
)
def test_it_gives_axe_nothing_to_object_to(
    scheme: str,
    width: int,
    browser: Browser,
    live_server: LiveServer,
    owner: User,
    ws: Workspace,
    talks: list[Thread],
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(page, live_server, owner)
    inbox = f"{live_server.url}/w/{ws.slug}/inbox/"
    looks = {
        "list": "",
        "thread": f"{talks[0].pk}/",
        "found": "?show=all&q=tarn&unread=yes",
        "snoozed": "?show=snoozed",
    }
    for name, path in looks.items():
        page.goto(inbox + path)
        keep(page, f"{name}-{width}-{scheme}")
        assert (name, faults(page)) == (name, [])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (name, wide) == (name, 0)
    page.goto(f"{inbox}{talks[0].pk}/")
    for label in ("Write a note to colleagues", "Assign", "Snooze"):
        summary = page.locator(f"summary[aria-label='{label}']")
        summary.click()
        keep(page, f"menu-{label.split()[0].lower()}-{width}-{scheme}")
        assert (label, faults(page)) == (label, [])
        box = page.locator("details[data-menu][open] > .pop").bounding_box()
        assert box is not None
        assert (label, box["x"] >= 0, box["x"] + box["width"] <= width) == (label, True, True)
        page.keyboard.press("Escape")
    assert said == []
    context.close()


def test_it_is_worked_through_by_keys(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, talks: list[Thread]
) -> None:
    inbox = f"{live_server.url}/w/{ws.slug}/inbox/"
    sign_in(page, live_server, owner)
    page.goto(inbox)
    page.keyboard.press("j")
    expect(page.locator(".mrow.cursor")).to_contain_text("number 3")
    expect(page.locator(".mrow.cursor")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("o")
    page.wait_for_url(f"**/inbox/{talks[0].pk}/**")
    expect(page.locator(".mrow.on")).to_have_class(re.compile("seen"), timeout=15_000)
    page.keyboard.press("n")
    expect(page.locator("#note-text")).to_be_focused()
    page.keyboard.type("junk e s a")  # no key acts while somebody types
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".msg.said").last).to_contain_text("junk e s a")
    page.keyboard.press("a")
    page.locator(".pop button", has_text="Milo").click()
    expect(page.locator(".tstate")).to_contain_text("Milo has it")
    page.keyboard.press("s")
    page.keyboard.press("Enter")  # the first of the choices has the focus
    page.wait_for_url(f"**/w/{ws.slug}/inbox/")
    expect(page.locator(".mlist")).not_to_contain_text("number 4")
    page.keyboard.press("z")
    page.wait_for_url(f"**/inbox/{talks[0].pk}/")
    page.keyboard.press("r")
    page.keyboard.type("uuu")
    expect(page.locator("#answer-text")).to_have_value("uuu")
    page.locator("#answer-text").fill("")
    page.locator("#answer-text").blur()
    page.keyboard.press("u")
    page.wait_for_url(f"**/w/{ws.slug}/inbox/")
    expect(page.locator(".mrow").first).not_to_have_class(re.compile("seen"))
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("tarn")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=tarn**")
    expect(page.locator(".mrow")).to_have_count(5)


def test_it_tells_in_any_page_and_by_the_title_what_came(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace, talks: list[Thread]
) -> None:
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/w/{ws.slug}/contacts/")
    assert page.title().startswith("(4) ")
    with workspace(ws):
        reply = again(talks[4], text="Sooner than you thought", from_name="Brisa Bell")
        places.heard(talks[4], reply, by_person=True)
    toast = page.locator("#toasts")
    expect(toast).to_contain_text("New reply from Brisa Bell", timeout=30_000)
    expect(toast).to_have_attribute("aria-live", "polite")
    expect(page.locator("#nav-inbox")).to_contain_text("5")
    assert page.title().startswith("(5) ")
    toast.get_by_role("link", name="Open").click()
    page.wait_for_url(f"**/inbox/{talks[4].pk}/")


def test_it_shows_one_person_that_another_writes(
    browser: Browser, live_server: LiveServer, owner: User, member: User, ws: Workspace, talks: list[Thread]
) -> None:
    first, second = browser.new_context().new_page(), browser.new_context().new_page()
    address = f"{live_server.url}/w/{ws.slug}/inbox/{talks[0].pk}/"
    for page, who in ((first, owner), (second, member)):
        sign_in(page, live_server, who)
        page.goto(address)
    second.locator("#answer-text").fill("I have it")
    expect(first.locator("#writers")).to_have_text("Milo is writing an answer", timeout=30_000)
    second.get_by_role("button", name=re.compile("^Send")).click()
    expect(first.locator("#writers")).to_have_text("", timeout=30_000)
    first.locator("#answer-text").fill("Me too")
    first.get_by_role("button", name=re.compile("^Send ⌘")).click()
    expect(first.locator("#came")).to_contain_text("I have it")
    expect(first.locator("#answer-text")).to_have_value("Me too")
    keep(first, "came")
    for page in (first, second):
        page.context.close()
