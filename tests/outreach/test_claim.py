"""Claiming: due rows, lost leases, poison, and many workers at once."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from accounts import clock
from accounts.models import Workspace
from accounts.tenancy import workspace
from mailbox.models import Mailbox
from outreach.models import Campaign, CampaignState, Message, MessageKind, MessageState
from outreach.pipeline import claim
from tests.factories import make_campaign, make_enrollment, make_mailbox, make_message

Later = Callable[..., None]


def waiting(number: int = 1, **values: Any) -> tuple[Mailbox, list[Message]]:
    campaign = make_campaign(mailbox=make_mailbox(), state=CampaignState.RUNNING)
    return campaign.mailbox, [  # type: ignore[return-value]
        make_message(make_enrollment(campaign), **{"state": MessageState.QUEUED, **values})
        for _ in range(number)
    ]


def test_it_gives_a_lease_and_the_next_fence(in_ws: Workspace) -> None:
    mailbox, (row,) = waiting()
    (held,) = claim.claim_batch(mailbox)
    row.refresh_from_db()
    assert (held.id, held.fence, row.fence, row.state) == (row.pk, 1, 1, MessageState.CLAIMED)
    assert row.lease_until is not None
    assert row.lease_until > clock.now()


def test_it_claims_each_row_once(in_ws: Workspace) -> None:
    mailbox, _ = waiting(3)
    assert len(claim.claim_batch(mailbox, limit=10)) == 3
    assert claim.claim_batch(mailbox, limit=10) == []


def test_it_leaves_rows_whose_time_has_not_come(in_ws: Workspace, later: Later) -> None:
    soon = clock.now() + dt.timedelta(hours=1)
    mailbox, _ = waiting(due_at=soon)
    other, _ = waiting(state=MessageState.DEFERRED, not_before=soon)
    assert claim.claim_batch(mailbox) == claim.claim_batch(other) == []
    later(hours=2)
    assert len(claim.claim_batch(mailbox)) == len(claim.claim_batch(other)) == 1


def test_it_leaves_rows_of_a_paused_campaign_and_of_another_mailbox(in_ws: Workspace) -> None:
    mailbox, _ = waiting()
    other = make_mailbox(address="other@fernhill.example")
    Campaign.objects.update(state=CampaignState.PAUSED)
    assert claim.claim_batch(mailbox) == claim.claim_batch(other) == []


def test_it_takes_an_answer_before_the_sequences(in_ws: Workspace) -> None:
    mailbox, (first, answer) = waiting(2)
    Message.objects.filter(pk=answer.pk).update(kind=MessageKind.ANSWER)
    assert claim.claim_batch(mailbox, at_once_only=True)[0].id == answer.pk
    assert claim.claim_batch(mailbox, at_once_only=True) == []
    assert claim.claim_batch(mailbox)[0].id == first.pk


def test_it_claims_a_drafted_row_anew_without_losing_its_draft(in_ws: Workspace, later: Later) -> None:
    mailbox, (row,) = waiting()
    claim.claim_batch(mailbox)
    row.refresh_from_db()
    row.draft_id, row.state = "draft-1", MessageState.DRAFTED
    row.save()
    assert claim.claim_batch(mailbox) == []
    later(minutes=5)
    (held,) = claim.claim_batch(mailbox)
    row.refresh_from_db()
    assert (row.state, row.draft_id, row.kills, held.fence) == (MessageState.DRAFTED, "draft-1", 1, 2)


def test_it_takes_a_row_out_that_ended_its_worker_three_times(in_ws: Workspace, later: Later) -> None:
    """F23: the fourth worker never sees it, the others go on."""
    mailbox, (poison, healthy) = waiting(2)
    Message.objects.filter(pk=healthy.pk).update(due_at=clock.now() + dt.timedelta(hours=3))
    for _ in range(3):
        (held,) = claim.claim_batch(mailbox)
        assert held.id == poison.pk
        later(minutes=5)
    later(hours=4)
    assert [row.id for row in claim.claim_batch(mailbox, limit=5)] == [healthy.pk]
    poison.refresh_from_db()
    assert (poison.state, poison.reason, poison.kills) == (MessageState.REFUSED, "quarantined", 3)


def test_it_notes_that_a_lost_worker_may_have_left_a_draft(in_ws: Workspace, later: Later) -> None:
    """F3: killed between making the draft and storing it."""
    mailbox, (row,) = waiting()
    claim.claim_batch(mailbox)
    later(minutes=5)
    claim.claim_batch(mailbox)
    row.refresh_from_db()
    assert row.draft_unclear_at is not None


def test_it_does_not_count_a_row_that_was_given_back(in_ws: Workspace) -> None:
    mailbox, (row,) = waiting()
    claim.claim_batch(mailbox)
    Message.objects.update(lease_until=None)
    claim.claim_batch(mailbox)
    row.refresh_from_db()
    assert (row.kills, row.fence) == (0, 2)


def test_it_shares_the_rows_among_workers(transactional_db: None, ws: Workspace) -> None:
    """F17: five workers, no row twice, none left."""
    with workspace(ws):
        mailbox, rows = waiting(20)
    taken: list[claim.Claimed] = []

    def work() -> None:
        try:
            with workspace(ws):
                taken.extend(claim.claim_batch(mailbox, limit=20))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(row.id for row in taken) == sorted(row.pk for row in rows)


STATES = [MessageState.PLANNED, MessageState.QUEUED, MessageState.CLAIMED, MessageState.DRAFTED,
          MessageState.DEFERRED, MessageState.SUBMITTING, MessageState.DOUBT, MessageState.SENT]  # fmt: skip


@pytest.mark.parametrize("kind", [MessageKind.FIRST, MessageKind.TEST])
def test_it_claims_what_it_names_and_names_what_it_claims(in_ws: Workspace, kind: MessageKind) -> None:
    """`claimable`, the look for what comes next and the claim itself say the same of every kind of row."""
    mailbox, now, hour = make_mailbox(), clock.now(), dt.timedelta(hours=1)
    rows = []
    for of in (CampaignState.RUNNING, CampaignState.PAUSED):
        enrollment = make_enrollment(make_campaign(mailbox=mailbox, state=of))
        rows.append(make_message(enrollment, kind=kind, mailbox=mailbox, state=MessageState.SENT))
    times = [None, now - hour, now + hour]
    said: list[bool] = []
    for row, state, due, wait, lease in itertools.product(rows, STATES, times[1:], times, times):
        as_it_is = Message.objects.filter(pk=row.pk)
        as_it_is.update(state=state, due_at=due, not_before=wait, lease_until=lease, kills=0)
        named = claim.claimable().filter(pk=row.pk).exists()
        hints = [hint.id for hint in claim.upcoming(mailbox, limit=2, most_of_sequences=2)]
        taken = claim.claim(row.pk) is not None
        assert hints == ([row.pk] if named else []), (state, due, wait, lease)
        assert taken == named, (state, due, wait, lease)
        as_it_is.update(state=MessageState.SENT)
        said.append(named)
    assert 10 < sum(said) < len(said) / 2
