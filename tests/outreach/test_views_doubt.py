"""A mail in doubt: what the page says, and the three words that a person may say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import AuditEvent, Membership, User, Workspace
from mailbox.models import Replies
from outreach.models import Campaign, CampaignState, Message, MessageKind, MessageState, ProjectAccess
from outreach.pipeline import settle
from outreach.reasons import DRAFT_EDITED
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


# --- the list ---------------------------------------------------------------------------------------------


def doubtful(campaign: Campaign | None = None, **values: Any) -> Message:
    campaign = campaign or factories.make_campaign(state=CampaignState.RUNNING, launched_at=clock.now())
    person = factories.make_enrollment(campaign, state="running")
    return factories.make_message(
        person, state=MessageState.DOUBT, **{"attempted_at": clock.now(), "reason": settle.NO_TRACE, **values}
    )


def states(*rows: Message) -> list[str]:
    return [Message.objects.get(pk=row.pk).state for row in rows]


def test_it_lists_what_is_known_of_each(client: Client, in_ws: Workspace) -> None:
    soon = clock.now() + dt.timedelta(minutes=15)
    looked = doubtful(settle_at=soon)
    old = doubtful(reason=settle.TOO_OLD, attempted_at=clock.now() - dt.timedelta(hours=25), settle_at=None)
    gone = doubtful(reason=settle.DISCONNECTED)
    Message.objects.filter(pk=gone.pk).update(mailbox=None)
    page = client.get(f"/w/{in_ws.slug}/doubt/").content.decode()
    for row in (looked, old, gone):
        assert row.to_address in page
        assert f"/doubt/{row.pk}/" in page
        assert row.campaign is not None
        assert f"{row.campaign.name}, step 1" in page
    for words in (
        "A draft that is gone may have been sent or thrown away.",
        "More than 24 hours had passed",
        "Access to the mailbox ended before we could.",
        "mailbox removed",
    ):
        assert words in page
    assert page.count("We look again") == 1
    assert page.count("We do not look again: only you can tell.") == 2
    # The oldest first.
    assert page.index(old.to_address) < page.index(looked.to_address)


def test_it_asks_about_an_edited_draft_in_its_own_words(client: Client, in_ws: Workspace) -> None:
    row = doubtful(reason=DRAFT_EDITED, attempted_at=None, draft_id="r-1")
    for path in (f"/w/{in_ws.slug}/doubt/", f"/w/{in_ws.slug}/doubt/{row.pk}/"):
        page = client.get(path).content.decode()
        for words in ("draft", "Send as edited", "Send our text", "Do not send"):
            assert words in page
        assert "It was sent</button>" not in page
        assert "did not answer" not in page
    assert "was edited in the mailbox before it left" in client.get(f"/w/{in_ws.slug}/").content.decode()
    asked = client.get(f"/w/{in_ws.slug}/doubt/", {"decision": "send_again", "mail": str(row.pk)})
    assert "An edited draft is thrown away" in asked.content.decode()
    path = f"/w/{in_ws.slug}/doubt/"
    said = client.post(path, {"decision": "as_edited", "mail": [str(row.pk)]}, follow=True)
    assert "It leaves as it stands in the mailbox" in said.content.decode()
    row.refresh_from_db()
    assert (row.state, row.draft_id, row.draft_version) == (MessageState.DRAFTED, "r-1", None)


def test_it_sends_no_other_mail_as_edited(client: Client, in_ws: Workspace) -> None:
    row = doubtful()
    client.post(f"/w/{in_ws.slug}/doubt/", {"decision": "as_edited", "mail": [str(row.pk)]})
    assert states(row) == [MessageState.DOUBT]


def test_it_says_that_nothing_is_in_doubt(client: Client, in_ws: Workspace) -> None:
    page = client.get(f"/w/{in_ws.slug}/doubt/").content.decode()
    assert "No mail is in doubt" in page
    assert 'name="decision"' not in page


@pytest.mark.parametrize(
    ("decision", "state"), [("sent", MessageState.SENT), ("do_not_send", MessageState.CANCELLED)]
)
def test_it_decides_for_a_selection_and_for_no_other(
    client: Client, in_ws: Workspace, decision: str, state: str
) -> None:
    rows = [doubtful() for _ in range(3)]
    chosen = [str(row.pk) for row in rows[:2]]
    client.post(f"/w/{in_ws.slug}/doubt/", {"decision": decision, "mail": chosen})
    assert states(*rows) == [state, state, MessageState.DOUBT]
    assert AuditEvent.objects.filter(action=f"message.decided_{decision}").count() == 2


def test_it_asks_before_it_sends_again(client: Client, in_ws: Workspace) -> None:
    rows = [doubtful(), doubtful()]
    path, chosen = f"/w/{in_ws.slug}/doubt/", [str(row.pk) for row in rows]
    asked = client.post(path, {"decision": "send_again", "mail": chosen}, follow=True)
    assert states(*rows) == [MessageState.DOUBT, MessageState.DOUBT]
    page = asked.content.decode()
    assert "If one of them left after all, the person gets it twice." in page
    address = asked.redirect_chain[-1][0]
    client.post(address, {"decision": "send_again", "confirmed": "yes"})
    assert states(*rows) == [MessageState.QUEUED, MessageState.QUEUED]
    assert "is selected" in client.get(address, follow=True).content.decode()


def test_it_says_what_was_settled_in_the_meantime(
    client: Client, in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late proof commits between the look at the row and the person's word."""
    row, decide = doubtful(), settle.decide

    def too_late(message: Message, *args: Any, **options: Any) -> Message:
        Message.objects.filter(pk=message.pk).update(state=MessageState.SENT)
        return decide(message, *args, **options)

    monkeypatch.setattr(settle, "decide", too_late)
    fields = {"decision": "do_not_send", "mail": [str(row.pk)]}
    page = client.post(f"/w/{in_ws.slug}/doubt/", fields, follow=True).content.decode()
    assert "1 settled in the meantime and left as they are." in page
    assert "It is not sent" not in page
    assert states(row) == [MessageState.SENT]


