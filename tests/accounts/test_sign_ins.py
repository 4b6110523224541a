"""Each sign-in is written down, a new browser is told by mail, and sessions end when the person says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client, override_settings

from accounts import clock
from accounts.models import SignIn, User, Workspace
from accounts.people import sign_ins
from accounts.people.known_browsers import COOKIE
from tests.accounts.mmdb import write
from tests.accounts.test_sign_in import sign_in
from tests.accounts.test_sign_up import FORM, link_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
Captured = Callable[..., Any]


def browser_of(agent: str = FIREFOX, *, ip: str = "203.0.113.7") -> Client:
    return Client(headers={"User-Agent": agent}, REMOTE_ADDR=ip)


def is_in(browser: Client) -> bool:
    return browser.get("/accounts/you/").status_code == 200


@pytest.fixture
def old_hand(owner: User, ws: Workspace) -> User:
    """Somebody whose account is not new."""
    User.objects.filter(pk=owner.pk).update(date_joined=clock.now() - dt.timedelta(days=30))
    owner.refresh_from_db()
    return owner


def test_it_writes_each_sign_in_down(old_hand: User) -> None:
    sign_in(browser_of(CHROME), old_hand.email, PASSWORD)
    row = SignIn.objects.get()
    assert (row.user, row.device, row.ip, row.country, row.method, row.new_browser) == (
        old_hand,
        "Chrome on Windows",
        "203.0.113.7",
        "",
        "password",
        True,
    )
    assert sign_in(browser_of(), old_hand.email, "not-the-password") != "/"
    assert SignIn.objects.count() == 1


def test_it_tells_a_new_browser_by_mail_and_a_known_one_not(
    old_hand: User, django_capture_on_commit_callbacks: Captured
) -> None:
    browser = browser_of(CHROME)
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(browser, old_hand.email, PASSWORD)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([old_hand.email], "A new sign-in to your account")
    for words in ("Chrome on Windows", "203.0.113.7", "UTC", "password", "/accounts/sign-ins/"):
        assert words in sent.body
    cookie = browser.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert old_hand.email not in cookie.value

    browser.post("/accounts/logout/")
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(browser, old_hand.email, PASSWORD)
    assert len(mail.outbox) == 1
    assert [row.new_browser for row in SignIn.objects.order_by("id")] == [True, False]


def test_it_takes_no_forged_or_foreign_mark_for_a_known_browser(
    old_hand: User, member: User, django_capture_on_commit_callbacks: Captured
) -> None:
    other = browser_of()
    sign_in(other, member.email, PASSWORD)
    foreign = other.cookies[COOKIE].value
    for value in (foreign, foreign[:-2] + "xx", "e30:1abc:def", "\x7f", "x" * 5000):
        browser = browser_of()
        browser.cookies[COOKIE] = value
        with django_capture_on_commit_callbacks(execute=True):
            sign_in(browser, old_hand.email, PASSWORD)
    assert [row.new_browser for row in SignIn.objects.filter(user=old_hand)] == [True] * 5


def test_it_knows_two_people_of_one_browser(old_hand: User, member: User) -> None:
    browser = browser_of()
    for user in (old_hand, member, old_hand, member):
        sign_in(browser, user.email, PASSWORD)
        browser.post("/accounts/logout/")
    assert SignIn.objects.filter(new_browser=True).count() == 2


def test_it_mails_nothing_about_the_sign_up_itself(django_capture_on_commit_callbacks: Captured) -> None:
    browser = browser_of()
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/accounts/signup/", FORM)
        browser.post(link_in(str(mail.outbox[0].body)))
    assert SignIn.objects.count() == 1
    assert "A new sign-in to your account" not in [sent.subject for sent in mail.outbox]


def test_it_lets_a_person_in_when_the_mail_does_not_leave(
    old_hand: User, django_capture_on_commit_callbacks: Captured
) -> None:
    with (
        override_settings(
            EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=9
        ),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert sign_in(browser_of(), old_hand.email, PASSWORD) == "/"


def test_it_lists_browsers_with_the_country_where_a_database_knows_it(old_hand: User, tmp_path: Any) -> None:
    path = write(tmp_path / "countries.mmdb", {"203.0.113.0/24": {"country": {"iso_code": "NO"}}})
    here, there = browser_of(CHROME), browser_of(FIREFOX, ip="198.51.100.9")
    with override_settings(GEOIP_DATABASE=str(path)):
        for browser in (here, there):
            sign_in(browser, old_hand.email, PASSWORD)
        page = here.get("/accounts/sign-ins/").content.decode()
    now = page.split("The last 12 months")[0]
    assert now.count("<tr>") == 3
    assert now.index("Chrome on Windows") < now.index("Firefox on Linux")
    assert "203.0.113.7" in now
    assert '<span class="dim">NO</span>' in now
    assert "198.51.100.9" in now
    assert SignIn.objects.get(ip="203.0.113.7").country == "NO"
    assert SignIn.objects.get(ip="198.51.100.9").country == ""


def test_it_signs_one_browser_out(old_hand: User) -> None:
    here, there, third = browser_of(CHROME), browser_of(), browser_of()
    for browser in (here, there, third):
        sign_in(browser, old_hand.email, PASSWORD)
    row = UserSession.objects.get(session_key=there.session.session_key)
    assert here.post("/accounts/sign-ins/end/", {"which": str(row.pk)}).status_code == 302
    assert [is_in(browser) for browser in (here, there, third)] == [True, False, True]


def test_it_signs_everybody_else_out_also_where_no_row_is_left(old_hand: User) -> None:
    here, there, unlisted = browser_of(CHROME), browser_of(), browser_of()
    for browser in (here, there, unlisted):
        sign_in(browser, old_hand.email, PASSWORD)
    UserSession.objects.filter(session_key=unlisted.session.session_key).delete()
    here.post("/accounts/sign-ins/end/", {"which": "others"})
    assert [is_in(browser) for browser in (here, there, unlisted)] == [True, False, False]
    assert here.get("/accounts/sign-ins/").content.decode().count("this browser") == 1


def test_it_signs_everybody_out_and_knows_no_browser_any_more(old_hand: User) -> None:
    here, there = browser_of(CHROME), browser_of()
    for browser in (here, there):
        sign_in(browser, old_hand.email, PASSWORD)
    assert here.post("/accounts/sign-ins/end/", {"which": "all"}).headers["Location"] == "/accounts/login/"
    assert [is_in(browser) for browser in (here, there)] == [False, False]
    assert not UserSession.objects.exists()
    sign_in(here, old_hand.email, PASSWORD)
    assert SignIn.objects.order_by("-id")[0].new_browser


def test_it_ends_every_session_with_the_password(old_hand: User) -> None:
    here, there = browser_of(CHROME), browser_of()
    for browser in (here, there):
        sign_in(browser, old_hand.email, PASSWORD)
    new = {"oldpassword": PASSWORD, "password1": "another-long-phrase", "password2": "another-long-phrase"}
    here.post("/accounts/password/change/", new)
    assert [is_in(browser) for browser in (here, there)] == [False, False]
    assert mail.outbox[-1].subject == "The password of your account was changed"
    assert "Chrome on Windows" in mail.outbox[-1].body


@pytest.mark.parametrize("which", ["", "0", "-1", "9" * 30, "²", "x\x00", "ALL"])
def test_it_ends_nothing_for_nonsense(which: str, old_hand: User) -> None:
    browser = browser_of()
    sign_in(browser, old_hand.email, PASSWORD)
    assert browser.post("/accounts/sign-ins/end/", {"which": which}).status_code == 404
    assert is_in(browser)


def test_it_ends_no_session_of_somebody_else(old_hand: User, member: User) -> None:
    theirs, mine = browser_of(), browser_of()
    sign_in(theirs, old_hand.email, PASSWORD)
    sign_in(mine, member.email, PASSWORD)
    row = UserSession.objects.get(user=old_hand)
    assert mine.post("/accounts/sign-ins/end/", {"which": str(row.pk)}).status_code == 404
    page = mine.get("/accounts/sign-ins/").content.decode()
    assert page.count("203.0.113.7") == 2
    assert is_in(theirs)


def test_it_ends_sessions_by_a_form_only(old_hand: User) -> None:
    browser = browser_of()
    sign_in(browser, old_hand.email, PASSWORD)
    assert browser.get("/accounts/sign-ins/end/?which=all").status_code == 405
    assert is_in(browser)


def test_it_keeps_sign_ins_for_twelve_months(old_hand: User) -> None:
    for days in (364, 366):
        SignIn.objects.create(user=old_hand, at=clock.now() - dt.timedelta(days=days), device=f"{days} days")
    UserSession.objects.create(user=old_hand, session_key="gone", ip="203.0.113.7", user_agent="")
    sign_ins.forget_old()
    assert [row.device for row in SignIn.objects.all()] == ["364 days"]
    assert not UserSession.objects.exists()


def test_it_notes_when_and_from_where_a_session_was_seen_last(
    old_hand: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_of()
    sign_in(browser, old_hand.email, PASSWORD)
    is_in(browser)
    UserSession.objects.update(last_seen_at=clock.now() - dt.timedelta(hours=1))
    browser.get("/accounts/you/", REMOTE_ADDR="198.51.100.9")
    assert str(UserSession.objects.get().ip) == "203.0.113.7"
    monkeypatch.setattr("accounts.people.sign_ins.SEEN_EVERY", 0)
    browser.get("/accounts/you/", REMOTE_ADDR="198.51.100.9")
    row = UserSession.objects.get()
    assert str(row.ip) == "198.51.100.9"
    assert clock.now() - row.last_seen_at < dt.timedelta(minutes=1)


def test_it_starts_a_session_of_its_own_at_sign_in(old_hand: User) -> None:
    """A session key that somebody else has chosen opens nothing (T30)."""
    browser = browser_of()
    browser.get("/accounts/login/")
    browser.cookies["outreach_session"] = "chosen0by0an0attacker0000000000"
    sign_in(browser, old_hand.email, PASSWORD)
    assert browser.session.session_key != "chosen0by0an0attacker0000000000"
    fixed = browser_of()
    fixed.cookies["outreach_session"] = "chosen0by0an0attacker0000000000"
    assert not is_in(fixed)
