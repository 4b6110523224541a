"""A reply's whole way in a real browser: told of elsewhere, read, answered, assigned, snoozed, back."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import time
from collections.abc import Iterator

import psycopg2
import pytest
from playwright.sync_api import Page, expect

from accounts.demo import SIGN_INS
from tests.browser.conftest import Product, start

pytestmark = pytest.mark.slow
DAYS = """
INSERT INTO app_clock (id, "offset") VALUES (1, interval '2 days')
ON CONFLICT (id) DO UPDATE SET "offset" = app_clock."offset" + excluded."offset"
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A run of its own: its clock is moved."""
    folder = tmp_path_factory.mktemp("inbox")
    for part in (folder, *folder.parents):
        if part.stat().st_uid == os.geteuid() and part.name.startswith(("pytest-", "inbox")):
            part.chmod(0o755)  # root's PostgreSQL runs as nobody and must pass
    running = start(folder / "data")
    yield running
    running.stop()


def two_days_later(product: Product) -> None:
    server = psycopg2.connect(product.setting("DATABASE_URL"))
    with contextlib.closing(server), server, server.cursor() as cursor:
        cursor.execute(DAYS)


def test_it_goes_from_the_news_to_the_morning_it_comes_back(page: Page, product: Product) -> None:
    who = SIGN_INS[0]
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(who.email)
    page.get_by_label("Password").fill(who.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/w/**")
    slug = re.findall(r"/w/([^/]+)/", page.url)[0]

    # The prepared campaign goes out; meanwhile its owner looks at something else.
    page.goto(f"/w/{slug}/campaigns/")
    page.locator("main [data-list] a").first.click()
    page.locator("main").get_by_role("link", name=re.compile("Mails|Write|Text|Compose|Steps")).first.click()
    page.get_by_role("link", name=re.compile(r"Queue \d+")).first.click()
    page.locator("dialog[open]").get_by_role("button", name=re.compile(r"Queue \d+")).click()
    page.wait_for_url("**/campaigns/*/")
    page.goto(f"/w/{slug}/contacts/")
    news = page.locator("#toasts [data-toast]", has_text=re.compile("New reply from|new replies")).first
    expect(news).to_be_visible(timeout=180_000)
    assert re.match(r"\(\d+\+?\) ", page.title())
    news.get_by_role("link", name="Open").click()
    page.wait_for_url("**/inbox/**")
    if not re.search(r"/inbox/[0-9a-f-]{36}/", page.url):
        page.locator(".mrow").first.click()
        page.wait_for_url(re.compile(r"/inbox/[0-9a-f-]{36}/"))
    thread = re.findall(r"/inbox/([0-9a-f-]{36})/", page.url)[0]
    row = page.locator(f".mrow[href*='{thread}']")
    expect(row).to_have_class(re.compile("seen"), timeout=20_000)

    # Read and answered, in the same conversation of the mailbox. Whoever gets the answer stays silent:
    # a further mail by a person would rightly end the snooze below.
    product.tell("settings", pace=86_400.0)
    to = re.findall(r"to (\S+@\S+), from", page.locator("#answer .f").inner_text())[0]
    page.keyboard.press("r")
    page.keyboard.type("With pleasure, here it is.")
    page.keyboard.press("Control+Enter")
    # The address stays: only the answer itself shows that the next page is there.
    expect(page.locator(".msg").last).to_contain_text("With pleasure, here it is.")
    until = time.monotonic() + 120
    sent: list[bytes] = []
    while not any(b"With pleasure" in mail for mail in sent):
        assert time.monotonic() < until, "the answer never left"
        page.wait_for_timeout(1000)
        sent = [base64.b64decode(entry["raw"]) for entry in product.look("ledger", to=to)]

    # Given to oneself, and out of the way until tomorrow.
    page.goto(f"/w/{slug}/inbox/{thread}/")
    page.keyboard.press("a")
    page.locator(".pop button", has_text="(you)").click()
    expect(page.locator(".tstate")).to_contain_text("Yours")
    page.keyboard.press("s")
    page.get_by_role("button", name="Tomorrow").click()
    # Back in the list that it stood in: of all, since nobody waited for it any more.
    page.wait_for_url(re.compile(rf"/w/{slug}/inbox/(\?.*)?$"))
    page.goto(f"/w/{slug}/inbox/")
    expect(page.locator(f".mlist .mrow[href*='{thread}']")).to_have_count(0)
    page.goto(f"/w/{slug}/inbox/?show=snoozed&mine=yes")
    expect(page.locator(f".mrow[href*='{thread}']")).to_have_count(1)

    two_days_later(product)
    page.goto(f"/w/{slug}/inbox/?mine=yes")
    expect(page.locator(f".mrow[href*='{thread}']")).to_have_count(1)
    assert page.problems == []  # type: ignore[attr-defined]
