"""The bin: everything on our side in one transaction, then at most Google's revoke."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connections

from accounts.models import AuditEvent, User
from accounts.tenancy import workspace
from mailbox import oauth
from mailbox.errors import Disconnected
from mailbox.models import Credential, Mailbox, MailboxState, Receipt, ReceiptStep, StepState
from mailbox.revocation import close_forgotten, revoke
from mailbox.signals import mailbox_changed
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
Connected = Callable[..., Mailbox]


@pytest.fixture(autouse=True)
def _revokes_end_with_the_test(providers: Running, transactional_db: None) -> Iterator[None]:
    """Google's revoke runs on a thread of its own; it may not outlive the test's database."""
    yield
    for thread in threading.enumerate():
        if thread.name == "revoke":
            thread.join(20)


def states() -> dict[str, str]:
    return {step.code: step.state for step in ReceiptStep.objects.all()}


def ops(providers: Running, row: Mailbox) -> list[str]:
    return [f"{call['method']} {call['path']}" for call in providers.get("calls", mailbox=str(row.address))]


def test_it_ends_everything_and_asks_google_once(
    connected: Connected, providers: Running, owner: User
) -> None:
    row = connected("google")
    oauth.access(row)
    before = len(ops(providers, row))
    receipt = revoke(row, actor=owner)
    assert not Credential.objects.exists()
    row.refresh_from_db()
    assert (row.state, row.generation, row.cursor) == (MailboxState.REVOKED, 2, None)
    providers.wait(lambda: states()["provider"] == StepState.DONE)
    assert ops(providers, row)[before:] == ["POST /google/revoke"]
    assert providers.get("grants", email=str(row.address)) == {"living": 0}
    assert states() | {"mail": ""} == {
        "stopped": "done",
        "token": "done",
        "watch": "done",
        "queue": "done",
        "unclear": "done",
        "mail": "",
        "provider": "done",
    }
    assert receipt.actor == owner
    assert AuditEvent.objects.filter(action="mailbox.revoked", actor=owner).count() == 1


def test_it_makes_no_call_to_microsoft_and_leaves_that_step_to_the_person(
    connected: Connected, providers: Running, owner: User
) -> None:
    row = connected("microsoft")
    before = len(ops(providers, row))
    revoke(row, actor=owner)
    time.sleep(0.5)
    assert len(ops(providers, row)) == before
    step = ReceiptStep.objects.get(code="provider")
    assert (step.state, step.link) == (StepState.YOUR_TURN, "https://myapps.microsoft.com/")
    assert "no call that ends one app" in str(step.sentence)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_refuses_every_token_after_the_commit(
    provider: str, connected: Connected, providers: Running, owner: User
) -> None:
    """F14: also for somebody who loaded the mailbox before."""
    row = connected(provider)
    held = Mailbox.objects.get(pk=row.pk)
    revoke(row, actor=owner)
    with pytest.raises(Disconnected):
        oauth.access(held)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_stores_no_token_that_arrives_behind_the_bin(
    provider: str, connected: Connected, providers: Running, owner: User
) -> None:
    """A refresh that was under way ends with nothing stored and nothing handed out."""
    row = connected(provider)
    Credential.objects.update(access_token=None)
    providers.post("faults", mailbox=str(row.address), op="token", kind="hang", seconds=1.5, times=1)
    ended: list[object] = []

    def ask() -> None:
        try:
            with workspace(row.workspace_id):
                ended.append(oauth.access(row))
        except Exception as problem:  # noqa: BLE001 (whatever comes is looked at below)
            ended.append(problem)
        finally:
            connections.close_all()

    asking = threading.Thread(target=ask)
    asking.start()
    providers.wait(lambda: Credential.objects.filter(refresh_lease__isnull=False).exists())
    revoke(row, actor=owner)
    asking.join()
    assert isinstance(ended[0], Exception)
    assert not Credential.objects.exists()


def test_it_gives_the_first_receipt_at_a_second_press(
    connected: Connected, providers: Running, owner: User
) -> None:
    row = connected("google")
    first = revoke(row, actor=owner)
    assert revoke(row, actor=owner).pk == first.pk
    assert Receipt.objects.count() == 1


def test_it_revokes_once_under_many_hands(connected: Connected, providers: Running, owner: User) -> None:
    row = connected("google")

    def press() -> None:
        try:
            with workspace(row.workspace_id):
                revoke(row, actor=owner)
        finally:
            connections.close_all()

    hands = [threading.Thread(target=press) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert Receipt.objects.count() == 1
    assert Mailbox.objects.get().generation == 2
    providers.wait(lambda: states()["provider"] == StepState.DONE)
    assert ops(providers, row) == ["POST /google/revoke"]


def test_it_works_while_google_is_out_of_reach(
    connected: Connected, providers: Running, owner: User, settings: object
) -> None:
    settings.GOOGLE_REVOKE_URI = "http://localhost:1/revoke"  # type: ignore[attr-defined]
    row = connected("google")
    began = time.monotonic()
    revoke(row, actor=owner)
    assert time.monotonic() - began < 2
    assert not Credential.objects.exists()
    providers.wait(lambda: states()["provider"] == StepState.YOUR_TURN, 20)
    step = ReceiptStep.objects.get(code="provider")
    assert step.link == "https://myaccount.google.com/connections"
    assert "did not confirm" in str(step.sentence)


def test_it_counts_a_grant_that_was_over_as_over(
    connected: Connected, providers: Running, owner: User
) -> None:
    row = connected("google")
    providers.post("revoke_grant", email=str(row.address))
    revoke(row, actor=owner)
    providers.wait(lambda: states()["provider"] == StepState.DONE)


def test_it_rolls_everything_back_when_a_listener_fails(
    connected: Connected, providers: Running, owner: User
) -> None:
    """Stop and consequences stand or fall together."""
    row = connected("google")

    def fail(**_: object) -> None:
        raise ValueError("planted")

    mailbox_changed.connect(fail)
    try:
        with pytest.raises(ValueError, match="planted"):
            revoke(row, actor=owner)
    finally:
        mailbox_changed.disconnect(fail)
    row.refresh_from_db()
    assert (row.state, row.generation) == (MailboxState.CONNECTED, 1)
    assert Credential.objects.exists()
    assert not Receipt.objects.exists()
    time.sleep(0.3)
    assert ops(providers, row) == []


def test_it_keeps_no_project_of_google(connected: Connected, providers: Running, owner: User) -> None:
    row = connected("google")
    assert revoke(row, actor=owner, kept_projects=["0190"]).kept_projects == []


def test_it_hands_a_forgotten_revoke_to_the_person(
    connected: Connected, providers: Running, owner: User, later: Callable[..., None]
) -> None:
    """The process ended before Google answered: the token died with it."""
    row = connected("google")
    revoke(row, actor=owner)
    providers.wait(lambda: states()["provider"] == StepState.DONE)
    ReceiptStep.objects.filter(code="provider").update(state=StepState.DOING)
    assert close_forgotten() == 0
    later(seconds=61)
    assert close_forgotten() == 1
    assert states()["provider"] == StepState.YOUR_TURN


def test_it_bins_a_broken_mailbox_too(connected: Connected, providers: Running, owner: User) -> None:
    row = connected("google")
    Mailbox.objects.update(state=MailboxState.BROKEN)
    revoke(row, actor=owner)
    assert not Credential.objects.exists()
    providers.wait(lambda: states()["provider"] == StepState.DONE)
