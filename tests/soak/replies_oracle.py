"""The judge of a soak of replies: what lies in the sandbox's mailboxes beside what the product has stored.

Which mail answers which of ours stands in a header of the soak, written when it arrived; the product knows
nothing of that header, and nothing of its matching is used here. test_replies.py plants what each count is
there for.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

HEADER = "X-Soak"
MUST_BE_ZERO = (
    "missing",
    "doubled",
    "in_wrong_conversation",
    "of_wrong_kind",
    "without_text",
    "foreign_stored",
    "foreign_reads",
)
_TRUTH = re.compile(rb"^X-Soak: (\S+) thread=(\S+) kind=(\S+) shape=(\S+)\r?$", re.MULTILINE)


@dataclass(frozen=True)
class Arrived:
    """A mail in a sandbox mailbox that answers one of ours. `id` is the provider's, unique in its mailbox."""

    mailbox: str
    id: str
    token: str
    thread: str
    kind: str
    shape: str = ""


@dataclass(frozen=True)
class Kept:
    """One stored reply. `tokens`: those of the soak that its new text holds."""

    mailbox: str
    id: str
    thread: str
    kind: str
    tokens: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Read:
    """A mail whose body was in an answer of the provider."""

    mailbox: str
    id: str


@dataclass(frozen=True)
class Facts:
    """`ours`: (mailbox, id) of what we sent, whose bodies the product may read as well."""

    arrived: Sequence[Arrived]
    kept: Sequence[Kept]
    reads: Sequence[Read] = ()
    ours: frozenset[tuple[str, str]] = frozenset()
    decoys: int = 0
    faults: int = 0
    pushes: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Verdict:
    """`examples`: a few lines behind each count that is not zero."""

    counts: Mapping[str, int]
    examples: Mapping[str, Sequence[str]]

    @property
    def broken(self) -> list[str]:
        return [name for name in MUST_BE_ZERO if self.counts[name]]


def judge(facts: Facts) -> Verdict:
    arrived = {(one.mailbox, one.id): one for one in facts.arrived}
    kept = {(one.mailbox, one.id): one for one in facts.kept}
    both = [(arrived[place], kept[place]) for place in arrived.keys() & kept.keys()]
    found = {
        "missing": [_line(one) for place, one in arrived.items() if place not in kept],
        "doubled": list(_doubled(facts)),
        "in_wrong_conversation": [_line(a) for a, k in both if a.thread != k.thread],
        "of_wrong_kind": [f"{_line(a)}: {k.kind}" for a, k in both if a.kind != k.kind],
        # A report's text is its server's.
        "without_text": [_line(a) for a, k in both if a.kind != "bounce" and a.token not in k.tokens],
        "foreign_stored": [f"{mailbox} {name}" for mailbox, name in kept if (mailbox, name) not in arrived],
        "foreign_reads": [
            f"{one.mailbox} {one.id}"
            for one in facts.reads
            if (one.mailbox, one.id) not in arrived and (one.mailbox, one.id) not in facts.ours
        ],
    }
    counts = {name: len(rows) for name, rows in found.items()}
    counts |= {"replies": len(arrived), "stored": len(facts.kept), "full_reads": len(facts.reads)}
    counts |= {"decoys": facts.decoys, "faults": facts.faults}
    pushes = facts.pushes or {}
    counts |= {"pushes": sum(pushes.values()), "dropped_pushes": pushes.get("dropped", 0)}
    return Verdict(counts, {name: rows[:8] for name, rows in found.items() if rows})


def _doubled(facts: Facts) -> Iterator[str]:
    """The same mail twice, or the same words under two ids."""
    places = Counter((one.mailbox, one.id) for one in facts.kept)
    yield from (f"{mailbox} {name}" for (mailbox, name), number in places.items() if number > 1)
    words = Counter(
        token for one in {(k.mailbox, k.id): k for k in facts.kept}.values() for token in one.tokens
    )
    yield from (token for token, number in words.items() if number > 1)


def _line(one: Arrived) -> str:
    return f"{one.token} ({one.shape}) in {one.mailbox}: {one.id}"


# --- the sandbox's side ---------------------------------------------------------------------------------


def truth(token: str, *, thread: object, kind: str, shape: str) -> str:
    """The header's value, from which `of_sandbox` knows where a mail belongs. kind `sent` is our own."""
    return f"{token} thread={thread} kind={kind} shape={shape}"


def of_sandbox(ledger: Path, kept: Iterable[Kept]) -> Facts:
    """What lies in its mailboxes, what was read of it, and what became of its pushes and calls."""
    arrived, ours, decoys = [], set(), 0
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=60)) as book:
        sql = "SELECT a.email, m.id, m.raw FROM messages m JOIN accounts a ON a.pk = m.account ORDER BY m.pk"
        for mailbox, name, raw in book.execute(sql):
            said = _TRUTH.search(raw)
            if said is None:
                decoys += 1
                continue
            token, thread, kind, shape = (word.decode() for word in said.groups())
            if kind == "sent":
                ours.add((mailbox, name))
            else:
                arrived.append(Arrived(mailbox, name, token, thread, kind, shape))
        reads = [
            Read(mailbox, name)
            for mailbox, names in book.execute("SELECT mailbox, message_ids FROM calls WHERE full_read = 1")
            for name in json.loads(names)
        ]
        faults = book.execute("SELECT count(*) FROM calls WHERE fault <> ''").fetchone()[0]
        pushes = dict(book.execute("SELECT outcome, count(*) FROM pushes GROUP BY 1"))
    return Facts(arrived, list(kept), reads, frozenset(ours), decoys, faults, pushes)


def calls_about(ledger: Path, mailbox: str, name: str) -> list[str]:
    """For a report on a loss: the newest calls in this mailbox and those that named the mail."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=60)) as book:
        sql = (
            "SELECT pk, at, clock_at, op, path, query, status, fault FROM calls WHERE mailbox = ? "
            "AND (path LIKE ? OR op = 'list') ORDER BY pk DESC LIMIT 60"
        )
        return [" ".join(map(str, row)) for row in book.execute(sql, (mailbox, f"%{name}%"))]
