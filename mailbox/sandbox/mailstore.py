"""The mails of an account: folders, threads and the numbered changes that cursors walk over."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mailbox.sandbox import mime
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.clock import Clock
from mailbox.sandbox.store import Store

INBOX, SENT, DRAFTS, JUNK = "inbox", "sentitems", "drafts", "junkemail"
FOLDERS = (INBOX, SENT, DRAFTS, JUNK, "deleteditems", "archive", "outbox")


@dataclass(frozen=True)
class Stored:
    """One mail in a folder. `at`: arrival in unix seconds; `moving`: accepted by Graph, still in Drafts."""

    pk: int
    account: int
    id: str
    thread: str
    folder: str
    draft: str | None
    raw: bytes
    message_id: str
    subject: str
    sender: str
    recipients: str
    at: float
    seq: int
    properties: dict[str, str]
    decoy: bool
    moving: bool

    @property
    def is_draft(self) -> bool:
        return self.folder == DRAFTS

    @property
    def snippet(self) -> str:
        """The first words of its body."""
        return " ".join(mime.parse(self.raw).plain[:100_000].split())[:200]


COLUMNS = (
    "pk, account, id, thread, folder, draft, raw, message_id, subject, sender, recipients, at, seq, "
    "properties, decoy, moving"
)


class MailStore:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # Told of each numbered change: account, kind, folder, message.
        self.listener: Callable[[Account, str, str, str], None] = lambda *_: None

    # -- reading

    def get(self, account: Account, message_id: str) -> Stored | None:
        return self._one("account = ? AND id = ?", account.pk, message_id)

    def draft(self, account: Account, draft_id: str) -> Stored | None:
        return self._one("account = ? AND draft = ?", account.pk, draft_id)

    def thread(self, account: Account, thread: str) -> list[Stored]:
        return self.where(account, "thread = ?", thread, order="at, pk")

    def where(
        self, account: Account, condition: str, *values: Any, order: str = "at DESC, pk DESC"
    ) -> list[Stored]:
        if "words" in condition:
            self._read_words(account)
        sql = f"SELECT {COLUMNS} FROM messages WHERE account = ? AND ({condition}) ORDER BY {order}"  # noqa: S608
        return [_stored(row) for row in self._store.rows(sql, account.pk, *values)]

    def with_references(self, account: Account, references: tuple[str, ...]) -> Stored | None:
        """The newest mail of the account that one of these Message-IDs names, the last id first."""
        for reference in reversed(references):
            found = self._one("account = ? AND message_id = ? ORDER BY pk DESC", account.pk, reference)
            if found:
                return found
        return None

    def counts(self, account: Account) -> tuple[int, int]:
        """How many mails and threads the account holds."""
        row = self._store.row(
            "SELECT count(*), count(DISTINCT thread) FROM messages WHERE account = ?", account.pk
        )
        return (row[0], row[1]) if row else (0, 0)

    # -- writing

    def add(
        self,
        account: Account,
        raw: bytes,
        *,
        folder: str,
        thread: str = "",
        draft: str | None = None,
        properties: dict[str, str] | None = None,
        at: float | None = None,
        lag: float = 0,
        decoy: bool = False,
    ) -> Stored:
        """Put a mail into a folder. Without `thread` it joins the one its References name, or opens one."""
        mail = mime.parse(raw)
        now = self._clock.now()
        new_id = self._new_id(account)
        with self._store.transaction():
            if not thread:
                parent = self.with_references(account, mail.references) if folder != DRAFTS else None
                thread = parent.thread if parent else self._new_thread(account, new_id)
            seq = self._note(account, "added", folder, new_id, thread)
            values: dict[str, Any] = {
                "account": account.pk,
                "id": new_id,
                "thread": thread,
                "folder": folder,
                "draft": draft,
                "raw": raw,
                "message_id": mail.message_id,
                "subject": mail.subject,
                "sender": f"{mail.sender_name} {mail.sender}".strip().lower(),
                "recipients": _people(mail),
                "at": now if at is None else at,
                "seq": seq,
            }
            pk = self._store.insert(
                "messages",
                **values,
                words="",
                snippet="",
                visible_at=now + lag,
                properties=json.dumps(properties) if properties else "{}",
                decoy=int(decoy),
            )
        return Stored(pk=pk, **values, properties=properties or {}, decoy=decoy, moving=False)

    def rewrite(
        self, account: Account, stored: Stored, raw: bytes, *, properties: dict[str, str], thread: str
    ) -> Stored:
        """New content for a draft at Microsoft, whose id stays."""
        mail = mime.parse(raw)
        with self._store.transaction():
            seq = self._note(account, "updated", stored.folder, stored.id, thread)
            self._store.change(
                "UPDATE messages SET raw = ?, message_id = ?, subject = ?, recipients = ?, words = '', "
                "properties = ?, thread = ?, seq = ? WHERE pk = ?",
                raw,
                mail.message_id,
                mail.subject,
                _people(mail),
                json.dumps(properties),
                thread,
                seq,
                stored.pk,
            )
        return replace(
            stored,
            raw=raw,
            message_id=mail.message_id,
            subject=mail.subject,
            recipients=_people(mail),
            properties=properties,
            thread=thread,
            seq=seq,
        )

    def move(
        self, account: Account, stored: Stored, folder: str, *, new_id: bool = False, lag: float = 0
    ) -> Stored:
        """Into another folder, with its id kept or changed."""
        target = self._new_id(account) if new_id else stored.id
        now = self._clock.now()
        with self._store.transaction():
            self._note(account, "deleted", stored.folder, stored.id, stored.thread)
            seq = self._note(account, "added", folder, target, stored.thread)
            self._store.change(
                "UPDATE messages SET id = ?, folder = ?, moving = 0, draft = NULL, at = ?, visible_at = ?, "
                "seq = ? WHERE pk = ?",
                target,
                folder,
                now,
                now + lag,
                seq,
                stored.pk,
            )
        return replace(stored, id=target, folder=folder, moving=False, draft=None, at=now, seq=seq)

    def mark_moving(self, stored: Stored, raw: bytes) -> None:
        message_id = mime.parse(raw).message_id
        self._store.change(
            "UPDATE messages SET moving = 1, raw = ?, words = '', message_id = ? WHERE pk = ?",
            raw,
            message_id,
            stored.pk,
        )

    def remove(self, account: Account, stored: Stored) -> None:
        with self._store.transaction():
            self._store.change("DELETE FROM messages WHERE pk = ?", stored.pk)
            self._note(account, "deleted", stored.folder, stored.id, stored.thread)

    # -- cursors

    def cursor(self, account: Account) -> int:
        row = self._store.row("SELECT seq FROM accounts WHERE pk = ?", account.pk)
        return int(row["seq"]) if row else 0

    def oldest(self, account: Account) -> int:
        row = self._store.row("SELECT oldest_seq FROM accounts WHERE pk = ?", account.pk)
        return int(row["oldest_seq"]) if row else 0

    def expire_cursors(self, account: Account) -> None:
        """Forget the past: every cursor handed out until now is too old."""
        with self._store.transaction():
            self._store.change("UPDATE accounts SET seq = seq + 1 WHERE pk = ?", account.pk)
            self._store.change("UPDATE accounts SET oldest_seq = seq WHERE pk = ?", account.pk)
            self._store.change("DELETE FROM changes WHERE account = ?", account.pk)

    def changes(self, account: Account, after: int, limit: int) -> list[sqlite3.Row]:
        return self._store.rows(
            "SELECT seq, kind, folder, message, thread FROM changes WHERE account = ? AND seq > ? "
            "ORDER BY seq LIMIT ?",
            account.pk,
            after,
            limit,
        )

    # -- inside

    def _one(self, where: str, *values: Any) -> Stored | None:
        row = self._store.row(f"SELECT {COLUMNS} FROM messages WHERE {where}", *values)  # noqa: S608
        return _stored(row) if row else None

    def _read_words(self, account: Account) -> None:
        """What a search for words compares with; read when somebody searches, since hardly anybody does."""
        unread = self._store.rows("SELECT pk, raw FROM messages WHERE account = ? AND words = ''", account.pk)
        for row in unread:
            mail = mime.parse(row["raw"])
            words = f"{mail.subject}\n{mail.plain[:100_000]}\n{mail.html[:100_000]}".lower()
            self._store.change("UPDATE messages SET words = ? WHERE pk = ?", words, row["pk"])

    def _note(self, account: Account, kind: str, folder: str, message: str, thread: str) -> int:
        """Number a change; cursors walk over these."""
        seq = self._store.bumped("UPDATE accounts SET seq = seq + 1 WHERE pk = ? RETURNING seq", account.pk)
        self._store.insert(
            "changes", account=account.pk, seq=seq, kind=kind, folder=folder, message=message, thread=thread
        )
        self.listener(account, kind, folder, message)
        return seq

    def _new_id(self, account: Account) -> str:
        if account.provider == "google":
            return f"{int(self._clock.now() * 1000) << 20 | secrets.randbits(20):016x}"[-16:]
        return "AAkALgAA" + secrets.token_urlsafe(60)

    def _new_thread(self, account: Account, message_id: str) -> str:
        return message_id if account.provider == "google" else "AAQkAD" + secrets.token_urlsafe(36)


def _people(mail: mime.Mail) -> str:
    return " ".join(f"{name} {address}" for name, address in (*mail.to, *mail.cc, *mail.bcc)).lower()


def _stored(row: sqlite3.Row) -> Stored:
    values = dict(row)
    values["properties"] = json.loads(values["properties"])
    values["decoy"] = bool(values["decoy"])
    values["moving"] = bool(values["moving"])
    return Stored(**values)
