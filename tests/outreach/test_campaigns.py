"""What a person does with a campaign, and what it does to its mails."""

from __future__ import annotations

import pytest

from accounts.models import AuditEvent, User, Workspace
from outreach import campaigns, enrollments
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Project,
    Reply,
    Step,
    Thread,
)
from outreach.pipeline import compose
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_contact,
    make_enrollment,
    make_message,
    make_reply,
)


def running(people: int = 2) -> Campaign:
    campaign = make_campaign(steps=[FIRST_MAIL, FOLLOW_UP], contacts=[make_contact() for _ in range(people)])
    compose.launch(campaign, actor=None)
    campaign.refresh_from_db()
    return campaign


def test_it_pauses_and_resumes_and_says_who_did(in_ws: Workspace, owner: User) -> None:
    campaign = running()
    assert campaigns.pause(campaign, actor=owner, reason="by_hand")
    assert campaign.state == CampaignState.PAUSED
    assert not campaigns.pause(campaign, actor=owner)
    assert campaigns.resume(campaign, actor=owner)
    assert campaign.state == CampaignState.RUNNING
    assert not campaigns.resume(campaign, actor=owner)
    assert (
        AuditEvent.objects.filter(action__in=["campaign.paused", "campaign.resumed"], actor=owner).count()
        == 2
    )
    assert Message.objects.filter(state=MessageState.PLANNED).count() == 2


def test_it_cancels_what_waits_and_leaves_what_went(in_ws: Workspace, owner: User) -> None:
    campaign = running()
    gone = Message.objects.first()
    assert gone is not None
    Message.objects.filter(pk=gone.pk).update(state=MessageState.SUBMITTING)
    assert campaigns.cancel(campaign, actor=owner) == 1
    assert campaigns.cancel(campaign, actor=owner) == 0
    assert Message.objects.filter(state=MessageState.SUBMITTING).count() == 1
    assert set(campaign.enrollments.values_list("state", flat=True)) == {EnrollmentState.CANCELLED}


def test_it_copies_text_and_settings_to_a_new_draft(in_ws: Workspace, owner: User) -> None:
    campaign = running()
    copy = campaigns.duplicate(campaign, actor=owner, with_people=True)
    assert copy.state == CampaignState.DRAFT
    assert [step.body for step in copy.steps.all()] == [step.body for step in campaign.steps.all()]
    assert copy.enrollments.count() == 2
    assert not copy.messages.exists()


def test_it_deletes_a_campaign_with_its_mail(in_ws: Workspace, owner: User) -> None:
    message = make_message(state=MessageState.SENT)
    make_reply(message)
    other = make_message(state=MessageState.SENT)
    campaign = message.campaign
    assert campaign is not None
    campaigns.delete(campaign, actor=owner)
    assert list(Message.objects.all()) == [other]
    assert Thread.objects.count() == 1
    assert not Reply.objects.exists()
    assert Contact.objects.count() == 2


def test_it_deletes_a_project_with_everything_in_it(in_ws: Workspace, owner: User) -> None:
    message = make_message(state=MessageState.SENT)
    make_reply(message)
    campaigns.delete_project(message.project, actor=owner)
    for model in (Project, Campaign, Step, Enrollment, Message, Thread, Reply):
        assert not model.objects.exists()
    assert Contact.objects.count() == 1


def test_it_saves_steps_clean_and_in_order(in_ws: Workspace) -> None:
    campaign = make_campaign(steps=[])
    step = campaigns.save_step(
        campaign, 1, subject="Hi\r\nBcc: x@y.example", body='<p onclick="x">Hi</p><script>1</script>'
    )
    assert step.subject == "Hi Bcc: x@y.example"
    assert step.body == "<p>Hi</p>"
    with pytest.raises(campaigns.NotAllowed):
        campaigns.save_step(campaign, 3, subject="", body="x")
    campaigns.save_step(campaign, 2, subject="not kept", body="<p>x</p>", wait_days=7)
    follow_up = campaign.steps.get(position=2)
    assert (follow_up.subject, follow_up.wait_days) == ("", 7)
    for position in range(3, 11):
        campaigns.save_step(campaign, position, subject="", body="x")
    with pytest.raises(campaigns.NotAllowed):
        campaigns.save_step(campaign, 11, subject="", body="x")


def test_it_asks_a_site_three_times_at_most(in_ws: Workspace) -> None:
    requests = make_campaign(steps=[("Hi", "x")] * 3, kind=CampaignKind.REMOVAL)
    with pytest.raises(campaigns.NotAllowed, match="at most 3 steps"):
        campaigns.save_step(requests, 4, subject="", body="x")


