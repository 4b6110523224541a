"""States that are replayed, swapped, old or another's; browsers and people that did not begin (T5-T7)."""

from __future__ import annotations

from typing import Any

from tests.mailbox.abuse import BACKEND, STALE, VICTIM, Scene, case
from tests.mailbox.consenting import arrive, begin, decide, press

# --- the state (T5) ---------------------------------------------------------------------------------------


@case("a state that was used for a refusal is used again")
def replayed_state(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    declined = scene.consented(client, provider, decision="deny")
    arrive(client, provider, declined)
    fresh = scene.consented(client, provider)
    return arrive(client, provider, {**fresh, "state": declined["state"]})


@case("the whole answer is sent twice")
def replayed_answer(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    query = scene.consented(client, provider)
    press(client, scene.ws, arrive(client, provider, query), "cancel")
    return arrive(client, provider, query)


@case("two answers swap their states")
def swapped_states(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    one, other = scene.consented(client, provider), scene.consented(client, provider)
    return arrive(client, provider, {**one, "state": other["state"]})


@case("the state is too old")
def expired_state(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    query = scene.consented(client, provider)
    scene.later(seconds=601)
    return arrive(client, provider, query)


@case("there is no state")
def omitted_state(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    query = scene.consented(client, provider)
    return arrive(client, provider, {name: value for name, value in query.items() if name != "state"})


@case("the state is made up")
def invented_state(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    return arrive(client, provider, {**scene.consented(client, provider), "state": "A" * 43})


@case("the state is another person's")
def state_of_another(scene: Scene, provider: str) -> Any:
    theirs = scene.consented(scene.browser(scene.member), provider)
    client = scene.browser(scene.owner)
    mine = scene.consented(client, provider)
    return arrive(client, provider, {**mine, "state": theirs["state"]})


@case("the state is the admin's, with a code", says="The app is not approved")
def state_of_the_admin(scene: Scene, provider: str) -> Any:
    if provider == "google":
        # Google has no such path: the state is unknown there.
        client = scene.browser(scene.owner)
        page = arrive(client, provider, {**scene.consented(client, provider), "state": "admin"})
        assert STALE in page.content.decode()
        provider = "microsoft"
    client = scene.browser(scene.owner)
    return arrive(client, provider, {**scene.consented(client, provider), "state": "admin"})


# --- the browser and the person (T6, T7) --------------------------------------------------------------------


@case("begun by A, finished by B")
def another_person(scene: Scene, provider: str) -> Any:
    query = scene.consented(scene.browser(scene.owner), provider)
    return arrive(scene.browser(scene.member), provider, query)


@case("begun by a stranger, finished by the victim")
def attackers_state(scene: Scene, provider: str) -> Any:
    attacker = scene.browser(scene.stranger)
    query = decide(begin(attacker, scene.theirs, provider), email=VICTIM)
    return arrive(scene.browser(scene.owner), provider, query)


@case("refused in the victim's browser, then finished by the attacker who began")
def stolen_answer(scene: Scene, provider: str) -> Any:
    attacker = scene.browser(scene.owner)
    query = scene.consented(attacker, provider)
    assert STALE in arrive(scene.browser(scene.member), provider, query).content.decode()
    return arrive(attacker, provider, query)


@case("finished signed out")
def signed_out(scene: Scene, provider: str) -> Any:
    return arrive(scene.browser(None), provider, scene.consented(scene.browser(scene.owner), provider))


@case("finished by the same person in another browser")
def second_browser(scene: Scene, provider: str) -> Any:
    query = scene.consented(scene.browser(scene.owner), provider)
    return arrive(scene.browser(scene.owner), provider, query)


@case("finished after signing out and in again")
def signed_in_again(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    query = scene.consented(client, provider)
    client.logout()
    client.force_login(scene.owner, backend=BACKEND)
    return arrive(client, provider, query)


@case("finished after somebody else signed in over the session")
def signed_in_over(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    query = scene.consented(client, provider)
    client.force_login(scene.member, backend=BACKEND)
    return arrive(client, provider, query)


@case("finished after the role was lost")
def role_lost(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.member)
    query = scene.consented(client, provider)
    scene.lower(scene.member)
    return arrive(client, provider, query)


@case("finished after leaving the workspace")
def left(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.member)
    query = scene.consented(client, provider)
    scene.leave(scene.member)
    return arrive(client, provider, query)
