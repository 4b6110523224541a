"""Signing in and out, and a new password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client, override_settings

from accounts.demo import SIGN_INS
from accounts.mail import StoredMailBackend
from accounts.models import ServiceMail, User, Workspace
from tests.accounts.test_sign_up import link_in
from tests.conftest import PASSWORD
from tests.haste import at_full_cost

pytestmark = pytest.mark.django_db


def sign_in(browser: Client, email: str, password: str, **more: str) -> str:
    answer = browser.post("/accounts/login/", {"login": email, "password": password, **more})
    return answer.headers.get("Location") or answer.content.decode()


def test_it_leads_to_the_first_workspace(owner: User, ws: Workspace) -> None:
    browser = Client()
    assert sign_in(browser, owner.email.upper(), PASSWORD) == "/"
    assert browser.get("/").headers["Location"] == f"/w/{ws.slug}/"


def test_it_stores_a_password_at_the_full_cost_of_argon2(owner: User, ws: Workspace) -> None:
    """What a thief of the table pays for each guess; every other test pays the least (tests/haste.py)."""
    with at_full_cost():
        owner.set_password("another-long-phrase")
        owner.save()
        assert owner.password.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")
        assert sign_in(Client(), owner.email, "another-long-phrase") == "/"
        assert sign_in(Client(), owner.email, PASSWORD) != "/"


def test_it_says_beside_the_password_that_it_does_not_fit(owner: User) -> None:
    page = sign_in(Client(), owner.email, "not-the-password")
    beside = page.split('id="id_password_error"')[1]
    assert "No account has this address with this password." in beside.split("</ul>")[0]
    assert f'value="{owner.email}"' in page
    assert "not-the-password" not in page


def test_it_says_the_same_for_an_address_without_an_account(owner: User) -> None:
    known = sign_in(Client(), owner.email, "not-the-password")
    unknown = sign_in(Client(), "nobody@nowhere.example", "not-the-password")
    assert "No account has this address with this password." in unknown
    assert known.count("note b") == unknown.count("note b")


def test_it_slows_guessing_down(person: Callable[..., User]) -> None:
    user = person("guessed@studio.example")
    for _ in range(5):
        sign_in(Client(), user.email, "not-the-password")
    page = sign_in(Client(), user.email, PASSWORD)
    assert "Too many tries" in page


def test_it_never_leads_to_another_site(owner: User, ws: Workspace) -> None:
    assert sign_in(Client(), owner.email, PASSWORD, next="https://evil.example/") == "/"
    wanted = f"/w/{ws.slug}/activity/"
    assert sign_in(Client(), owner.email, PASSWORD, next=wanted) == wanted


def test_it_signs_out_by_a_press_only(
    owner: User, ws: Workspace, signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(owner)
    assert "Sign out" in browser.get("/accounts/logout/").content.decode()
    assert browser.get(f"/w/{ws.slug}/settings/").status_code == 200
    browser.post("/accounts/logout/")
    assert browser.get(f"/w/{ws.slug}/settings/").status_code == 302


def test_it_refuses_a_form_that_is_not_ours(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert "We could not tell that this came from you" in answer.content.decode()


def test_it_sets_a_new_password_by_a_link_that_works_once(owner: User, ws: Workspace) -> None:
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": owner.email})
    (sent,) = mail.outbox
    link = link_in(str(sent.body))
    form = browser.get(link).headers["Location"]
    assert "Set a new password" in browser.get(form).content.decode()
    assert (
        'id="id_password1_error"'
        in browser.post(form, {"password1": "short", "password2": "short"}).content.decode()
    )
    browser.post(form, {"password1": "another-long-phrase", "password2": "another-long-phrase"})
    assert sign_in(Client(), owner.email, "another-long-phrase") == "/"
    assert "No account has this address" in sign_in(Client(), owner.email, PASSWORD)
    assert "This link has ended" in Client().get(link, follow=True).content.decode()


def test_it_answers_a_reset_for_an_unknown_address_in_the_same_words(owner: User) -> None:
    answers = [
        Client()
        .post("/accounts/password/reset/", {"email": email}, follow=True)
        .content.decode()
        .split("<main")[1]
        for email in (owner.email, "nobody@nowhere.example")
    ]
    assert answers[0] == answers[1]


def test_it_shows_service_mail_and_the_demo_sign_ins_in_the_demo_only(person: Callable[..., User]) -> None:
    who = SIGN_INS[0]
    person(who.email, name=who.name)
    StoredMailBackend().send_messages(
        [mail.EmailMessage("Hello", "See http://testserver/x/", to=["a@b.example"])]
    )
    assert ServiceMail.objects.get().subject == "Hello"
    assert Client().get("/mail/").status_code == 404
    assert who.password not in Client().get("/accounts/login/").content.decode()
    with override_settings(DEMO=True):
        assert '<a href="http://testserver/x/"' in Client().get("/mail/").content.decode()
        page = Client().get("/accounts/login/").content.decode()
    assert who.password in page
    assert SIGN_INS[1].email not in page
