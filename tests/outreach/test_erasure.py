"""What the bin stops, what it erases, and what stays so that nobody is written to twice."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from mailbox.models import Mailbox, MailboxState, Receipt, ReceiptStep, StepState
from outreach.models import Message, MessageState, Reply, Suppression, Thread
from outreach.suppression import is_suppressed
from outreach.tasks import erase_mailbox, wake_erasure
from tests.factories import (
    make_mailbox,
    make_suppression,
)
from tests.outreach.binned import bin_of, fill, words
from tracking.tokens import opt_out_url

pytestmark = pytest.mark.usefixtures("revokes_end")
SignedIn = Callable[[User], Client]


def test_it_stops_everything_in_one_commit(in_ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    row = make_mailbox("microsoft", owner=owner)
    campaign = fill(row, "Winter")
    other = fill(make_mailbox(), "Elsewhere")
    answer = signed_in(owner).post(bin_of(in_ws, row))
    receipt = Receipt.objects.get()
    assert answer["Location"] == f"/w/{in_ws.slug}/receipts/{receipt.pk}/"
    campaign.refresh_from_db()
    assert (campaign.state, campaign.pause_reason) == ("paused", "mailbox_removed")
    mine = Message.objects.filter(campaign=campaign)
    assert mine.filter(state="cancelled", reason="mailbox_removed", fence=1).count() == 3
    assert mine.filter(state="cancelled", draft_left=True).count() == 1
    assert mine.get(state="submitting").reason == "mailbox_disconnected"
    assert {e.state for e in campaign.enrollments.all()} == {"cancelled"}
    assert (receipt.cancelled, receipt.to_delete, receipt.kept) == (3, 3, 0)
    lines = {step.code: str(step.sentence) for step in ReceiptStep.objects.all()}
    assert lines["queue"] == "3 queued mails cancelled: 2 first mails, 1 follow-up."
    assert "1 mail was handed over" in lines["unclear"]
    assert "1 unsent draft may remain" in lines["unclear"]
    assert Message.objects.filter(campaign=other, state="queued").count() == 2
    other.refresh_from_db()
    assert other.state == "running"


def test_it_erases_every_mail_and_leaves_what_prevents_a_second_one(
    in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    row = make_mailbox(owner=owner)
    campaign = fill(row, "Winter", text="CANARY-TEXT")
    make_suppression("stop@site.example")
    answer_row = Message.objects.create(
        kind="answer",
        project=campaign.project,
        mailbox=row,
        compose_id=uuid.uuid4(),
        thread=Thread.objects.all()[0],
        state="sent",
        text="CANARY-TEXT",
    )
    signed_in(owner).post(bin_of(in_ws, row))
    receipt = Receipt.objects.get()
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    assert not Thread.objects.exists()
    assert not Reply.objects.exists()
    assert not Message.objects.filter(pk=answer_row.pk).exists()
    assert Suppression.objects.count() == 1
    left = list(Message.objects.filter(campaign=campaign))
    assert len(left) == 5
    for message in left:
        assert message.reason == "mail_erased"
        assert message.contact_id is not None
        assert (message.to_address, message.subject, message.text) == ("", "", "")
        for name in (
            "html",
            "headers",
            "draft_id",
            "draft_version",
            "provider_id",
            "to_index",
            "sent_at",
            "replied_at",
            "thread",
        ):
            assert getattr(message, name) is None, name
    receipt.refresh_from_db()
    assert (receipt.deleted, receipt.erased_at is not None) == (4, True)
    line = ReceiptStep.objects.get(code="mail")
    assert line.state == StepState.DONE
    assert str(line.sentence).startswith("4 mails deleted, with their subjects")
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    wake_erasure()
    receipt.refresh_from_db()
    assert receipt.deleted == 4


def test_it_keeps_a_chosen_project_of_microsoft_and_writes_it_down(
    in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    row = make_mailbox("microsoft", owner=owner)
    kept = fill(row, "Clean-up")
    gone = fill(row, "Trails")
    client = signed_in(owner)
    client.post(bin_of(in_ws, row), {f"keep-{kept.project.pk}": "keep", f"keep-{gone.project.pk}": "delete"})
    receipt = Receipt.objects.get()
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    assert Thread.objects.filter(project=kept.project).count() == 4
    assert Reply.objects.count() == 1
    assert not Thread.objects.filter(project=gone.project).exists()
    receipt.refresh_from_db()
    assert (receipt.deleted, receipt.kept, receipt.cancelled) == (3, 3, 6)
    assert AuditEvent.objects.filter(action="mailbox.mail_kept", actor=owner).count() == 1
    page = words(client.get(f"/w/{in_ws.slug}/receipts/{receipt.pk}/"))
    assert "Clean-up: 3 mails stay, chosen by Olga" in page


def test_it_keeps_nothing_of_google_whatever_is_posted(
    in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    row = make_mailbox(owner=owner)
    project = fill(row, "Winter").project
    signed_in(owner).post(bin_of(in_ws, row), {f"keep-{project.pk}": "keep"})
    receipt = Receipt.objects.get()
    assert (receipt.kept_projects, receipt.kept, receipt.to_delete) == ([], 0, 3)
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    assert not Thread.objects.exists()


def test_it_waits_for_a_mail_under_way_and_finishes_at_a_later_wake(
    in_ws: Workspace, owner: User, signed_in: SignedIn, later: Callable[..., None]
) -> None:
    """F14: the worker that handed it over may still write its end."""
    row = make_mailbox(owner=owner)
    fill(row, "Winter")
    flying = Message.objects.get(state="submitting")
    Message.objects.filter(pk=flying.pk).update(lease_until="2099-01-01T00:00Z")
    signed_in(owner).post(bin_of(in_ws, row))
    receipt = Receipt.objects.get()
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    receipt.refresh_from_db()
    assert not receipt.erased_at
    assert list(Message.objects.exclude(reason="mail_erased")) == [flying]
    assert flying.move(MessageState.SENT, fence=0)
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    receipt.refresh_from_db()
    assert receipt.erased_at
    assert not Message.objects.exclude(reason="mail_erased").exists()


def test_it_spares_what_begins_after_a_reconnect(
    in_ws: Workspace, owner: User, signed_in: SignedIn, later: Callable[..., None]
) -> None:
    row = make_mailbox(owner=owner)
    fill(row, "Winter")
    signed_in(owner).post(bin_of(in_ws, row))
    Mailbox.objects.update(state=MailboxState.CONNECTED, generation=3)
    later(seconds=60)
    fill(row, "Spring")
    erase_mailbox(str(in_ws.pk), str(Receipt.objects.get().pk))
    assert Thread.objects.filter(project__name="Spring").count() == 4
    assert not Thread.objects.filter(project__name="Winter").exists()


def test_it_leaves_no_text_of_the_mails_in_the_database(
    in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    """Not even as ciphertext: what stays is shorter than any text was."""
    row = make_mailbox(owner=owner)
    fill(row, "Winter", text="long " * 200)
    signed_in(owner).post(bin_of(in_ws, row))
    erase_mailbox(str(in_ws.pk), str(Receipt.objects.get().pk))
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(length(text)), max(length(to_address)) FROM outreach_message")
        assert cursor.fetchone() == (31, 31)


def test_it_keeps_opt_out_links_working_after_the_erasure(
    in_ws: Workspace, owner: User, signed_in: SignedIn, client: Client
) -> None:
    """Decisions 17: the row's id still leads to the contact."""
    row = make_mailbox(owner=owner)
    fill(row, "Winter")
    sent = Message.objects.get(state="sent")
    assert sent.contact is not None
    link = urlsplit(opt_out_url(in_ws.pk, sent.pk)).path
    signed_in(owner).post(bin_of(in_ws, row))
    erase_mailbox(str(in_ws.pk), str(Receipt.objects.get().pk))
    assert client.get(link).status_code == 200
    client.post(link)
    found = is_suppressed(str(sent.contact.address))
    assert found is not None
    assert found.reason == "opted_out"
