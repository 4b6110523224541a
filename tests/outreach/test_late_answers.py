"""Who names only an answer, and is seen before it: found once the answer is here (F29, F30, F36).

Nothing of the mail that was passed is kept meanwhile: the provider is asked for its headers once more.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

import pytest

from accounts.models import User
from mailbox import gateway
from mailbox.errors import Retry
from mailbox.models import Mailbox
from mailbox.providers import gmail, graph
from outreach import intake, suggestions
from outreach.models import Message, Reply, Suggestion, Thread
from outreach.pipeline import compare
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.receiving import Sent, inbound, poll
from tests.outreach.test_compare import lose

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"
ALL = sorted([TO, "otto@site.example", "eva@office.example"])


def names(providers: Running, row: Message, answer: dict[str, str], who: str) -> dict[str, str]:
    """Somebody's mail in a conversation of its own that refers to `answer` and to nothing else."""
    return inbound(
        providers, row, reply_to=answer["message_id"], thread=f"{abs(hash(who)) % 2**40:016x}",
        subject=f"The roof, {who}", **{"from": f"Somebody <{who}>"},
    )  # fmt: skip


def crowd(providers: Running, row: Message, number: int = 2) -> None:
    """Private mail that fills a page; a search counts in whole seconds."""
    time.sleep(1.1)
    for one in range(number):
        inbound(providers, row, reply_to=None, subject=f"Lunch {one}", **{"from": f"m{one}@home.example"})
    time.sleep(1.1)


def whose() -> list[str]:
    return sorted(str(one.from_address) for one in Reply.objects.all())


def look(times: int) -> None:
    for _ in range(times):
        poll()


def test_a_search_from_the_newest_back_loses_nobody_who_names_an_answer(
    sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stands on an earlier page than the mail it names; the chain is followed to its end."""
    monkeypatch.setattr(gmail, "MOST_HEADERS", 2)
    row = sent("google", TO)
    look(2)
    answer = inbound(providers, row)
    crowd(providers, row)
    second = names(providers, row, answer, "otto@site.example")
    crowd(providers, row)
    names(providers, row, second, "eva@office.example")
    providers.post("expire_history", email=Mailbox.objects.get().address)
    look(24)
    assert whose() == ALL
    assert {one.thread for one in Reply.objects.all()} == {Thread.objects.get()}
    # It ends: nothing is searched again for ever.
    calls = len(providers.get("calls"))
    poll()
    assert not [call for call in providers.get("calls")[calls:] if call["path"].endswith("/messages")]
    assert Mailbox.objects.get().full_reads == 3


def test_an_answer_that_a_rule_hid_brings_those_who_name_it(
    sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in another folder and is found looks after the mail that names it."""
    row = sent("microsoft", TO)
    look(2)
    answer = inbound(providers, row, folder="archive")
    time.sleep(1.1)  # Outlook counts in whole seconds.
    names(providers, row, answer, "otto@site.example")
    look(2)
    assert whose() == []
    monkeypatch.setattr(graph, "ELSEWHERE", dt.timedelta(seconds=-2))
    look(1)
    monkeypatch.setattr(graph, "ELSEWHERE", dt.timedelta(minutes=10))
    look(2)
    assert whose() == sorted([TO, "otto@site.example"])
    assert Mailbox.objects.get().full_reads == 2


@BOTH
def test_a_gap_that_the_comparison_healed_brings_those_who_name_it(
    sent: Sent, providers: Running, provider: str
) -> None:
    row = sent(provider, TO)
    look(1)
    answer = inbound(providers, row)
    time.sleep(1.1)
    names(providers, row, answer, "otto@site.example")
    lose(providers)
    look(2)
    assert whose() == []
    while compare.go_on(Mailbox.objects.get()) is compare.Compared.MORE:
        pass
    assert whose() == [TO]
    look(3)
    assert whose() == sorted([TO, "otto@site.example"])


@BOTH
def test_a_yes_brings_those_who_name_the_mail(
    sent: Sent, providers: Running, owner: User, provider: str
) -> None:
    row = sent(provider, TO)
    look(1)
    first = inbound(providers, row, reply_to=None, subject="A question")
    time.sleep(1.1)
    names(providers, row, first, "otto@site.example")
    look(2)
    suggestions.decide(Suggestion.objects.get(), is_answer=True, actor=owner)
    look(4)
    assert whose() == sorted([TO, "otto@site.example"])


def test_it_comes_back_also_where_the_look_failed_behind_the_answer(
    sent: Sent, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored by then stays, and so does what follows from it."""
    row = sent("microsoft", TO)
    look(2)
    answer = inbound(providers, row, folder="archive")
    time.sleep(1.1)
    names(providers, row, answer, "otto@site.example")
    look(2)
    inbound(providers, row, text="One thing more")
    monkeypatch.setattr(graph, "ELSEWHERE", dt.timedelta(seconds=-2))
    monkeypatch.setattr(intake, "PORTION", 1)
    real, reads = gateway.fetch, []

    def fetch(mailbox: Mailbox, provider_id: str, **more: object) -> object:
        reads.append(provider_id)
        if provider_id != answer["id"]:
            raise Retry("stale")
        return real(mailbox, provider_id, **more)  # type: ignore[arg-type]

    def the_hidden_first(mailbox: Mailbox, headers: Sequence[object]) -> intake.Found:
        found = ordered(mailbox, headers)  # type: ignore[arg-type]
        found.matches.sort(key=lambda match: match.header.provider_id != answer["id"])
        return found

    ordered = intake.look
    monkeypatch.setattr(intake, "look", the_hidden_first)
    monkeypatch.setattr(gateway, "fetch", fetch)
    look(1)
    assert (whose(), len(reads)) == ([TO], 2)
    monkeypatch.setattr(gateway, "fetch", real)
    monkeypatch.setattr(graph, "ELSEWHERE", dt.timedelta(minutes=10))
    look(3)
    assert whose() == sorted([TO, TO, "otto@site.example"])


def test_it_does_not_look_twice_where_mail_comes_in_order(sent: Sent, providers: Running) -> None:
    row = sent("google", TO)
    look(2)
    inbound(providers, row)
    look(1)
    inbound(providers, row, text="One thing more")
    look(1)
    calls = len(providers.get("calls"))
    look(2)
    assert len(whose()) == 2
    assert not [call for call in providers.get("calls")[calls:] if call["path"].endswith("/messages")]
