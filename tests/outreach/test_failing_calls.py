"""A provider that drops some of its answers: each look comes further, and none is asked behind its "wait"."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts import clock
from mailbox.models import Mailbox, MailboxState
from outreach.models import Reply
from outreach.pipeline.reply import Polled
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.receiving import Sent, inbound, poll

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


def look(providers: Running, *, good: int, kind: str = "error_not_accepted", **more: object) -> Polled:
    """After so many good readings one goes wrong. The wait that follows is over at the next look."""
    clock.advance(dt.timedelta(minutes=5))
    providers.post("faults", op="get", kind=kind, skip=good, **more)
    told = poll()
    providers.post("faults/clear")
    return told


@BOTH
@pytest.mark.parametrize("kind", ["error_not_accepted", "accept_then_reset", "truncate"])
def test_each_look_comes_further_while_calls_fail(
    sent: Sent, providers: Running, provider: str, kind: str
) -> None:
    """Nine answers, and no look in which more than four readings go well: all or nothing would get none."""
    row = sent(provider)
    poll()
    for number in range(9):
        inbound(providers, row, text=f"Answer {number}")
    counts = [0]
    for _ in range(12):
        told = look(providers, good=4, kind=kind)
        counts.append(Reply.objects.count())
        if counts[-1] == 9:
            break
        assert told is Polled.WAITS
        assert Mailbox.objects.get().state == MailboxState.THROTTLED
    assert counts[-1] == 9
    assert len({reply.provider_index for reply in Reply.objects.all()}) == 9
    full = [call for call in providers.get("calls") if call["full_read"]]
    again = len(full) - len({call["message_ids"][0] for call in full})
    # One at a time may be asked for once more: the one whose reading failed.
    assert again <= len(counts)


@BOTH
def test_it_counts_as_looked_only_at_the_end(sent: Sent, providers: Running, provider: str) -> None:
    """F27: a follow-up waits for the rest of the inbox."""
    row = sent(provider)
    poll()
    before = Mailbox.objects.get().last_poll_at
    for _ in range(6):
        inbound(providers, row)
    assert look(providers, good=4) is Polled.WAITS
    assert Mailbox.objects.get().last_poll_at == before
    while Reply.objects.count() < 6:
        clock.advance(dt.timedelta(minutes=5))
        poll()
    clock.advance(dt.timedelta(minutes=5))
    poll()
    mailbox = Mailbox.objects.get()
    assert mailbox.last_poll_at is not None
    assert before is not None
    assert mailbox.last_poll_at > before


@BOTH
def test_it_asks_nothing_behind_a_429(sent: Sent, providers: Running, provider: str) -> None:
    """F6: what was read before the 429 is read again after its time."""
    row = sent(provider)
    poll()
    for _ in range(4):
        inbound(providers, row)
    calls = len(providers.get("calls"))
    assert look(providers, good=2, kind="throttle", retry_after="120") is Polled.WAITS
    made = providers.get("calls")[calls:]
    assert [call["status"] for call in made].index(429) == len(made) - 1
    clock.advance(dt.timedelta(minutes=5))
    while poll() is not Polled.DONE or Reply.objects.count() < 4:
        clock.advance(dt.timedelta(minutes=5))
    assert Reply.objects.count() == 4
