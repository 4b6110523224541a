"""A connection that the provider ended: said once, nothing lost, and resumed without a double (F13, F46)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core import mail
from django.db.models import QuerySet
from django.test import Client

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox.models import Mailbox, MailboxState
from outreach import mailbox_words, tasks
from outreach.models import Message, MessageState, Reply
from outreach.pipeline import reply
from tests.factories import FIRST_MAIL, make_campaign
from tests.mailbox.consenting import arrive, begin, connect, decide, press
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import queued, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
EMAIL = "mira@fernhill.example"
pytestmark = pytest.mark.django_db(transaction=True)


def poll_until_broken() -> None:
    for _ in range(3):
        Mailbox.objects.filter(state=MailboxState.THROTTLED).update(
            state=MailboxState.CONNECTED, throttled_until=None
        )
        reply.poll(Mailbox.objects.get())
    assert Mailbox.objects.get().state == MailboxState.BROKEN


def turn() -> None:
    tasks.wake_senders()
    tasks.wake_pollers()


def sent_by_turns(rows: QuerySet[Message]) -> Callable[[], bool]:
    def look() -> bool:
        turn()
        return not rows.exclude(state=MessageState.SENT).exists()

    return look


@BOTH
def test_it_holds_the_queue_tells_once_and_resumes(
    provider: str,
    ws: Workspace,
    owner: User,
    signed_in: Callable[[User], Client],
    providers: Running,
    at_once: object,
) -> None:
    client = signed_in(owner)
    connect(client, ws, provider, EMAIL)
    with workspace(ws):
        box = Mailbox.objects.get()
        campaign = make_campaign(mailbox=box, steps=(FIRST_MAIL,), state="running")
        first = queued(campaign, "ana.silent@site.example")
        send_now(first)
        others = [queued(campaign, f"{name}.silent@site.example") for name in ("ben", "cleo")]
        providers.post("revoke_grant", email=EMAIL)
        providers.post("expire_access", email=EMAIL)
        mail.outbox.clear()
        poll_until_broken()
        turn()
        turn()
        waiting = Message.objects.filter(pk__in=[row.pk for row in others])
        assert {row.state for row in waiting} <= {MessageState.QUEUED, MessageState.DEFERRED}
    told = [one for one in mail.outbox if "needs reconnecting" in one.subject]
    assert [one.to for one in told] == [[owner.email]]
    assert "none is lost" in told[0].body
    page = client.get(f"/w/{ws.slug}/mailboxes/").content.decode()
    assert "Needs reconnecting" in page
    # What comes meanwhile is found behind the reconnect: the cursor survives it.
    with workspace(ws):
        first.refresh_from_db()
        reference = first.rfc_message_id
    providers.post(
        "inbound", email=EMAIL, reply_to=reference, text="Yes.", subject="Re: Your hut table",
        **{"from": "ana.silent@site.example"},
    )  # fmt: skip
    press(
        client,
        ws,
        arrive(client, provider, decide(begin(client, ws, provider, again=str(box.pk)), email=EMAIL)),
    )
    with workspace(ws):
        assert Mailbox.objects.get().state == MailboxState.CONNECTED
        Message.objects.filter(state=MessageState.DEFERRED).update(not_before=None, state=MessageState.QUEUED)
        providers.wait(sent_by_turns(waiting), 30)
        assert providers.wait(lambda: reply.poll(Mailbox.objects.get()) and Reply.objects.count() == 1, 15)
    assert len(providers.get("ledger")) == 3


@pytest.mark.parametrize("reason", sorted(mailbox_words.REASONS))
def test_it_says_what_happened_and_what_to_do(in_ws: Workspace, reason: str) -> None:
    sentence = mailbox_words.reason_sentence(Mailbox(provider="google", state_reason=reason))
    happened, _, to_do = sentence.partition(". ")
    assert "Google" in sentence or "owner" in happened
    assert to_do.strip(), f"{reason} does not say what to do"
