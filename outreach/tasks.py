"""Thin: ids in, one stage called. The beat only wakes; what is due stands in PostgreSQL (faults.md 2, 1).

A wake-up may be lost, doubled or sent by two beats: each piece of work is claimed in the database, and a key
in Redis spares the second of two equal tasks its effort (F16, F17, F19).
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from redis.exceptions import RedisError

from accounts import clock
from accounts.bells import heard, ring, ring_across, ring_together
from accounts.tasks import WorkspaceTask
from accounts.tenancy import current_workspace_id, every_workspace, workspace
from mailbox import health, limits, offers, revocation, turns
from mailbox.models import Mailbox, Provider, Receipt
from outreach import attachments, campaigns, erasure, looks
from outreach.pipeline import claim, compare, janitor, queue, reply, send, settle
from outreach.side_by_side import side_by_side
from outreach.working import with_work

log = logging.getLogger(__name__)
# Mails that are worth a connection to the database and one to the provider.
A_LANE = 16
# Mailboxes to a message, and messages to a turn of one workspace, before messages grow.
A_ROUND = 8
# Rows that are looked up together: a mail that a person waits for passes the rest of a batch.
A_LOOK = 8
# Mailboxes that one wake-up may ring for, in turns between workspaces.
MOST_TURNS = 2000


# --- the beat's wake-ups ------------------------------------------------------------------------------


@shared_task(name="outreach.wake_queue")
def wake_queue() -> None:
    for here_id in with_work("queue"):
        if queue.due().exists():
            ring(queue_messages, str(here_id))


@shared_task(name="outreach.wake_senders")
def wake_senders() -> None:
    for here_id in with_work("send"):
        due = [str(pk) for pk in claim.in_line(most=settings.SEND_SHARE)]
        in_hand = _worked_on("send", due)
        ring_together(send_batch, str(here_id), [pk for pk in due if pk not in in_hand], most=A_ROUND)


@shared_task(name="outreach.wake_settle")
def wake_settle() -> None:
    for here_id in with_work("settle"):
        for pk in settle.unsettled().order_by().values_list("mailbox_id", flat=True).distinct():
            ring(settle_mailbox, str(here_id), str(pk or ""))


@shared_task(name="outreach.wake_pollers")
def wake_pollers() -> None:
    pairs = [f"{here}/{pk}" for here, pk in turns.due(most=MOST_TURNS)]
    ring_across(poll_mailboxes, pairs, most=A_ROUND)


@shared_task(name="outreach.wake_janitor")
def wake_janitor() -> None:
    for here in every_workspace("throw unused drafts away"):
        for pk in {*_mailboxes_of(janitor.left_drafts()), *_mailboxes_of(janitor.unclear_drafts())}:
            ring(sweep_mailbox, str(here.pk), str(pk))


@shared_task(name="outreach.wake_comparisons")
def wake_comparisons() -> None:
    for here in every_workspace("compare conversations with the provider"):
        for mailbox in compare.due():
            ring(compare_mailbox, str(here.pk), str(mailbox.pk))


@shared_task(name="outreach.wake_finish")
def wake_finish() -> None:
    for here_id in with_work("finish"):
        ring(finish_campaigns, str(here_id))


@shared_task(name="outreach.wake_erasure")
def wake_erasure() -> None:
    for here in every_workspace("finish erasing the mail of removed mailboxes"):
        revocation.close_forgotten()
        offers.drop_lapsed()
        attachments.forget_left()
        claim.end_stranded()
        for pk in erasure.unfinished().values_list("pk", flat=True):
            ring(erase_mailbox, str(here.pk), str(pk))


# --- the work -----------------------------------------------------------------------------------------


@shared_task(base=WorkspaceTask, name="outreach.queue_messages")
def queue_messages(workspace_id: str) -> None:
    with only_one("queue", workspace_id) as mine:
        if mine and queue.queue_due():
            due = claim.in_line(most=settings.SEND_SHARE)
            ring_together(send_batch, workspace_id, [str(pk) for pk in due], most=A_ROUND)


@shared_task(base=WorkspaceTask, name="outreach.send_batch", pieces=True)
def send_batch(workspace_id: str, *mailbox_ids: str) -> int:
    """Claim and send the due mails of each mailbox, row by row; how many rows were worked on.

    A mailbox that is not reached in this worker's time, or that somebody else has in hand, is rung again.
    """
    began, done = time.monotonic(), 0
    for mailbox_id in mailbox_ids:
        done += _send_of(mailbox_id, began)
        if time.monotonic() > _last_claim(began):
            break
    return done


@shared_task(base=WorkspaceTask, name="outreach.settle_mailbox")
def settle_mailbox(workspace_id: str, mailbox_id: str) -> None:
    """An empty id stands for rows whose mailbox is gone."""
    if not mailbox_id:
        settle.settle_due(None)
        return
    with _one_at_a_time("settle", mailbox_id) as mailbox:
        if mailbox is not None:
            settle.settle_due(mailbox)


@shared_task(base=WorkspaceTask, name="outreach.poll_mailbox")
def poll_mailbox(workspace_id: str, mailbox_id: str) -> None:
    with _one_at_a_time("poll", mailbox_id) as mailbox:
        if mailbox is not None:
            reply.poll(mailbox)


@shared_task(name="outreach.poll_mailboxes")
def poll_mailboxes(*pairs: str) -> None:
    """Look into several mailboxes side by side: a look is mostly waiting. Each is "workspace/mailbox"."""
    heard(poll_mailboxes.name, *[(pair,) for pair in pairs])
    side_by_side(_poll_due, pairs)


def _poll_due(pair: str) -> None:
    here, _, mailbox_id = pair.partition("/")
    with workspace(uuid.UUID(here)):
        look = looks.begin(uuid.UUID(mailbox_id), only_due=True)
        if look is None:
            return
        with only_one(_turn("poll", look.mailbox), mailbox_id) as mine:
            if mine:
                reply.carry_out(look)
            else:  # Another worker sends from it or compares it: due again at once.
                looks.finish(look.mailbox, at_once=True)


@shared_task(base=WorkspaceTask, name="outreach.compare_mailbox")
def compare_mailbox(workspace_id: str, mailbox_id: str) -> None:
    """Slices for a while; then the bell is rung again, and what else the mailbox has to do comes first."""
    began, more = time.monotonic(), False
    with _one_at_a_time("poll", mailbox_id) as mailbox:
        while mailbox is not None and (more := compare.go_on(mailbox) is compare.Compared.MORE):
            if time.monotonic() > _last_claim(began):
                break
    if more:
        ring(compare_mailbox, workspace_id, mailbox_id)


@shared_task(base=WorkspaceTask, name="outreach.sweep_mailbox")
def sweep_mailbox(workspace_id: str, mailbox_id: str) -> None:
    with _one_at_a_time("sweep", mailbox_id) as mailbox:
        if mailbox is not None:
            janitor.sweep(mailbox)


@shared_task(base=WorkspaceTask, name="outreach.finish_campaigns")
def finish_campaigns(workspace_id: str) -> None:
    with only_one("finish", workspace_id) as mine:
        if mine:
            campaigns.finish_idle()


@shared_task(base=WorkspaceTask, name="outreach.erase_mailbox")
def erase_mailbox(workspace_id: str, receipt_id: str) -> None:
    """The mail behind one receipt of the bin."""
    receipt = Receipt.objects.select_related("mailbox").filter(pk=receipt_id).first()
    if receipt is not None:
        erasure.erase_mailbox_mail(receipt)


# --- inside -------------------------------------------------------------------------------------------


def _send_of(mailbox_id: str, began: float) -> int:
    with _one_at_a_time("send", mailbox_id) as mailbox:
        if mailbox is None or not health.may_be_called(mailbox):
            return 0
        work = _Batch(mailbox, size=settings.BATCH_SIZE, began=began)
        work.look()
        lanes = _lanes(mailbox) if len(work.next) == A_LOOK else 1
        if lanes == 1:
            return work.run()
        with ThreadPoolExecutor(lanes, thread_name_prefix="send") as pool:
            running = [pool.submit(work.run_in_thread, current_workspace_id()) for _ in range(lanes)]
        return sum(lane.result() for lane in running)


class _Batch:
    """What the lanes of one mailbox share: the rows that come next, how many are left, when to stop."""

    def __init__(self, mailbox: Mailbox, *, size: int, began: float) -> None:
        self.mailbox = mailbox
        self.left = size
        self.sequence = _room(mailbox)
        self.lock = threading.Lock()
        self.next: list[claim.Hint] = []
        self.tried: set[uuid.UUID] = set()
        self.all_seen = self.over = False
        self.last_claim = _last_claim(began)
        self.last_submit = began + settings.WORKER_HARD_LIMIT_SECONDS - settings.HTTP_DEADLINE_SECONDS

    def run(self) -> int:
        done = 0
        while time.monotonic() < self.last_claim and not self.over:
            hint = self._take()
            if hint is None:
                break
            row = claim.claim(hint.id)
            if row is not None:
                done += 1
                if self._send(row) is not send.Sent.ACCEPTED and not health.may_be_called(self.mailbox):
                    # Asked to wait, or cut off, since the batch began: the rest keeps its place (F6).
                    self.over = True
        return done

    def run_in_thread(self, workspace_id: uuid.UUID) -> int:
        try:
            with workspace(workspace_id):
                return self.run()
        finally:
            connections.close_all()

    def look(self) -> None:
        """See what comes next, and whether somebody answered what it follows (F27)."""
        few = min(self.left, A_LOOK)
        found = claim.upcoming(self.mailbox, limit=few, most_of_sequences=self.sequence)
        self.next = [hint for hint in found if hint.id not in self.tried]
        self.all_seen = len(found) < min(few, max(self.sequence, 1))
        if any(hint.may_follow for hint in self.next) and not send.is_fresh(self.mailbox):
            reply.poll(self.mailbox)

    def _take(self) -> claim.Hint | None:
        """The next row to claim, of a few that are looked up together."""
        with self.lock:
            if self.left <= 0:
                return None
            if not self.next and not self.all_seen:
                self.look()
            if not self.next:
                return None
            hint = self.next.pop(0)
            self.tried.add(hint.id)
            self.left, self.sequence = self.left - 1, self.sequence - (not hint.at_once)
            return hint

    def _send(self, row: claim.Claimed) -> send.Sent | None:
        try:
            return send.send(row.id, row.fence, until=self.last_submit, message=row.message)
        except Exception:
            # One mail that cannot be worked on does not stop the others: its lease runs out, and the third
            # time it is quarantined (F23). A lost Disconnected or Retry would be a bug, not a state.
            log.exception("message %s was not finished", row.id)
            return None


def _last_claim(began: float) -> float:
    """No row is claimed that could not be finished within the worker's time, which began with the task."""
    return began + float(settings.WORKER_HARD_LIMIT_SECONDS) / 4


