"""The judge sees what is planted: one wrong row turns one count, a clean house none (decisions 27)."""

from __future__ import annotations

import base64
import dataclasses
import sqlite3
import uuid
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailbox.sandbox.store import SCHEMA
from tests.soak import pace, races, reading
from tests.soak.oracle import DAY, MUST_BE_ZERO, Call, Change, Facts, Mail, Taken, judge
from tracking.tokens import opt_out_url


def house() -> Facts:
    """Two people of one campaign: one got both mails, one opted out behind the first."""
    mails = [
        Mail("a1", "sent", "", "c", 1, "ea", "pa", "m", 100.0),
        Mail("a2", "sent", "", "c", 2, "ea", "pa", "m", 200.0),
        Mail("b1", "sent", "", "c", 1, "eb", "pb", "m", 110.0),
        Mail("b2", "suppressed", "opted_out", "c", 2, "eb", "pb", "m"),
    ]
    submits = [
        Change("message", mail.id, "submitting", at, "drafted", "m", "c", mail.enrollment, mail.contact)
        for mail, at in zip(mails[:3], (10.0, 20.0, 11.0), strict=True)
    ]
    return Facts(
        mails=mails,
        taken=[Taken("a1", "1"), Taken("a2", "2"), Taken("b1", "3")],
        changes=[*submits, Change("opt_out", "b1", "opted_out", 15.0, contact="pb"),
                 Change("enrollment", "eb", "suppressed", 15.0, "running")],
        calls=[Call(10.0, "m", "send"), Call(11.0, "m", "send", "truncate"), Call(12.0, "m", "get")],
        identities={"m": "identity"},
        cap=2,
        steps={"c": 2},
        enrollments={"ea": ("finished", "c"), "eb": ("suppressed", "c")},
        planned=2,
        tokens=frozenset({"m"}),
    )  # fmt: skip


def altered(facts: Facts, mail_id: str, **values: object) -> Facts:
    mails = [
        dataclasses.replace(mail, **values) if mail.id == mail_id else mail  # type: ignore[arg-type]
        for mail in facts.mails
    ]
    return dataclasses.replace(facts, mails=mails)


def taken(facts: Facts, *more: Taken) -> Facts:
    return dataclasses.replace(facts, taken=[*facts.taken, *more])


def changed(facts: Facts, *more: Change) -> Facts:
    return dataclasses.replace(facts, changes=[*facts.changes, *more])


def without(facts: Facts, mail_id: str) -> Facts:
    return dataclasses.replace(facts, mails=[mail for mail in facts.mails if mail.id != mail_id])


def submit(at: float) -> Change:
    return Change("message", "a2", "submitting", at, "drafted", "m", "c", "ea", "pa")


def test_it_finds_nothing_wrong_in_a_clean_house() -> None:
    """The cap of 2 holds three mails: the first two left within a day of each other, as did no three."""
    facts = altered(house(), "a2", attempted_at=100.0 + DAY)
    verdict = judge(facts)
    assert verdict.broken == []
    assert verdict.counts["sends"] == 3
    assert verdict.counts["faults_in_doubt_window"] == 1