def test_it_edits_only_what_no_worker_holds(in_ws: Workspace, owner: User) -> None:
    campaign = make_campaign(state=CampaignState.RUNNING)
    rows = {
        state: make_message(make_enrollment(campaign, state=EnrollmentState.RUNNING), state=state)
        for state in (MessageState.QUEUED, MessageState.DEFERRED, MessageState.CLAIMED, MessageState.SENT)
    }
    held = make_message(make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.DEFERRED)
    held.draft_id = "draft-1"
    held.save()
    campaigns.save_step(campaign, 1, subject="New", body="<p>New</p>", actor=owner)
    after = {state: Message.objects.get(pk=row.pk).state for state, row in rows.items()}
    assert after == {
        MessageState.QUEUED: MessageState.PLANNED,
        MessageState.DEFERRED: MessageState.PLANNED,
        MessageState.CLAIMED: MessageState.CLAIMED,
        MessageState.SENT: MessageState.SENT,
    }
    held.refresh_from_db()
    assert (held.state, held.text) == (MessageState.DEFERRED, "Hello")


def test_it_takes_only_an_unsent_last_step_out(in_ws: Workspace) -> None:
    campaign = running(1)
    first, second = campaign.steps.all()
    with pytest.raises(campaigns.NotAllowed):
        campaigns.remove_step(first)
    row = make_message(campaign.enrollments.get(), position=2, state=MessageState.SENT)
    with pytest.raises(campaigns.NotAllowed):
        campaigns.remove_step(second)
    assert Message.objects.get(pk=row.pk).state == MessageState.SENT
    Message.objects.filter(pk=row.pk).update(state=MessageState.PLANNED)
    campaigns.remove_step(second)
    assert not Message.objects.filter(pk=row.pk).exists()
    with pytest.raises(campaigns.NotAllowed):
        campaigns.remove_step(first)


def test_it_finishes_who_waited_for_a_step_that_is_taken_out(in_ws: Workspace) -> None:
    """They stayed under way with nothing ahead, and their campaign never finished."""
    campaign = running(1)
    person = campaign.enrollments.get()
    Enrollment.objects.filter(pk=person.pk).update(state=EnrollmentState.RUNNING)
    Message.objects.filter(enrollment=person).update(state=MessageState.SENT)
    make_message(person, position=2)
    campaigns.remove_step(campaign.steps.get(position=2))
    person.refresh_from_db()
    assert (person.state, person.reason) == (EnrollmentState.FINISHED, "all_accepted")
    assert campaigns.finish_idle() == 1


def test_it_adds_people_once_and_plans_newcomers_of_a_running_campaign(in_ws: Workspace) -> None:
    draft = make_campaign()
    someone = make_contact()
    assert campaigns.add_contacts(draft, [someone, someone]) == campaigns.Added(1, 0)
    assert campaigns.add_contacts(draft, [someone]) == campaigns.Added(0, 1)
    assert not Message.objects.exists()
    campaign = running()
    fine, german = make_contact(), make_contact(country="DE")
    assert campaigns.add_contacts(campaign, [fine, german]) == campaigns.Added(2, 0, held_back=1)
    assert Message.objects.filter(contact=fine).exists()
    assert not Message.objects.filter(contact=german).exists()
    assert campaigns.add_contacts(campaign, [make_contact(country="DE")]).held_back == 1


def test_it_takes_a_person_out(in_ws: Workspace, owner: User) -> None:
    draft = make_campaign(contacts=[make_contact()])
    enrollments.take_out(draft.enrollments.get(), actor=owner)
    assert not draft.enrollments.exists()
    campaign = running(1)
    row = campaign.enrollments.get()
    enrollments.take_out(row, actor=owner)
    row.refresh_from_db()
    assert row.state == EnrollmentState.CANCELLED
    assert Message.objects.get().state == MessageState.CANCELLED


@pytest.mark.parametrize(
    ("message", "enrollment", "finished"),
    [
        (MessageState.SENT, EnrollmentState.FINISHED, 1),
        (MessageState.CANCELLED, EnrollmentState.REPLIED, 1),
        (MessageState.DOUBT, EnrollmentState.FINISHED, 0),
        (MessageState.QUEUED, EnrollmentState.RUNNING, 0),
        (MessageState.SENT, EnrollmentState.RUNNING, 0),
    ],
)
def test_it_finishes_when_nothing_is_left(
    in_ws: Workspace, message: str, enrollment: str, finished: int
) -> None:
    campaign = make_campaign(state=CampaignState.RUNNING)
    make_message(make_enrollment(campaign, state=enrollment), state=message)
    assert campaigns.finish_idle() == finished
    campaign.refresh_from_db()
    assert (campaign.state == CampaignState.FINISHED) is bool(finished)


def test_it_changes_nothing_in_a_cancelled_campaign(in_ws: Workspace) -> None:
    campaign = make_campaign(state=CampaignState.CANCELLED)
    with pytest.raises(campaigns.NotAllowed):
        campaigns.save_step(campaign, 1, subject="x", body="x")
    with pytest.raises(campaigns.NotAllowed):
        campaigns.add_contacts(campaign, [make_contact()])
