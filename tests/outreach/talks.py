"""Conversations in which somebody answered, made without any network."""

from __future__ import annotations

from typing import Any

from accounts import clock
from accounts.models import AuditEvent, Membership, User, Workspace
from mailbox.models import Mailbox
from outreach.inbox import listing
from outreach.inbox.listing import Wanted
from outreach.models import EnrollmentState, MessageState, Reply, ReplyKind, Thread
from tests import factories


def talk(
    mailbox: Mailbox,
    address: str = "",
    *,
    text: str = "Thank you",
    kind: str = ReplyKind.REPLY,
    **values: Any,
) -> Thread:
    """A first mail that was accepted, and what came back; a person's reply waits."""
    campaign = factories.make_campaign(mailbox=mailbox, state="running", project=factories.make_project())
    contact = factories.make_contact(address, name="Brisa Bell")
    enrollment = factories.make_enrollment(campaign, contact, state=EnrollmentState.REPLIED)
    mail = factories.make_message(enrollment, state=MessageState.SENT, replied_at=clock.now())
    reply = factories.make_reply(mail, text=text, kind=kind, **values)
    rows = Thread.objects.filter(pk=reply.thread_id)
    if kind == ReplyKind.REPLY:
        rows.update(waits_since=reply.received_at)
    thread: Thread = rows.get()
    return thread


def again(
    thread: Thread, *, text: str = "One more thing", kind: str = ReplyKind.REPLY, **values: Any
) -> Reply:
    """The other side writes once more; what that changes, the test asks for."""
    mail = thread.messages.order_by("created_at").first()
    assert mail is not None
    return factories.make_reply(mail, text=text, kind=kind, **values)


def at(ws: Workspace, thread: Thread, act: str = "") -> str:
    return f"/w/{ws.slug}/inbox/{thread.pk}/{act}"


def place_in(user: User, ws: Workspace) -> Membership:
    return Membership.objects.get(user=user, workspace=ws)


def found(show: str = "") -> list[Thread]:
    return list(listing.threads(Wanted(show=show)).order_by("-stands_at", "-id"))


def acted(action: str) -> int:
    return AuditEvent.objects.filter(action=action).count()