def _lanes(mailbox: Mailbox) -> int:
    """How many mails of this mailbox are worked on at once: each lane opens connections of its own."""
    if mailbox.provider == Provider.MICROSOFT:
        return 1  # One request in flight (providers.md 7.3).
    due = claim.claimable().filter(mailbox=mailbox).values_list("pk")[: settings.SEND_CONCURRENCY * A_LANE]
    return max(-(-len(due) // A_LANE), 1)


def _room(mailbox: Mailbox) -> int:
    """How many mails of sequences may leave in this batch: the cap, and one for each gap between two."""
    room = limits.room(mailbox)
    if room <= 0:
        claim.hold_at_cap(mailbox)
        return 0
    if settings.SEND_SPACING_SECONDS <= 0:
        return room
    free = mailbox.next_send_at is None or mailbox.next_send_at <= clock.now()
    return 1 if free else 0


def _worked_on(what: str, due: list[str]) -> set[str]:
    """Those whose mailbox a worker has in hand: it looks for more before it lets go, and needs no bell."""
    keys = {_key_of(one, pk): pk for pk in due for one in (what, "all")}
    try:
        return {keys[key] for key in cache.get_many(keys)}
    except RedisError:
        return set()


def _mailboxes_of(rows: Any) -> Iterable[uuid.UUID]:
    return [pk for pk in rows.order_by().values_list("mailbox_id", flat=True).distinct() if pk is not None]


@contextmanager
def _one_at_a_time(what: str, mailbox_id: str) -> Iterator[Mailbox | None]:
    """The mailbox, or None while another worker does the same. At Microsoft everything waits its turn."""
    mailbox = Mailbox.objects.filter(pk=mailbox_id).first()
    if mailbox is None:
        yield None
        return
    with only_one(_turn(what, mailbox), mailbox_id) as mine:
        yield mailbox if mine else None


def _turn(what: str, mailbox: Mailbox) -> str:
    return "all" if mailbox.provider == Provider.MICROSOFT else what


@contextmanager
def only_one(what: str, of: str) -> Iterator[bool]:
    """A key in Redis, held across the network and never longer than a lease; False if another has it.

    It only spares work. One that is lost or runs out harms nothing: claims, leases and fences are what keeps
    two workers apart. A session's lock in PostgreSQL would not get through a pooler.
    """
    key, mark = _key_of(what, of), uuid.uuid4().hex
    try:
        mine = cache.add(key, mark, timeout=settings.LEASE_SECONDS)
    except RedisError:
        mine = True  # Nobody answers who could say no.
    try:
        yield mine
    finally:
        try:
            if mine and cache.get(key) == mark:
                cache.delete(key)
        except RedisError:
            pass  # It runs out by itself.


def _key_of(what: str, of: str) -> str:
    return f"only-one:{what}:{of}"
