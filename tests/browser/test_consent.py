"""Consent in real browsers: begun in one, finished in another; the page that asks; the admin's way (T5)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Product
from tests.browser.studio import Studio

pytestmark = pytest.mark.slow
CANNOT = "This sign-in cannot be used"


def visitor(browser: Browser, product: Product, *, who: str) -> Studio:
    """A person with a browser, an account and a workspace of their own."""
    context = browser.new_context(base_url=product.url, ignore_https_errors=True)
    context.set_default_timeout(30_000)
    studio = Studio(context.new_page(), product)
    studio.sign_up(email=f"{who}@abuse.example", name=who.title(), company=f"{who.title()} Ltd")
    return studio


def begin(studio: Studio, company: str) -> str:
    """As far as the provider's page; its address."""
    studio.go("mailboxes/connect/")
    studio.press(f"Go on to {company}")
    studio.page.wait_for_url(re.compile("/authorize|/auth[?]"))
    return studio.page.url


def allow(page: Page, email: str) -> None:
    page.get_by_label("Or type an e-mail address").fill(email)
    page.get_by_role("button", name="Allow").click()


@pytest.mark.parametrize("company", ["Google", "Microsoft"])
def test_it_takes_a_consent_only_where_it_began(company: str, browser: Browser, product: Product) -> None:
    tag = company.lower()
    attacker = visitor(browser, product, who=f"eve-{tag}")
    victim = visitor(browser, product, who=f"vic-{tag}")
    address = f"vic-{tag}@mail.example"
    victim.page.goto(begin(attacker, company))
    allow(victim.page, address)
    expect(victim.page.get_by_text(CANNOT)).to_be_visible()
    # The attacker follows the address that the victim's browser was led to.
    attacker.page.goto(victim.page.url)
    expect(attacker.page.get_by_text(CANNOT)).to_be_visible()
    for studio in (attacker, victim):
        studio.go("mailboxes/")
        expect(studio.page.get_by_text(address)).to_have_count(0)
    # The control: the victim's own consent, confirmed on the page that asks.
    begin(victim, company)
    allow(victim.page, address)
    expect(victim.page.get_by_role("heading", name=f"Connect {address}").first).to_be_visible()
    asking = victim.page.url
    attacker.page.goto(asking)
    expect(attacker.page.get_by_role("heading", name="This page is not there")).to_be_visible()
    victim.press("Cancel")
    expect(victim.page.get_by_text("Nothing is connected")).to_be_visible()
    begin(victim, company)
    allow(victim.page, address)
    victim.press("Connect")
    expect(victim.page.get_by_role("row", name=address)).to_contain_text("Connected")
    for studio in (attacker, victim):
        studio.page.context.close()


def test_it_leads_an_organisation_through_its_admin(browser: Browser, product: Product) -> None:
    """AADSTS90094, an approval for another organisation, then the right one."""
    address, other = "joe@walled.example", "boss@elsewhere-org.example"
    product.tell("gate", email=address)
    studio = visitor(browser, product, who="joe")
    begin(studio, "Microsoft")
    allow(studio.page, address)
    expect(studio.page.get_by_text("lets only its admin approve apps")).to_be_visible()
    link = studio.page.get_by_label("Link for the admin").input_value()
    for admin, still in ((other, True), ("boss@walled.example", False)):
        page = browser.new_context(base_url=product.url, ignore_https_errors=True).new_page()
        page.goto(link)
        allow(page, admin)
        expect(page.get_by_text("It holds for that organisation only")).to_be_visible()
        page.context.close()
        begin(studio, "Microsoft")
        allow(studio.page, address)
        if still:
            expect(studio.page.get_by_text("lets only its admin approve apps")).to_be_visible()
    studio.press("Connect")
    expect(studio.page.get_by_role("row", name=address)).to_contain_text("Connected")
    studio.page.context.close()


@pytest.mark.parametrize("company", ["Google", "Microsoft"])
def test_it_signs_a_new_person_in_with_a_provider(company: str, browser: Browser, product: Product) -> None:
    address = f"new-{company.lower()}@people.example"
    page = browser.new_context(base_url=product.url, ignore_https_errors=True).new_page()
    page.goto("/accounts/login/")
    page.get_by_role("button", name=f"Go on with {company}").click()
    allow(page, address)
    if company == "Microsoft":
        expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
        page.goto("/mail/")
        page.locator("article", has_text=address).get_by_role("link").first.click()
        page.get_by_role("button", name=re.compile("Confirm")).click()
    page.wait_for_url("**/w/**")
    page.goto("/accounts/with/")
    expect(page.get_by_text(f"{address}, connected")).to_be_visible()
    page.context.close()
