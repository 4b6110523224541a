"""Guessing is slow from everywhere, and the person whose account is guessed at gets in all the same (T29)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.limits import Limit
from accounts.models import User, Workspace
from accounts.people.entrance_limits import ACCOUNT_MISSES, ADDRESS_MISSES, PAIR_MISSES
from tests.accounts.test_sign_in import sign_in
from tests.accounts.test_sign_up import FORM, link_in
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

TOO_MANY = "Too many tries"
WRONG = "No account has this address with this password."


def guess(email: str, *, ip: str, password: str = "not-the-password", browser: Client | None = None) -> str:
    client = browser or Client()
    answer = client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=ip)
    return answer.headers.get("Location") or answer.content.decode()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reached the password hasher."""
    seen: list[str] = []
    verify, encode = Argon2PasswordHasher.verify, Argon2PasswordHasher.encode

    def verifying(self: Argon2PasswordHasher, password: str, encoded: str) -> bool:
        seen.append(password)
        return verify(self, password, encoded)

    def encoding(self: Argon2PasswordHasher, password: str, salt: str) -> str:
        seen.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(Argon2PasswordHasher, "verify", verifying)
    monkeypatch.setattr(Argon2PasswordHasher, "encode", encoding)
    return seen


def test_it_counts_exactly_also_when_many_try_at_once() -> None:
    limit = Limit("test", 7, 60)
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda _: limit.take("somebody"), range(200)))
    assert taken.count(True) == 7
    assert limit.take("somebody else")
    limit.give_back("never seen")
    cache.clear()
    assert limit.take("somebody")


@pytest.mark.parametrize("email", ["olga@studio.example", "nobody@nowhere.example"])
def test_it_stops_guesses_from_one_address_before_the_hasher(
    email: str, owner: User, hashed: list[str]
) -> None:
    hashed.clear()
    answers = [guess(email, ip="203.0.113.7") for _ in range(9)]
    assert len(hashed) == PAIR_MISSES.amount
    assert [WRONG in answer for answer in answers] == [True] * 5 + [False] * 4
    assert all(TOO_MANY in answer for answer in answers[5:])
    assert WRONG in guess(email, ip="203.0.113.8")


@pytest.mark.parametrize("email", ["olga@studio.example", "nobody@nowhere.example"])
def test_it_stops_guesses_from_many_addresses(email: str, owner: User, hashed: list[str]) -> None:
    hashed.clear()
    for number in range(ACCOUNT_MISSES.amount + 10):
        answer = guess(email, ip=f"198.51.100.{number}")
    assert len(hashed) == ACCOUNT_MISSES.amount
    assert TOO_MANY in answer


def test_it_stops_one_address_that_tries_many_accounts(owner: User, hashed: list[str]) -> None:
    hashed.clear()
    answers = [guess(f"person{number}@nowhere.example", ip="203.0.113.7") for number in range(15)]
    assert len(hashed) == ADDRESS_MISSES.amount
    assert TOO_MANY in answers[-1]
    # Addresses of IPv6 count by their network: one machine has billions of them.
    hashed.clear()
    for number in range(15):
        guess(f"other{number}@nowhere.example", ip=f"2001:db8:1:2::{number + 1:x}")
    assert len(hashed) == ADDRESS_MISSES.amount


def test_it_lets_the_owner_in_from_a_browser_of_theirs_during_an_attack(owner: User, ws: Workspace) -> None:
    mine = Client()
    assert guess(owner.email, ip="192.0.2.1", password=PASSWORD, browser=mine) == "/"
    mine.post("/accounts/logout/")
    for number in range(ACCOUNT_MISSES.amount + 5):
        guess(owner.email, ip=f"198.51.100.{number}")
    # From the attacker's own address even: a shared office is no reason to lock a person out.
    for _ in range(12):
        guess(owner.email, ip="192.0.2.1")
    assert TOO_MANY in guess(owner.email, ip="192.0.2.77", password=PASSWORD)
    assert guess(owner.email, ip="192.0.2.1", password=PASSWORD, browser=mine) == "/"


def test_it_lets_the_owner_in_from_a_new_machine_by_mail_during_an_attack(owner: User) -> None:
    for number in range(ACCOUNT_MISSES.amount + 5):
        guess(owner.email, ip=f"198.51.100.{number}")
    new = Client()
    assert TOO_MANY in guess(owner.email, ip="192.0.2.1", password=PASSWORD, browser=new)
    new.post("/accounts/password/reset/", {"email": owner.email}, REMOTE_ADDR="192.0.2.1")
    form = new.get(link_in(str(mail.outbox[-1].body))).headers["Location"]
    words = {"password1": "another-long-phrase", "password2": "another-long-phrase"}
    assert new.post(form, words).status_code == 302
    assert guess(owner.email, ip="192.0.2.1", password="another-long-phrase", browser=new) == "/"


def test_it_counts_also_what_a_known_browser_tries(owner: User, hashed: list[str]) -> None:
    mine = Client()
    guess(owner.email, ip="192.0.2.1", password=PASSWORD, browser=mine)
    mine.post("/accounts/logout/")
    hashed.clear()
    for number in range(9):
        guess(owner.email, ip=f"198.51.100.{number}", browser=mine)
    assert len(hashed) == 5


def test_it_does_not_count_what_fits(owner: User) -> None:
    for _ in range(8):
        assert sign_in(Client(), owner.email, PASSWORD) == "/"


def test_it_counts_the_visitors_address_and_not_the_proxys(
    owner: User, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1  # type: ignore[attr-defined]

    def through_proxy(visitor: str) -> str:
        answer = Client().post(
            "/accounts/login/",
            {"login": owner.email, "password": "not-the-password"},
            REMOTE_ADDR="10.0.0.1",
            # What a visitor claims stands further left, and does not count.
            headers={"X-Forwarded-For": f"8.8.8.{through_proxy.calls}, {visitor}"},  # type: ignore[attr-defined]
        )
        through_proxy.calls += 1  # type: ignore[attr-defined]
        return answer.content.decode()

    through_proxy.calls = 0  # type: ignore[attr-defined]
    answers = [through_proxy("203.0.113.7") for _ in range(6)]
    assert TOO_MANY in answers[-1]
    assert WRONG in through_proxy("203.0.113.9")


def test_it_fills_nobodys_mailbox(person: Callable[..., User]) -> None:
    user = person(FORM["email"], name="Maya Marsh")
    for number in range(9):
        Client().post("/accounts/signup/", FORM, REMOTE_ADDR=f"198.51.100.{number}")
        Client().post("/accounts/password/reset/", {"email": user.email}, REMOTE_ADDR=f"198.51.100.{number}")
        Client().post(
            "/accounts/password/reset/", {"email": "x@nowhere.example"}, REMOTE_ADDR=f"198.51.100.{number}"
        )
    counted = [sent.to[0] for sent in mail.outbox]
    assert counted.count(user.email) == 5
    assert counted.count("x@nowhere.example") == 5


def test_it_slows_the_proof_down_too(owner: User, signed_in: Callable[[User], Client]) -> None:
    browser = signed_in(owner)
    for _ in range(5):
        browser.post("/accounts/reauthenticate/", {"password": "not-the-password"})
    page = browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert page.status_code == 200
    assert TOO_MANY in page.content.decode()