BOX = Change("mailbox", "m", "revoked", 15.0, "connected")
PAUSE, RESUME = Change("campaign", "c", "paused", 15.0), Change("campaign", "c", "running", 18.0)
PLANTED: dict[str, tuple[str, Callable[[Facts], Facts]]] = {
    "a second submit": ("duplicate", lambda f: taken(f, Taken("a1", "9"))),
    "a row that is still queued": ("lost", lambda f: altered(f, "b2", state="queued")),
    "a row that is still submitting": ("lost", lambda f: altered(f, "b2", state="submitting")),
    "a first mail that is gone": ("lost", lambda f: dataclasses.replace(f, planned=3)),
    "a follow-up that nobody planned": (
        "lost",
        lambda f: dataclasses.replace(
            without(f, "b2"), enrollments={**f.enrollments, "eb": ("running", "c")}
        ),
    ),
    "sent, but never taken": ("wrongly_sent", lambda f: altered(f, "b2", state="sent")),
    "refused, but taken": ("wrongly_not_sent", lambda f: altered(f, "a1", state="refused")),
    "cancelled, but taken": ("wrongly_not_sent", lambda f: altered(f, "a1", state="cancelled")),
    "a submit behind the opt-out": (
        "stop_violated",
        lambda f: changed(f, Change("opt_out", "a1", "opted_out", 19.0, contact="pa")),
    ),
    "a submit while paused": ("stop_violated", lambda f: changed(f, PAUSE, RESUME, submit(16.0))),
    "a submit behind the reply": (
        "stop_violated",
        lambda f: changed(f, Change("enrollment", "ea", "replied", 19.0, "running")),
    ),
    "a submit behind the revoke": ("stop_violated", lambda f: dataclasses.replace(
        changed(f, BOX), tokens=frozenset())),
    "three mails in a day": ("cap_breach", lambda f: altered(f, "a2", attempted_at=100.0 + DAY - 1)),
    "a mail that nobody meant": ("unknown_mail", lambda f: taken(f, Taken("x", "9"))),
    "a mail without our link": ("unknown_mail", lambda f: taken(f, Taken("", "9"))),
    "doubt about a mail that can be seen": (
        "parked_and_decidable",
        lambda f: dataclasses.replace(altered(f, "b2", state="doubt"), traces={"b2": "sent"}),
    ),
    "a call 251 ms behind the revoke": ("late_calls", lambda f: dataclasses.replace(
        changed(f, dataclasses.replace(BOX, committed=30.0)), tokens=frozenset(),
        calls=[*f.calls, Call(30.251, "m", "get")])),
    "a token behind the revoke": (
        "tokens_left", lambda f: changed(f, dataclasses.replace(BOX, committed=30.0)),
    ),
    "a mail that went on behind its end": ("left_an_end", lambda f: changed(
        f, Change("message", "a1", "refused", 40.0, "sent", "m", "c", "ea", "pa"))),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_it_sees_what_is_planted(name: str) -> None:
    """Faults I1 to I5, I8, F14, F25, F26: each turns its own count, and no other one that must be 0."""
    count, plant = PLANTED[name]
    facts = plant(altered(house(), "a2", attempted_at=100.0 + DAY))
    assert judge(facts).broken == [count]


def test_each_count_that_must_be_zero_has_something_planted() -> None:
    assert {count for count, _ in PLANTED.values()} == set(MUST_BE_ZERO)


def test_it_lets_pass_what_only_looks_like_a_breach() -> None:
    """A submit before the stop, one behind a pause, Google's revoke, two copies of one submit (F45)."""
    facts = altered(house(), "a2", attempted_at=100.0 + DAY)
    facts = changed(facts, PAUSE, RESUME, dataclasses.replace(BOX, committed=30.0))
    facts = dataclasses.replace(facts, tokens=frozenset(), calls=[Call(31.0, "m", "revoke")])
    facts = taken(facts, Taken("a1", "1"))
    verdict = judge(facts)
    assert verdict.broken == []
    assert verdict.counts["provider_duplicate"] == 1


def test_it_counts_what_is_parked_and_why() -> None:
    facts = altered(altered(house(), "b2", state="doubt", reason="no_trace"), "a2", attempted_at=100.0 + DAY)
    assert judge(facts).counts["true_unknown"] == 1
    by_rule = altered(facts, "b2", reason="unsent_twice")
    counts = judge(dataclasses.replace(by_rule, traces={"b2": "draft"})).counts
    assert (counts["parked"], counts["parked_by_rule"], counts["true_unknown"]) == (1, 1, 0)
    assert judge(dataclasses.replace(by_rule, traces={"b2": "sent"})).broken == ["parked_and_decidable"]


def pressed(key: str, began: float, answered: float) -> races.Press:
    return races.Press(key, began, answered)


def test_it_dates_an_opt_out_by_its_commit() -> None:
    """Faults R4: from the request to the commit of the stop, and no submit behind the answer."""
    found = races.effects([pressed("b1", 14.75, 15.25)], house())
    assert (found["post_to_effect_p99_ms"], found["answer_to_effect_p99_ms"]) == (250, 0)
    assert (found["submits_behind_an_answer"], found["opt_outs_without_effect"]) == (0, 0)


def test_it_sees_an_opt_out_that_is_answered_too_early() -> None:
    """Answered before the stop was committed; a mail of this person was submitted in between."""
    facts = changed(house(), Change("opt_out", "a1", "opted_out", 21.0, contact="pa"))
    found = races.effects([pressed("a1", 19.0, 19.5), pressed("b9", 1.0, 2.0)], facts)
    assert found["answer_to_effect_p99_ms"] == 1500
    assert (found["submits_behind_an_answer"], found["opt_outs_without_effect"]) == (1, 1)


# --- how a mail is known --------------------------------------------------------------------------


def mime(key: uuid.UUID | None) -> bytes:
    link = opt_out_url(uuid.uuid4(), key, address_index=b"i" * 32) if key else "https://elsewhere.example/u/x"
    mail = EmailMessage()
    mail["Subject"], mail["To"] = "Your hut table", "ana@site.example"
    mail.set_content(f"Hello\n\n{link}\n", cte="quoted-printable")
    mail.add_alternative(f'<p><a href="{link}">Stop</a></p>', subtype="html", cte="base64")
    return mail.as_bytes()


def test_it_knows_a_mail_by_its_body_alone() -> None:
    """The hostile sandbox strips our headers; the link is wrapped or in base64."""
    key = uuid.uuid4()
    assert reading.mail_of(mime(key)) == str(key)
    assert reading.mail_of(mime(None)) == ""
    assert reading.mail_of(base64.b64encode(mime(key))) == ""


def test_it_reads_the_sandbox_s_own_ledger(tmp_path: Path) -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    path = tmp_path / "ledger.sqlite3"
    with sqlite3.connect(path) as book:
        book.executescript(SCHEMA)
        for key in (one, one, two):
            book.execute(
                "INSERT INTO ledger (provider, account, mailbox, recipients, subject, raw, message_id, "
                "thread, provider_id, properties, accepted_at) "
                "VALUES ('google', 1, 'm', '[]', '', ?, '', '', '', '', 1)",
                (mime(key),),
            )
        assert [entry.mail for entry in reading._taken(book)] == [str(one), str(one), str(two)]
        facts = Facts(
            mails=[Mail(str(one), "sent"), Mail(str(two), "sent")], taken=list(reading._taken(book))
        )
    assert judge(facts).counts["duplicate"] == 1


# --- the clock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers",
    [
        {"apart": pace.HARD_LIMIT},
        {"step": pace.LEASE},
        {"step": pace.LEASE - pace.HARD_LIMIT},
        {"settle": pace.STEP + pace.HARD_LIMIT + pace.LATEST},
        {"latest": pace.SETTLE},
        {"deadline": pace.HARD_LIMIT},
    ],
)
def test_its_clock_refuses_a_step_that_breaks_the_order_of_waits(numbers: dict[str, float]) -> None:
    """Faults 3.1 rule 10: a step never ends a lease while its holder may live."""
    assert pace.faults() == []
    assert len(pace.faults(**numbers)) >= 1
