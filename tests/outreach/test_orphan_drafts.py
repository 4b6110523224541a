"""Drafts whose answer was lost, so that no row names them: the janitor finds them by our key (F3)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings

from mailbox.models import Mailbox
from outreach.models import Message, MessageState
from outreach.pipeline import janitor, reply
from outreach.pipeline.send import Sent
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
LOST = pytest.mark.parametrize("kind", ["accept_then_reset", "error_but_accepted"])
TO = "ana.silent@site.example"
Later = Callable[..., None]


def drafts(providers: Running) -> list[str]:
    lying = providers.get("messages", mailbox=str(Mailbox.objects.get().address))
    return [one["id"] for one in lying if one["folder"] == "drafts"]


def swept(later: Later) -> int:
    later(seconds=settings.LEASE_SECONDS * janitor.ORPHAN_AGE_LEASES + 1)
    return janitor.sweep(Mailbox.objects.get())


@BOTH
@LOST
def test_it_throws_a_draft_away_whose_answer_was_lost(
    queue: Queue, providers: Running, provider: str, kind: str, later: Later
) -> None:
    (row,) = queue(provider, TO)
    providers.post("faults", mailbox="*", op="draft", kind=kind)
    assert send_now(row) is Sent.WAITS
    row.refresh_from_db()
    assert (row.draft_id, row.draft_unclear_at is not None) == (None, True)
    assert len(drafts(providers)) == 1
    assert swept(later) == 1
    row.refresh_from_db()
    assert (drafts(providers), row.draft_unclear_at) == ([], None)


@BOTH
@LOST
def test_it_throws_an_answer_in_a_thread_away_that_is_not_ours_to_see_yet(
    queue: Queue, providers: Running, provider: str, kind: str, later: Later
) -> None:
    """At Microsoft such a draft is made in two calls, and carries no property of ours between them."""
    (row,) = queue(provider, TO, steps=(FIRST_MAIL, FOLLOW_UP))
    assert send_now(row) is Sent.ACCEPTED
    following = Message.objects.get(step__position=2)
    following.text, following.subject, following.state = "Hello", f"Re: {row.subject}", MessageState.QUEUED
    following.due_at = following.created_at
    following.save()
    reply.poll(Mailbox.objects.get())
    providers.post("faults", mailbox="*", op="draft", kind=kind)
    assert send_now(following) is Sent.WAITS
    assert len(drafts(providers)) == 1
    assert swept(later) == 1
    assert drafts(providers) == []


def test_it_leaves_the_owner_their_own_draft_in_the_thread(
    queue: Queue, providers: Running, later: Later
) -> None:
    (row,) = queue("microsoft", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    assert send_now(row) is Sent.ACCEPTED
    row.refresh_from_db()
    mailbox, thread = Mailbox.objects.get(), row.thread
    assert thread is not None
    providers.post(
        "inbound", email=mailbox.address, folder="drafts", thread=thread.provider_thread_id, subject="Mine",
        text="My own answer", **{"from": mailbox.address},
    )  # fmt: skip
    Message.objects.filter(pk=row.pk).update(draft_unclear_at=row.created_at)
    assert swept(later) == 0
    assert len(drafts(providers)) == 1