@pytest.mark.parametrize("mail", ["", "x", "\u00b2", "00000000-0000-0000-0000-000000000000"])
def test_it_stands_names_of_no_mail(client: Client, in_ws: Workspace, mail: str) -> None:
    row = doubtful()
    for fields in ({"decision": "sent", "mail": mail}, {"decision": "gone", "mail": str(row.pk)}):
        assert client.post(f"/w/{in_ws.slug}/doubt/", fields).status_code == 302
    assert states(row) == [MessageState.DOUBT]


def test_it_narrows_to_one_campaign(client: Client, in_ws: Workspace) -> None:
    one, other = doubtful(), doubtful()
    path = f"/w/{in_ws.slug}/doubt/"
    page = client.get(path, {"campaign": str(one.campaign_id)}).content.decode()
    assert one.to_address in page
    assert other.to_address not in page
    assert client.get(path, {"campaign": "x"}).status_code == 404
    assert f"{path}?campaign={one.campaign_id}" in client.get(
        f"/w/{in_ws.slug}/campaigns/{one.campaign_id}/"
    ).content.decode()  # fmt: skip


def test_it_lets_a_viewer_look_and_no_more(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    row, client = doubtful(), signed_in(viewer)
    path = f"/w/{in_ws.slug}/doubt/"
    page = client.get(path, {"decision": "send_again", "mail": str(row.pk)}).content.decode()
    assert row.to_address in page
    assert 'name="decision"' not in page
    fields = {"decision": "sent", "mail": [str(row.pk)]}
    assert client.post(path, fields).status_code == 403
    assert states(row) == [MessageState.DOUBT]


def test_it_shows_a_limited_member_their_projects_alone(
    signed_in: SignedIn, member: User, in_ws: Workspace
) -> None:
    """And no answer out of a mailbox that is somebody else's alone."""
    mine, other = doubtful(), doubtful()
    private = factories.make_mailbox(replies=Replies.PRIVATE)
    quiet = doubtful(factories.make_campaign(project=mine.project, mailbox=private))
    Message.objects.filter(pk=quiet.pk).update(kind=MessageKind.ANSWER)
    membership = Membership.objects.get(user=member)
    Membership.objects.filter(pk=membership.pk).update(all_projects=False)
    ProjectAccess.objects.create(membership=membership, project=mine.project)
    client, path = signed_in(member), f"/w/{in_ws.slug}/doubt/"
    page = client.get(path).content.decode()
    assert mine.to_address in page
    for hidden in (other, quiet):
        assert hidden.to_address not in page
    every = [str(row.pk) for row in (mine, other, quiet)]
    client.post(path, {"decision": "do_not_send", "mail": every})
    assert states(mine, other, quiet) == [MessageState.CANCELLED, MessageState.DOUBT, MessageState.DOUBT]


def test_it_asks_as_much_for_fifty_as_for_five(client: Client, in_ws: Workspace) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/w/{in_ws.slug}/doubt/").status_code == 200
        return len(seen)

    campaign = factories.make_campaign(state=CampaignState.RUNNING)
    for _ in range(5):
        doubtful(campaign)
    asked()
    few = asked()
    for _ in range(45):
        doubtful(campaign)
    assert asked() == few
