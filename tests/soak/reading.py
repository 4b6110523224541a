"""Brings the judge its facts: ledger and database by SQL of its own, and the links of the mails opened."""

from __future__ import annotations

import email
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.message import Message as Mime
from pathlib import Path
from typing import Any

import psycopg2

from tests.soak.oracle import Call, Change, Facts, Mail, Taken
from tracking.tokens import Invalid, read_opt_out

_LINK = re.compile(r"/u/([A-Za-z0-9_-]{40,})")

_MAILS = """
SELECT m.id::text, m.state, m.reason, coalesce(m.campaign_id::text, ''), coalesce(s.position, 1),
    coalesce(m.enrollment_id::text, ''), coalesce(m.contact_id::text, ''), coalesce(m.mailbox_id::text, ''),
    extract(epoch FROM m.attempted_at)::float8
FROM outreach_message m LEFT JOIN outreach_step s ON s.id = m.step_id
"""
_CHANGES = """
SELECT kind, id::text, became, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8, coalesce(was, ''),
    coalesce(mailbox::text, ''), coalesce(campaign::text, ''), coalesce(enrollment::text, ''),
    coalesce(contact::text, '')
FROM soak.history ORDER BY pk
"""
_IDENTITIES = "SELECT id::text, encode(identity, 'hex') FROM mailbox_mailbox"
_STEPS = "SELECT campaign_id::text, count(*) FROM outreach_step GROUP BY 1"
_ENROLLMENTS = "SELECT id::text, state, campaign_id::text FROM outreach_enrollment"
_TOKENS = "SELECT mailbox_id::text FROM mailbox_credential"


def read(
    *, database: str, ledger: Path, addresses: Mapping[str, str], cap: int, planned: int | None
) -> Facts:
    """Everything, as it stands now. `addresses`: the provider's name of a mailbox → our id."""
    with closing(psycopg2.connect(database)) as connection:
        rows = [
            _rows(connection, sql) for sql in (_MAILS, _CHANGES, _IDENTITIES, _STEPS, _ENROLLMENTS, _TOKENS)
        ]
    mails, changes, identities, steps, enrollments, tokens = rows
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as book:
        taken = list(_taken(book))
        traces = dict(_traces(book))
        calls = [
            Call(at, addresses.get(mailbox, mailbox), op, fault)
            for at, mailbox, op, fault in book.execute("SELECT at, mailbox, op, fault FROM calls ORDER BY pk")
        ]
    return Facts(
        mails=[Mail(*row) for row in mails],
        taken=taken,
        changes=[Change(*row) for row in changes],
        calls=calls,
        identities=dict(identities),
        cap=cap,
        steps=dict(steps),
        enrollments={row[0]: (row[1], row[2]) for row in enrollments},
        traces=traces,
        planned=planned,
        tokens=frozenset(row[0] for row in tokens),
    )


def faults_by_kind(ledger: Path) -> dict[str, int]:
    """What the sandbox did to calls: "send accept_then_reset" → how often."""
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as book:
        sql = "SELECT op || ' ' || fault, count(*) FROM calls WHERE fault != '' GROUP BY 1 ORDER BY 1"
        return dict(book.execute(sql))


def mail_of(raw: bytes) -> str:
    """The id in the opt-out link of a mail's body; empty where there is none. Headers are not asked."""
    for text in _texts(email.message_from_bytes(raw)):
        for token in _LINK.findall(text):
            try:
                return str(read_opt_out(token).key)
            except Invalid:
                continue
    return ""


def _rows(connection: Any, sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[Any] = cursor.fetchall()
    return found


def _texts(mail: Mime) -> Iterator[str]:
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            body = part.get_payload(decode=True)
            yield body.decode("utf-8", "replace") if isinstance(body, bytes) else ""


def _taken(book: sqlite3.Connection) -> Iterator[Taken]:
    """Every entry is one submit of ours, but for those that the provider doubled by itself."""
    names = {row[1] for row in book.execute("PRAGMA table_info(ledger)")}
    doubled = "copy_of" if "copy_of" in names else "NULL"
    sql = f"SELECT pk, raw, {doubled} FROM ledger ORDER BY pk"  # noqa: S608
    for pk, raw, copy_of in book.execute(sql):
        yield Taken(mail_of(raw), str(copy_of or pk))


def _traces(book: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Drafts first, so that a sent copy of the same mail is what counts."""
    for folder, what in (("drafts", "draft"), ("sentitems", "sent")):
        for (raw,) in book.execute(
            "SELECT raw FROM messages WHERE folder = ? AND moving = 0 AND decoy = 0", (folder,)
        ):
            if key := mail_of(raw):
                yield key, what
