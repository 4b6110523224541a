"""The ledger file: one SQLite database in WAL mode that holds everything the sandbox knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    pk INTEGER PRIMARY KEY, provider TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL,
    subject TEXT NOT NULL, tenant TEXT NOT NULL, seq INTEGER NOT NULL, oldest_seq INTEGER NOT NULL,
    created_at REAL NOT NULL, UNIQUE (provider, email));
CREATE TABLE IF NOT EXISTS messages (
    pk INTEGER PRIMARY KEY, account INTEGER NOT NULL, id TEXT NOT NULL, thread TEXT NOT NULL,
    folder TEXT NOT NULL, draft TEXT, raw BLOB NOT NULL, message_id TEXT NOT NULL, subject TEXT NOT NULL,
    sender TEXT NOT NULL, recipients TEXT NOT NULL, words TEXT NOT NULL, snippet TEXT NOT NULL,
    at REAL NOT NULL, visible_at REAL NOT NULL, seq INTEGER NOT NULL, properties TEXT NOT NULL,
    decoy INTEGER NOT NULL DEFAULT 0, moving INTEGER NOT NULL DEFAULT 0, UNIQUE (account, id));
CREATE INDEX IF NOT EXISTS messages_thread ON messages (account, thread);
CREATE INDEX IF NOT EXISTS messages_message_id ON messages (account, message_id);
CREATE INDEX IF NOT EXISTS messages_folder ON messages (account, folder, at);
CREATE INDEX IF NOT EXISTS messages_draft ON messages (account, draft);
CREATE TABLE IF NOT EXISTS changes (
    account INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, folder TEXT NOT NULL,
    message TEXT NOT NULL, thread TEXT NOT NULL, PRIMARY KEY (account, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grants (
    pk INTEGER PRIMARY KEY, account INTEGER NOT NULL, client TEXT NOT NULL, scopes TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, grant_pk INTEGER NOT NULL, scopes TEXT NOT NULL,
    expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, provider TEXT NOT NULL, account INTEGER NOT NULL, client TEXT NOT NULL,
    redirect_uri TEXT NOT NULL, scopes TEXT NOT NULL, challenge TEXT NOT NULL, nonce TEXT NOT NULL,
    offline INTEGER NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (
    pk INTEGER PRIMARY KEY, provider TEXT NOT NULL, account INTEGER NOT NULL, mailbox TEXT NOT NULL,
    recipients TEXT NOT NULL, subject TEXT NOT NULL, raw BLOB NOT NULL, message_id TEXT NOT NULL,
    thread TEXT NOT NULL, provider_id TEXT NOT NULL, properties TEXT NOT NULL, accepted_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_mailbox ON ledger (mailbox);
CREATE TABLE IF NOT EXISTS ledger_recipients (
    entry INTEGER NOT NULL, account INTEGER NOT NULL, recipient TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_recipients_pair ON ledger_recipients (account, recipient);
CREATE TABLE IF NOT EXISTS calls (
    pk INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, mailbox TEXT NOT NULL, op TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,
    full_read INTEGER NOT NULL DEFAULT 0, message_ids TEXT NOT NULL DEFAULT '[]',
    units INTEGER NOT NULL DEFAULT 0, fault TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS calls_mailbox ON calls (mailbox);
CREATE TABLE IF NOT EXISTS jobs (
    pk INTEGER PRIMARY KEY, due_at REAL NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due_at);
CREATE TABLE IF NOT EXISTS faults (
    pk INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, op TEXT NOT NULL, kind TEXT NOT NULL,
    times INTEGER NOT NULL, options TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS acts (
    pk INTEGER PRIMARY KEY, at REAL NOT NULL, entry INTEGER NOT NULL, recipient TEXT NOT NULL,
    act TEXT NOT NULL, outcome TEXT NOT NULL);
"""
TABLES = (
    "accounts", "messages", "changes", "grants", "tokens", "codes", "ledger", "ledger_recipients",
    "calls", "jobs", "faults", "acts",
)  # fmt: skip


class Store:
    """One connection, used from the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)
        self._depth = 0

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return found

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row and return its key."""
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        cursor = self._db.execute(sql, tuple(values.values()))
        return int(cursor.lastrowid or 0)

    def change(self, sql: str, *values: Any) -> int:
        """Run an UPDATE or DELETE and return how many rows it met."""
        return self._db.execute(sql, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner one joins the outer one. Never held across an await."""
        if self._depth:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        else:
            self._db.execute("COMMIT")
        finally:
            self._depth -= 1

    def clear(self) -> None:
        with self.transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608

    def close(self) -> None:
        self._db.close()
