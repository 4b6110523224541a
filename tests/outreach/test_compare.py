"""Every conversation beside the provider's each night, and a gap that heals itself."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable

import pytest
from django.db.models import F

from accounts import clock
from accounts.clock import Now
from accounts.models import Workspace
from mailbox import gateway
from mailbox.models import Mailbox, MailboxState
from outreach import tasks
from outreach.models import Comparison, Enrollment, EnrollmentState, PassedOver, Reply
from outreach.pipeline import compare
from outreach.pipeline.compare import Compared
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now
from tests.outreach.receiving import Sent, inbound, poll
from tests.outreach.test_reply import report_about

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


def compare_all() -> Comparison:
    while compare.go_on(Mailbox.objects.get()) is Compared.MORE:
        pass
    return Comparison.objects.latest("started_at")


def lose(providers: Running) -> None:
    """A cursor that jumped: no poll behind it sees what came before, as after a provider's fault."""
    box = Mailbox.objects.get()
    later = gateway.headers_since(box, None).cursor
    box.cursor = str(later)
    box.save(update_fields=["cursor"])
    Mailbox.objects.update(last_poll_at=Now() + dt.timedelta(minutes=10))


@BOTH
def test_it_finds_nothing_missing_where_polls_saw_everything(
    sent: Sent, providers: Running, provider: str
) -> None:
    row = sent(provider)
    inbound(providers, row)
    providers.wait(lambda: poll() and Reply.objects.exists())
    reads = Mailbox.objects.get().full_reads
    found = compare_all()
    assert (found.threads, found.missing) == (1, 0)
    assert found.finished_at is not None
    assert Mailbox.objects.get().full_reads == reads


@BOTH
def test_it_heals_a_gap_and_admits_it(sent: Sent, providers: Running, provider: str) -> None:
    row = sent(provider)
    poll()
    inbound(providers, row)
    lose(providers)
    poll()
    assert not Reply.objects.exists()
    Mailbox.objects.update(last_poll_at=Now() + dt.timedelta(minutes=10))
    found = compare_all()
    assert (found.threads, found.missing) == (1, 1)
    assert Reply.objects.get().text == "Thank you, tell me more."
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED
    assert compare_all().missing == 0
    assert Reply.objects.count() == 1


def test_a_mail_on_its_way_is_no_gap(sent: Sent, providers: Running) -> None:
    """It came behind the last poll: the comparison may fetch it, and nothing was missed."""
    row = sent("google")
    poll()
    inbound(providers, row)
    found = compare_all()
    assert (Reply.objects.count(), found.missing) == (1, 0)


def test_it_reads_what_is_not_ours_once(sent: Sent, providers: Running) -> None:
    """A report in our conversation about somebody else: read to find out, and never again."""
    row = sent("google")
    assert row.thread is not None
    raw = base64.b64encode(report_about("victim@elsewhere.example")).decode()
    providers.post("inbound", email="maya@studio.example", raw=raw, thread=row.thread.provider_thread_id)
    compare_all()
    assert (PassedOver.objects.count(), Mailbox.objects.get().full_reads) == (1, 1)
    compare_all()
    Mailbox.objects.update(cursor=None)
    poll()
    assert (Reply.objects.count(), Mailbox.objects.get().full_reads) == (0, 1)


def test_it_goes_on_where_it_stopped(
    queue: Queue, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = queue("google", *[f"ana{number}.silent@site.example" for number in range(5)])
    for row in rows:
        send_now(row)
    monkeypatch.setattr(compare, "SLICE", 2)
    box = Mailbox.objects.get()
    assert compare.go_on(box) is Compared.MORE
    assert Comparison.objects.get().threads == 2
    providers.post("faults", mailbox="*", op="any", kind="error_not_accepted", times=1)
    assert compare.go_on(box) is Compared.WAITS
    assert Comparison.objects.get().threads == 2
    Mailbox.objects.update(state=MailboxState.CONNECTED, throttled_until=None)
    assert compare_all().threads == 5
    assert Comparison.objects.count() == 1


def test_it_keeps_thirty(sent: Sent) -> None:
    sent("google")
    for _ in range(compare.MOST_KEPT + 2):
        compare_all()
    assert Comparison.objects.count() == compare.MOST_KEPT


def test_it_is_due_once_a_night(sent: Sent) -> None:
    sent("google")
    assert [box.pk for box in compare.due()] == [Mailbox.objects.get().pk]
    compare_all()
    assert compare.due() == []
    Comparison.objects.update(started_at=F("started_at") - dt.timedelta(days=1))
    assert len(compare.due()) == 1
    compare.begin(Mailbox.objects.get())
    assert len(compare.due()) == 1


def test_it_is_due_for_no_mailbox_without_conversations(connected: Callable[..., Mailbox]) -> None:
    connected("google")
    assert compare.due() == []


def test_the_beat_compares(sent: Sent, at_once: object, in_ws: Workspace) -> None:
    sent("google")
    tasks.wake_comparisons()
    found = Comparison.objects.get()
    assert (found.threads, found.finished_at is not None) == (1, True)
    assert found.started_at <= clock.now()


def test_it_gives_way_to_a_poll_and_holds_none_up(sent: Sent, providers: Running) -> None:
    """What it finds may move the cursor, so it stores nothing while a poll is under way."""
    row = sent("google")
    poll()
    compare_all()
    assert Mailbox.objects.get().poll_lease_until is None
    inbound(providers, row)
    Mailbox.objects.update(poll_lease_until=clock.now() + dt.timedelta(minutes=1))
    assert compare.go_on(Mailbox.objects.get()) is Compared.WAITS
    assert (Reply.objects.count(), Mailbox.objects.get().full_reads) == (0, 0)
    Mailbox.objects.update(poll_lease_until=None)
    compare_all()
    assert Reply.objects.count() == 1
    assert Mailbox.objects.get().poll_lease_until is None
