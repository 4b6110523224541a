"""The page that asks before anything is connected: who may press what, where, and for how long (T6)."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import Membership, Role
from tests.mailbox.abuse import BACKEND, VICTIM, Scene, case
from tests.mailbox.consenting import offered, press


@case("nobody confirms", says="Connect vic@victim.example?")
def not_confirmed(scene: Scene, provider: str) -> Any:
    return offered(scene.browser(scene.owner), scene.ws, provider, VICTIM)


@case("cancelled on the page that asks", says="Nothing is connected")
def cancelled(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    return press(client, scene.ws, offered(client, scene.ws, provider, VICTIM), "cancel")


@case("confirmed in another browser")
def confirmed_elsewhere(scene: Scene, provider: str) -> Any:
    page = offered(scene.browser(scene.owner), scene.ws, provider, VICTIM)
    return press(scene.browser(scene.owner), scene.ws, page)


@case("confirmed by another member")
def confirmed_by_another(scene: Scene, provider: str) -> Any:
    page = offered(scene.browser(scene.owner), scene.ws, provider, VICTIM)
    return press(scene.browser(scene.member), scene.ws, page)


@case("confirmed in another workspace")
def confirmed_for_another(scene: Scene, provider: str) -> Any:
    Membership.objects.create(workspace=scene.theirs, user=scene.owner, role=Role.MEMBER)
    client = scene.browser(scene.owner)
    page = offered(client, scene.ws, provider, VICTIM)
    return press(client, scene.theirs, page)


@case("confirmed too late")
def confirmed_late(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    page = offered(client, scene.ws, provider, VICTIM)
    scene.later(seconds=601)
    return press(client, scene.ws, page)


@case("confirmed after the role was lost", status=403, says="")
def confirmed_as_viewer(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.member)
    page = offered(client, scene.ws, provider, VICTIM)
    scene.lower(scene.member)
    return press(client, scene.ws, page)


@case("confirmed after leaving", status=404, says="")
def confirmed_after_leaving(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.member)
    page = offered(client, scene.ws, provider, VICTIM)
    scene.leave(scene.member)
    return press(client, scene.ws, page)


@case("confirmed signed out", says="Sign in")
def confirmed_signed_out(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    page = offered(client, scene.ws, provider, VICTIM)
    client.logout()
    return press(client, scene.ws, page)


@case("confirmed after somebody else signed in over the session")
def confirmed_over(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    page = offered(client, scene.ws, provider, VICTIM)
    client.force_login(scene.member, backend=BACKEND)
    return press(client, scene.ws, page)


@case("a form elsewhere confirms for the person", status=403, says="")
def confirmed_by_a_foreign_form(scene: Scene, provider: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.owner, backend=BACKEND)
    begun = Client()
    begun.cookies = client.cookies
    page = offered(begun, scene.ws, provider, VICTIM)
    return press(client, scene.ws, page)


@case("an older tab confirms what a newer one fetched")
def confirmed_in_an_old_tab(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    old = offered(client, scene.ws, provider, "other@victim.example")
    offered(client, scene.ws, provider, VICTIM)
    return press(client, scene.ws, old)


@case("something else than a button is posted")
def invented_decision(scene: Scene, provider: str) -> Any:
    client = scene.browser(scene.owner)
    return press(client, scene.ws, offered(client, scene.ws, provider, VICTIM), "connect-all")
