"""The ledger file: one SQLite database in WAL mode that holds everything the sandbox knows.

Writes of one turn of the event loop share a commit, however many calls they belong to. `committed` is
awaited before an answer leaves, so that what was answered outlives a kill.
"""

from __future__ import annotations

import asyncio
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
    thread TEXT NOT NULL, provider_id TEXT NOT NULL, properties TEXT NOT NULL, accepted_at REAL NOT NULL,
    started_at REAL NOT NULL DEFAULT 0, call INTEGER, copy_of INTEGER, how TEXT NOT NULL DEFAULT 'call');
CREATE INDEX IF NOT EXISTS ledger_mailbox ON ledger (mailbox);
CREATE TABLE IF NOT EXISTS ledger_recipients (
    entry INTEGER NOT NULL, account INTEGER NOT NULL, recipient TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_recipients_pair ON ledger_recipients (account, recipient);
CREATE TABLE IF NOT EXISTS calls (
    pk INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, mailbox TEXT NOT NULL, op TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, status INTEGER NOT NULL DEFAULT 0,
    full_read INTEGER NOT NULL DEFAULT 0, message_ids TEXT NOT NULL DEFAULT '[]',
    units INTEGER NOT NULL DEFAULT 0, fault TEXT NOT NULL DEFAULT '', clock_at REAL NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS calls_mailbox ON calls (mailbox, op);
CREATE TABLE IF NOT EXISTS jobs (
    pk INTEGER PRIMARY KEY, due_at REAL NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due_at);
CREATE TABLE IF NOT EXISTS faults (
    pk INTEGER PRIMARY KEY, mailbox TEXT NOT NULL, op TEXT NOT NULL, kind TEXT NOT NULL,
    times INTEGER NOT NULL, options TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS watches (
    account INTEGER PRIMARY KEY, labels TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, account INTEGER NOT NULL, folder TEXT NOT NULL, url TEXT NOT NULL,
    lifecycle_url TEXT NOT NULL, client_state TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS subscriptions_account ON subscriptions (account);
CREATE TABLE IF NOT EXISTS pushes (
    pk INTEGER PRIMARY KEY, at REAL NOT NULL, provider TEXT NOT NULL, mailbox TEXT NOT NULL,
    event TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS acts (
    pk INTEGER PRIMARY KEY, at REAL NOT NULL, entry INTEGER NOT NULL, recipient TEXT NOT NULL,
    act TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS ledger_grows_only BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER IF NOT EXISTS ledger_keeps_all BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
"""
# What a ledger of an earlier version lacks.
LATER_COLUMNS = {
    "ledger": {
        "started_at": "REAL NOT NULL DEFAULT 0",
        "call": "INTEGER",
        "copy_of": "INTEGER",
        "how": "TEXT NOT NULL DEFAULT 'call'",
    },
    "calls": {"clock_at": "REAL NOT NULL DEFAULT 0"},
}
TABLES = (
    "accounts", "messages", "changes", "grants", "tokens", "codes", "ledger", "ledger_recipients",
    "calls", "jobs", "faults", "acts", "watches", "subscriptions", "pushes",
)  # fmt: skip


class Store:
    """One connection, used from the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        # What was committed outlives a kill of this process, not a power cut: nothing here is worth the wait.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("PRAGMA wal_autocheckpoint=8000")
        self._db.execute("PRAGMA cache_size=-65536")
        self._db.executescript(SCHEMA)
        self._add_later_columns()
        self._statements: dict[tuple[str, ...], str] = {}

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return found

    def insert(self, table: str, **values: Any) -> int:
        """Insert one row and return its key."""
        shape = (table, *values)
        sql = self._statements.get(shape)
        if sql is None:
            names, marks = ", ".join(values), ", ".join("?" for _ in values)
            sql = self._statements[shape] = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self._open()
        return int(self._db.execute(sql, tuple(values.values())).lastrowid or 0)

    def change(self, sql: str, *values: Any) -> int:
        """Run an UPDATE or DELETE and return how many rows it met."""
        self._open()
        return self._db.execute(sql, values).rowcount

    def bumped(self, sql: str, *values: Any) -> int:
        """Run an UPDATE ... RETURNING one number and return it. Raises LookupError where no row was met."""
        self._open()
        found = self._db.execute(sql, values).fetchall()
        if not found:
            raise LookupError(sql)
        return int(found[0][0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, within what this turn writes. Never held across an await."""
        self._open()
        self._db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO part")
            raise
        finally:
            self._db.execute("RELEASE part")

    async def committed(self) -> None:
        """Return once everything written so far is in the file."""
        # The commit was put behind this turn when its first write was made, so it comes before us.
        await asyncio.sleep(0)
        self.commit()

    def commit(self) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def clear(self) -> None:
        self._open()
        for table in TABLES:
            # The ledger lets nobody delete: it goes as a whole and comes new.
            if table == "ledger":
                self._db.execute("DROP TABLE ledger")
            else:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608
        self.commit()
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self.commit()
        self._db.close()

    def _open(self) -> None:
        """Open a transaction that ends with this turn of the loop; without a loop, each write is one."""
        if self._db.in_transaction:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._db.execute("BEGIN IMMEDIATE")
        loop.call_soon(self.commit)

    def _add_later_columns(self) -> None:
        for table, columns in LATER_COLUMNS.items():
            known = {row["name"] for row in self.rows(f"PRAGMA table_info({table})")}
            for name, kind in columns.items():
                if name not in known:
                    self._db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
