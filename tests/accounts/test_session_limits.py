"""How long a sign-in lasts, and what ends it (T30)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User, Workspace
from accounts.people.session_limits import BEGAN, LAST
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
COOKIE = settings.SESSION_COOKIE_NAME
DAY = 86_400


def move(client: Client, **seconds_ago: float) -> None:
    session = client.session
    for name, ago in seconds_ago.items():
        session[name] = time.time() - ago
    session.save()


def is_in(client: Client, ws: Workspace) -> bool:
    return bool(client.get(f"/w/{ws.slug}/settings/").status_code == 200)


def signed_in_by_form(user: User) -> Client:
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.mark.parametrize(
    ("began", "last", "stays"),
    [
        (13.9 * DAY, 60.0, True),
        (14.1 * DAY, 60.0, False),
        (4 * DAY, 2.9 * DAY, True),
        (4 * DAY, 3.1 * DAY, False),
        (-2 * DAY, 0.0, False),
    ],
)
def test_it_ends_after_a_time_without_a_visit_and_after_a_time_at_all(
    began: float, last: float, stays: bool, owner: User, ws: Workspace
) -> None:
    client = signed_in_by_form(owner)
    move(client, **{BEGAN: began, LAST: last})
    cookie = client.cookies[COOKIE].value
    assert is_in(client, ws) is stays
    again = Client()
    again.cookies[COOKIE] = cookie
    assert is_in(again, ws) is stays


def test_it_goes_on_while_somebody_comes_back(owner: User, ws: Workspace) -> None:
    client = signed_in_by_form(owner)
    for _ in range(3):
        move(client, **{LAST: 2.5 * DAY})
        assert is_in(client, ws)
        assert time.time() - client.session[LAST] < 30


def test_it_begins_again_with_the_next_sign_in(owner: User, ws: Workspace) -> None:
    client = signed_in_by_form(owner)
    move(client, **{BEGAN: 20.0 * DAY})
    assert not is_in(client, ws)
    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert is_in(client, ws)


def test_it_opens_nothing_with_a_session_that_was_there_before_the_sign_in(
    owner: User, ws: Workspace
) -> None:
    """Fixation: whoever planted the cookie holds one that is worth nothing."""
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[COOKIE] = planted = str(session.session_key)
    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert client.cookies[COOKIE].value != planted
    assert is_in(client, ws)
    thief = Client()
    thief.cookies[COOKIE] = planted
    assert not is_in(thief, ws)


def test_it_ends_every_session_when_the_password_changes(
    owner: User, ws: Workspace, signed_in: Callable[[User], Client]
) -> None:
    EmailAddress.objects.filter(user=owner).update(verified=True)
    here, elsewhere = signed_in_by_form(owner), signed_in_by_form(owner)
    assert is_in(elsewhere, ws)
    kept = str(here.cookies[COOKIE].value)
    form = {
        "oldpassword": PASSWORD,
        "password1": "another-horse-battery",
        "password2": "another-horse-battery",
    }
    assert here.post("/accounts/password/change/", form).status_code == 302
    old = Client()
    old.cookies[COOKIE] = kept
    assert not is_in(elsewhere, ws)
    assert not is_in(old, ws)


def test_it_leaves_a_cookie_that_opens_nothing_after_signing_out(owner: User, ws: Workspace) -> None:
    client = signed_in_by_form(owner)
    kept = str(client.cookies[COOKIE].value)
    client.post("/accounts/logout/")
    old = Client()
    old.cookies[COOKIE] = kept
    assert not is_in(old, ws)


def test_it_takes_its_limits_from_the_settings(owner: User, ws: Workspace, settings: Settings) -> None:
    settings.SESSION_IDLE_SECONDS = 100
    client = signed_in_by_form(owner)
    move(client, **{LAST: 99.0})
    assert is_in(client, ws)
    move(client, **{LAST: 101.0})
    assert not is_in(client, ws)
