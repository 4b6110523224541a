"""The mailbox list, its settings, the bin's dialog, the receipt, and what goes with a mailbox."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from mailbox.models import Mailbox, MailboxState, Receipt, ReceiptStep, StepState
from outreach.mailbox_contents import contents
from outreach.models import Campaign, Message, MessageState, Reply, Suppression, Thread
from outreach.tasks import erase_mailbox, wake_erasure
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_enrollment,
    make_mailbox,
    make_message,
    make_project,
    make_reply,
    make_suppression,
)
from tests.mailbox.sandbox.conftest import Running

SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _revokes_end_with_the_test(providers: Running, transactional_db: None) -> Iterator[None]:
    """Google's revoke runs on a thread of its own; it may not outlive the test's database."""
    yield
    for thread in threading.enumerate():
        if thread.name == "revoke":
            thread.join(20)


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def fill(mailbox: Mailbox, name: str, *, text: str = "Hello") -> Campaign:
    """A running campaign: one mail accepted with a reply, one queued, one with a draft, one in doubt."""
    campaign = make_campaign(
        project=make_project(name), mailbox=mailbox, steps=(FIRST_MAIL, FOLLOW_UP), state="running"
    )
    people = [make_enrollment(campaign, state="running") for _ in range(4)]
    sent = make_message(people[0], state="sent", text=text, replied_at="2026-01-01T00:00Z")
    make_reply(sent, text=f"reply to {text}")
    make_message(people[0], position=2, state="queued", text=text)
    make_message(people[1], state="queued", text=text)
    make_message(people[2], state="drafted", draft_id="r-1", text=text)
    make_message(people[3], state="submitting", text=text)
    return campaign


def bin_of(ws: Workspace, row: Mailbox) -> str:
    return f"/w/{ws.slug}/mailboxes/{row.pk}/remove/"


# --- the list and the settings


def test_it_lists_each_state_with_its_bin(in_ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    make_mailbox(address="mira@fernhill.example", owner=owner)
    make_mailbox(
        "microsoft",
        address="joren@fernhill.example",
        state=MailboxState.THROTTLED,
        throttled_until="2099-01-01T00:00Z",
    )
    make_mailbox(
        address="press@fernhill.example",
        state=MailboxState.BROKEN,
        state_reason="grant_ended",
        state_at="2026-01-01T00:00Z",
    )
    page = words(signed_in(owner).get(f"/w/{in_ws.slug}/mailboxes/"))
    assert "1 of 3 can send now" in page
    for expected in ("Connected", "Waiting for Microsoft", "Needs reconnecting", "Google ended our access."):
        assert expected in page
    for name in ("mira", "joren", "press"):
        assert f'aria-label="Remove access to {name}@fernhill.example"' in page
    assert "0</b> of 20" in page


def test_it_says_what_is_true_without_any_mailbox(ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    page = words(signed_in(owner).get(f"/w/{ws.slug}/mailboxes/"))
    assert "No mailbox is connected" in page


@pytest.mark.parametrize(("who", "expected"), [("viewer", 403), ("stranger", 404), ("ex_member", 404)])
def test_it_lets_nobody_else_press_the_bin(
    who: str, expected: int, in_ws: Workspace, signed_in: SignedIn, request: pytest.FixtureRequest
) -> None:
    row = make_mailbox()
    client = signed_in(request.getfixturevalue(who))
    assert client.get(bin_of(in_ws, row)).status_code == expected
    assert client.post(bin_of(in_ws, row)).status_code == expected
    row.refresh_from_db()
    assert row.state == MailboxState.CONNECTED


def test_it_lets_members_bin_their_own_and_admins_any(
    in_ws: Workspace, owner: User, member: User, admin: User, signed_in: SignedIn
) -> None:
    own, foreign = make_mailbox(owner=member), make_mailbox(owner=owner)
    client = signed_in(member)
    page = words(client.get(f"/w/{in_ws.slug}/mailboxes/"))
    assert bin_of(in_ws, own) in page
    assert bin_of(in_ws, foreign) not in page
    assert client.post(bin_of(in_ws, foreign)).status_code == 403
    assert client.post(bin_of(in_ws, own)).status_code == 302
    assert signed_in(admin).post(bin_of(in_ws, foreign)).status_code == 302
    assert not Mailbox.objects.live().exists()


def test_it_saves_name_signature_and_cap(in_ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    row = make_mailbox(owner=owner)
    address = f"/w/{in_ws.slug}/mailboxes/{row.pk}/"
    values = {"display_name": "Mira Fell", "signature": "Mira\nFernhill", "daily_cap": "12"}
    page = signed_in(owner).post(address, values, follow=True)
    assert "are saved" in words(page)
    row.refresh_from_db()
    assert (row.display_name, row.daily_cap) == ("Mira Fell", 12)
    assert str(row.signature).split() == ["Mira", "Fernhill"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("display_name", "Mira\r\nBcc: eve@evil.example", "line breaks"),
        ("display_name", "Mira\x00", "Null characters"),
        ("display_name", "", "required"),
        ("daily_cap", "0", "greater than or equal to 1"),
        ("daily_cap", "5000", "less than or equal to 150"),
        ("daily_cap", "many", "whole number"),
        ("signature", "x" * 2001, "at most 2000"),
    ],
)
def test_it_says_beside_the_field_what_does_not_fit(
    field: str, value: str, said: str, in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    row = make_mailbox(owner=owner)
    values = {"display_name": "Mira", "signature": "", "daily_cap": "20", field: value}
    page = signed_in(owner).post(f"/w/{in_ws.slug}/mailboxes/{row.pk}/", values)
    assert page.status_code == 422
    assert said in words(page)
    row.refresh_from_db()
    assert row.display_name == "Mira Fell"


def test_it_lets_a_viewer_read_settings_only(in_ws: Workspace, viewer: User, signed_in: SignedIn) -> None:
    row = make_mailbox()
    address = f"/w/{in_ws.slug}/mailboxes/{row.pk}/"
    assert '<button class="btn btn-primary"' not in words(signed_in(viewer).get(address))
    assert signed_in(viewer).post(address, {"display_name": "Eve", "daily_cap": "1"}).status_code == 403


# --- the dialog


def test_it_counts_what_goes_before_it_goes(in_ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    row = make_mailbox()
    fill(row, "Winter")
    fill(row, "Trails")
    assert [(c.project.name, c.queued, c.mails, c.threads) for c in contents(row)] == [
        ("Trails", 3, 3, 4),
        ("Winter", 3, 3, 4),
    ]
    page = words(signed_in(owner).get(bin_of(in_ws, row), headers={"HX-Request": "true"}))
    assert page.startswith("{#") is False
    assert "6 queued mails are cancelled" in page
    assert "4 first mails, 2 follow-ups" in page
    assert "All 6 stored mails are deleted" in page
    assert "What came from Google cannot be kept" in page
    assert "Remove access, delete 6 mails" in page
    assert 'name="keep-' not in page


def test_it_repeats_the_number_of_the_choice_on_the_button(
    in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    row = make_mailbox("microsoft")
    kept = fill(row, "Clean-up").project
    fill(row, "Trails")
    client = signed_in(owner)
    assert "Remove access, delete 6 mails" in words(client.get(bin_of(in_ws, row)))
    page = words(client.get(bin_of(in_ws, row), {f"keep-{kept.pk}": "keep"}))
    assert "Remove access, delete 3 mails" in page
    assert "One step stays yours" in page


# --- what goes


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


# --- the receipt


def test_it_fills_the_receipt_in_live_and_stops_asking(
    in_ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    row = make_mailbox("microsoft", owner=owner, address="joren@fernhill.example")
    fill(row, "Winter", text="CANARY-TEXT")
    client = signed_in(owner)
    page = client.post(bin_of(in_ws, row), follow=True)
    receipt = Receipt.objects.get()
    text = words(page)
    assert "Access to joren@fernhill.example is removed" in text
    assert 'aria-live="polite"' in text
    assert 'hx-trigger="every 1s"' in text
    assert "0 of 3 mails" in text
    assert "Download when complete" in text
    known = page.context["mark"]
    lines = f"/w/{in_ws.slug}/receipts/{receipt.pk}/lines/"
    assert client.get(lines, {"known": known}).status_code == 204
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    after = client.get(lines, {"known": known})
    assert after.status_code == 200
    assert "hx-trigger" not in words(after)
    assert "Your turn" in words(after)
    assert "https://myapps.microsoft.com/" in words(after)
    assert 'hx-swap-oob="true"' in words(after)


def test_it_hands_out_the_receipt_as_text_without_mail(
    in_ws: Workspace, owner: User, viewer: User, stranger: User, signed_in: SignedIn
) -> None:
    row = make_mailbox("microsoft", owner=owner, address="joren@fernhill.example")
    fill(row, "Winter", text="CANARY-TEXT")
    signed_in(owner).post(bin_of(in_ws, row))
    receipt = Receipt.objects.get()
    erase_mailbox(str(in_ws.pk), str(receipt.pk))
    address = f"/w/{in_ws.slug}/receipts/{receipt.pk}/text/"
    answer = signed_in(viewer).get(address)
    text = answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"].startswith("text/plain")
    for expected in ("Mails deleted: 3", "[Your turn] The grant at Microsoft", "[Done] Token destroyed"):
        assert expected in text
    assert "CANARY" not in text
    assert "Your hut table" not in text
    assert signed_in(stranger).get(address).status_code == 404


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


def test_it_sends_a_binned_mailbox_to_its_receipt(in_ws: Workspace, owner: User, signed_in: SignedIn) -> None:
    row = make_mailbox("microsoft", owner=owner)
    client = signed_in(owner)
    client.post(bin_of(in_ws, row))
    again = client.post(bin_of(in_ws, row))
    assert Receipt.objects.count() == 1
    page = words(client.get(f"/w/{in_ws.slug}/mailboxes/"))
    assert "Access removed" in page
    assert again["Location"] in page
    with workspace(in_ws):
        assert client.get(f"/w/{in_ws.slug}/mailboxes/{row.pk}/").status_code == 404
