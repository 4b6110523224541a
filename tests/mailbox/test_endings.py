"""Access ends with its owner (T14), with a link from a mail (T6), and before a move (T10)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connections
from django.test import Client

from accounts.models import AuditEvent, Membership, Role, User, Workspace
from accounts.signals import member_left
from accounts.tenancy import workspace
from mailbox import oauth
from mailbox.connecting import connect as connect_mailbox
from mailbox.consents import Elsewhere
from mailbox.endings import end_access_of
from mailbox.errors import Disconnected, Retry
from mailbox.models import Credential, Mailbox, MailboxIdentity, MailboxState, PendingConsent
from mailbox.types import Connection
from outreach import tasks
from outreach.models import Campaign, CampaignState
from tests import factories
from tests.mailbox.consenting import connect, offered, press
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
SignedIn = Callable[[User], Client]
EMAIL = "mira@fernhill.example"


@pytest.fixture(autouse=True)
def _revokes_end_with_the_test(providers: Running, transactional_db: None) -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "revoke":
            thread.join(20)


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def link_in(mails: list[EmailMessage], to: str) -> str:
    """The path of the newest link mailed to this address."""
    text = next(str(mail.body) for mail in reversed(mails) if mail.to == [to])
    found = re.search(r"http://localhost:8000(/stop/\S+)", text)
    assert found, text
    return found[1]


def elsewhere_of(user: User) -> Workspace:
    return Membership.objects.get(user=user).workspace


@BOTH
def test_it_tells_the_mailbox_and_the_owners(
    provider: str,
    ws: Workspace,
    owner: User,
    member: User,
    signed_in: SignedIn,
    mailoutbox: list[EmailMessage],
) -> None:
    connect(signed_in(member), ws, provider, EMAIL)
    told = {mail.to[0]: str(mail.body) for mail in mailoutbox}
    assert set(told) == {EMAIL, owner.email}
    for text in told.values():
        assert ws.name in text
        assert member.email in text
    assert "needs no sign-in" in told[EMAIL]


@BOTH
def test_it_ends_by_the_notice_s_link_without_a_sign_in(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, mailoutbox: list[EmailMessage]
) -> None:
    connect(signed_in(owner), ws, provider, EMAIL)
    path = link_in(mailoutbox, EMAIL)
    assert EMAIL in words(Client().get(path))
    with workspace(ws):
        assert Mailbox.objects.get().state == MailboxState.CONNECTED, "a GET acted"
    assert "Access removed" in words(Client().post(path))
    with workspace(ws):
        assert Mailbox.objects.get().state == MailboxState.REVOKED
        assert not Credential.objects.exists()
        assert "by a link mailed to it" in str(AuditEvent.objects.get(action="mailbox.revoked").sentence)
    assert "This link has ended" in words(Client().post(path))
    assert any("was removed with a link" in str(mail.body) for mail in mailoutbox if mail.to == [owner.email])


def test_it_takes_no_link_that_is_changed_or_old(
    ws: Workspace,
    owner: User,
    signed_in: SignedIn,
    mailoutbox: list[EmailMessage],
    later: Callable[..., None],
) -> None:
    connect(signed_in(owner), ws, "microsoft", EMAIL)
    path = link_in(mailoutbox, EMAIL)
    for bad in (path[:-2] + "x/", "/stop/made-up/", path.replace("/stop/", "/stop/A", 1)):
        assert "This link has ended" in words(Client().post(bad))
    later(days=29)
    assert "End the connection?" in words(Client().get(path))
    later(days=2)
    assert "This link has ended" in words(Client().post(path))
    with workspace(ws):
        assert Mailbox.objects.live().exists()


@BOTH
def test_it_moves_by_the_mailbox_s_own_mail(
    provider: str,
    ws: Workspace,
    owner: User,
    stranger: User,
    signed_in: SignedIn,
    mailoutbox: list[EmailMessage],
) -> None:
    there = elsewhere_of(stranger)
    there.name, there.slug = "Heronry", "heronry"
    there.save()
    connect(signed_in(stranger), there, provider, EMAIL)
    client = signed_in(owner)
    page = press(client, ws, offered(client, ws, provider, EMAIL), "move")
    assert "A mail is on its way" in words(page)
    mail = mailoutbox[-1]
    assert mail.to == [EMAIL]
    for name in (there.name, there.slug, stranger.email, stranger.name):
        assert name not in f"{mail.subject} {mail.body} {words(page)}"
    path = link_in(mailoutbox, EMAIL)
    assert there.name not in words(Client().get(path))
    with workspace(there):
        assert Mailbox.objects.live().exists()
    assert "can be connected anew" in words(Client().post(path))
    with workspace(there):
        assert not Mailbox.objects.live().exists()
    assert "is connected" in words(connect(client, ws, provider, EMAIL))
    # The used link does not reach the new connection.
    assert "This link has ended" in words(Client().post(path))
    with workspace(ws):
        assert Mailbox.objects.live().count() == 1


def test_it_keeps_nothing_of_an_account_that_is_connected_elsewhere(
    ws: Workspace, owner: User, stranger: User, signed_in: SignedIn, providers: Running
) -> None:
    connect(signed_in(stranger), elsewhere_of(stranger), "google", EMAIL)
    offered(signed_in(owner), ws, "google", EMAIL)
    with workspace(ws):
        assert "secret" not in str(PendingConsent.objects.get().answer)
    with workspace(elsewhere_of(stranger)):
        # The refusal did not end the grant that the other connection rests on.
        Credential.objects.update(access_token=None)
        assert oauth.access(Mailbox.objects.get()).token


def test_it_asks_google_to_end_a_grant_that_nobody_confirmed(
    ws: Workspace, owner: User, signed_in: SignedIn, providers: Running, later: Callable[..., None]
) -> None:
    client = signed_in(owner)
    press(client, ws, offered(client, ws, "google", EMAIL), "cancel")
    providers.wait(lambda: providers.get("grants", email=EMAIL) == {"living": 0}, 15)
    offered(client, ws, "google", EMAIL)
    assert providers.get("grants", email=EMAIL) == {"living": 1}
    later(seconds=601)
    tasks.wake_erasure()
    providers.wait(lambda: providers.get("grants", email=EMAIL) == {"living": 0}, 15)
    with workspace(ws):
        assert not PendingConsent.objects.exists()


def test_it_connects_once_for_two_workspaces_at_the_same_time(
    ws: Workspace, owner: User, stranger: User, later: Callable[..., None]
) -> None:
    from accounts import clock

    there = elsewhere_of(stranger)
    given = Connection(
        "google", "12345", EMAIL, "Mira", (), secret="s", access_token="a", expires_at=clock.now()
    )
    ended: list[str] = []
    gate = threading.Barrier(2)

    def run(place: Workspace, user: User) -> None:
        try:
            with workspace(place):
                gate.wait()
                connect_mailbox(given, user=user)
                ended.append("connected")
        except Elsewhere:
            ended.append("elsewhere")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in ((ws, owner), (there, stranger))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["connected", "elsewhere"]
    live = 0
    for place in (ws, there):
        with workspace(place):
            live += Mailbox.objects.live().count()
            assert Credential.objects.count() == Mailbox.objects.count()
    assert live == 1
    assert MailboxIdentity.objects.filter(live_in__isnull=False).count() == 1


def test_it_connects_once_for_two_presses(ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    client = signed_in(owner)
    page = offered(client, ws, "google", EMAIL)
    assert "is connected" in words(press(client, ws, page))
    again = press(client, ws, page)
    assert again.redirect_chain[-1][0] == f"/w/{ws.slug}/mailboxes/"  # type: ignore[attr-defined]
    with workspace(ws):
        assert Mailbox.objects.get().generation == 1


@BOTH
def test_it_ends_what_a_leaving_member_connected(
    provider: str, ws: Workspace, owner: User, member: User, signed_in: SignedIn
) -> None:
    connect(signed_in(member), ws, provider, EMAIL)
    connect(signed_in(owner), ws, provider, "kept@fernhill.example")
    with workspace(ws):
        mailbox = Mailbox.objects.get(owner=member)
        running = factories.make_campaign(mailbox=mailbox, state=CampaignState.RUNNING)
        member_left.send(sender=Workspace, workspace=ws, user=member)
        states = dict(Mailbox.objects.values_list("owner__email", "state"))
        assert states == {member.email: MailboxState.REVOKED, owner.email: MailboxState.CONNECTED}
        assert Credential.objects.get().mailbox.owner == owner
        campaign = Campaign.objects.get(pk=running.pk)
        assert (campaign.state, campaign.pause_reason) == (CampaignState.PAUSED, "mailbox_removed")
        assert f"because {member.short_name} left" in str(
            AuditEvent.objects.get(action="mailbox.revoked").sentence
        )
        assert end_access_of(member, ws) == []


def test_it_ends_what_a_switched_off_person_connected_everywhere(
    ws: Workspace, member: User, signed_in: SignedIn
) -> None:
    other = Workspace.objects.create(name="Second", slug="second")
    Membership.objects.create(workspace=other, user=member, role=Role.MEMBER)
    client = signed_in(member)
    connect(client, ws, "google", EMAIL)
    connect(client, other, "microsoft", EMAIL)
    member.is_active = False
    member.save()
    for place in (ws, other):
        with workspace(place):
            assert not Credential.objects.exists()
            assert not Mailbox.objects.live().exists()


def test_it_lets_a_viewer_bin_their_own_mailbox(
    ws: Workspace, member: User, owner: User, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    connect(client, ws, "google", EMAIL)
    connect(signed_in(owner), ws, "google", "kept@fernhill.example")
    Membership.objects.filter(user=member).update(role=Role.VIEWER)
    with workspace(ws):
        mine, theirs = Mailbox.objects.get(owner=member), Mailbox.objects.get(owner=owner)
    assert client.post(f"/w/{ws.slug}/mailboxes/{theirs.pk}/remove/").status_code == 403
    assert client.post(f"/w/{ws.slug}/mailboxes/{mine.pk}/", {"display_name": "x"}).status_code == 403
    assert client.post(f"/w/{ws.slug}/mailboxes/{mine.pk}/remove/").status_code == 302
    with workspace(ws):
        assert Credential.objects.get().mailbox == theirs


LINKS: dict[str, Callable[[], object]] = {
    "the owner left": lambda: Membership.objects.all().delete(),
    "the owner is switched off": lambda: User.objects.update(is_active=False),
    "the owner's row is gone": lambda: Mailbox.objects.update(owner=None),
    "the workspace is suspended": lambda: Workspace.objects.update(suspended_at="2026-01-01T00:00Z"),
    "the mailbox is broken": lambda: Mailbox.objects.update(state=MailboxState.BROKEN),
    "access was removed": lambda: Mailbox.objects.update(state=MailboxState.REVOKED),
    "the credential is gone": lambda: Credential.objects.all().delete(),
    "the generation is another": lambda: Credential.objects.update(generation=99),
}


def prepare(row: Mailbox) -> None:
    """A campaign that runs, a poll that is due, and a token that would have to be refreshed first."""
    factories.make_campaign(
        mailbox=row,
        steps=(factories.FIRST_MAIL, factories.FOLLOW_UP),
        contacts=[factories.make_contact("ana.silent@site.example")],
        state=CampaignState.RUNNING,
    )
    Mailbox.objects.update(next_poll_at="2026-01-01T00:00Z")
    Credential.objects.update(access_token=None)


def every_task(row: Mailbox) -> None:
    ids = (str(row.workspace_id), str(row.pk))
    tasks.queue_messages(ids[0])
    for work in (tasks.send_batch, tasks.settle_mailbox, tasks.poll_mailbox, tasks.sweep_mailbox):
        work(*ids)
    tasks.finish_campaigns(ids[0])


@BOTH
@pytest.mark.parametrize("broken", LINKS)
def test_it_calls_nobody_where_a_link_of_the_chain_is_broken(
    provider: str, broken: str, connected: Callable[..., Mailbox], providers: Running, in_ws: Workspace
) -> None:
    """T14: every task of a mailbox, with mail of each kind waiting."""
    row = connected(provider)
    prepare(row)
    LINKS[broken]()
    before = len(providers.get("calls"))
    every_task(row)
    with pytest.raises((Disconnected, Retry)):
        oauth.access(Mailbox.objects.get(pk=row.pk))
    assert len(providers.get("calls")) == before


def test_it_calls_where_every_link_holds(
    connected: Callable[..., Mailbox], providers: Running, in_ws: Workspace
) -> None:
    """The control: with nothing broken the same tasks refresh the token and look for replies."""
    row = connected("google")
    prepare(row)
    before = len(providers.get("calls"))
    every_task(row)
    assert len(providers.get("calls")) > before
