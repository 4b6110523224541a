"""A worker that does not die but freezes, and wakes when others have gone on (F18)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mailbox.providers import wire
from outreach.models import MessageState
from tests.grid.expected import PROVIDERS, Expected
from tests.grid.world import NUMBERS, Trial, World, another_process, armed

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
BOTH = pytest.mark.parametrize("provider", PROVIDERS)
SENT = Expected(True, MessageState.SENT, 1, "", 1)


def frozen(trial: Trial, point: str, meanwhile: Callable[[], object]) -> None:
    """One worker that gets as far as the point, waits there, and goes on when the others are done."""

    def freeze() -> None:
        another_process()
        trial.look()
        meanwhile()
        another_process()

    with armed(trial, point, freeze) as reached:
        trial.turn()
    assert reached[point] >= 1


@BOTH
@pytest.mark.parametrize(
    "point",
    ["after_claim", "before_draft_create", "after_draft_create", "after_draft_readback", "before_last_gate"],
)
def test_it_stops_where_another_has_taken_over(world: World, provider: str, point: str) -> None:
    """Frozen before the gate for longer than a lease: somebody else sends the mail."""
    trial = world.queue(provider)

    def meanwhile() -> None:
        trial.wait()
        assert trial.turn().state == MessageState.SENT

    frozen(trial, point, meanwhile)
    trial.run_to_rest()
    trial.judge.rest(SENT)


@BOTH
@pytest.mark.parametrize("answer", ["accept", "throttle", "refuse_permanent"])
def test_it_writes_nothing_with_an_answer_that_comes_too_late(
    world: World, provider: str, answer: str
) -> None:
    """Frozen with the answer in its hand: settle and another worker have the mail, and theirs counts."""
    trial = world.queue(provider)
    trial.plant(answer, times=1)
    frozen(trial, "after_accept", lambda: another_worker_loses_an_answer(trial))
    trial.run_to_rest()
    trial.judge.rest(SENT)


@BOTH
def test_it_does_not_write_behind_its_time(
    world: World, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen between the commit of `submitting` and the socket until settle has looked (rule 6)."""
    trial = world.queue(provider)
    clocks = Clocks()
    monkeypatch.setattr(wire, "time", clocks)

    def meanwhile() -> None:
        trial.wait(trial.row.settle_at)
        assert trial.settle().state == MessageState.DRAFTED
        clocks.offset = NUMBERS["SETTLE_SECONDS"]

    frozen(trial, "after_submitting_commit", meanwhile)
    assert world.providers.get("calls", mailbox=trial.address, op="send") == []
    clocks.offset = 0
    trial.run_to_rest()
    trial.judge.rest(SENT)


class Clocks:
    """The host's monotonic clock, which ran on while the worker did not."""

    def __init__(self) -> None:
        self.offset = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.offset


def another_worker_loses_an_answer(trial: Trial) -> None:
    """Settle judges, and where the draft was unused another worker sends it and hears nothing."""
    trial.wait(trial.row.settle_at)
    if trial.settle().state == MessageState.DRAFTED:
        trial.plant("accept_then_reset")
        assert trial.turn().state == MessageState.SUBMITTING
