"""Replies of a private mailbox are read by the person who connected it, and by nobody else."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import tenancy, viewpoint
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from accounts.viewpoint import Viewpoint, looking_as
from mailbox.models import Mailbox, Replies
from outreach import campaigns
from outreach.models import (
    Campaign,
    CampaignState,
    EnrollmentState,
    Message,
    MessageState,
    Reply,
    Thread,
)
from tests import factories
from tests.outreach.sides import Both, both_sides

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def both(ws: Workspace, owner: User) -> Both:
    with tenancy.workspace(ws):
        return both_sides(owner)


@pytest.fixture
def private(ws: Workspace, owner: User, member: User, both: Both) -> Mailbox:
    """The member's own mailbox, with private replies in the heron's project."""
    with tenancy.workspace(ws):
        mailbox = factories.make_mailbox(address="milo@studio.example", owner=member, replies=Replies.PRIVATE)
        campaign = factories.make_campaign(
            project=both.mine.project, mailbox=mailbox, name="By Milo", state=CampaignState.RUNNING
        )
        asked = factories.make_enrollment(campaign, state=EnrollmentState.REPLIED)
        mail = factories.make_message(asked, state=MessageState.SENT)
        reply = factories.make_reply(mail, text="Only for Milo: kestrel")
        Thread.objects.filter(pk=reply.thread_id).update(waits_since=reply.received_at)
    return mailbox


def conversation(ws: Workspace, mailbox: Mailbox) -> Thread:
    with tenancy.workspace(ws):
        return Thread.objects.get(mailbox=mailbox)


@pytest.mark.parametrize("who", ["owner", "admin", "viewer"])
def test_it_keeps_private_replies_from_everybody_else(
    who: str, ws: Workspace, private: Mailbox, signed_in: SignedIn, request: pytest.FixtureRequest
) -> None:
    client = signed_in(request.getfixturevalue(who))
    thread = conversation(ws, private)
    with tenancy.workspace(ws):
        reply = Reply.objects.get(thread=thread)
    at = {"slug": ws.slug, "pk": thread.pk}
    assert client.get(reverse("outreach:thread", kwargs=at)).status_code == 404
    assert (
        client.get(reverse("outreach:reply_frame", kwargs={"slug": ws.slug, "pk": reply.pk})).status_code
        == 404
    )
    for path in ("", "inbox/", "inbox/?show=all"):
        page = client.get(f"/w/{ws.slug}/{path}")
        assert "kestrel" not in page.text
        assert page.context["nav"]["inbox"] == 2
        assert str(thread.pk) not in page.text


def test_it_leads_nobody_to_a_conversation_that_is_closed_to_them(
    ws: Workspace, owner: User, member: User, private: Mailbox, signed_in: SignedIn
) -> None:
    thread = conversation(ws, private)
    with tenancy.workspace(ws):
        mail = Message.objects.get(thread=thread)
    paths = [
        reverse("outreach:campaign", kwargs={"slug": ws.slug, "pk": mail.campaign_id}),
        reverse("outreach:contact", kwargs={"slug": ws.slug, "pk": mail.contact_id}),
        reverse(
            "outreach:campaign_person",
            kwargs={"slug": ws.slug, "pk": mail.campaign_id, "person": mail.enrollment_id},
        ),
    ]
    for path in paths:
        closed = signed_in(owner).get(path)
        assert closed.status_code == 200
        assert str(thread.pk) not in closed.text, path
    assert str(thread.pk) in signed_in(member).get(paths[0]).text


def test_it_shows_private_replies_to_whose_they_are(
    ws: Workspace, member: User, private: Mailbox, signed_in: SignedIn
) -> None:
    thread = conversation(ws, private)
    client = signed_in(member)
    assert "kestrel" in client.get(reverse("outreach:thread", kwargs={"slug": ws.slug, "pk": thread.pk})).text
    assert client.get(f"/w/{ws.slug}/inbox/").context["nav"]["inbox"] == 3


def test_it_hides_the_answers_of_a_private_conversation_too(
    ws: Workspace, owner: User, member: User, private: Mailbox, signed_in: SignedIn
) -> None:
    thread = conversation(ws, private)
    signed_in(member).post(
        reverse("outreach:thread_answer", kwargs={"slug": ws.slug, "pk": thread.pk}),
        {"compose_id": str(uuid.uuid4()), "text": "Thank you, kestrel"},
    )
    with tenancy.workspace(ws):
        answer = Message.objects.get(kind="answer")
        with looking_as(Membership.objects.get(user=owner, workspace=ws)):
            assert not Message.objects.filter(pk=answer.pk).exists()
            # What the campaign sent is the project's.
            assert Message.objects.filter(thread=thread.pk).count() == 1


def test_it_tells_the_log_nothing_of_a_private_reply(
    ws: Workspace, member: User, private: Mailbox, signed_in: SignedIn
) -> None:
    thread = conversation(ws, private)
    at = {"slug": ws.slug, "pk": thread.pk}
    client = signed_in(member)
    client.post(reverse("outreach:thread_label", kwargs=at), {"label": "interested"})
    client.post(
        reverse("outreach:thread_answer", kwargs=at), {"compose_id": str(uuid.uuid4()), "text": "Thank you"}
    )
    with tenancy.workspace(ws):
        rows = AuditEvent.objects.filter(object_id=str(thread.pk)).select_related("text")
        said = [str(row.text.sentence) for row in rows]
        address = str(Reply.objects.get(thread=thread).from_address)
    assert sorted(said) == ["A private reply was labelled", "Answer in a private conversation written"]
    assert address not in " ".join(said)


def test_it_hides_private_replies_from_keys(ws: Workspace, private: Mailbox) -> None:
    with tenancy.workspace(ws), looking_as(None):
        assert viewpoint.current() == Viewpoint(None, None, frozenset([private.pk]))
        assert not Reply.objects.filter(mailbox=private).exists()


def test_it_lets_workers_read_all(ws: Workspace, private: Mailbox) -> None:
    with tenancy.workspace(ws):
        assert Reply.objects.filter(mailbox=private).exists()


@pytest.mark.parametrize("who", ["owner", "admin", "viewer"])
def test_it_lets_only_whose_it_is_change_who_reads(
    who: str, ws: Workspace, private: Mailbox, signed_in: SignedIn, request: pytest.FixtureRequest
) -> None:
    url = reverse("outreach:mailbox", kwargs={"slug": ws.slug, "pk": private.pk})
    answer = signed_in(request.getfixturevalue(who)).post(url, {"about": "replies", "replies": "shared"})
    assert answer.status_code == 403
    with tenancy.workspace(ws):
        assert Mailbox.objects.get(pk=private.pk).replies == Replies.PRIVATE


@pytest.mark.parametrize(
    ("sent", "status", "then"), [("shared", 302, "shared"), ("everybody", 404, "private")]
)
def test_it_changes_who_reads(
    sent: str, status: int, then: str, ws: Workspace, member: User, private: Mailbox, signed_in: SignedIn
) -> None:
    url = reverse("outreach:mailbox", kwargs={"slug": ws.slug, "pk": private.pk})
    assert signed_in(member).post(url, {"about": "replies", "replies": sent}).status_code == status
    with tenancy.workspace(ws):
        assert Mailbox.objects.get(pk=private.pk).replies == then


def test_it_deletes_private_conversations_with_their_project(
    ws: Workspace, owner: User, private: Mailbox, both: Both, signed_in: SignedIn
) -> None:
    at = {"slug": ws.slug, "pk": both.mine.project.pk}
    url = reverse("outreach:project_delete", kwargs=at)
    client = signed_in(owner)
    assert "2 replies" in client.get(url).text
    assert client.post(url).status_code == 302
    with tenancy.workspace(ws):
        assert not Reply.objects.filter(mailbox=private).exists()


def test_it_deletes_a_campaign_with_a_private_conversation(
    ws: Workspace, owner: User, private: Mailbox
) -> None:
    with tenancy.workspace(ws), looking_as(Membership.objects.get(user=owner, workspace=ws)):
        campaigns.delete(Campaign.objects.get(name="By Milo"), actor=owner)
    with tenancy.workspace(ws):
        assert not Thread.objects.filter(mailbox=private).exists()


def test_it_costs_a_member_with_full_access_one_query(ws: Workspace, owner: User, both: Both) -> None:
    membership = Membership.objects.get(user=owner, workspace=ws)
    assert membership.role == Role.OWNER
    with tenancy.workspace(ws), CaptureQueriesContext(connection) as seen, looking_as(membership):
        assert viewpoint.current() is None
    assert len(seen) == 1
