"""Who answers the answer and names nothing else (F36): attached, also where both come with one look."""

from __future__ import annotations

import pytest

from outreach.models import Reply, Suggestion, Thread
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.receiving import Sent, inbound, poll

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"


@BOTH
@pytest.mark.parametrize("look_between", [True, False], ids=["two looks", "one look"])
def test_it_attaches_who_names_only_the_answer(
    sent: Sent, providers: Running, provider: str, look_between: bool
) -> None:
    """The provider began a conversation of its own for each of them."""
    row = sent(provider, TO)
    poll()
    answer = inbound(providers, row)
    if look_between:
        poll()
    fresh = [f"{number:016x}" for number in (0xA0001, 0xA0002)]
    colleague = inbound(
        providers, row, reply_to=answer["message_id"], thread=fresh[0], subject="The roof",
        **{"from": "Otto <otto@site.example>"},
    )  # fmt: skip
    inbound(
        providers, row, reply_to=colleague["message_id"], thread=fresh[1], subject="The roof, too",
        **{"from": "Eva <eva@office.example>"},
    )  # fmt: skip
    poll()
    assert sorted(str(one.from_address) for one in Reply.objects.all()) == [
        "ana.silent@site.example",
        "eva@office.example",
        "otto@site.example",
    ]
    assert {one.thread for one in Reply.objects.all()} == {Thread.objects.get()}


@BOTH
def test_it_follows_no_report_that_is_not_about_us(sent: Sent, providers: Running, provider: str) -> None:
    """A mail system's notice in our conversation leads nobody else's mail into it."""
    row = sent(provider, TO)
    poll()
    notice = inbound(
        providers, row, subject="Undeliverable", text="What?", **{"from": "mailer-daemon@site.example"}
    )
    inbound(
        providers, row, reply_to=notice["message_id"], thread=f"{0xA0003:016x}", subject="Lunch",
        **{"from": "Otto <otto@elsewhere.example>"},
    )  # fmt: skip
    poll()
    assert not Reply.objects.exists()


def test_it_asks_nobody_about_a_mail_that_it_knows(sent: Sent, providers: Running) -> None:
    """Our subject and the company's domain would make it a suggestion, were it not known by the answer."""
    row = sent("google", TO)
    poll()
    answer = inbound(providers, row, subject="The roof")
    inbound(
        providers, row, reply_to=answer["message_id"], thread=f"{0xA0004:016x}",
        **{"from": "Otto <otto@site.example>"},
    )  # fmt: skip
    poll()
    assert Reply.objects.count() == 2
    assert not Suggestion.objects.exists()
