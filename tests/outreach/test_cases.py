"""A case's state follows from its verdict, its links and its mails."""

from __future__ import annotations

import pytest

from accounts import clock
from accounts.models import AuditEvent, User, Workspace
from outreach import contacts
from outreach.links import cases, counting, history, words
from outreach.models import (
    CaseState,
    Enrollment,
    EnrollmentState,
    LinkState,
    Message,
    MessageState,
    Project,
    RemovalCase,
    Verdict,
)
from tests import factories
from tests.outreach.removal_cast import make_asked, make_list, make_ready


@pytest.fixture
def project(in_ws: Workspace) -> Project:
    factories.make_mailbox()
    return factories.make_project("Clean-up", website="fernhill.example")


def sentence(case: RemovalCase) -> str:
    rows = RemovalCase.objects.select_related(*words.RELATED).prefetch_related(*words.prefetches())
    return words.sentence_of(rows.get(pk=case.pk), now=clock.now())


def test_it_queues_one_mail_for_each_site(project: Project, owner: User) -> None:
    rows = [make_ready(case) for case in make_list(project, sites=3, pages=4)]
    written = cases.write_to(project, cases.writable(project).ready, actor=owner)
    assert len(written.asked) == 3
    assert Message.objects.count() == 3
    assert cases.writable(project).ready == []
    assert cases.write_to(project, rows, actor=owner).asked == []
    assert Message.objects.count() == 3


def test_it_never_writes_for_another_project(project: Project) -> None:
    case = make_ready(make_list(project, sites=1)[0])
    other = factories.make_project("Other", website="fernhill.example")
    assert cases.write_to(other, [case], actor=None).asked == []
    assert not Message.objects.exists()


def test_it_gives_up_and_takes_that_back(project: Project, owner: User) -> None:
    case = make_list(project, sites=1)[0]
    cases.set_verdict(case, Verdict.DISAVOW, actor=owner)
    assert (case.state, case.closed_at is None) == (CaseState.GIVEN_UP, False)
    assert "In the file." in sentence(case)
    cases.set_verdict(case, Verdict.UNDECIDED, actor=owner)
    assert (case.state, case.closed_at) == (CaseState.OPEN, None)
    assert AuditEvent.objects.filter(action="case.verdict", actor=owner).count() == 2


def test_it_stays_your_turn_after_a_reply_until_the_links_are_gone(project: Project) -> None:
    case = make_list(project, sites=1)[0]
    mail = make_asked(case)
    factories.make_reply(mail, text="We never remove anything.")
    Enrollment.objects.filter(case=case).update(state=EnrollmentState.REPLIED)
    cases.set_link_state(case, LinkState.LIVE, actor=None)
    assert case.state == CaseState.YOUR_TURN
    assert "We never remove anything." in sentence(case)
    cases.set_link_state(case, LinkState.GONE, actor=None)
    assert case.state == CaseState.GONE
    assert "All links are gone" in sentence(case)


def test_it_uses_a_person_who_is_known_and_changes_nothing_of_them(project: Project) -> None:
    known = factories.make_contact("info@agency.example", name="Ada Agency")
    case = make_list(project, sites=1)[0]
    assert cases.set_contact(case, address="INFO@agency.example", name="Other", actor=None).pk == known.pk
    known.refresh_from_db()
    assert known.name == "Ada Agency"


def test_it_asks_one_person_for_one_site_at_a_time(project: Project) -> None:
    first, second = make_list(project, sites=2)
    mail = make_asked(first)
    assert mail.contact is not None
    with pytest.raises(cases.NotAllowed):
        cases.set_contact(second, contact=mail.contact, actor=None)
    with pytest.raises(contacts.BadContact):
        cases.set_contact(second, address="a@b.example\nBcc: c@d.example", actor=None)


