"""What a person does about somebody in a campaign: pause, go on, skip a step; the others are left alone."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction
from django.test import Client

from accounts import clock
from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from mailbox.models import Mailbox
from outreach import campaigns, enrollments, policy, why
from outreach.forecast_line import line_of
from outreach.models import Campaign, CampaignState, Enrollment, EnrollmentState, Message, MessageState
from outreach.pipeline import claim, send
from outreach.pipeline.send import Sent
from tests import factories
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

pytestmark = pytest.mark.django_db
TO = "ana.silent@ridge.example"
OTHER = "bo.silent@moor.example"


def pause(**which: object) -> int:
    return enrollments.pause(Enrollment.objects.filter(**which), actor=None)


def go_on(**which: object) -> int:
    return enrollments.go_on(Enrollment.objects.filter(**which), actor=None)


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_it_sends_nothing_to_a_paused_person_and_everything_behind(
    queue: Queue, providers: Running, provider: str
) -> None:
    (row,) = queue(provider, TO)
    assert pause() == 1
    assert pause() == 0
    assert send_now(row) is Sent.WAITS
    assert providers.get("ledger") == []
    row.refresh_from_db()
    assert (row.reason, policy.may_send(row).code) == ("person_paused", "person_paused")
    assert (go_on(), go_on()) == (1, 0)
    row.refresh_from_db()
    assert (row.reason, row.not_before <= clock.now() if row.not_before else True) == ("", True)
    assert send_now(row) is Sent.ACCEPTED
    assert len(providers.get("ledger")) == 1
    acts = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"enrollment.paused", "enrollment.resumed"} <= acts


@pytest.mark.django_db(transaction=True)
def test_a_pause_that_commits_first_meets_the_worker_at_the_last_gate(
    queue: Queue, providers: Running, ws: Workspace
) -> None:
    """A worker that read the enrollment a moment before must not hand the mail over behind the pause."""
    queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    came: list[Sent] = []

    def work() -> None:
        with workspace(ws):
            came.append(send.send(held.id, held.fence))
        connections.close_all()

    worker = threading.Thread(target=work)
    with transaction.atomic():
        pause()
        worker.start()
        worker.join(2)
        assert worker.is_alive(), "the worker did not wait for the pause"
    worker.join(20)
    assert came == [Sent.WAITS]
    assert providers.get("ledger") == []


def test_it_pauses_a_follow_up_that_is_planned_meanwhile(queue: Queue) -> None:
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    send_now(row)
    pause()
    following = Message.objects.get(step__position=2)
    assert policy.may_queue(following).code == "person_paused"
    shown = why.state_of(Enrollment.objects.prefetch_related("messages").get())
    assert (shown.words, shown.rung) == ("Paused", ("accepted",))


@pytest.fixture
def running(in_ws: Workspace) -> Campaign:
    """Two people of one site and one of another wait for their first mail."""
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP), state=CampaignState.RUNNING)
    for address in ("ana@ridge.example", "li@ridge.example", OTHER):
        row = factories.make_enrollment(campaign, factories.make_contact(address), state="running")
        factories.make_message(row)
    return campaign


def of(address: str) -> Enrollment:
    return next(row for row in Enrollment.objects.select_related("contact") if row.contact.address == address)


def test_it_pauses_everybody_of_a_site_and_nobody_else(running: Campaign) -> None:
    assert enrollments.pause(enrollments.beside(of("ana@ridge.example")), actor=None) == 2
    assert of("li@ridge.example").paused_at is not None
    assert of(OTHER).paused_at is None
    assert list(Message.objects.filter(reason="person_paused").values_list("enrollment", flat=True)) == [
        of("ana@ridge.example").pk,
        of("li@ridge.example").pk,
    ]


def test_it_gives_a_paused_person_no_day_in_the_forecast(running: Campaign) -> None:
    assert len(line_of(running).waiting) == 3
    pause(pk=of(OTHER).pk)
    assert of(OTHER).pk not in {mail.person for mail in line_of(running).waiting}


def test_it_keeps_a_campaign_open_for_somebody_paused(running: Campaign) -> None:
    pause()
    Message.objects.exclude(enrollment=of(OTHER)).delete()
    assert campaigns.finish_idle() == 0


def follow_up(running: Campaign) -> Message:
    row = of(OTHER)
    Message.objects.filter(enrollment=row).update(state=MessageState.SENT, sent_at=clock.now())
    return factories.make_message(row, position=2, due_at=clock.now() + dt.timedelta(days=3))


def test_it_skips_a_follow_up_and_plans_the_one_behind_it(running: Campaign) -> None:
    campaigns.save_step(running, 3, subject="", body="<p>Once more.</p>", wait_days=7)
    waiting = follow_up(running)
    row = of(OTHER)
    assert enrollments.skippable(row) == waiting
    planned = enrollments.skip(row, waiting, actor=None)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (MessageState.CANCELLED, "skipped")
    assert planned is not None
    assert planned.step is not None
    assert planned.step.position == 3
    assert round((planned.due_at - clock.now()) / dt.timedelta(days=1)) == 7
    with pytest.raises(enrollments.NotSkipped):
        enrollments.skip(row, waiting, actor=None)
    assert Message.objects.filter(enrollment=row, step__position=3).count() == 1


def test_it_ends_the_way_behind_a_last_step_that_is_skipped(running: Campaign) -> None:
    waiting = follow_up(running)
    assert enrollments.skip(of(OTHER), waiting, actor=None) is None
    row = of(OTHER)
    assert (row.state, row.reason) == (EnrollmentState.FINISHED, "skipped")


def test_it_skips_no_first_mail_and_none_that_a_worker_holds(running: Campaign) -> None:
    assert enrollments.skippable(of("ana@ridge.example")) is None
    waiting = follow_up(running)
    Message.objects.filter(pk=waiting.pk).update(state=MessageState.CLAIMED)
    assert enrollments.skippable(of(OTHER)) is None
    with pytest.raises(enrollments.NotSkipped):
        enrollments.skip(of(OTHER), waiting, actor=None)
    waiting.refresh_from_db()
    assert waiting.state == MessageState.CLAIMED


# --- at the screen ------------------------------------------------------------------------------------


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


def at(running: Campaign, ws: Workspace, address: str, act: str = "") -> str:
    tail = f"{act}/" if act else ""
    return f"/w/{ws.slug}/campaigns/{running.pk}/people/{of(address).pk}/{tail}"


def test_it_offers_what_fits_and_undoes_a_pause_of_a_site(
    me: Client, ws: Workspace, running: Campaign
) -> None:
    pause(pk=of("li@ridge.example").pk)
    page = me.get(at(running, ws, "ana@ridge.example")).content.decode()
    assert "Pause</button>" in page
    assert "of this site" not in page  # the other one is paused already
    go_on(pk=of("li@ridge.example").pk)
    clock.advance(dt.timedelta(minutes=1))
    pause(pk=of(OTHER).pk)
    page = me.get(at(running, ws, "ana@ridge.example")).content.decode()
    assert "Pause all 2 of this site" in page
    body = me.post(at(running, ws, "ana@ridge.example", "pause") + "?site=yes", follow=True).content.decode()
    assert "2 people of one site are paused. The campaign goes on with the others." in body
    undo = next(
        part.split('"')[0] for part in body.split('action="') if "go-on/?since=" in part.split('"')[0]
    )
    # Somebody of the site who was paused by another act stays paused.
    later = factories.make_enrollment(running, factories.make_contact("zoe@ridge.example"), state="running")
    clock.advance(dt.timedelta(minutes=1))
    pause(pk=later.pk)
    me.post(undo.replace("&amp;", "&"))
    assert [of(address).paused_at is None for address in ("ana@ridge.example", "li@ridge.example")] == [
        True
    ] * 2
    assert of("zoe@ridge.example").paused_at is not None
    assert "Go on</button>" in me.get(at(running, ws, OTHER)).content.decode()


def test_it_asks_before_it_skips_and_only_the_step_that_was_named(
    me: Client, ws: Workspace, running: Campaign
) -> None:
    waiting = follow_up(running)
    url = at(running, ws, OTHER, "skip")
    assert "Skip step 2</a>" in me.get(at(running, ws, OTHER)).content.decode()
    assert "It is the last one, so this person’s way ends here." in me.get(url).content.decode()
    refused = me.post(url, {"step": "3"}, follow=True).content.decode()
    assert "cannot be skipped any more" in refused
    waiting.refresh_from_db()
    assert waiting.state == MessageState.PLANNED
    assert "Step 2 to" in me.post(url, {"step": "2"}, follow=True).content.decode()
    waiting.refresh_from_db()
    assert waiting.state == MessageState.CANCELLED
    assert "cannot be skipped any more" in me.get(url, follow=True).content.decode()


def chosen(*addresses: str) -> list[str]:
    return [str(of(address).pk) for address in addresses]


def test_it_acts_on_the_selected_people_alone(me: Client, ws: Workspace, running: Campaign) -> None:
    url = f"/w/{ws.slug}/campaigns/{running.pk}/people/selected/"
    foreign = factories.make_enrollment(factories.make_campaign(), factories.make_contact("kf@kf.example"))
    two = [*chosen("ana@ridge.example", OTHER), str(foreign.pk), "x"]
    body = me.post(url, {"act": "pause", "person": two}, follow=True).content.decode()
    assert "2 people are paused" in body
    foreign.refresh_from_db()
    assert (foreign.paused_at, of("li@ridge.example").paused_at) == (None, None)
    clock.advance(dt.timedelta(minutes=1))
    pause(pk=of("li@ridge.example").pk)
    undo = next(part.split('"')[0] for part in body.split('action="') if "act=go_on" in part.split('"')[0])
    me.post(undo.replace("&amp;", "&"))
    assert [of(address).paused_at is None for address in ("ana@ridge.example", OTHER)] == [True, True]
    assert of("li@ridge.example").paused_at is not None
    answer = me.post(url, {"act": "go_on", "person": chosen("li@ridge.example", OTHER)}, follow=True)
    assert "1 person is going on" in answer.content.decode()
    assert "Nobody of the selection is paused" in me.post(url, {"act": "go_on"}, follow=True).content.decode()


def test_it_asks_with_the_number_before_it_takes_many_out(
    me: Client, ws: Workspace, running: Campaign
) -> None:
    url = f"/w/{ws.slug}/campaigns/{running.pk}/people/selected/"
    two = chosen("ana@ridge.example", "li@ridge.example")
    asked = me.post(url, {"act": "take_out", "person": two}, follow=True)
    assert "Take out 2 people" in asked.content.decode()
    assert "2 mails to them will not go." in asked.content.decode()
    assert of("ana@ridge.example").state == EnrollmentState.RUNNING
    where, _ = asked.redirect_chain[-1]
    assert "2 taken out" in me.post(where, {"confirmed": "yes"}, follow=True).content.decode()
    states = {row.contact.address: row.state for row in Enrollment.objects.select_related("contact")}
    assert states == {
        "ana@ridge.example": EnrollmentState.CANCELLED,
        "li@ridge.example": EnrollmentState.CANCELLED,
        OTHER: EnrollmentState.RUNNING,
    }
    assert Message.objects.stoppable().count() == 1
    assert "Nobody of the selection" in me.post(where, {"confirmed": "yes"}, follow=True).content.decode()


def test_a_viewer_pauses_nobody(signed_in: Callable[[User], Client], viewer: User, running: Campaign) -> None:
    seer = signed_in(viewer)
    url = at(running, running.workspace, OTHER)
    assert "Pause</button>" not in seer.get(url).content.decode()
    assert seer.post(f"{url}pause/").status_code == 403
    many = f"/w/{running.workspace.slug}/campaigns/{running.pk}/people/selected/"
    assert seer.post(many, {"act": "pause", "person": chosen(OTHER)}).status_code == 403
    assert of(OTHER).paused_at is None


@pytest.mark.parametrize("since", ["", "x", "2026-01-01", "2026-13-45T00:00:00+00:00"])
def test_it_stands_any_moment(me: Client, ws: Workspace, running: Campaign, since: str) -> None:
    answer = me.post(at(running, ws, OTHER, "go-on") + f"?since={since}")
    assert answer.status_code == 302
