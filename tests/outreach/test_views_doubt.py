"""A mail in doubt: what the page says, and the three words that a person may say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from outreach.models import CampaignState, MessageState
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("sent", MessageState.SENT),
        ("send_again", MessageState.QUEUED),
        ("do_not_send", MessageState.CANCELLED),
    ],
)
def test_it_offers_three_words_for_a_mail_in_doubt(
    client: Client, in_ws: Workspace, decision: str, state: str
) -> None:
    someone = factories.make_enrollment(
        factories.make_campaign(state=CampaignState.RUNNING, launched_at=clock.now()), state="running"
    )
    mail = factories.make_message(someone, state=MessageState.DOUBT, attempted_at=clock.now())
    path = f"/w/{in_ws.slug}/doubt/{mail.pk}/"
    page = client.get(path).content.decode()
    for words in ("It was sent", "Send again", "Do not send", "We do not send again on our own"):
        assert words in page
    client.post(path, {"decision": "nonsense"})
    mail.refresh_from_db()
    assert mail.state == MessageState.DOUBT
    client.post(path, {"decision": decision})
    mail.refresh_from_db()
    assert mail.state == state
    again = client.post(path, {"decision": "send_again"}, follow=True).content.decode()
    assert "settled in the meantime" in again


def test_it_lets_a_viewer_decide_nothing(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    mail = factories.make_message(state=MessageState.DOUBT, attempted_at=clock.now())
    path = f"/w/{in_ws.slug}/doubt/{mail.pk}/"
    assert signed_in(viewer).post(path, {"decision": "sent"}).status_code == 403
    mail.refresh_from_db()
    assert mail.state == MessageState.DOUBT


def test_it_hides_the_mail_from_a_stranger(signed_in: SignedIn, stranger: User, in_ws: Workspace) -> None:
    mail = factories.make_message(state=MessageState.DOUBT, attempted_at=clock.now())
    assert signed_in(stranger).get(f"/w/elsewhere/doubt/{mail.pk}/").status_code == 404
