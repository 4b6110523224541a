"""What stops with a sequence: exactly what has not been handed over, and never an answer by a person here."""

from __future__ import annotations

import pytest

from accounts.models import Workspace
from outreach import sequences
from outreach.models import Enrollment, EnrollmentState, Message, MessageKind, MessageState
from outreach.models.messages import STOPPABLE
from tests.factories import make_campaign, make_enrollment, make_mailbox, make_message, make_thread

GOES_ON = [EnrollmentState.PLANNED, EnrollmentState.RUNNING, EnrollmentState.FINISHED]


@pytest.fixture
def enrollment(in_ws: Workspace) -> Enrollment:
    return make_enrollment(make_campaign(mailbox=make_mailbox()), state=EnrollmentState.RUNNING)


@pytest.mark.parametrize("state", MessageState.values)
def test_it_cancels_what_was_not_handed_over(enrollment: Enrollment, state: str) -> None:
    row = make_message(enrollment, state=state, draft_id="d1", fence=4)
    sequences.stop(enrollment, EnrollmentState.REPLIED, reason="replied")
    now = Message.objects.get(pk=row.pk)
    if state in STOPPABLE:
        assert (now.state, now.reason, now.fence) == (MessageState.CANCELLED, "replied", 5)
        assert now.draft_left
        assert now.ended_at is not None
    else:
        assert (now.state, now.fence, now.draft_left) == (state, 4, False)


def test_it_leaves_no_draft_to_throw_away_where_there_was_none(enrollment: Enrollment) -> None:
    row = make_message(enrollment, state=MessageState.QUEUED)
    sequences.stop(enrollment, EnrollmentState.BOUNCED, reason="bounced")
    assert not Message.objects.get(pk=row.pk).draft_left


def test_it_never_cancels_an_answer_by_a_person(enrollment: Enrollment) -> None:
    row = make_message(
        enrollment, state=MessageState.QUEUED, kind=MessageKind.ANSWER, thread=make_thread(enrollment)
    )
    sequences.stop(enrollment, EnrollmentState.REPLIED, reason="replied")
    assert Message.objects.get(pk=row.pk).state == MessageState.QUEUED


@pytest.mark.parametrize("state", EnrollmentState.values)
def test_it_ends_only_a_way_that_is_open(enrollment: Enrollment, state: str) -> None:
    Enrollment.objects.update(state=state, reason="before")
    open_still = state in GOES_ON
    assert sequences.stop(enrollment, EnrollmentState.BOUNCED, reason="bounced") is open_still
    enrollment.refresh_from_db()
    wanted = (EnrollmentState.BOUNCED, "bounced") if open_still else (state, "before")
    assert (enrollment.state, enrollment.reason) == wanted