def test_it_says_for_each_case_what_comes_next(project: Project) -> None:
    undecided, kept, lonely, ready, asked = make_list(project, sites=5)
    cases.set_verdict(kept, Verdict.KEEP, actor=None)
    cases.set_verdict(lonely, Verdict.REMOVE, actor=None)
    make_ready(ready)
    make_asked(asked)
    assert sentence(undecided) == "Nobody has decided yet."
    assert sentence(kept).startswith("Kept since")
    assert sentence(lonely) == "Nobody is named who could be asked."
    assert sentence(ready) == "Ready: webmaster@site003.example gets one mail that lists the links."
    assert "Step 2 goes" in sentence(asked)


def test_it_tells_the_story_newest_first_with_what_is_to_come_on_top(project: Project, owner: User) -> None:
    case = make_list(project, sites=1)[0]
    mail = make_asked(case)
    factories.make_reply(mail, text="Which links?")
    entries = history.of_case(case, now=clock.now())
    assert entries[0].title == "Request 2, if nobody answers"
    assert entries[0].at is None
    moments = [entry.at for entry in entries[1:] if entry.at]
    assert moments == sorted(moments, reverse=True)
    assert [entry.said for entry in entries if entry.said] == ["Which links?"]
    cases.set_verdict(case, Verdict.KEEP, actor=owner)
    titles = [entry.title for entry in history.of_case(case, now=clock.now())]
    assert "Olga decided" in titles
    assert "1 request cancelled" in titles


def test_it_counts_sites_by_verdict_and_links_by_state(project: Project) -> None:
    first, second, _ = make_list(project, sites=3)
    cases.set_verdict(first, Verdict.KEEP, actor=None)
    cases.set_link_state(second, LinkState.COULD_NOT_CHECK, actor=None)
    found = counting.tally_of(project)
    assert (found.sites, found.keep, found.undecided) == (3, 1, 2)
    assert (found.links, found.unclear, found.unchecked) == (6, 2, 4)
    filters = {value: count for value, _, count in counting.filter_counts(project)}
    assert filters == {"": 3, "decide": 2, "answered": 0, "contact": 0, "unclear": 1}


def test_it_keeps_a_mail_that_is_being_sent(project: Project) -> None:
    case = make_list(project, sites=1)[0]
    make_asked(case)
    Message.objects.filter(step__position=2).update(state=MessageState.SUBMITTING)
    cases.set_verdict(case, Verdict.KEEP, actor=None)
    assert Message.objects.get(step__position=2).state == MessageState.SUBMITTING


def test_it_goes_on_where_a_slip_of_the_verdict_stopped_it(project: Project) -> None:
    case = make_list(project, sites=1)[0]
    mail = make_asked(case)
    cases.set_verdict(case, Verdict.KEEP, actor=None)
    assert Message.objects.get(step__position=2).state == MessageState.CANCELLED
    cases.set_verdict(case, Verdict.REMOVE, actor=None)
    again = Message.objects.get(step__position=2)
    assert (again.state, again.thread_id) == (MessageState.PLANNED, mail.thread_id)
    assert Enrollment.objects.get(case=case).state == EnrollmentState.RUNNING


def test_it_may_ask_after_all_where_a_slip_came_before_the_first_request(project: Project) -> None:
    case = make_ready(make_list(project, sites=1)[0])
    cases.write_to(project, [case], actor=None)
    case.refresh_from_db()
    cases.set_verdict(case, Verdict.KEEP, actor=None)
    assert cases.writable(project).ready == []
    cases.set_verdict(case, Verdict.REMOVE, actor=None)
    assert [row.pk for row in cases.writable(project).ready] == [case.pk]
    assert len(cases.write_to(project, [case], actor=None).asked) == 1
    assert Message.objects.get().state == MessageState.PLANNED


def test_it_does_not_go_on_where_a_draft_may_lie_in_the_mailbox(project: Project) -> None:
    case = make_list(project, sites=1)[0]
    make_asked(case)
    cases.set_verdict(case, Verdict.KEEP, actor=None)
    Message.objects.filter(step__position=2).update(draft_left=True)
    cases.set_verdict(case, Verdict.REMOVE, actor=None)
    assert Message.objects.get(step__position=2).state == MessageState.CANCELLED
    assert Enrollment.objects.get(case=case).state == EnrollmentState.CANCELLED
