"""The mailbox list, its settings, the bin's dialog, the receipt, and what goes with a mailbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox import health
from mailbox.errors import Retry
from mailbox.models import Mailbox, MailboxState, Receipt
from mailbox.providers import gmail_errors, graph_errors
from mailbox.providers.refusals import Act
from outreach import mailbox_words
from outreach.mailbox_contents import contents
from outreach.tasks import erase_mailbox
from tests.factories import (
    make_mailbox,
)
from tests.outreach.binned import bin_of, fill, words

pytestmark = pytest.mark.usefixtures("revokes_end")
SignedIn = Callable[[User], Client]


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
    for expected in ("Connected", "Waiting for Microsoft", "Needs reconnecting", "Google ended our access"):
        assert expected in page
    for name in ("mira", "joren", "press"):
        assert f'aria-label="Remove access to {name}@fernhill.example"' in page
    assert "0</b> of 20" in page


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("mailbox_full", "Google says that the mailbox is full. Make room, then connect it again."),
        ("sending_blocked", "Google has blocked sending from this account."),
        ("permission_missing", "Google says that a permission is missing."),
        ("blocked_by_admin", "A rule of the organisation at Google keeps us out."),
        ("no_mailbox", "Google says that this account has no mailbox."),
    ],
)
def test_it_says_what_the_provider_said_and_not_that_access_ended(
    in_ws: Workspace, owner: User, signed_in: SignedIn, reason: str, sentence: str
) -> None:
    """F46: each of them needs another act of the owner."""
    make_mailbox(owner=owner, state=MailboxState.BROKEN, state_reason=reason, state_at="2026-01-01T00:00Z")
    page = words(signed_in(owner).get(f"/w/{in_ws.slug}/mailboxes/"))
    assert sentence in page
    assert "ended our access" not in page


def test_it_has_a_sentence_for_every_reason_to_stop() -> None:
    rules = [*gmail_errors.RULES, *graph_errors.RULES]
    reasons = {rule.reason for rule in rules if rule.act is Act.STOP} | {"unauthorized", "no_credential"}
    assert reasons <= set(mailbox_words.REASONS)


def test_it_says_until_when_it_waits_and_is_connected_again_after_it(
    in_ws: Workspace, owner: User, signed_in: SignedIn, later: Callable[..., None]
) -> None:
    row = make_mailbox(owner=owner)
    health.wait(row, Retry("throttled", after=1800))
    row.refresh_from_db()
    assert row.throttled_until is not None
    page = words(signed_in(owner).get(f"/w/{in_ws.slug}/mailboxes/"))
    assert "Waiting for Google" in page
    assert f"{row.throttled_until:%H:%M}" in page
    assert "0 of 1 can send now" in page
    later(seconds=1900)
    page = words(signed_in(owner).get(f"/w/{in_ws.slug}/mailboxes/"))
    assert "Waiting for Google" not in page
    assert "1 can send now" in page or "1 of 1 can send now" in page


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
