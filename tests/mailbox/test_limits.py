"""How many may leave: counted by account, over the rolling 24 hours, under a lock."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from accounts import clock, tenancy
from accounts.encryption import blind_index, platform_index
from accounts.models import User, Workspace
from accounts.workspaces import create_workspace
from mailbox import limits
from mailbox.models import Mailbox, MailboxIdentity, MailboxState, SendSlot

Make = Callable[..., Mailbox]


def connect(ws: Workspace, address: str = "maya@studio.example", provider: str = "google") -> Mailbox:
    """A mailbox of the open workspace, without a grant: nothing here calls a provider."""
    return Mailbox.objects.create(
        provider=provider,
        identity=platform_index("mailbox", f"{provider}:{address}"),
        subject=f"subject-of-{address}",
        address=address,
        address_index=blind_index(ws.pk, "address", address),
        connected_at=clock.now(),
        daily_cap=400,
    )


@pytest.fixture
def mailbox(in_ws: Workspace) -> Mailbox:
    return connect(in_ws)


def take(mailbox: Mailbox, count: int = 1) -> list[bool]:
    with transaction.atomic():
        return [limits.take(mailbox, uuid.uuid4()) for _ in range(count)]


def aged(mailbox: Mailbox, days: int) -> None:
    take(mailbox)
    MailboxIdentity.objects.update(first_seen_at=clock.now() - timedelta(days=days, minutes=1))


def test_it_starts_with_twenty_a_day(mailbox: Mailbox) -> None:
    assert take(mailbox, 22) == [True] * 20 + [False] * 2
    assert limits.usage(mailbox) == limits.Usage(used=20, cap=20, days=0)
    assert limits.usage(mailbox).left == limits.room(mailbox) == 0


@pytest.mark.parametrize(("days", "cap"), [(0, 20), (1, 23), (3, 30), (6, 46), (7, 50), (29, 50), (30, 150)])
def test_it_grows_to_fifty_and_then_to_what_is_proven(mailbox: Mailbox, days: int, cap: int) -> None:
    aged(mailbox, days)
    assert limits.usage(mailbox).cap == cap


@pytest.mark.parametrize(
    ("address", "cap"), [("maya@gmail.com", 50), ("maya@GoogleMail.com", 50), ("maya@studio.example", 400)]
)
def test_it_stops_hard_at_the_kind_of_the_account(
    in_ws: Workspace, settings: Any, address: str, cap: int
) -> None:
    settings.DAILY_CAP = settings.DAILY_CAP_START = settings.DAILY_CAP_PROVEN = 10_000
    mailbox = connect(in_ws, address)
    mailbox.daily_cap = 10_000
    aged(mailbox, 4_000)
    assert limits.usage(mailbox).cap == cap


@pytest.mark.parametrize(
    ("provider", "subject", "address", "private"),
    [
        ("microsoft", "9188040d-6c67-4c5b-b112-36a304b66dad.oid", "maya@own.example", True),
        ("microsoft", "another-tenant.oid", "maya@own.example", False),
        ("microsoft", "another-tenant.oid", "maya@hotmail.com", True),
        ("microsoft", "another-tenant.oid", "maya@live.com", True),
        ("microsoft", "another-tenant.oid", "maya@outlook.com", True),
        ("google", "9188040d-6c67-4c5b-b112-36a304b66dad.oid", "maya@own.example", False),
        ("google", "1", "maya@notgmail.com", False),
        ("google", "1", "maya@gmail.com.own.example", False),
    ],
)
def test_it_knows_a_private_account(provider: str, subject: str, address: str, private: bool) -> None:
    assert limits.is_consumer(provider, subject=subject, address=address) is private


def test_it_obeys_an_owner_who_wants_less(mailbox: Mailbox) -> None:
    mailbox.daily_cap = 3
    assert take(mailbox, 4) == [True, True, True, False]


def test_it_counts_the_rolling_day_and_not_the_calendars(
    mailbox: Mailbox, later: Callable[..., None]
) -> None:
    """faults.md 3.1 rule 5."""
    mailbox.daily_cap = 2
    assert take(mailbox) == [True]
    later(hours=20)
    assert take(mailbox, 2) == [True, False]
    later(hours=3, minutes=59)
    assert take(mailbox) == [False]
    later(minutes=2)
    assert take(mailbox, 2) == [True, False]


def test_it_takes_one_place_for_one_mail(mailbox: Mailbox) -> None:
    mailbox.daily_cap = 2
    key = uuid.uuid4()
    with transaction.atomic():
        assert [limits.take(mailbox, key) for _ in range(5)] == [True] * 5
    assert limits.usage(mailbox).used == 1


def test_it_needs_a_new_place_for_a_mail_whose_day_is_over(
    mailbox: Mailbox, later: Callable[..., None]
) -> None:
    mailbox.daily_cap = 1
    key = uuid.uuid4()
    with transaction.atomic():
        assert limits.take(mailbox, key)
    later(hours=25)
    take(mailbox)
    with transaction.atomic():
        assert not limits.take(mailbox, key)


def test_it_gives_a_place_back_once(mailbox: Mailbox) -> None:
    mailbox.daily_cap = 1
    key = uuid.uuid4()
    with transaction.atomic():
        limits.take(mailbox, key)
    limits.give_back(key)
    limits.give_back(key)
    assert take(mailbox, 2) == [True, False]


def test_it_is_not_reset_by_a_reconnect_or_another_workspace(mailbox: Mailbox, stranger: User) -> None:
    """I5, T10: the account counts, not our row."""
    mailbox.daily_cap = 2
    assert take(mailbox, 2) == [True, True]
    Mailbox.objects.filter(pk=mailbox.pk).update(state=MailboxState.REVOKED)
    elsewhere = create_workspace(stranger, name="Another")
    with tenancy.workspace(elsewhere):
        again = connect(elsewhere)
        again.daily_cap = 2
        assert take(again) == [False]


def test_it_forgets_places_that_no_longer_count(mailbox: Mailbox, later: Callable[..., None]) -> None:
    take(mailbox, 5)
    later(hours=49)
    take(mailbox)
    assert SendSlot.objects.count() == 1


def test_it_is_taken_inside_the_callers_transaction_only(transactional_db: None, ws: Workspace) -> None:
    with tenancy.workspace(ws), pytest.raises(RuntimeError):
        limits.take(connect(ws), uuid.uuid4())


def test_it_rolls_back_with_the_callers_transaction(mailbox: Mailbox) -> None:
    with transaction.atomic():
        limits.take(mailbox, uuid.uuid4())
        transaction.set_rollback(True)
    assert limits.usage(mailbox).used == 0


def test_it_gives_the_last_places_to_as_many_workers_as_there_are(
    transactional_db: None, ws: Workspace
) -> None:
    """I5: eight workers, five places, no account row yet."""
    with tenancy.workspace(ws):
        mailbox = connect(ws)
    mailbox.daily_cap = 5
    taken: list[bool] = []
    together = threading.Barrier(8)

    def work() -> None:
        together.wait()
        try:
            with tenancy.workspace(ws):
                taken.extend(take(mailbox))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 3 + [True] * 5


def test_it_leaves_room_for_the_providers_minute_only(
    in_ws: Workspace, settings: Any, later: Callable[..., None]
) -> None:
    settings.DAILY_CAP = settings.DAILY_CAP_START = 400
    mailbox = connect(in_ws, "max@firm.example", "microsoft")
    assert limits.room(mailbox) == 30
    take(mailbox, 29)
    assert limits.room(mailbox) == 1
    later(seconds=61)
    assert limits.room(mailbox) == 30


def test_it_puts_the_next_mail_off_by_spacing_and_jitter(mailbox: Mailbox, settings: Any) -> None:
    settings.SEND_SPACING_SECONDS, settings.SEND_SPACING_JITTER = 60, 30
    now = clock.now()
    first = limits.next_slot(mailbox)
    second = limits.next_slot(mailbox)
    assert 60 <= (first - now).total_seconds() <= 91
    assert 60 <= (second - first).total_seconds() <= 90
    mailbox.refresh_from_db()
    assert mailbox.next_send_at == second


def test_it_starts_the_spacing_anew_after_a_pause(
    mailbox: Mailbox, settings: Any, later: Callable[..., None]
) -> None:
    settings.SEND_SPACING_SECONDS, settings.SEND_SPACING_JITTER = 60, 0
    limits.next_slot(mailbox)
    later(hours=5)
    assert (limits.next_slot(mailbox) - clock.now()).total_seconds() == pytest.approx(60, abs=1)


def test_it_says_how_the_cap_of_the_coming_days_grows(mailbox: Mailbox) -> None:
    assert limits.coming_caps(mailbox, limits.usage(mailbox), 8) == (20, 23, 26, 30, 34, 40, 46, 50)
    mailbox.daily_cap = 25
    assert limits.coming_caps(mailbox, limits.usage(mailbox), 4) == (20, 23, 25, 25)
