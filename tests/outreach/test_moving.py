"""People go to another campaign: who may come there, who stays and why, and back again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import clock
from accounts.models import AuditEvent, Membership, User, Workspace
from outreach import campaigns, moving
from outreach.models import (
    Campaign,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    ProjectAccess,
)
from tests import factories
from tests.factories import FIRST_MAIL, FOLLOW_UP

pytestmark = pytest.mark.django_db
ANA, BO, CY = "ana@ridge.example", "bo@moor.example", "cy@fen.example"


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def here(in_ws: Workspace) -> Campaign:
    """Three people wait for their first mail."""
    row = factories.make_campaign(name="Spring", steps=(FIRST_MAIL, FOLLOW_UP), state=CampaignState.RUNNING)
    for address in (ANA, BO, CY):
        person = factories.make_enrollment(row, factories.make_contact(address), state="running")
        factories.make_message(person)
    return row


@pytest.fixture
def there(here: Campaign) -> Campaign:
    return factories.make_campaign(name="Autumn", project=here.project, state=CampaignState.RUNNING)


def of(campaign: Campaign, address: str) -> Enrollment:
    rows = Enrollment.objects.filter(campaign=campaign).select_related("contact")
    return next(row for row in rows if row.contact.address == address)


def at(campaign: Campaign, *people: Enrollment, back: str = "") -> str:
    named = "&".join(f"person={row.pk}" for row in people)
    return f"/w/{campaign.workspace.slug}/campaigns/{campaign.pk}/people/move/{back}?{named}"


def undo_of(body: str) -> str:
    found = next(part.split('"')[0] for part in body.split('action="') if "/move/back/" in part.split('"')[0])
    return found.replace("&amp;", "&")


def test_it_moves_the_selected_people_and_says_where_they_went(
    me: Client, here: Campaign, there: Campaign
) -> None:
    ana, bo = of(here, ANA), of(here, BO)
    campaigns.pause(there, actor=None)
    asked = me.post(at(here).rstrip("?"), {"person": [str(ana.pk), str(bo.pk)]}, follow=True)
    assert "Move 2 people" in asked.content.decode()
    assert "2 mails of “Spring” will not go to them." in asked.content.decode()
    body = me.post(at(here, ana, bo), {"to": str(there.pk)}, follow=True).content.decode()
    assert "2 people moved to “Autumn”" in body
    ana.refresh_from_db()
    assert (ana.state, ana.reason, ana.moved_to_id) == ("cancelled", "moved", there.pk)
    assert Message.objects.get(enrollment=ana).state == MessageState.CANCELLED
    assert Message.objects.get(enrollment=of(there, ANA)).state == MessageState.PLANNED
    assert of(here, CY).state == EnrollmentState.RUNNING
    assert "Moved to “Autumn” by a person." in body
    assert AuditEvent.objects.filter(action="enrollment.moved", object_id=str(here.pk)).count() == 2


def test_undo_lets_them_wait_as_before(me: Client, here: Campaign, there: Campaign) -> None:
    campaigns.pause(there, actor=None)
    ana = of(here, ANA)
    Message.objects.filter(enrollment=ana).update(state=MessageState.QUEUED, queued_at=timezone.now())
    undo = undo_of(me.post(at(here, ana), {"to": str(there.pk)}, follow=True).content.decode())
    assert "1 person is back" in me.post(undo, follow=True).content.decode()
    ana.refresh_from_db()
    assert (ana.state, ana.reason, ana.moved_to_id) == ("running", "", None)
    mail = Message.objects.get(enrollment=ana)
    assert (mail.state, mail.reason, mail.text) == (MessageState.PLANNED, "", "")
    assert not Enrollment.objects.filter(campaign=there).exists()
    assert "Nobody was left" in me.post(undo, follow=True).content.decode()


def test_undo_opens_a_campaign_that_ended_without_them(here: Campaign, there: Campaign) -> None:
    campaigns.pause(there, actor=None)
    moving.move(Enrollment.objects.filter(campaign=here), there, actor=None)
    assert campaigns.finish_idle() == 1
    assert moving.move_back(Enrollment.objects.filter(campaign=here), actor=None).count == 3
    here.refresh_from_db()
    assert (here.state, here.finished_at) == (CampaignState.RUNNING, None)


def test_undo_is_over_once_a_mail_has_left_there_and_changes_nothing(
    me: Client, here: Campaign, there: Campaign
) -> None:
    ana, bo = of(here, ANA), of(here, BO)
    body = me.post(at(here, ana, bo), {"to": str(there.pk)}, follow=True).content.decode()
    gone = Message.objects.filter(enrollment=of(there, ANA))
    gone.update(state=MessageState.SENT, sent_at=clock.now())
    told = me.post(undo_of(body), follow=True).content.decode()
    assert "1 person is back" in told
    assert f"{ANA}: A mail has left there" in told
    ana.refresh_from_db()
    assert (ana.state, ana.moved_to_id) == ("cancelled", there.pk)
    assert of(there, ANA).state == EnrollmentState.RUNNING


def test_who_may_not_come_stays_with_the_reason(me: Client, here: Campaign, there: Campaign) -> None:
    ana, bo, cy = of(here, ANA), of(here, BO), of(here, CY)
    factories.make_enrollment(there, bo.contact)
    other = factories.make_enrollment(factories.make_campaign(), ana.contact, state="running")
    factories.make_message(other, state=MessageState.SENT, sent_at=clock.now())
    body = me.post(at(here, ana, bo, cy), {"to": str(there.pk)}, follow=True).content.decode()
    assert "1 person moved to “Autumn”" in body
    assert "2 people stay here." in body
    assert f"{BO}: They are in that campaign already." in body
    assert f"{ANA}: Another campaign wrote to this person" in body
    # Whoever stays goes on here as if nobody had asked.
    assert [of(here, one).state for one in (ANA, BO)] == ["running", "running"]
    assert Message.objects.get(enrollment=ana).state == MessageState.PLANNED
    assert not Enrollment.objects.filter(campaign=there, contact=ana.contact).exists()
    assert of(here, CY).reason == "moved"


def test_somebody_on_the_suppression_list_is_not_put_there(here: Campaign, there: Campaign) -> None:
    factories.make_suppression(ANA)
    Enrollment.objects.filter(pk=of(here, ANA).pk).update(state="held_back", reason="by_hand")
    done = moving.move(Enrollment.objects.filter(pk=of(here, ANA).pk), there, actor=None)
    assert (done.count, len(done.stayed)) == (0, 1)
    assert of(here, ANA).state == EnrollmentState.HELD_BACK
    assert not Enrollment.objects.filter(campaign=there).exists()


@pytest.mark.parametrize("state", [MessageState.SUBMITTING, MessageState.DOUBT])
def test_nobody_moves_whose_mail_is_on_its_way(here: Campaign, there: Campaign, state: str) -> None:
    ana = of(here, ANA)
    Message.objects.filter(enrollment=ana).update(state=state)
    done = moving.move(Enrollment.objects.filter(pk=ana.pk), there, actor=None)
    assert [sentence for _, sentence in done.stayed] == [moving.ON_ITS_WAY]
    ana.refresh_from_db()
    assert ana.state == EnrollmentState.RUNNING


def test_a_paused_person_is_paused_there_too(here: Campaign, there: Campaign) -> None:
    ana = Enrollment.objects.filter(pk=of(here, ANA).pk)
    ana.update(paused_at=clock.now())
    assert moving.move(ana, there, actor=None).count == 1
    assert of(there, ANA).paused_at is not None


def test_a_draft_takes_people_too_and_gives_them_back(here: Campaign) -> None:
    draft = factories.make_campaign(name="Draft")
    assert moving.move(Enrollment.objects.filter(campaign=draft), here, actor=None).count == 0
    person = factories.make_enrollment(draft, factories.make_contact("dee@tarn.example"))
    assert moving.move(Enrollment.objects.filter(pk=person.pk), here, actor=None).count == 1
    assert moving.move_back(Enrollment.objects.filter(pk=person.pk), actor=None).count == 1
    person.refresh_from_db()
    assert person.state == EnrollmentState.PLANNED
    done = moving.move(Enrollment.objects.filter(pk=of(here, ANA).pk), draft, actor=None)
    assert (done.count, of(draft, ANA).state) == (1, EnrollmentState.PLANNED)


def test_a_campaign_that_is_not_theirs_or_cancelled_is_refused_beside_the_field(
    me: Client, here: Campaign, there: Campaign
) -> None:
    campaigns.cancel(there, actor=None)
    factories.make_campaign(name="Another")
    for to in (str(there.pk), str(here.pk), "x", ""):
        answer = me.post(at(here, of(here, ANA)), {"to": to})
        assert answer.status_code == 422
        assert 'id="id_to_error"' in answer.content.decode()
    assert of(here, ANA).state == EnrollmentState.RUNNING


def test_a_campaign_that_cannot_send_takes_nobody_and_changes_nothing(
    me: Client, here: Campaign, there: Campaign
) -> None:
    Campaign.objects.filter(pk=there.pk).update(mailbox=None)
    answer = me.post(at(here, of(here, ANA)), {"to": str(there.pk)})
    assert answer.status_code == 422
    assert "Choose the mailbox it leaves from." in answer.content.decode()
    assert of(here, ANA).state == EnrollmentState.RUNNING
    assert not Enrollment.objects.filter(campaign=there).exists()


def test_who_sees_one_project_moves_nobody_into_another_and_reads_no_name_of_it(
    signed_in: Callable[[User], Client], ws: Workspace, member: User, here: Campaign
) -> None:
    away = factories.make_campaign(name="Hidden away", state=CampaignState.PAUSED)
    moving.move(Enrollment.objects.filter(pk=of(here, BO).pk), away, actor=None)
    bo = of(here, BO)
    limited = Membership.objects.get(workspace=ws, user=member)
    limited.all_projects = False
    limited.save()
    ProjectAccess.objects.create(project=here.project, membership=limited)
    seer = signed_in(member)
    assert "Hidden away" not in seer.get(at(here, of(here, ANA))).content.decode()
    assert seer.post(at(here, of(here, ANA)), {"to": str(away.pk)}).status_code == 422
    page = seer.get(f"/w/{ws.slug}/campaigns/{here.pk}/").content.decode()
    assert "Moved to another campaign by a person." in page
    assert "Hidden away" not in page
    since = bo.stopped_at.isoformat() if bo.stopped_at else ""
    back = f"/w/{ws.slug}/campaigns/{here.pk}/people/move/back/"
    answer = seer.post(f"{back}?since={since.replace('+', '%2B')}", follow=True)
    assert "a project that you do not see" in answer.content.decode()


def test_the_page_asks_as_much_for_many_as_for_one(me: Client, here: Campaign, there: Campaign) -> None:
    url = f"/w/{here.workspace.slug}/campaigns/{here.pk}/"

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            me.get(url)
        return len(queries)

    moving.move(Enrollment.objects.filter(pk=of(here, ANA).pk), there, actor=None)
    me.get(url)
    one = asked()
    moving.move(Enrollment.objects.filter(campaign=here).exclude(pk=of(here, ANA).pk), there, actor=None)
    assert asked() <= one
    assert me.get(url).content.decode().count("Moved to “Autumn” by a person.") == 3
