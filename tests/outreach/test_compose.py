"""Who is ready, whom a launch leaves out by name, and the rows it makes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from accounts import clock
from accounts.models import User, Workspace
from mailbox.models import MailboxState
from outreach.models import (
    Backlink,
    Campaign,
    CampaignState,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    RemovalCase,
    Thread,
)
from outreach.models.links import url_key
from outreach.pipeline import compose
from tests.factories import (
    FIRST_MAIL,
    make_campaign,
    make_contact,
    make_enrollment,
    make_mailbox,
    make_message,
    make_project,
    make_reply,
    make_suppression,
)

NEEDS_TITLE = ("For {{ page_title }}", "<p>Hello {{ page_title }}</p>")


def codes(campaign: Campaign) -> set[str]:
    return {problem.code for problem in compose.readiness(campaign).problems}


def test_it_launches_the_ready_and_holds_back_the_rest_by_name(in_ws: Workspace, owner: User) -> None:
    ready = make_contact(fields={"page_title": "Huts"})
    blank = make_contact()
    campaign = make_campaign(steps=[NEEDS_TITLE], contacts=[ready, blank])
    found = compose.readiness(campaign)
    assert [row.contact for row in found.ready] == [ready]
    assert [(row.contact, words) for row, words in found.held_back] == [
        (blank, "Page title is blank here, and the text has no fallback.")
    ]
    assert compose.launch(campaign, actor=owner) == compose.Launched(1, 1)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING
    row = Message.objects.get()
    assert (row.contact, row.kind, row.state) == (ready, MessageKind.FIRST, MessageState.PLANNED)
    held = campaign.enrollments.get(contact=blank)
    assert (held.state, held.reason) == (EnrollmentState.HELD_BACK, "blank:page_title")


def test_it_plans_nobody_twice(in_ws: Workspace) -> None:
    campaign = make_campaign(contacts=[make_contact(), make_contact()])
    compose.launch(campaign, actor=None)
    compose.plan_first(campaign, list(campaign.enrollments.all()))
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("Hi", "<p>Hello [add stat]</p>")], "placeholder"),
        ([("Hi", "<p>Hello {{ frist_name }}</p>")], "unknown_field"),
        ([("Hi {{ first_name", "<p>Hello</p>")], "liquid"),
        ([("", "<p>Hello</p>")], "no_text"),
        ([("Hi", "<p>&nbsp;</p>")], "no_text"),
        ([("Hi", "<p>Hello</p>"), ("", "<p> </p>")], "no_text"),
        ([("Re: Hi", "<p>Hello</p>")], "pretends"),
        ([], "no_text"),
    ],
)
def test_it_stops_for_a_text_that_is_not_finished(in_ws: Workspace, steps: Any, code: str) -> None:
    campaign = make_campaign(steps=steps, contacts=[make_contact()])
    with pytest.raises(compose.NotReady) as stopped:
        compose.launch(campaign, actor=None)
    assert code in {problem.code for problem in stopped.value.problems}
    assert not Message.objects.exists()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DRAFT


def test_it_names_the_step_and_the_line_of_a_problem(in_ws: Workspace) -> None:
    campaign = make_campaign(
        steps=[FIRST_MAIL, ("", "<p>a</p><p>b</p><p>[add stat]</p>")], contacts=[make_contact()]
    )
    problem = compose.readiness(campaign).problems[0]
    assert (problem.step, problem.line, problem.field) == (2, 3, "body")
    assert problem.sentence == "“[add stat]” is a leftover placeholder."


def test_it_stops_without_mailbox_address_or_people(in_ws: Workspace) -> None:
    campaign = make_campaign()
    assert codes(campaign) == {"nobody"}
    Workspace.objects.update(postal_address="")
    broken = make_campaign(mailbox=make_mailbox(state=MailboxState.BROKEN), contacts=[make_contact()])
    assert codes(broken) == {"no_postal_address", "mailbox_broken"}
    Campaign.objects.filter(pk=broken.pk).update(mailbox=None, weekdays=[])
    broken.refresh_from_db()
    assert codes(broken) == {"no_postal_address", "no_mailbox", "no_weekday"}


def test_it_holds_back_whom_no_mail_may_reach(in_ws: Workspace) -> None:
    opted_out = make_contact("out@site.example")
    make_suppression("out@site.example", reason="opted_out")
    german = make_contact(country="DE")
    unsourced = make_contact(source="")
    written = make_contact()
    make_message(make_enrollment(make_campaign(), written), state=MessageState.SENT)
    fine = make_contact()
    campaign = make_campaign(contacts=[opted_out, german, unsourced, written, fine])
    found = compose.readiness(campaign)
    assert [row.contact for row in found.ready] == [fine]
    assert [row.reason for row, _ in found.held_back] == [
        "opted_out", "consent_needed", "no_source", "cool_down",
    ]  # fmt: skip


def test_it_asks_as_many_queries_for_many_as_for_few(
    in_ws: Workspace, django_assert_max_num_queries: Any
) -> None:
    campaign = make_campaign(contacts=[make_contact() for _ in range(40)])
    campaign = Campaign.objects.select_related("mailbox", "workspace").get(pk=campaign.pk)
    with django_assert_max_num_queries(8):
        assert len(compose.readiness(campaign).ready) == 40


def test_it_warns_without_stopping(in_ws: Workspace) -> None:
    body = (
        '<p><a href="https://bit.ly/x">https://fernhill.example</a> <a href="https://a.example">a</a>'
        ' <a href="https://b.example">b</a></p>'
    )
    found = compose.readiness(make_campaign(steps=[("LOOK AT THIS NOW", body)], contacts=[make_contact()]))
    assert {problem.code for problem in found.warnings} == {
        "shouting", "many_links", "shortener", "link_differs",
    }  # fmt: skip
    assert found.problems == []


def thread_with_reply(text: str = "Thank you") -> Thread:
    message = make_message(state=MessageState.SENT)
    make_reply(message, text=text, subject="Your hut table, again")
    assert message.thread is not None
    Thread.objects.filter(pk=message.thread.pk).update(waits_since=clock.now())
    return Thread.objects.get(pk=message.thread.pk)


def test_it_queues_an_answer_once_however_often_it_is_pressed(in_ws: Workspace, owner: User) -> None:
    thread, compose_id = thread_with_reply(), uuid.uuid4()
    first = compose.write_answer(thread, compose_id=compose_id, text="Gladly\r\nMira", actor=owner)
    again = compose.write_answer(thread, compose_id=compose_id, text="Gladly", actor=owner)
    assert first == again
    assert (first.state, first.kind) == (MessageState.QUEUED, MessageKind.ANSWER)
    assert first.subject == "Re: Your hut table, again"
    assert first.text == "Gladly\nMira\n"
    thread.refresh_from_db()
    assert thread.waits_since is None


def test_it_asks_before_an_answer_to_a_suppressed_person(in_ws: Workspace, owner: User) -> None:
    thread = thread_with_reply()
    make_suppression(thread.contact.address, reason="opted_out")
    asked: dict[str, Any] = {"compose_id": uuid.uuid4(), "text": "Sorry", "actor": owner}
    with pytest.raises(compose.NeedsConfirmation):
        compose.write_answer(thread, **asked)
    assert compose.write_answer(thread, **asked, confirmed=True).state == MessageState.QUEUED


@pytest.mark.parametrize("state", [MailboxState.BROKEN, MailboxState.REVOKED])
def test_it_refuses_an_answer_from_a_lost_mailbox(in_ws: Workspace, owner: User, state: str) -> None:
    thread = thread_with_reply()
    assert thread.mailbox is not None
    thread.mailbox.state = state
    thread.mailbox.save()
    with pytest.raises(compose.Blocked):
        compose.write_answer(thread, compose_id=uuid.uuid4(), text="Hi", actor=owner)
    assert not Message.objects.filter(kind=MessageKind.ANSWER).exists()


def test_it_refuses_an_empty_answer(in_ws: Workspace, owner: User) -> None:
    with pytest.raises(compose.Blocked):
        compose.write_answer(thread_with_reply(), compose_id=uuid.uuid4(), text=" \n ", actor=owner)


def test_it_sends_a_test_to_the_one_who_asks_and_to_nobody_else(in_ws: Workspace, owner: User) -> None:
    contact = make_contact(first_name="Ana")
    campaign = make_campaign(contacts=[contact])
    row = compose.write_test(campaign.steps.get(), contact, compose_id=uuid.uuid4(), user=owner)
    assert (row.to_address, row.kind, row.contact) == (owner.email, MessageKind.TEST, None)
    assert "Hello Ana" in row.text
    # The link in a test stops nobody.
    assert "/u/preview" in row.text


def test_it_says_what_is_wrong_with_a_test(in_ws: Workspace, owner: User) -> None:
    campaign = make_campaign(steps=[("Hi", "<p>{{ nothing_here }}</p>")])
    with pytest.raises(compose.NotReady):
        compose.write_test(campaign.steps.get(), None, compose_id=uuid.uuid4(), user=owner)


def removal_case(project: Any, address: str, *, verdict: str = "remove", links: int = 2) -> RemovalCase:
    contact = make_contact(address)
    assert contact.site is not None
    case = RemovalCase.objects.create(project=project, site=contact.site, verdict=verdict, contact=contact)
    for number in range(links):
        url = f"https://{contact.site.domain}/{number}"
        Backlink.objects.create(
            project=project, case=case, source_url=url, target_url="https://f.example/",
            key=url_key(url, "https://f.example/"),
        )  # fmt: skip
    return case


def test_it_asks_each_site_once(in_ws: Workspace, owner: User) -> None:
    make_mailbox()
    project = make_project()
    good, kept = (
        removal_case(project, "a@one.example"),
        removal_case(project, "b@two.example", verdict="keep"),
    )
    bare = removal_case(project, "c@three.example", links=0)
    asked, held = compose.ask_for_removal([good, kept, bare], actor=owner)
    assert asked == [good]
    assert {case.pk for case, _ in held} == {kept.pk, bare.pk}
    row = Message.objects.get()
    assert (row.kind, row.contact) == (MessageKind.REMOVAL, good.contact)
    assert Campaign.objects.get().state == CampaignState.RUNNING
    again, told = compose.ask_for_removal([RemovalCase.objects.get(pk=good.pk)], actor=owner)
    assert again == []
    assert told[0][1] == "This site was asked already."
    assert Message.objects.count() == 1


def test_it_asks_for_nothing_without_a_mailbox(in_ws: Workspace, owner: User) -> None:
    case = removal_case(make_project(), "a@one.example")
    with pytest.raises(compose.NotReady):
        compose.ask_for_removal([case], actor=owner)
    assert not Message.objects.exists()


def test_it_names_a_case_without_a_contact(in_ws: Workspace, owner: User) -> None:
    make_mailbox()
    case = removal_case(make_project(), "a@one.example")
    RemovalCase.objects.update(contact=None)
    case.refresh_from_db()
    asked, held = compose.ask_for_removal([case], actor=owner)
    assert asked == []
    assert held[0][1] == "Nobody is named who could be asked."
