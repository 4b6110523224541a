"""A crowd of wake-ups rings for each piece of work once (F16, F17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings

from accounts.bells import ring, ring_together
from accounts.models import Workspace
from config.celery import app
from outreach import tasks
from outreach.models import CampaignState, EnrollmentState, MessageState
from tests.factories import make_campaign, make_enrollment, make_mailbox, make_message


@pytest.fixture
def broker(transactional_db: None) -> Iterator[Any]:
    server = redis.Redis.from_url(settings.REDIS_URL)
    server.flushdb()
    yield server
    server.flushdb()


def test_it_rings_once_until_the_work_has_begun(broker: Any, in_ws: Workspace) -> None:
    box = make_mailbox()
    ids = (str(in_ws.pk), str(box.pk))
    assert [ring(tasks.sweep_mailbox, *ids) for _ in range(5)] == [True, False, False, False, False]
    assert broker.llen("poll") == 1
    tasks.sweep_mailbox(*ids)
    assert ring(tasks.sweep_mailbox, *ids)
    assert broker.llen("poll") == 2


def test_it_keeps_a_minute_of_wake_ups_from_filling_redis(broker: Any, in_ws: Workspace) -> None:
    """Twelve wake-ups, nobody works: one poll for each mailbox waits, not twelve."""
    for number in range(3):
        make_mailbox(address=f"box{number}@fernhill.example")
    for _ in range(12):
        tasks.wake_pollers()
    assert broker.llen("poll") == 3
    assert broker.llen("mail") == 0


def test_it_rings_for_no_mailbox_that_a_worker_has_in_hand(broker: Any, in_ws: Workspace) -> None:
    """The worker looks for more before it lets go; behind it the next wake-up rings."""
    box = make_mailbox()
    campaign = make_campaign(mailbox=box, state=CampaignState.RUNNING)
    make_message(
        make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.QUEUED, mailbox=box
    )
    with tasks.only_one("send", str(box.pk)) as mine:
        assert mine
        tasks.wake_senders()
        assert broker.llen("mail") == 0
    for _ in range(3):
        tasks.wake_senders()
    assert broker.llen("mail") == 1


@pytest.mark.parametrize(("pieces", "messages"), [(3, 3), (8, 8), (20, 7), (100, 13)])
def test_it_spreads_pieces_over_messages_before_it_stacks_them(
    broker: Any, in_ws: Workspace, pieces: int, messages: int
) -> None:
    """A message costs a worker as much as a mail; a few mailboxes still go to as many workers."""
    ids = [f"box{number}" for number in range(pieces)]
    assert ring_together(tasks.send_batch, str(in_ws.pk), ids, most=8) == pieces
    assert broker.llen("mail") == messages
    assert ring_together(tasks.send_batch, str(in_ws.pk), [*ids, "late"], most=8) == 1
    assert broker.llen("mail") == messages + 1


def test_each_piece_may_ring_again_once_its_message_has_begun(broker: Any, in_ws: Workspace) -> None:
    boxes = [str(make_mailbox(address=f"box{number}@fernhill.example").pk) for number in range(3)]
    assert ring_together(tasks.send_batch, str(in_ws.pk), boxes, most=1) == 3
    assert not ring(tasks.send_batch, str(in_ws.pk), boxes[1])
    tasks.send_batch(str(in_ws.pk), *boxes[:2])
    assert ring_together(tasks.send_batch, str(in_ws.pk), boxes, most=1) == 2


def test_it_rings_again_after_redis_was_flushed(broker: Any, in_ws: Workspace) -> None:
    ids = (str(in_ws.pk), str(make_mailbox().pk))
    assert ring(tasks.poll_mailbox, *ids)
    broker.flushdb()
    assert ring(tasks.poll_mailbox, *ids)


def test_it_sends_each_kind_of_task_where_it_waits_behind_its_own_kind_only() -> None:
    def queue_of(name: str) -> str:
        return str(app.amqp.router.route({}, name)["queue"].name)

    assert queue_of("outreach.wake_senders") == "wake"
    assert queue_of("outreach.poll_mailbox") == "poll"
    assert queue_of("outreach.send_batch") == queue_of("outreach.queue_messages") == "mail"
    assert {queue.name for queue in app.amqp.queues.consume_from.values()} == {"wake", "mail", "poll"}


def test_it_lets_a_late_wake_up_lapse() -> None:
    entries = app.conf.beat_schedule.values()
    assert len(entries) >= 6
    assert all(entry["options"]["expires"] >= entry["schedule"] for entry in entries)
