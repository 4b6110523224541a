"""A person at the screen: what they press and what they read, in the words of the pages."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Product

PASSWORD = "correct-horse-battery"
GMAIL, OUTLOOK = "maya@studio.example", "noa@firm.example"


@dataclass
class Studio:
    """A signed-in person in their own workspace, in one tab."""

    page: Page
    product: Product
    slug: str = ""

    def go(self, path: str = "") -> None:
        self.page.goto(f"/w/{self.slug}/{path}")

    def press(self, words: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        """The button of this name."""
        (inside or self.page).get_by_role("button", name=words).first.click()

    def follow(self, words: str | re.Pattern[str], *, inside: Locator | None = None) -> None:
        (inside or self.page).get_by_role("link", name=words).first.click()

    def reached(self, title: str) -> None:
        """The page of this title stands there, and listens to keys: its scripts run behind its words."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(title)
        self.page.wait_for_load_state()

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    def eventually(self, words: str | re.Pattern[str], *, within: str = "main", seconds: float = 90) -> None:
        """Wait until the words stand there, with a fresh page every few seconds, as a person would."""
        until = time.monotonic() + seconds
        pattern = words if isinstance(words, re.Pattern) else re.compile(re.escape(words))
        while not pattern.search(self.page.locator(within).first.inner_text()):
            assert time.monotonic() < until, (
                f"{words} never came:\n{self.page.locator(within).first.inner_text()}"
            )
            self.page.wait_for_timeout(1500)
            self.page.reload()

    # --- the journeys that several stories begin with -------------------------------------------
    def sign_up(self, *, email: str, name: str, company: str) -> None:
        page = self.page
        page.goto("/accounts/signup/")
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Company").fill(company)
        self.press("Make the account")
        page.wait_for_url("**/confirm-email/")
        page.goto("/mail/")
        page.locator("article", has_text=email).get_by_role("link").first.click()
        self.press(re.compile("Confirm"))
        page.wait_for_url("**/w/**")
        self.slug = re.findall(r"/w/([^/]+)/", page.url)[0]

    def set_postal_address(self, address: str) -> None:
        self.go("settings/")
        self.page.get_by_label("Postal address").fill(address)
        self.press(re.compile("Save"))
        expect(self.page.get_by_text("Workspace settings are saved")).to_be_visible()

    def connect(self, company: str, email: str) -> None:
        """Through the provider's own pages, as they look in the sandbox."""
        self.go("mailboxes/")
        self.follow(re.compile("Connect"))
        self.press(f"Go on to {company}")
        self.page.get_by_label("Or type an e-mail address").fill(email)
        self.press("Allow")
        self.page.wait_for_url(f"**/w/{self.slug}/mailboxes/connect/confirm/")
        self.press("Connect")
        self.page.wait_for_url(f"**/w/{self.slug}/mailboxes/")
        self.go("mailboxes/")
        expect(self.page.get_by_role("row", name=email)).to_contain_text("Connected")
