"""No answer tells whether an address has an account: same bytes, same cookies, same work (threats T41)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace, WorkspaceKey
from tests.accounts.test_sign_up import FORM
from tests.haste import BEAT, at_full_cost

pytestmark = pytest.mark.django_db

KNOWN, UNKNOWN = "olga@studio.example", "olgo@studio.example"
_ONCE = [
    (r'name="csrfmiddlewaretoken" value="[^"]*"', "csrf"),
    (r'"X-CSRFToken": "[^"]*"', "csrf"),
    (r'nonce="[^"]*"', "nonce"),
]


def plain(answer: HttpResponseBase, email: str) -> str:
    """Status, headers, cookies' names and attributes, and body, without what differs from page to page."""
    assert hasattr(answer, "content")
    text = answer.content.decode().replace(email, "ADDRESS")
    for pattern, word in _ONCE:
        text = re.sub(pattern, word, text)
    headers = {
        name: re.sub(r"nonce-[^']*", "nonce", value.replace(email, "ADDRESS"))
        for name, value in answer.headers.items()
        if name not in ("Content-Length", "Expires", "Last-Modified")
    }
    cookies = {
        name: sorted((key, str(value)) for key, value in morsel.items() if key != "expires")
        for name, morsel in answer.cookies.items()
    }
    return f"{answer.status_code}\n{sorted(headers.items())}\n{sorted(cookies.items())}\n{text}"


def both(walk: Callable[[Client, str], list[HttpResponseBase]]) -> tuple[list[str], list[str]]:
    """The same walk for either address, each from its own place, so that no tries are used up."""
    known = walk(Client(REMOTE_ADDR="203.0.113.1"), KNOWN)
    unknown = walk(Client(REMOTE_ADDR="203.0.113.2"), UNKNOWN)
    return [plain(answer, KNOWN) for answer in known], [plain(answer, UNKNOWN) for answer in unknown]


def follow(browser: Client, first: HttpResponseBase) -> list[HttpResponseBase]:
    answers = [first]
    while answers[-1].headers.get("Location"):
        answers.append(browser.get(answers[-1].headers["Location"]))
        assert len(answers) < 5
    return answers


def test_it_signs_nobody_in_with_the_same_answer(owner: User) -> None:
    def walk(browser: Client, email: str) -> list[HttpResponseBase]:
        browser.get("/accounts/login/")
        words = {"login": email, "password": "not-the-password"}
        return [browser.post("/accounts/login/", words) for _ in range(7)]

    known, unknown = both(walk)
    assert known == unknown
    assert "Too many tries" in known[-1]


def test_it_sends_a_link_with_the_same_answer(owner: User) -> None:
    def walk(browser: Client, email: str) -> list[HttpResponseBase]:
        browser.get("/accounts/password/reset/")
        return follow(browser, browser.post("/accounts/password/reset/", {"email": email}))

    known, unknown = both(walk)
    assert known == unknown
    assert [sent.to for sent in mail.outbox] == [[KNOWN], [UNKNOWN]]


def test_it_makes_an_account_with_the_same_answer(owner: User) -> None:
    def walk(browser: Client, email: str) -> list[HttpResponseBase]:
        browser.get("/accounts/signup/")
        return follow(browser, browser.post("/accounts/signup/", {**FORM, "email": email}))

    known, unknown = both(walk)
    assert known == unknown
    assert [sent.to for sent in mail.outbox] == [[KNOWN], [UNKNOWN]]


def test_it_says_the_same_to_whoever_is_signed_in(
    owner: User, member: User, signed_in: Callable[[User], Client]
) -> None:
    browser = signed_in(member)
    browser.get("/accounts/email/")
    pages = [
        plain(browser.post("/accounts/email/", {"action_add": "", "email": email}), email)
        for email in (KNOWN, UNKNOWN)
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/accounts/login/", {"login": "", "password": "not-the-password"}),
        ("/accounts/signup/", {**FORM, "email": ""}),
    ],
)
def test_it_hashes_as_often_for_either(
    url: str, words: dict[str, str], owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def counting(real: Callable[..., Any]) -> Callable[..., Any]:
        def hashing(self: Argon2PasswordHasher, *args: Any, **more: Any) -> Any:
            counted.append("x")
            return real(self, *args, **more)

        return hashing

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, counting(getattr(Argon2PasswordHasher, name)))
    seen = []
    for email in (KNOWN, UNKNOWN):
        counted.clear()
        Client().post(url, {**words, ("login" if "login" in words else "email"): email})
        seen.append(len(counted))
    assert seen[0] == seen[1] > 0


@pytest.mark.parametrize(
    ("url", "words"),
    [("/accounts/signup/", FORM), ("/accounts/password/reset/", {})],
    ids=["sign-up", "reset"],
)
def test_it_answers_on_the_beat(url: str, words: dict[str, str], owner: User) -> None:
    for email in (KNOWN, UNKNOWN, KNOWN, UNKNOWN):
        with at_full_cost():
            began = time.monotonic()
            Client().post(url, {**words, "email": email})
            assert time.monotonic() - began >= BEAT


def test_it_asks_the_database_as_often_for_either(owner: User) -> None:
    asked = []
    Client().post("/accounts/signup/", {**FORM, "email": "warm@studio.example"})
    for email in (KNOWN, UNKNOWN):
        with CaptureQueriesContext(connection) as queries:
            Client().post("/accounts/signup/", {**FORM, "email": email})
        asked.append([one["sql"] for one in queries if "SAVEPOINT" not in one["sql"]])
    assert abs(len(asked[0]) - len(asked[1])) <= 1, "\n".join(asked[0] + ["---"] + asked[1])


def test_it_leaves_nothing_of_the_work_that_it_throws_away(owner: User) -> None:
    before = (User.objects.count(), Workspace.objects.count(), WorkspaceKey.objects.count())
    Client().post("/accounts/signup/", {**FORM, "email": KNOWN})
    assert (User.objects.count(), Workspace.objects.count(), WorkspaceKey.objects.count()) == before
