"""What a mailbox's owner does by hand: deletes, edits or sends a draft, deletes a sent mail (F43, F44)."""

from __future__ import annotations

from email.header import Header

from mailbox.sandbox import mime
from mailbox.sandbox.accounts import Account
from mailbox.sandbox.context import Sandbox
from mailbox.sandbox.mailstore import DRAFTS, SENT, Stored
from mailbox.sandbox.sending import BY_HAND, send_from_gmail, send_from_graph

ACTS = ("user_deletes", "user_edits", "user_sends", "user_forgets")


def perform(sandbox: Sandbox, account: Account, act: str, handle: str) -> bool:
    """Do it; False where the draft or mail is not there any more. Raises Refusal.

    `handle` is a draft id at Google, a message id at Microsoft; for user_forgets a Message-ID.
    """
    if act == "user_forgets":
        found = sandbox.mail.where(account, "folder = ? AND message_id = ?", SENT, handle)
        for stored in found:
            sandbox.mail.remove(account, stored)
        return bool(found)
    draft = draft_of(sandbox, account, handle)
    if draft is None or draft.moving:
        return False
    if act == "user_deletes":
        sandbox.mail.remove(account, draft)
    elif act == "user_edits":
        edit(sandbox, account, draft, f"{draft.subject} (edited)")
    else:
        send(sandbox, account, draft)
    return True


def draft_of(sandbox: Sandbox, account: Account, handle: str) -> Stored | None:
    """The draft behind the id that its provider gave for it."""
    find = sandbox.mail.draft if account.provider == "google" else sandbox.mail.get
    stored = find(account, handle)
    return stored if stored and stored.is_draft else None


def edit(sandbox: Sandbox, account: Account, draft: Stored, subject: str, html: str = "") -> Stored:
    """A new subject and, with `html`, a new text; the same ones are a draft that was merely saved again.

    At Google the draft's message changes its id, at Microsoft its change key.
    """
    words = subject if subject.isascii() else Header(subject, "utf-8").encode()
    raw = mime.with_headers(draft.raw, {"Subject": words})
    raw = mime.with_html(raw, html) if html else raw
    if account.provider == "microsoft":
        return sandbox.mail.rewrite(account, draft, raw, properties=draft.properties, thread=draft.thread)
    with sandbox.store.transaction():
        sandbox.mail.remove(account, draft)
        return sandbox.mail.add(account, raw, folder=DRAFTS, thread=draft.thread, draft=draft.draft)


def send(sandbox: Sandbox, account: Account, draft: Stored) -> None:
    """In the provider's own mail program. Raises Refusal."""
    if account.provider == "google":
        send_from_gmail(sandbox, account, draft.raw, thread=draft.thread, draft=draft, origin=BY_HAND)
    else:
        send_from_graph(sandbox, account, draft, origin=BY_HAND)
