"""Acts of people that change what is sent stand in the activity log, with what they are about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from outreach import campaigns, enrollments
from outreach.models import Enrollment, MessageState
from tests import factories

SignedIn = Callable[[User], Client]


def acts() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.exclude(action="workspace.created").order_by("at", "id")
    return [(row.action, row.object_kind, row.object_id) for row in rows]


def test_it_writes_down_people_put_in_and_taken_out(in_ws: Workspace, owner: User) -> None:
    campaign = factories.make_campaign(steps=(factories.FIRST_MAIL, factories.FOLLOW_UP))
    person = factories.make_contact("ana@kingfisher.example")
    campaigns.add_contacts(campaign, [person], actor=owner)
    campaigns.add_contacts(campaign, [person], actor=owner)
    enrollments.take_out(Enrollment.objects.get(), actor=owner)
    campaigns.remove_step(campaign.steps.get(position=2), actor=owner)
    about = str(campaign.pk)
    assert acts() == [
        ("campaign.people_added", "campaign", about),
        ("enrollment.removed", "campaign", about),
        ("campaign.step_removed", "campaign", about),
    ]
    assert not Enrollment.objects.exists()


@pytest.mark.parametrize("times", [1, 2])
def test_it_writes_down_a_conversation_that_waits_again_once(
    times: int, ws: Workspace, owner: User, signed_in: SignedIn
) -> None:
    browser = signed_in(owner)
    with workspace(ws):
        thread = factories.make_message(state=MessageState.SENT).thread
        assert thread is not None
    url = reverse("outreach:thread_done", kwargs={"slug": ws.slug, "pk": thread.pk})
    assert browser.post(url).status_code == 302
    for _ in range(times):
        assert browser.post(f"{url}?undo").status_code == 302
    with workspace(ws):
        assert acts() == [
            ("thread.done", "thread", str(thread.pk)),
            ("thread.reopened", "thread", str(thread.pk)),
        ]
