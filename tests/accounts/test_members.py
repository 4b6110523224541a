"""The members page: who is here, roles, leaving, ownership (issue 3 point 2; threats T4, T14)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.dispatch import receiver
from django.test import Client
from django.urls import reverse

from accounts import keys, tenancy
from accounts.membership import members
from accounts.membership.members import NotAllowed
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from accounts.signals import member_left
from mailbox.models import Credential, MailboxState
from outreach.models import CampaignState, EnrollmentState, MessageState
from tests import factories
from tests.proofs import prove, unprove

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def place(user: User, ws: Workspace) -> Membership:
    return Membership.objects.select_related("user", "workspace").get(user=user, workspace=ws)


def url(name: str, ws: Workspace, user: User | None = None) -> str:
    arguments: dict[str, Any] = {"slug": ws.slug}
    if user is not None:
        arguments["pk"] = place(user, ws).pk
    return reverse(name, kwargs=arguments)


@pytest.fixture
def proved(signed_in: SignedIn) -> SignedIn:
    """A browser whose person has proved who they are a moment ago."""

    def make(user: User) -> Client:
        client = signed_in(user)
        prove(client, user)
        return client

    return make


def actions(ws: Workspace) -> list[str]:
    with tenancy.workspace(ws):
        return list(AuditEvent.objects.order_by("at", "id").values_list("action", flat=True))


def test_it_shows_everybody_who_is_here(
    ws: Workspace, owner: User, admin: User, viewer: User, signed_in: SignedIn
) -> None:
    page = signed_in(viewer).get(url("members", ws))
    for person in (owner, admin, viewer):
        assert person.email in page.text
    assert "Second factor" not in page.text
    assert "Invite a person" not in page.text
    assert "Second factor" in signed_in(admin).get(url("members", ws)).text


def test_it_shows_owners_first(
    ws: Workspace, viewer: User, admin: User, owner: User, signed_in: SignedIn
) -> None:
    page = signed_in(viewer).get(url("members", ws)).text
    table = page[page.index("<tbody") :]
    assert table.index(owner.email) < table.index(admin.email) < table.index(viewer.email)


def test_it_changes_a_role_and_tells_the_person(
    ws: Workspace, admin: User, viewer: User, proved: SignedIn, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = proved(admin).post(url("member_role", ws, viewer), {"role": "member"})
    assert answer.status_code == 302
    assert place(viewer, ws).role == Role.MEMBER
    assert actions(ws)[-1] == "member.role"
    assert [(one.to, one.subject) for one in mail.outbox] == [([viewer.email], "Your role in Studio")]


def test_it_asks_for_a_proof_before_a_role_is_changed(
    ws: Workspace, admin: User, viewer: User, signed_in: SignedIn
) -> None:
    client = signed_in(admin)
    unprove(client)
    answer = client.post(url("member_role", ws, viewer), {"role": "member"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer.headers["Location"]
    assert place(viewer, ws).role == Role.VIEWER


@pytest.mark.parametrize("role", ["owner", "nobody", "", "member\x00"])
def test_it_lets_no_admin_make_an_owner_or_nonsense(
    role: str, ws: Workspace, admin: User, viewer: User, proved: SignedIn
) -> None:
    assert proved(admin).post(url("member_role", ws, viewer), {"role": role}).status_code == 422
    assert place(viewer, ws).role == Role.VIEWER


def test_it_lets_no_admin_touch_an_owner(ws: Workspace, owner: User, admin: User, proved: SignedIn) -> None:
    client = proved(admin)
    assert client.post(url("member_role", ws, owner), {"role": "viewer"}).status_code == 422
    client.post(url("member_remove", ws, owner))
    client.post(url("member_projects", ws, owner), {})
    assert place(owner, ws).role == Role.OWNER
    assert place(owner, ws).all_projects


@pytest.mark.parametrize("who", ["member", "viewer"])
def test_it_lets_nobody_below_act(
    who: str, ws: Workspace, admin: User, proved: SignedIn, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(who)
    client = proved(user)
    for name in ("member_role", "member_projects", "member_remove"):
        assert client.post(url(name, ws, user), {"role": "owner"}).status_code == 403, name
        assert client.post(url(name, ws, admin), {"role": "owner"}).status_code == 403, name
    assert client.post(url("member_transfer", ws, admin)).status_code == 403
    assert place(user, ws).role == who


def test_it_keeps_the_last_owner(ws: Workspace, owner: User, admin: User, proved: SignedIn) -> None:
    client = proved(owner)
    answer = client.post(url("member_role", ws, owner), {"role": "member"})
    assert answer.status_code == 422
    assert members.LAST_OWNER in answer.text
    client.post(url("leave", ws))
    assert place(owner, ws).role == Role.OWNER


def test_it_counts_no_switched_off_owner(ws: Workspace, owner: User, admin: User, proved: SignedIn) -> None:
    Membership.objects.filter(user=admin).update(role=Role.OWNER)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    proved(owner).post(url("leave", ws))
    assert place(owner, ws).role == Role.OWNER


def test_it_lets_an_owner_go_once_there_is_another(
    ws: Workspace, owner: User, admin: User, proved: SignedIn
) -> None:
    client = proved(owner)
    client.post(url("member_role", ws, admin), {"role": "owner"})
    client.post(url("leave", ws))
    assert not Membership.objects.filter(user=owner, workspace=ws).exists()
    assert client.get(url("members", ws)).status_code == 404


def test_it_transfers_ownership(
    ws: Workspace, owner: User, member: User, proved: SignedIn, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        proved(owner).post(url("member_transfer", ws, member))
    assert (place(owner, ws).role, place(member, ws).role) == (Role.ADMIN, Role.OWNER)
    assert actions(ws)[-1] == "workspace.transferred"
    assert sorted(one.to[0] for one in mail.outbox) == sorted([owner.email, member.email])


def test_it_asks_for_a_proof_before_a_transfer(
    ws: Workspace, owner: User, member: User, signed_in: SignedIn
) -> None:
    client = signed_in(owner)
    unprove(client)
    answer = client.post(url("member_transfer", ws, member))
    assert "reauthenticate" in answer.headers["Location"]
    assert place(member, ws).role == Role.MEMBER


def test_it_transfers_to_nobody_who_is_switched_off(
    ws: Workspace, owner: User, member: User, proved: SignedIn
) -> None:
    User.objects.filter(pk=member.pk).update(is_active=False)
    proved(owner).post(url("member_transfer", ws, member))
    assert place(owner, ws).role == Role.OWNER


def test_it_removes_without_a_proof_and_in_one_act(
    ws: Workspace, admin: User, member: User, signed_in: SignedIn, django_capture_on_commit_callbacks: Any
) -> None:
    """Stopping is never slower than starting, and what the person connected ends in the same transaction."""
    told: list[tuple[str, int, bool]] = []

    @receiver(member_left)
    def note(workspace: Workspace, user: User, **_: Any) -> None:
        told.append((workspace.slug, user.pk, connections["default"].in_atomic_block))

    victim = signed_in(member)
    assert victim.get(url("members", ws)).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        client = signed_in(admin)
        unprove(client)
        answer = client.post(url("member_remove", ws, member))
    assert answer.status_code == 302
    assert told == [(ws.slug, member.pk, True)]
    assert victim.get(url("members", ws)).status_code == 404
    assert actions(ws)[-1] == "member.removed"
    assert [member.email] in [one.to for one in mail.outbox]


def test_it_asks_before_it_removes(ws: Workspace, admin: User, member: User, signed_in: SignedIn) -> None:
    page = signed_in(admin).get(url("member_remove", ws, member))
    assert "Remove Milo Member" in page.text
    assert "mailboxes" in page.text
    assert Membership.objects.filter(user=member).exists()


def test_it_lets_a_viewer_leave(
    ws: Workspace, owner: User, viewer: User, signed_in: SignedIn, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(viewer).post(url("leave", ws))
    assert answer.headers["Location"] == "/"
    assert not Membership.objects.filter(user=viewer).exists()
    assert [one.to for one in mail.outbox] == [[owner.email]]


def test_it_knows_no_member_of_another_workspace(
    ws: Workspace, owner: User, stranger: User, proved: SignedIn
) -> None:
    theirs = Membership.objects.get(user=stranger)
    client = proved(owner)
    for name in ("member", "member_role", "member_projects", "member_remove", "member_transfer"):
        address = reverse(name, kwargs={"slug": ws.slug, "pk": theirs.pk})
        assert client.post(address, {"role": "viewer"}).status_code in (404, 405), name
        assert client.get(address).status_code in (404, 405), name
    theirs.refresh_from_db()
    assert theirs.role == Role.OWNER


def test_it_looks_at_the_acting_role_again(ws: Workspace, owner: User, admin: User, viewer: User) -> None:
    """An admin whose page is older than their own fall changes nobody any more."""
    acting = place(admin, ws)
    Membership.objects.filter(pk=acting.pk).update(role=Role.MEMBER)
    with tenancy.workspace(ws), pytest.raises(NotAllowed):
        members.change_role(place(viewer, ws), Role.MEMBER, actor=acting)
    with tenancy.workspace(ws), pytest.raises(NotAllowed):
        members.remove(place(viewer, ws), actor=acting)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_it_leaves_one_owner_when_two_go_at_once(ws: Workspace, owner: User, admin: User) -> None:
    Membership.objects.filter(user=admin, workspace=ws).update(role=Role.OWNER)
    gate, refused = threading.Barrier(2), []

    def go(user: User) -> None:
        try:
            mine = place(user, ws)
            gate.wait()
            with tenancy.workspace(ws):
                members.leave(mine)
        except NotAllowed as no:
            refused.append(str(no))
        finally:
            connections.close_all()

    both = [threading.Thread(target=go, args=(user,)) for user in (owner, admin)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert refused == [members.LAST_OWNER]
    assert Membership.objects.filter(workspace=ws, role=Role.OWNER).count() == 1


def test_it_leads_to_the_workspace_that_was_used_last(ws: Workspace, owner: User, proved: SignedIn) -> None:
    client = proved(owner)
    client.post("/new/", {"name": "Second"})
    second = Workspace.objects.get(name="Second")
    assert client.get("/").headers["Location"] == f"/w/{ws.slug}/"
    client.get(f"/w/{second.slug}/members/")
    assert client.get("/").headers["Location"] == f"/w/{second.slug}/"
    switcher = client.get(f"/w/{second.slug}/members/").text
    assert f'href="/w/{ws.slug}/"' in switcher


def test_it_leads_to_no_workspace_that_one_has_left(
    ws: Workspace, owner: User, member: User, signed_in: SignedIn
) -> None:
    client = signed_in(member)
    client.get(url("members", ws))
    client.post(url("leave", ws))
    assert client.get("/").headers["Location"] == "/new/"


def test_it_shows_both_sids_with_a_way_to_copy_them(ws: Workspace, viewer: User, signed_in: SignedIn) -> None:
    page = signed_in(viewer).get(url("settings", ws)).text
    assert ws.sid in page
    assert viewer.sid in page
    assert page.count('data-copy="#') == 2


def test_it_says_that_a_workspace_is_suspended(ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    Workspace.objects.filter(pk=ws.pk).update(suspended_at="2026-11-01T10:00Z")
    assert "This workspace is suspended" in signed_in(owner).get(url("members", ws)).text


def test_it_lets_only_owners_ask_for_second_factors(
    ws: Workspace, owner: User, admin: User, proved: SignedIn
) -> None:
    wanted = {"about": "factors", "required": "yes"}
    assert proved(admin).post(url("settings", ws), wanted).status_code == 403
    proved(owner).post(url("settings", ws), wanted)
    # The owner has no factor: asking for one would lock everybody out.
    assert not Workspace.objects.get(pk=ws.pk).requires_two_factors


def test_it_ends_what_the_person_connected_in_the_same_act(
    ws: Workspace, admin: User, member: User, signed_in: SignedIn
) -> None:
    """Mailbox, token, waiting mail and keys end with the membership (threats T14)."""
    with tenancy.workspace(ws):
        mailbox = factories.make_mailbox(owner=member)
        campaign = factories.make_campaign(mailbox=mailbox, state=CampaignState.RUNNING)
        waiting = factories.make_message(
            factories.make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.QUEUED
        )
        key = keys.mint(name="Mine", scopes=["read"], actor=member, pk=tenancy.uuid7()).key
    signed_in(admin).post(url("member_remove", ws, member))
    with tenancy.workspace(ws):
        mailbox.refresh_from_db()
        waiting.refresh_from_db()
        key.refresh_from_db()
        campaign.refresh_from_db()
        assert mailbox.state == MailboxState.REVOKED
        assert not Credential.objects.filter(mailbox=mailbox).exists()
        assert waiting.state == MessageState.CANCELLED
        assert campaign.state != CampaignState.RUNNING
        assert key.revoked_at is not None


def test_it_ends_nothing_where_the_removal_is_refused(
    ws: Workspace, owner: User, admin: User, signed_in: SignedIn
) -> None:
    with tenancy.workspace(ws):
        mailbox = factories.make_mailbox(owner=owner)
    signed_in(admin).post(url("member_remove", ws, owner))
    with tenancy.workspace(ws):
        mailbox.refresh_from_db()
        assert mailbox.state == MailboxState.CONNECTED
