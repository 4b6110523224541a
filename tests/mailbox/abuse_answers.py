"""Codes, issuers, ID tokens, scopes and subjects that do not fit (T8-T10)."""

from __future__ import annotations

from typing import Any

from accounts.tenancy import workspace
from mailbox.models import Mailbox
from tests.mailbox.abuse import VICTIM, Scene, case
from tests.mailbox.consenting import arrive, begin, decide, offered, press

# --- codes and tokens (T8) ----------------------------------------------------------------------------------


@case("a code of one provider comes to the other's address")
def mixed_up(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    other = "microsoft" if provider == "google" else "google"
    return arrive(client, other, scene.consented(client, provider))


@case("a code of one provider comes with a state of the other")
def mixed_code(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    other = "microsoft" if provider == "google" else "google"
    foreign = scene.consented(client, other)
    return arrive(client, provider, {**scene.consented(client, provider), "code": foreign["code"]})


@case("a code of another sign-in, which carries another challenge")
def injected_code(scene: Scene, provider: str) -> Any:
    foreign = scene.consented(scene.browser(scene.member), provider)
    client = scene.browser(scene.owner)
    return arrive(client, provider, {**scene.consented(client, provider), "code": foreign["code"]})


@case("there is no code")
def no_code(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    return arrive(client, provider, {"state": scene.consented(client, provider)["state"]})


@case("the answer names another issuer")
def foreign_issuer(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    return arrive(client, provider, {**scene.consented(client, provider), "iss": "https://evil.example"})


@case("the ID token names another issuer")
def forged_issuer(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"iss": "https://evil.example/v2.0"})
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token is for another app")
def forged_audience(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"aud": "another-app", "azp": "another-app"})
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token is for two apps")
def shared_audience(scene: Scene, provider: str) -> Any:
    mine = f"sandbox-{provider}"
    scene.forge(provider, {"aud": [mine, "another-app"]})
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token has another nonce")
def forged_nonce(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"nonce": "another"})
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token has no nonce")
def no_nonce(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"nonce": None})
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token has run out")
def old_token(scene: Scene, provider: str) -> Any:
    scene.forge(provider, {"exp": 1_000_000_000})
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token is signed by nobody")
def unsigned(scene: Scene, provider: str) -> Any:
    scene.forge(provider, sign="none")
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


@case("the ID token is signed by somebody else")
def wrongly_signed(scene: Scene, provider: str) -> Any:
    scene.forge(provider, sign="other key")
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider))


# --- scopes and subjects (T9, T10) --------------------------------------------------------------------------


@case("a permission is left unticked", says="gave us less than the mailbox needs")
def partial_scopes(scene: Scene, provider: str) -> Any:
    unticked = "gmail.readonly" if provider == "google" else "Mail.ReadWrite"
    client = scene.browser(scene.owner)
    return arrive(client, provider, scene.consented(client, provider, without=(unticked,)))


@case("a reconnect comes back with the same address and another subject", says="with another account")
def another_subject(scene: Scene, provider: str) -> Any:
    return _reconnect(scene, provider, VICTIM, {"sub": "999"} if provider == "google" else {"oid": "0" * 8})


@case("a reconnect comes back with an alias", says="with another account")
def alias(scene: Scene, provider: str) -> Any:
    return _reconnect(scene, provider, "vic+alias@victim.example", None)


@case("a reconnect comes back with the address in capitals and another subject", says="with another account")
def capitals(scene: Scene, provider: str) -> Any:
    other = {"sub": "998"} if provider == "google" else {"oid": "1" * 8}
    return _reconnect(scene, provider, VICTIM.upper(), other)


def _reconnect(scene: Scene, provider: str, email: str, claims: dict[str, Any] | None) -> Any:
    """Connected by the owner, then taken away again, so that nothing may be live at the end."""
    client = scene.browser(scene.owner)
    press(client, scene.ws, offered(client, scene.ws, provider, VICTIM))
    with workspace(scene.ws):
        row = Mailbox.objects.get()
    begun = begin(client, scene.ws, provider, again=str(row.pk))
    if claims is not None:
        scene.forge(provider, claims)
    page = arrive(client, provider, decide(begun, email=email))
    with workspace(scene.ws):
        assert Mailbox.objects.get().generation == 1
    client.post(f"/w/{scene.ws.slug}/mailboxes/{row.pk}/remove/")
    return page


@case("the account is connected in another workspace", says="This account cannot be connected here now")
def elsewhere(scene: Scene, provider: str) -> Any:
    first = scene.browser(scene.stranger)
    press(first, scene.theirs, offered(first, scene.theirs, provider, VICTIM))
    client = scene.browser(scene.owner)
    page = offered(client, scene.ws, provider, VICTIM)
    assert scene.theirs.name not in page.content.decode()
    with workspace(scene.theirs):
        row = Mailbox.objects.get()
    first.post(f"/w/{scene.theirs.slug}/mailboxes/{row.pk}/remove/")
    return page
