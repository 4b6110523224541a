"""A short soak of replies, and a judge that sees what is planted (decisions 27)."""

from __future__ import annotations

import dataclasses
import json
import random
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mailbox.sandbox.accounts import Account
from mailbox.sandbox.store import SCHEMA
from tests.soak import replies_mail
from tests.soak.replies_mail import Conversation
from tests.soak.replies_oracle import MUST_BE_ZERO, Arrived, Facts, Kept, Read, judge, of_sandbox
from tests.soak.test_soak import run

BOX = "m@google1.soak.example"


def house() -> Facts:
    """Two answers to two mails of ours, a bounce, and a private mail that nobody has read."""
    arrived = [
        Arrived(BOX, "1", "r1", "t1", "reply"),
        Arrived(BOX, "2", "r2", "t2", "auto_reply"),
        Arrived(BOX, "3", "r3", "t2", "bounce"),
    ]
    kept = [
        Kept(BOX, "1", "t1", "reply", frozenset({"r1"})),
        Kept(BOX, "2", "t2", "auto_reply", frozenset({"r2"})),
        Kept(BOX, "3", "t2", "bounce"),
    ]
    reads = [Read(BOX, name) for name in ("1", "2", "3", "0")]
    return Facts(arrived, kept, reads, frozenset({(BOX, "0")}), decoys=1, pushes={"dropped": 3, "204": 7})


def kept(facts: Facts, at: int, **values: object) -> Facts:
    rows = list(facts.kept)
    rows[at] = dataclasses.replace(rows[at], **values)  # type: ignore[arg-type]
    return dataclasses.replace(facts, kept=rows)


def more(facts: Facts, row: Kept) -> Facts:
    return dataclasses.replace(facts, kept=[*facts.kept, row])


PLANTED: dict[str, Callable[[Facts], Facts]] = {
    "missing": lambda facts: dataclasses.replace(facts, kept=facts.kept[1:]),
    "doubled": lambda facts: more(facts, facts.kept[0]),
    "in_wrong_conversation": lambda facts: kept(facts, 0, thread="t2"),
    "of_wrong_kind": lambda facts: kept(facts, 1, kind="reply"),
    "without_text": lambda facts: kept(facts, 0, tokens=frozenset()),
    "foreign_stored": lambda facts: more(facts, Kept(BOX, "9", "t1", "reply")),
    "foreign_reads": lambda facts: dataclasses.replace(facts, reads=[*facts.reads, Read(BOX, "9")]),
}


def test_it_finds_nothing_wrong_where_all_is_well() -> None:
    verdict = judge(house())
    assert verdict.broken == []
    assert (verdict.counts["replies"], verdict.counts["stored"], verdict.counts["full_reads"]) == (3, 3, 4)
    assert (verdict.counts["pushes"], verdict.counts["dropped_pushes"]) == (10, 3)


@pytest.mark.parametrize("count", MUST_BE_ZERO)
def test_it_sees_what_is_planted(count: str) -> None:
    verdict = judge(PLANTED[count](house()))
    assert verdict.broken == [count]
    assert verdict.examples[count]


def test_it_sees_the_same_words_under_another_name() -> None:
    """A provider that names one mail twice is no excuse: a person sees the answer twice."""
    facts = more(house(), Kept(BOX, "1b", "t1", "reply", frozenset({"r1"})))
    assert judge(facts).counts["doubled"] == 1


def test_a_mail_of_one_mailbox_is_foreign_in_another() -> None:
    facts = dataclasses.replace(house(), reads=[Read("other@soak.example", "1")])
    assert judge(facts).broken == ["foreign_reads"]


def conversation() -> Conversation:
    raw = replies_mail.ours(
        mailbox=BOX, to="ana@hut.example", token="s1", thread="t1", message_id="<one@soak.example>", at=1.0
    )
    account = Account(1, "google", BOX, "Soak", "sub", "")
    return Conversation("t1", BOX, "google", account, "p1", "<one@soak.example>", "ana@hut.example", raw)


def test_it_knows_each_shape_of_answer_by_its_own_header(tmp_path: Path) -> None:
    """Also of a report that carries the header of our own mail within."""
    book = sqlite3.connect(tmp_path / "ledger.sqlite3")
    book.executescript(SCHEMA)
    book.execute("INSERT INTO accounts VALUES (1, 'google', ?, '', 'sub', '', 1, 1, 0)", (BOX,))
    talk, dice, wanted = conversation(), random.Random(1), {}
    mails = [(0, talk.raw)]
    for number in range(1, 120):
        wish = replies_mail.answer(talk, dice, token=f"r{number}", at=2.0)
        wanted[str(number)] = f"r{number}"
        mails.append((number, wish.raw))
        talk.answers += [wish.answer] if wish.answer else []
    mails += [(200 + one, replies_mail.private(talk, dice, number=one, at=2.0)) for one in range(20)]
    for number, raw in mails:
        book.execute(
            "INSERT INTO messages (account, id, thread, folder, raw, message_id, subject, sender, "
            "recipients, words, snippet, at, visible_at, seq, properties) "
            "VALUES (1, ?, 't', 'inbox', ?, '', '', '', '', '', '', 0, 0, 0, '')",
            (str(number), raw),
        )
    values = (BOX, json.dumps(["201"]))
    book.execute(
        "INSERT INTO calls (at, provider, mailbox, op, method, path, query, full_read, message_ids) "
        "VALUES (1, 'google', ?, 'get', 'GET', '', '', 1, ?)",
        values,
    )
    book.commit()
    facts = of_sandbox(tmp_path / "ledger.sqlite3", [])
    assert {one.id: one.token for one in facts.arrived} == wanted
    assert {one.thread for one in facts.arrived} == {"t1"}
    assert {one.kind for one in facts.arrived} == {"reply", "auto_reply", "bounce"}
    assert {one.shape.partition(":")[0] for one in facts.arrived} > set(replies_mail.SHAPES) - {"bounce"}
    assert facts.ours == {(BOX, "0")}
    assert facts.decoys == 20
    assert judge(facts).counts["foreign_reads"] == 1


@pytest.mark.slow
def test_no_reply_is_lost_while_everything_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Faults R5 in small, with F29 to F32, F35 and F36."""
    report, said = run(
        "tests.soak.replies", "--replies", "120", "--decoys", "100", "--kills", "2", "--seed", "5"
    )
    with capsys.disabled():
        shown = {name: value for name, value in report.items() if name != "examples"}
        sys.stdout.write(f"\nsoak of replies: {json.dumps(shown)}\n")
    assert report["broken"] == [], said
    assert report["replies"] == report["stored"] == 120
    # The run was one in which things went wrong.
    assert report["kills"] == 2
    assert report["decoys"] >= 100
    for act in ("flushes", "expired_cursors", "faults", "dropped_pushes"):
        assert report[act] > 0, act
