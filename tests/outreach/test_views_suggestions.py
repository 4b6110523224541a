"""The list of mails that may be answers, the word that a person says, and the mailbox's proof."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from mailbox.models import Mailbox, MailboxState
from outreach.models import Comparison, EnrollmentState, Message, MessageState, Suggested, Suggestion
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_contact,
    make_enrollment,
    make_message,
    make_suggestion,
)

SignIn = Callable[[User], Client]


@pytest.fixture
def suggested(in_ws: Workspace) -> Suggestion:
    campaign = make_campaign(steps=(FIRST_MAIL, FOLLOW_UP))
    enrollment = make_enrollment(
        campaign, make_contact("ana@site.example", name="Ana Berg"), state=EnrollmentState.RUNNING
    )
    return make_suggestion(make_message(enrollment, state=MessageState.SENT), subject="A question")


def url(here: Workspace, name: str, **kwargs: object) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": here.slug, **kwargs})


def test_it_lists_what_may_be_an_answer(
    suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn
) -> None:
    page = signed_in(owner).get(url(ws, "suggestions")).content.decode()
    assert "A question" in page
    assert "ana@site.example" in page
    assert "It is the answer" in page


def test_it_shows_a_viewer_no_button(
    suggested: Suggestion, ws: Workspace, viewer: User, signed_in: SignIn
) -> None:
    client = signed_in(viewer)
    page = client.get(url(ws, "suggestions")).content.decode()
    assert "A question" in page
    assert 'name="answer"' not in page
    answer = client.post(url(ws, "suggestion_decide", pk=suggested.pk), {"answer": "yes"})
    assert answer.status_code == 403


@pytest.mark.parametrize(("word", "state"), [("yes", Suggested.YES), ("no", Suggested.NO)])
def test_it_takes_a_persons_word(
    suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn, word: str, state: str
) -> None:
    client = signed_in(owner)
    answer = client.post(url(ws, "suggestion_decide", pk=suggested.pk), {"answer": word}, follow=True)
    assert "Noted" in answer.content.decode()
    suggested.refresh_from_db()
    assert (suggested.state, suggested.decided_by) == (state, owner)
    again = client.post(url(ws, "suggestion_decide", pk=suggested.pk), {"answer": "yes"}, follow=True)
    assert "in the meantime" in again.content.decode()


def test_it_asks_for_one_of_two_words(
    suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn
) -> None:
    client = signed_in(owner)
    answer = client.post(url(ws, "suggestion_decide", pk=suggested.pk), {"answer": "perhaps"}, follow=True)
    assert "Say whether" in answer.content.decode()
    suggested.refresh_from_db()
    assert suggested.state == Suggested.OPEN


def test_it_is_told_on_home(suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn) -> None:
    page = signed_in(owner).get(url(ws, "home")).content.decode()
    assert "1 mail may be an answer" in page


def test_it_lists_many_with_as_many_queries(
    suggested: Suggestion,
    ws: Workspace,
    owner: User,
    signed_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(owner)
    client.get(url(ws, "suggestions"))
    with django_assert_max_num_queries(40) as few:
        client.get(url(ws, "suggestions"))
    with workspace(ws):
        for _ in range(12):
            make_suggestion(Message.objects.get())
    with django_assert_max_num_queries(len(few.captured_queries)):
        client.get(url(ws, "suggestions"))


def test_a_mailbox_says_what_was_compared(
    suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn
) -> None:
    box = Mailbox.objects.get()
    client = signed_in(owner)
    here = url(ws, "mailbox", pk=box.pk)
    assert "Not compared yet" in client.get(here).content.decode()
    answer = client.post(url(ws, "mailbox_compare", pk=box.pk), follow=True)
    assert "<progress" in answer.content.decode()
    with workspace(ws):
        Comparison.objects.update(finished_at=box.connected_at, threads=412, missing=0)
    assert "412 threads compared" in client.get(here + "?part=comparison").content.decode()
    with workspace(ws):
        Comparison.objects.update(missing=3)
    assert "3 missing: fetched then" in client.get(here).content.decode()


def test_a_broken_mailbox_is_not_compared(
    suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn
) -> None:
    Mailbox.objects.update(state=MailboxState.BROKEN)
    box = Mailbox.objects.get()
    answer = signed_in(owner).post(url(ws, "mailbox_compare", pk=box.pk), follow=True)
    assert "needs reconnecting" in answer.content.decode()
    with workspace(ws):
        assert not Comparison.objects.exists()


def test_a_mailbox_says_how_many_mails_were_read(
    suggested: Suggestion, ws: Workspace, owner: User, signed_in: SignIn
) -> None:
    Mailbox.objects.update(full_reads=37)
    page = signed_in(owner).get(url(ws, "mailbox", pk=Mailbox.objects.get().pk)).content.decode()
    assert "37 mails" in page
