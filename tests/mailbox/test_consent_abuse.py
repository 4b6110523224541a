"""The abuse of consent and sign-in, case by case: none is accepted, nothing is kept (threats T5-T10, S7)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount

from accounts.models import Membership, Role, User, Workspace
from accounts.people import openid
from accounts.tenancy import workspace
from mailbox import offers
from mailbox.models import Credential, Mailbox, MailboxIdentity, PendingConsent
from tests.mailbox import abuse, abuse_answers, abuse_pages, abuse_sign_in, abuse_states
from tests.mailbox.abuse import CASES, VICTIM, Case, Scene
from tests.mailbox.consenting import offered, press
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = (abuse, abuse_states, abuse_answers, abuse_pages, abuse_sign_in)


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    """Four people per case: their passwords are not what is tried here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def scene(
    ws: Workspace,
    owner: User,
    member: User,
    stranger: User,
    providers: Running,
    later: Callable[..., None],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    theirs = Membership.objects.get(user=stranger).workspace
    yield Scene(ws, theirs, owner, member, stranger, providers, later, settings, monkeypatch)
    for thread in threading.enumerate():
        if thread.name == "revoke":
            thread.join(20)


def judge(one: Case, scene: Scene) -> None:
    """Play the case; raise where something was accepted, or where the person reads something else."""
    people = User.objects.count()
    page = one.act(scene)
    text = " ".join(page.content.decode().split())
    if one.status:
        assert page.status_code == one.status
    assert one.says in text
    scene.later(seconds=offers.OFFER_SECONDS + 1)
    for place in (scene.ws, scene.theirs):
        with workspace(place):
            offers.drop_lapsed()
            assert not Mailbox.objects.live().exists()
            assert not Credential.objects.exists()
            assert not PendingConsent.objects.filter(answer__isnull=False).exists()
    assert not MailboxIdentity.objects.filter(live_in__isnull=False).exists()
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == people


def named(name: str) -> Case:
    return next(one for one in CASES if one.name == name)


def test_it_knows_forty_ways_and_more() -> None:
    names = {one.name.rpartition(" (")[0] for one in CASES}
    assert len(names) >= 40
    assert len({one.name for one in CASES}) == len(CASES) == 2 * len(names)


@pytest.mark.parametrize("one", CASES, ids=[one.name for one in CASES])
def test_it_accepts_none(one: Case, scene: Scene) -> None:
    judge(one, scene)


# --- planted weaknesses: the suite can turn red -----------------------------------------------------------


def test_it_notices_an_answer_that_any_browser_may_confirm(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "current", lambda session, user: PendingConsent.objects.first())
    with pytest.raises(AssertionError):
        judge(named("confirmed in another browser (google)"), scene)


def test_it_notices_an_id_token_that_nobody_checks(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def believe(token: str, **_: Any) -> dict[str, Any]:
        return dict(jwt.decode(token, options={"verify_signature": False}))

    monkeypatch.setattr(openid, "check", believe)
    with pytest.raises(AssertionError):
        judge(named("the ID token is signed by somebody else (microsoft)"), scene)


def test_it_notices_a_sign_in_by_address(scene: Scene) -> None:
    scene.settings.SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
    with pytest.raises(AssertionError):
        judge(named("sign-in: the address of somebody who has an account (google)"), scene)


def test_it_tells_the_control_from_the_cases(scene: Scene) -> None:
    """With nothing wrong the same steps do connect: the cases fail for their own reason."""
    client = scene.browser(scene.owner)
    page = offered(client, scene.ws, "google", VICTIM)
    press(client, scene.ws, page)
    with workspace(scene.ws):
        assert Mailbox.objects.get().owner == scene.owner
    assert Membership.objects.get(user=scene.owner).role == Role.OWNER
