"""A text that the provider refuses is asked for again, then admitted: never stored as if it were empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User, Workspace
from mailbox import gateway
from mailbox.errors import Refused
from mailbox.models import Mailbox
from outreach import policy, refused_reads, suggestions
from outreach.models import (
    Enrollment,
    EnrollmentState,
    MessageState,
    PassedOver,
    Reply,
    Suggested,
    Suggestion,
)
from outreach.pipeline import compare
from outreach.pipeline.compare import Compared
from outreach.pipeline.reply import Polled
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.receiving import Sent, following, inbound, poll

Refuse = Callable[[str], None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """`refuse(id)`: from now on the text of this mail is not handed out; "" hands out all again."""
    real, kept = gateway.fetch, [""]

    def fetch(mailbox: Mailbox, provider_id: str, **more: object) -> object:
        if provider_id == kept[0]:
            raise Refused("bad_message")
        return real(mailbox, provider_id, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway, "fetch", fetch)
    return lambda provider_id: kept.__setitem__(0, provider_id)


def cursor() -> str:
    return str(Mailbox.objects.get().cursor)


def test_a_refusal_leaves_the_mail_for_the_next_look(sent: Sent, providers: Running, refuse: Refuse) -> None:
    row = sent("google")
    poll()
    before, looked = cursor(), Mailbox.objects.get().last_poll_at
    refused = inbound(providers, row)
    inbound(providers, row, text="And one more thing")
    refuse(refused["id"])
    assert poll() is Polled.WAITS
    # The other one is here; the cursor is before both, and the look does not count as one.
    assert [str(one.text) for one in Reply.objects.all()] == ["And one more thing"]
    assert (cursor(), Mailbox.objects.get().last_poll_at) == (before, looked)
    refuse("")
    assert poll() is Polled.DONE
    assert Reply.objects.count() == 2
    assert not [one for one in Reply.objects.all() if not one.text]
    assert not Suggestion.objects.exists()
    assert cursor() != before


def test_the_sequence_waits_from_the_first_refusal_on(sent: Sent, providers: Running, refuse: Refuse) -> None:
    row = sent("microsoft")
    poll()
    away = inbound(providers, row, subject="Away", headers={"Auto-Submitted": "auto-replied"})
    refuse(away["id"])
    poll()
    assert policy.may_queue(following()).code == "answer_suspected"
    assert list(suggestions.waiting()) == []
    refuse("")
    poll()
    # A machine's answer, as its text tells: the sequence goes on behind it.
    assert Reply.objects.count() == 1
    assert Enrollment.objects.get().answer_suspected_at is None
    assert following().state == MessageState.PLANNED


def test_after_some_looks_it_says_so_and_goes_on(
    sent: Sent,
    providers: Running,
    refuse: Refuse,
    owner: User,
    ws: Workspace,
    signed_in: Callable[..., Client],
) -> None:
    row = sent("google")
    poll()
    before = cursor()
    refused = inbound(providers, row)
    refuse(refused["id"])
    for _ in range(refused_reads.MOST_LOOKS - 1):
        assert poll() is Polled.WAITS
    assert (cursor(), refused_reads.unreadable(Mailbox.objects.get())) == (before, 0)
    assert poll() is Polled.DONE
    assert cursor() != before
    assert (Reply.objects.count(), PassedOver.objects.count()) == (0, 0)
    assert policy.may_queue(following()).code == "answer_suspected"
    (asked,) = suggestions.waiting()
    assert (asked.from_address, asked.looks) == ("ana.silent@site.example", refused_reads.MOST_LOOKS)
    page = signed_in(owner).get(
        reverse("outreach:mailbox", kwargs={"slug": ws.slug, "pk": Mailbox.objects.get().pk})
    )
    assert "1 mail of our own conversations: Google refused its text" in page.content.decode()
    # Later mail is not held up, nor is the comparison, which asks once more and heals it.
    inbound(providers, row, text="Hello?")
    poll()
    assert Reply.objects.count() == 1
    assert compare.go_on(Mailbox.objects.get()) is Compared.MORE
    refuse("")
    while compare.go_on(Mailbox.objects.get()) is Compared.MORE:
        pass
    compare.begin(Mailbox.objects.get())
    while compare.go_on(Mailbox.objects.get()) is Compared.MORE:
        pass
    assert sorted(str(one.text) for one in Reply.objects.all()) == ["Hello?", "Thank you, tell me more."]
    assert not Suggestion.objects.exists()
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED


def test_a_refusal_behind_a_yes_holds_up_nothing_and_stores_no_empty_answer(
    sent: Sent, providers: Running, refuse: Refuse, owner: User
) -> None:
    row = sent("google")
    poll()
    refused = inbound(providers, row, reply_to=None, subject="A question")
    poll()
    suggestions.decide(Suggestion.objects.get(), is_answer=True, actor=owner)
    refuse(refused["id"])
    for _ in range(refused_reads.MOST_LOOKS):
        assert poll() is Polled.DONE
    reads = Mailbox.objects.get().full_reads
    poll()
    assert (Reply.objects.count(), Mailbox.objects.get().full_reads) == (0, reads)
    assert refused_reads.unreadable(Mailbox.objects.get()) == 1
    kept = Suggestion.objects.get()
    assert (kept.state, kept.stored_at) == (Suggested.YES, None)


def test_a_mail_that_was_asked_about_and_is_known_by_now_asks_nobody(sent: Sent, providers: Running) -> None:
    """Our subject from the company; then the answer that it names is found."""
    row = sent("google")
    poll()
    answer = inbound(providers, row, subject="The roof")
    poll()
    Reply.objects.all().delete()
    inbound(
        providers, row, reply_to=answer["message_id"], thread=f"{0xA0009:016x}",
        **{"from": "Otto <otto@site.example>"},
    )  # fmt: skip
    poll()
    assert Suggestion.objects.get().state == Suggested.OPEN
    Mailbox.objects.update(cursor=None)
    poll()
    assert Reply.objects.count() == 2
    assert not Suggestion.objects.exists()
