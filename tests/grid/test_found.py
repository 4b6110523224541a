"""What the grid has found on its way, kept as cases of their own."""

from __future__ import annotations

import pytest

from outreach.models import MessageState, Thread
from outreach.pipeline import settle
from tests.grid.world import World

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
