"""Sign-in with Google and Microsoft: keyed by the account there, never by its address (threats T9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client

from accounts.models import Membership, Role, User
from tests.accounts.signing_in import come_back, go_on_with, is_in, leave, words
from tests.conftest import PASSWORD
from tests.mailbox.consenting import decide
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
NEW = "nora@new.example"
SignedIn = Callable[[User], Client]


def without_tokens(page: Any) -> str:
    return re.sub(r'nonce="[^"]*"|[A-Za-z0-9]{64}', "", words(page))


def sign_in(client: Client, user: User) -> None:
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert is_in(client)


def test_it_asks_for_no_mail(providers: Running, client: Client) -> None:
    for provider in ("google", "microsoft"):
        url = leave(client, provider)
        assert "scope=openid+email+profile&" in url
        assert "code_challenge_method=S256" in url
        assert "sign-in&" in url


def test_it_shows_no_button_without_a_client(client: Client, settings: Any) -> None:
    assert "Go on with Google" in words(client.get("/accounts/login/"))
    assert "Go on with Microsoft" in words(client.get("/accounts/signup/"))
    settings.GOOGLE_SIGN_IN_CLIENT_ID = settings.MS_SIGN_IN_CLIENT_ID = ""
    assert "Go on with" not in words(client.get("/accounts/login/"))
    assert client.post("/accounts/with/google/").status_code == 404


def test_it_makes_a_person_and_a_workspace_of_a_proved_address(providers: Running, client: Client) -> None:
    go_on_with(client, "google", NEW)
    user = User.objects.get(email=NEW)
    assert (user.name, user.has_usable_password()) == ("Nora", False)
    assert Membership.objects.get(user=user).role == Role.OWNER
    assert EmailAddress.objects.get(user=user).verified
    assert is_in(client)
    again = Client()
    go_on_with(again, "google", NEW)
    assert is_in(again)
    assert User.objects.count() == 1


def test_it_confirms_an_address_that_microsoft_does_not_prove(
    providers: Running, client: Client, mailoutbox: list[EmailMessage]
) -> None:
    page = go_on_with(client, "microsoft", NEW)
    assert "Look into your mailbox" in words(page)
    assert not is_in(client)
    assert not EmailAddress.objects.get(email=NEW).verified
    assert [mail.to for mail in mailoutbox] == [[NEW]]


def test_it_confirms_an_address_that_google_does_not_prove(providers: Running, client: Client) -> None:
    providers.post("forge", provider="google", email=NEW, claims={"email_verified": False})
    assert "Look into your mailbox" in words(go_on_with(client, "google", NEW))
    assert not is_in(client)


@BOTH
def test_it_lets_nobody_in_by_an_address(
    provider: str, providers: Running, client: Client, owner: User, mailoutbox: list[EmailMessage]
) -> None:
    page = go_on_with(client, provider, owner.email)
    assert "Look into your mailbox" in words(page)
    assert not is_in(client)
    assert not SocialAccount.objects.exists()
    (mail,) = mailoutbox
    assert mail.to == [owner.email]
    assert "An address alone opens no account" in mail.body


def test_it_says_the_same_of_a_known_and_a_new_address(
    providers: Running, client: Client, owner: User
) -> None:
    known, new = go_on_with(Client(), "microsoft", owner.email), go_on_with(Client(), "microsoft", NEW)
    assert known.redirect_chain == new.redirect_chain
    assert without_tokens(known) == without_tokens(new)


@BOTH
def test_it_connects_on_the_account_page_and_opens_the_account_then(
    provider: str, providers: Running, owner: User, mailoutbox: list[EmailMessage]
) -> None:
    client = Client()
    sign_in(client, owner)
    page = go_on_with(client, provider, "other@address.example", "connect")
    assert "other@address.example, connected" in words(page)
    assert any("was connected" in mail.subject for mail in mailoutbox)
    other = Client()
    go_on_with(other, provider, "other@address.example")
    assert other.session["_auth_user_id"] == str(owner.pk)
    account = SocialAccount.objects.get()
    client.post("/accounts/with/", {"account": account.pk})
    assert not SocialAccount.objects.exists()
    assert any("was disconnected" in mail.subject for mail in mailoutbox)


def test_it_asks_for_a_fresh_proof_before_it_connects(
    providers: Running, owner: User, signed_in: SignedIn, settings: Any
) -> None:
    settings.REAUTHENTICATION_SECONDS = 0
    client = signed_in(owner)
    answer = client.post("/accounts/with/google/", {"process": "connect"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]


def test_it_keeps_the_last_way_in(providers: Running, client: Client) -> None:
    go_on_with(client, "google", NEW)
    page = client.post("/accounts/with/", {"account": SocialAccount.objects.get().pk}, follow=True)
    assert "This is your only way in" in words(page)
    assert SocialAccount.objects.count() == 1


def test_it_does_not_connect_an_account_that_opens_another(
    providers: Running, client: Client, owner: User
) -> None:
    go_on_with(Client(), "google", NEW)
    sign_in(client, owner)
    page = go_on_with(client, "google", NEW, "connect")
    assert "the way into another account" in words(page)
    assert SocialAccount.objects.get().user.email == NEW


def test_it_takes_an_account_of_the_same_address_for_another(providers: Running, client: Client) -> None:
    go_on_with(client, "google", NEW)
    providers.post("forge", provider="google", email=NEW, claims={"sub": "999"})
    other = Client()
    assert "Look into your mailbox" in words(go_on_with(other, "google", NEW))
    assert not is_in(other)


def test_it_keeps_neither_token_nor_subject(providers: Running, client: Client) -> None:
    go_on_with(client, "google", NEW)
    assert not SocialToken.objects.exists()
    subject = providers.get("accounts")[0]["subject"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT a::text FROM socialaccount_socialaccount a")
        (row,) = cursor.fetchone()
    assert subject not in row
    assert "ya29" not in str(dict(client.session.items()))


def test_it_ends_an_unproved_way_in_when_the_password_is_set_anew(
    providers: Running, client: Client, mailoutbox: list[EmailMessage]
) -> None:
    """Made by somebody with another's address; its holder takes the account over."""
    go_on_with(client, "microsoft", NEW)
    holder = Client()
    holder.post("/accounts/password/reset/", {"email": NEW})
    link = next(
        word for mail in mailoutbox for word in mail.body.split() if "/accounts/password/reset/key/" in word
    )
    page = holder.get(link.partition("localhost:8000")[2] or link.partition("testserver")[2], follow=True)
    holder.post(
        page.redirect_chain[-1][0], {"password1": "a-new-long-password", "password2": "a-new-long-password"}
    )
    assert User.objects.get(email=NEW).has_usable_password()
    assert not SocialAccount.objects.exists()


def test_it_says_so_when_somebody_declines(providers: Running, client: Client) -> None:
    query = decide(leave(client, "google"), email=NEW, decision="deny")
    assert "You did not go on at Google" in words(come_back(client, "google", query))
    assert not User.objects.exists()


@BOTH
def test_it_says_so_when_the_provider_does_not_answer(
    provider: str, providers: Running, client: Client, settings: Any
) -> None:
    query = decide(leave(client, provider), email=NEW)
    settings.GOOGLE_TOKEN_URI, settings.MS_AUTHORITY = "http://localhost:1/x", "https://localhost:1/common"
    page = come_back(client, provider, query)
    assert page.status_code == 503
    assert "gave no usable answer" in words(page)
    assert not User.objects.exists()
