"""The main job in a real browser, from sign-up to the bin; judged by pages and the sandbox's ledger alone."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Product
from tests.browser.studio import GMAIL, OUTLOOK, Studio

pytestmark = pytest.mark.slow

# Twenty people, and what stands beside each of them in the end.
PEOPLE = {
    "ana.open.reply@a-journal.example": "Replied",
    "ben.reply@b-journal.example": "Replied",
    "cleo.replyde@c-journal.example": "Replied",
    "dora.replyhtml@d-journal.example": "Replied",
    "emil.interested@e-journal.example": "Replied",
    "fay.question@f-journal.example": "Replied",
    "gus.declined@g-journal.example": "Replied",
    "hal.notnow@h-journal.example": "Replied",
    "ida.reply2@i-journal.example": "Replied",
    "jon.bounce@j-journal.example": "Bounced",
    "kim.optout@k-journal.example": "Suppressed",
    "lea.stop@l-journal.example": "Replied|Suppressed",
    "max.open.click@m-journal.example": "Clicked",
    "nia.open@n-journal.example": "Opened",
    # Back on Monday: on a Friday, of a demo's short days, the second step has gone when we look.
    "oli.ooo@o-journal.example": "Auto-reply|step 2",
    "pam.softbounce@p-journal.example": "Accepted|No bounce",
    "quin.silent@q-journal.example": "Accepted|No bounce",
    "ria.silent@r-journal.example": "Accepted|No bounce",
    "sam.silent@s-journal.example": "Accepted|No bounce",
    "tia.silent@t-journal.example": "Accepted|No bounce",
}
LINKS = """\ufeffSource url;Target url;Anchor;Nofollow
https://cheap-links.example/a/;https://studio.example/;best studio;false
https://cheap-links.example/b/;https://studio.example/;best studio;false
http://blog.cheap-links.example/c/;https://studio.example/shop/;shop;true
https://link-farm.example/1;https://studio.example/;studio;false
https://good-friend.example/us;https://studio.example/;our friends;false
not a link;https://studio.example/;broken;false
"""


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Iterator[Studio]:
    """Maya has signed up and connected a mailbox of each kind, each with 200 private mails in it."""
    for provider, address, name in (("google", GMAIL, "Maya"), ("microsoft", OUTLOOK, "Noa")):
        product.tell("accounts", provider=provider, email=address, name=name, private_mails=200)
    context = browser.new_context(
        base_url=product.url, ignore_https_errors=True, viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("response", lambda answer: problems.append(answer.url) if answer.status >= 500 else None)
    here = Studio(page, product)
    here.sign_up(email="maya@studio.example", name="Maya Marketer", company="Studio North")
    here.set_postal_address("Studio North, 14 Quay Lane, Harwick")
    here.connect("Google", GMAIL)
    here.connect("Microsoft", OUTLOOK)
    yield here
    context.close()
    assert problems == []


def person(name: str) -> str:
    """The address of one of the twenty."""
    return next(address for address in PEOPLE if address.startswith(f"{name}."))


def mails_to(
    product: Product, address: str, *, at_least: int = 1, seconds: float = 120
) -> list[EmailMessage]:
    """What the sandbox has accepted for this address, once there are so many."""
    until = time.monotonic() + seconds
    while len(entries := product.look("ledger", to=address)) < at_least:
        assert time.monotonic() < until, f"{len(entries)} mails to {address}"
        time.sleep(0.5)
    raw = [base64.b64decode(entry["raw"]) for entry in entries]
    return [email.message_from_bytes(mail, _class=EmailMessage, policy=email.policy.default) for mail in raw]


def plain(mail: EmailMessage) -> str:
    """All text of a mail, whatever its form."""
    return "".join(str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text")


def test_it_brings_a_campaign_to_twenty_people_and_every_answer_back(studio: Studio) -> None:
    page = studio.page
    studio.go("campaigns/new/")
    page.get_by_label("Name", exact=True).fill("Hut tables")
    page.get_by_label(re.compile("New project|new one", re.I)).fill("Guides")
    box = page.locator("select[name=mailbox]")
    box.select_option(box.locator("option", has_text=GMAIL).get_attribute("value"))
    studio.press("Write the first mail")

    # The rich editor: typed text, a merge field with a fallback as a chip, a link.
    # The editor's line, not the form's input that stands there until the script has come.
    subject = page.locator("[contenteditable=true][aria-label=Subject]")
    subject.fill('Your hut table, {{ company | default: "friends" }}')
    text = page.locator("[contenteditable=true]").last
    text.click()
    page.keyboard.type("Hello ")
    studio.press(re.compile("First name"), inside=_fields(studio))
    text.locator(".chip").click()
    page.get_by_label("When it is blank, write").fill("there")
    studio.press("Set", inside=studio.dialog)
    text.press("Control+End")
    page.keyboard.type(", your table is the one we send people to. We made a map")
    for _ in "map":
        page.keyboard.press("Shift+ArrowLeft")
    page.locator("[data-do=link]").click()
    page.get_by_label("Address").fill("https://studio.example/map/")
    studio.press("Set", inside=studio.dialog)
    text.press("Control+End")
    page.keyboard.type(" for it. [add stat]")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(page.locator("#checks")).to_contain_text("[add stat]")
    text.press("Control+End")
    for _ in "[add stat]":
        page.keyboard.press("Backspace")
    expect(page.locator("#checks")).not_to_contain_text("[add stat]")

    studio.follow("Settings", inside=page.get_by_role("main"))
    _open_all_day(studio)
    for name in ("tracks_opens", "tracks_clicks"):
        page.locator(f"select[name={name}]").select_option(index=1)
    studio.press(re.compile("Save"))

    # Twenty good rows and one bad: the good ones are in, the bad one stands beside its reason.
    studio.follow("Add people")
    rows = ["Name;E-mail;Country", "Nobody;nobody at nowhere;US"]
    rows += [f"{address.split('.')[0].title()} Berg;{address};US" for address in PEOPLE]
    page.locator("input[name=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": ("\ufeff" + "\r".join(rows)).encode()}
    )
    page.locator("form:has(textarea[name=lines]) [name=source]").fill("your imprint")
    studio.press("Add these people")
    expect(page.locator("main [role=alert]").first).to_contain_text("1 row was not taken")
    studio.follow("Steps", inside=page.get_by_role("main"))

    # A follow-up in the same thread, and the launch that says its number.
    studio.press(re.compile("Add a step"))
    page.locator("[contenteditable=true]").last.click()
    page.keyboard.type("Did my first note arrive?")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    studio.follow(re.compile("Queue 20"))
    studio.press(re.compile("Queue 20"), inside=studio.dialog)
    page.wait_for_url("**/campaigns/*/")

    # Without a key pressed, the page shows what comes in.
    expect(page.locator("#live")).to_contain_text(re.compile(r"Replied\s*9\s*of 20"), timeout=90_000)
    for address, words in PEOPLE.items():
        site = address.partition("@")[2]
        studio.eventually(re.compile(words), within=f"tr:has-text('{site}')")
    first, second = mails_to(studio.product, person("ria"), at_least=2)
    assert (first["Subject"], second["Subject"]) == ("Your hut table, friends", "Re: Your hut table, friends")
    assert "Hello Ria, your table" in plain(first)
    assert second["In-Reply-To"]
    assert len(mails_to(studio.product, person("ana"))) == 1

    studio.go("inbox/?show=all")
    expect(page.locator(".mrow", has_text="o-journal.example").first).to_contain_text("Auto-reply")

    # The reply is read and answered where it came in.
    studio.go("inbox/")
    page.locator("main").get_by_role("link", name=re.compile(person("ana").partition("@")[2])).first.click()
    expect(page.locator("main")).to_contain_text("Hi Maya")
    page.get_by_role("textbox", name=re.compile("Answer")).fill("With pleasure, here it is.")
    studio.press(re.compile("^Send"))
    answer = mails_to(studio.product, person("ana"), at_least=2)[1]
    assert "With pleasure" in plain(answer)
    assert answer["In-Reply-To"]


def _open_all_day(studio: Studio) -> None:
    """On the settings of a campaign: a window that is open now, whatever the hour."""
    for day in range(7):
        studio.page.locator(f"input[name=weekdays][value='{day}']").check()
    studio.page.locator("[name=window_start]").fill("00:00")
    studio.page.locator("[name=window_end]").fill("23:59")


def _fields(studio: Studio) -> Any:
    """The menu of merge fields, opened."""
    menu = studio.page.locator("[data-fields]")
    menu.locator("summary").click()
    return menu


def test_it_asks_sites_to_remove_links_and_writes_the_disavow_file(studio: Studio, tmp_path: Path) -> None:
    page = studio.page
    listed = tmp_path / "backlinks.csv"
    listed.write_bytes(LINKS.replace("\n", "\r").encode())
    studio.go("removals/new/")
    page.get_by_label("Name").fill("Clean-up")
    page.get_by_label(re.compile("Website|site", re.I)).first.fill("studio.example")
    studio.press("Go on to the list")
    page.locator("input[type=file]").set_input_files(listed)
    studio.press("Read it")
    expect(page.locator("main")).to_contain_text("not a link")
    studio.press(re.compile("Store|Import|Take"))
    studio.follow(re.compile("Clean-up|Decide|See|Go on|Open"), inside=page.get_by_role("main"))
    expect(page.locator("main")).to_contain_text("cheap-links.example")

    for site, key in (("good-friend.example", "1"), ("cheap-links.example", "2"), ("link-farm.example", "3")):
        studio.follow(site, inside=page.get_by_role("main"))
        studio.reached(site)
        verdict = page.get_by_role("group", name="Verdict").locator("button").nth(int(key) - 1)
        page.keyboard.press(key)
        if key == "3":  # a domain in the file can do harm: this one asks first
            studio.press("Put 1 site into the file", inside=studio.dialog)
        expect(verdict).to_have_attribute("aria-pressed", "true")
        if key == "2":
            studio.follow("Name one")
            studio.dialog.locator("[name=address]").fill("web.removed@cheap-links.example")
            studio.dialog.locator("footer").get_by_role("button").last.click()
            expect(page.get_by_role("main")).to_contain_text("web.removed@cheap-links.example")
        page.locator("[data-up]").first.click()
        studio.reached("Clean-up")

    # The text has its own page, and its own mailbox; one mail goes to the site and lists its three URLs.
    studio.follow("Text of the request", inside=page.get_by_role("main"))
    box = page.locator("select[name=mailbox]")
    box.select_option(box.locator("option", has_text=OUTLOOK).get_attribute("value"))
    studio.press(re.compile("Save"))
    studio.follow("Sites", inside=page.get_by_role("main"))
    studio.follow(re.compile("Write to 1 site"))
    studio.press(re.compile("1"), inside=studio.dialog)
    studio.follow(re.compile("Requests"), inside=page.get_by_role("main"))
    studio.follow("Settings", inside=page.get_by_role("main"))
    _open_all_day(studio)
    studio.press(re.compile("Save"))
    mail = mails_to(studio.product, "web.removed@cheap-links.example")[0]
    for url in ("cheap-links.example/a/", "cheap-links.example/b/", "blog.cheap-links.example/c/"):
        assert url in plain(mail)

    # The site answers; its word is shown as its word, and it is our turn.
    studio.go("removals/")
    studio.follow("Clean-up", inside=page.get_by_role("main"))
    studio.eventually("Your turn")

    with page.expect_download() as download:
        studio.follow(re.compile("Export"))
    file = Path(download.value.path()).read_text()
    assert "domain:link-farm.example" in file.splitlines()
    assert "good-friend.example" not in file
    assert "domain:cheap-links.example" not in file


def test_it_ends_a_mailbox_with_the_bin_and_proves_it(studio: Studio) -> None:
    page, product = studio.page, studio.product
    private = {address: set(product.look("private", mailbox=address)) for address in (GMAIL, OUTLOOK)}
    for address, company in ((GMAIL, "Google"), (OUTLOOK, "Microsoft")):
        studio.go("mailboxes/")
        page.get_by_label(f"Remove access to {address}").click()
        expect(studio.dialog).to_contain_text(address)
        studio.dialog.locator("footer").get_by_role("button", name=re.compile("Remove access")).click()
        page.wait_for_url("**/receipts/**")
        # The commit lies behind us; a call may have begun up to 250 ms after it (decisions 6).
        stopped = time.time() + 0.25
        expect(page.locator("main")).to_contain_text("Token destroyed")
        page.wait_for_timeout(8000)  # four polls would have come
        late = {call["op"] for call in product.look("calls", mailbox=address, since=str(stopped))}
        assert late <= {"revoke"}
        expect(page.locator("main")).to_contain_text(company)
        studio.go("mailboxes/")
        expect(page.locator("tr", has_text=address).filter(has_text="Connected")).to_have_count(0)
    assert not product.look("grants", mailbox=GMAIL)["living"]

    # Nothing private was ever read in full, from the first minute to the last.
    for address, ids in private.items():
        assert len(ids) == 200
        read = {
            found
            for call in product.look("calls", mailbox=address)
            for found in call["message_ids"]
            if call["full_read"]
        }
        assert read, "no reply was read: the look would prove nothing"
        assert not read & ids
