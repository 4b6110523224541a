"""The same attacks on "Go on with Google" and "with Microsoft": nobody gets in as another."""

from __future__ import annotations

from typing import Any

from django.test import Client

from tests.accounts.signing_in import come_back, go_on_with, is_in, leave
from tests.conftest import PASSWORD
from tests.mailbox.abuse import VICTIM, Scene, case
from tests.mailbox.consenting import decide


def agreed(client: Client, provider: str, email: str = VICTIM, process: str = "login") -> dict[str, str]:
    return decide(leave(client, provider, process), email=email)


def refused(client: Client, page: Any) -> Any:
    assert not is_in(client), "somebody was signed in"
    return page


@case("sign-in: the attacker's answer in the victim's browser")
def login_csrf(scene: Scene, provider: str) -> Any:
    query = agreed(Client(), provider, "eve@evil.example")
    client = Client()
    return refused(client, come_back(client, provider, query))


@case("sign-in: refused in the victim's browser, then finished by whoever began")
def login_stolen(scene: Scene, provider: str) -> Any:
    attacker = Client()
    query = agreed(attacker, provider)
    come_back(Client(), provider, query)
    return refused(attacker, come_back(attacker, provider, query))


@case("sign-in: the attacker's code with the victim's state")
def login_code(scene: Scene, provider: str) -> Any:
    foreign = agreed(Client(), provider, "eve@evil.example")
    client = Client()
    return refused(client, come_back(client, provider, {**agreed(client, provider), "code": foreign["code"]}))


@case("sign-in: the answer comes twice")
def login_replay(scene: Scene, provider: str) -> Any:
    client = Client()
    query = decide(leave(client, provider), email=VICTIM, decision="deny")
    come_back(client, provider, query)
    again = agreed(client, provider)
    return refused(client, come_back(client, provider, {**again, "state": query["state"]}))


@case("sign-in: no state")
def login_without_state(scene: Scene, provider: str) -> Any:
    client = Client()
    query = agreed(client, provider)
    del query["state"]
    return refused(client, come_back(client, provider, query))


@case("sign-in: a state of the other provider")
def login_mix_up(scene: Scene, provider: str) -> Any:
    client = Client()
    other = "microsoft" if provider == "google" else "google"
    return refused(client, come_back(client, other, agreed(client, provider)))


@case("sign-in: a code that was given to the mailbox's app")
def login_with_mailbox_code(scene: Scene, provider: str) -> Any:
    foreign = scene.consented(scene.browser(scene.owner), provider)
    client = Client()
    return refused(client, come_back(client, provider, {**agreed(client, provider), "code": foreign["code"]}))


@case("sign-in: another issuer in the answer")
def login_issuer(scene: Scene, provider: str) -> Any:
    client = Client()
    return refused(
        client, come_back(client, provider, {**agreed(client, provider), "iss": "https://evil.example"})
    )


@case("sign-in: an ID token for the mailbox's app")
def login_audience(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"aud": f"sandbox-{provider}", "azp": f"sandbox-{provider}"})
    client = Client()
    return refused(client, come_back(client, provider, agreed(client, provider)))


@case("sign-in: an ID token with another nonce")
def login_nonce(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"nonce": "another"})
    client = Client()
    return refused(client, come_back(client, provider, agreed(client, provider)))


@case("sign-in: an unsigned ID token")
def login_unsigned(scene: Scene, provider: str) -> Any:
    scene.forge(provider, sign="none")
    client = Client()
    return refused(client, come_back(client, provider, agreed(client, provider)))


@case("sign-in: an ID token of another tenant than its issuer's")
def login_tenant(scene: Scene, provider: str) -> Any:
    other = "11111111-2222-4333-8444-555555555555"
    scene.forge(provider, {"tid": other} if provider == "microsoft" else {"iss": f"https://x/{other}/v2.0"})
    client = Client()
    return refused(client, come_back(client, provider, agreed(client, provider)))


@case("sign-in: the address of somebody who has an account", says="Look into your mailbox")
def login_by_address(scene: Scene, provider: str) -> Any:
    client = Client()
    return refused(client, go_on_with(client, provider, scene.owner.email))


@case("connecting a way in: begun by A, finished by B")
def connect_for_another(scene: Scene, provider: str) -> Any:
    client = _signed_in(scene.owner.email)
    query = agreed(client, provider, process="connect")
    other = _signed_in(scene.member.email)
    return come_back(other, provider, query)


@case("connecting a way in: begun signed in, finished after somebody else came in")
def connect_over(scene: Scene, provider: str) -> Any:
    client = _signed_in(scene.owner.email)
    query = agreed(client, provider, process="connect")
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": scene.member.email, "password": PASSWORD})
    return come_back(client, provider, query)


@case("connecting a way in: a sign-in that began signed out comes back signed in")
def login_becomes_connect(scene: Scene, provider: str) -> Any:
    client = Client()
    query = agreed(client, provider)
    client.post("/accounts/login/", {"login": scene.owner.email, "password": PASSWORD})
    page = come_back(client, provider, query)
    assert client.session["_auth_user_id"] == str(scene.owner.pk)
    return page


@case("connecting a way in: a form elsewhere starts it", says="", status=403)
def start_by_a_foreign_form(scene: Scene, provider: str) -> Any:
    return Client(enforce_csrf_checks=True).post(f"/accounts/with/{provider}/", {"process": "login"})


def _signed_in(email: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert is_in(client)
    return client
