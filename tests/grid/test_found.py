"""What the grid has found on its way, kept as cases of their own."""

from __future__ import annotations

import pytest

from outreach import results
from outreach.models import MessageState, Thread
from outreach.pipeline import settle
from tests.factories import make_enrollment, make_thread
from tests.grid.expected import PROVIDERS
from tests.grid.world import World, armed

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_it_parks_a_mail_whose_conversation_nobody_knows(world: World) -> None:
    """F1, I3: Gmail was asked for a conversation without a name, and the mail stayed submitting for ever."""
    trial = world.queue("google")
    trial.plant("accept_then_reset")
    assert trial.turn().state == MessageState.SUBMITTING
    Thread.objects.update(provider_thread_id=None, provider_thread_index=None)
    trial.wait()
    row = trial.settle()
    # The sandbox takes our header off: a search finds the copy and cannot know it for ours.
    assert (row.state, row.reason) == (MessageState.DOUBT, settle.NO_TRACE)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_keeps_a_draft_whose_conversation_is_another_threads(world: World, provider: str) -> None:
    """The name is stored with the draft; one that is taken already may not cost the draft."""
    trial = world.queue(provider)
    assert trial.row.campaign is not None
    other = make_thread(make_enrollment(trial.row.campaign))

    def taken() -> None:
        (draft,) = world.providers.get("messages", mailbox=trial.address)
        results.name_thread(other, draft["thread"])

    with armed(trial, "after_draft_create", taken):
        assert trial.turn().state == MessageState.SENT
    thread = Thread.objects.get(pk=trial.row.thread_id)  # type: ignore[misc]
    assert thread.provider_thread_id is None
    calls = world.providers.get("calls", mailbox=trial.address, op="draft")
    assert len(calls) == 1
