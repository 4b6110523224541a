"""The person's own pages in a real browser: nothing that axe objects to, and a passkey from end to end."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import SignIn, User, Workspace
from tests.accounts.test_browser import faults, sign_in
from tests.accounts.test_factors import code_of

PAGES = [
    "you/",
    "email/",
    "password/change/",
    "2fa/",
    "2fa/totp/activate/",
    "2fa/webauthn/",
    "2fa/webauthn/add/",
    "sign-ins/",
    "reauthenticate/",
]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_it_gives_axe_nothing_to_object_to(
    width: int, scheme: str, browser: Browser, live_server: LiveServer, owner: User, ws: Workspace
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 860}
    )
    page = context.new_page()
    sign_in(page, live_server, owner)
    for place in PAGES:
        page.goto(f"{live_server.url}/accounts/{place}")
        assert (place, faults(page)) == (place, [])
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (place, wide) == (place, 0)
    page.goto(f"{live_server.url}/accounts/2fa/totp/activate/")
    page.get_by_label("Code that the app shows").fill(code_of(page.inner_text("#authenticator_secret")))
    page.get_by_role("button", name="Turn the app on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert faults(page) == []
    context.close()


def device(page: Page) -> None:
    """A key that the browser carries, and a person whose finger it knows."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def test_it_signs_in_and_proves_with_a_passkey(
    page: Page, live_server: LiveServer, owner: User, ws: Workspace
) -> None:
    device(page)
    sign_in(page, live_server, owner)
    page.goto(f"{live_server.url}/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add the key").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    row = Authenticator.objects.get(type="webauthn")
    assert (row.user, row.data["name"]) == (owner, "Laptop")

    page.goto(f"{live_server.url}/accounts/logout/")
    page.locator(".form-acts button").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(re.compile("/w/"))
    assert SignIn.objects.order_by("-id")[0].how == "passkey"

    page.goto(f"{live_server.url}/accounts/2fa/webauthn/reauthenticate/?next=/accounts/you/")
    page.get_by_role("button", name="Use a passkey or security key").click()
    expect(page.get_by_role("heading", name="You", exact=True)).to_be_visible()


def test_it_says_when_no_key_answers(page: Page, live_server: LiveServer) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    page.goto(f"{live_server.url}/accounts/login/")
    refuses = "Promise.reject(new DOMException('no', 'NotAllowedError'))"
    page.evaluate(f"() => {{ navigator.credentials.get = () => {refuses}; }}")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("No key was used. Press the button to try again.")).to_be_visible()
