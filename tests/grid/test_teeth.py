"""The judge is not blind: with a violation planted, cases of the grid turn red (decisions 27)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.db.models import QuerySet

from mailbox import gateway, limits
from mailbox.types import Verdict
from outreach.models import Message, MessageState
from outreach.pipeline import janitor, send, settle
from tests.grid.conftest import judged
from tests.grid.expected import BEFORE_THE_WRITE, BEHIND_THE_WRITE, PROVIDERS, Case, Expected, every_case
from tests.grid.test_zombies import another_worker_loses_an_answer, frozen
from tests.grid.world import World

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
BOTH = pytest.mark.parametrize("provider", PROVIDERS)


def test_it_has_all_cases() -> None:
    halves = (BEFORE_THE_WRITE, BEHIND_THE_WRITE)
    cases = [case for half in halves for provider in PROVIDERS for case in every_case(provider, half)]
    assert len(cases) == len(set(cases)) == 672


@BOTH
def test_it_sees_that_nobody_asks_for_the_fence(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No fence: a zombie's refusal overwrites the mail that another worker has handed over (F18)."""

    def move(row: Message, to: MessageState, *, fence: int, was: Any = None, **values: Any) -> bool:
        rows = Message.objects.filter(pk=row.pk)
        rows = rows if was is None else rows.filter(state__in=was)
        return rows.update(state=to, **values) == 1

    monkeypatch.setattr(Message, "move", move)
    trial = world.queue(provider)
    trial.plant("refuse_permanent", times=1)
    with pytest.raises(AssertionError, match="wrongly not sent: refused"):
        frozen(trial, "after_accept", lambda: another_worker_loses_an_answer(trial))


def taken_late(world: World, mails: int) -> None:
    """The provider takes a mail late, and settle is asked at once (F5); `mails` leave in all."""
    # For once it never moves what it took: a draft that is looked at twice can be sent twice (4.2).
    world.providers.post("settings", move_lag=10_000_000)
    try:
        trial = world.queue("microsoft")
        trial.plant("accept_after", after=5)
        trial.turn()
        trial.turn()
        world.pass_time(30)
        world.providers.wait(lambda: len(trial.judge.ledger()) == mails)
        trial.look()
    finally:
        world.for_ever = world.pending()
        world.providers.post("settings", profile="hostile")


def test_it_sees_that_settle_does_not_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settle: a draft that is still a draft is taken for unused, and two mails leave."""
    taken_late(world, 1)

    def unsettled() -> QuerySet[Message]:
        rows: QuerySet[Message] = Message.objects.filter(state=MessageState.SUBMITTING)
        return rows

    monkeypatch.setattr(settle, "unsettled", unsettled)
    with pytest.raises(AssertionError, match="duplicate: 2 accepted"):
        taken_late(world, 2)


@BOTH
def test_it_sees_that_a_404_is_trusted(world: World, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """404 taken for sent: the user had deleted the draft, and nothing ever left (rule 8)."""
    honest = gateway.outcome

    def trusting(*args: Any, **named: Any) -> Any:
        found = honest(*args, **named)
        return dataclasses.replace(found, verdict=Verdict.SENT) if found.verdict is Verdict.MISSING else found

    monkeypatch.setattr(gateway, "outcome", trusting)
    with pytest.raises(AssertionError, match="wrongly sent"):
        judged(world, Case("after_draft_create", "accept", provider, "after_settle"))


@BOTH
def test_it_sees_a_place_of_the_cap_that_is_lost(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "give_back", lambda key: None)
    with pytest.raises(AssertionError, match="places in the cap for a mail that is deferred"):
        judged(world, Case("after_claim", "throttle", provider, "first"))


@BOTH
def test_it_sees_a_draft_that_is_left(world: World, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F3: the worker dies between making a draft and storing its id, and nobody looks for it."""
    monkeypatch.setattr(janitor, "sweep", lambda mailbox: 0)
    with pytest.raises(AssertionError, match="1 drafts lie"):
        judged(world, Case("after_draft_create", "accept", provider, "first"))


def test_it_sees_a_place_where_nobody_dies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "failpoint", lambda name: None)
    with pytest.raises(AssertionError, match="before_last_gate was reached 0 times"):
        judged(world, Case("before_last_gate", "accept", "google", "first"))


def test_it_sees_another_end_than_expected(world: World) -> None:
    trial = world.queue("google")
    trial.run_to_rest()
    with pytest.raises(AssertionError, match="in place of"):
        trial.judge.rest(Expected(False, "refused", 0, "bad_message", 0))
