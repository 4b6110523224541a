"""Doing what was planned: recipients' acts, late moves to Sent Items and late submits."""

from __future__ import annotations

from typing import Any

import aiohttp

from mailbox.sandbox import bounces, mime, replies, user, visits
from mailbox.sandbox.calls import Origin
from mailbox.sandbox.context import Sandbox
from mailbox.sandbox.jobs import Handler
from mailbox.sandbox.mailstore import INBOX, SENT
from mailbox.sandbox.recipients import REPLIES
from mailbox.sandbox.refusals import Refusal
from mailbox.sandbox.sending import send_from_gmail, send_from_graph


def handlers(sandbox: Sandbox) -> dict[str, Handler]:
    """What the job queue may hold, each with the function that does it."""

    async def act(payload: dict[str, Any]) -> None:
        first, *rest = payload["acts"]
        try:
            await perform(sandbox, payload["entry"], payload["recipient"], first)
        finally:
            if rest:
                sandbox.jobs.add("act", {**payload, "acts": rest}, after=sandbox.settings.pace)

    async def move(payload: dict[str, Any]) -> None:
        account = sandbox.accounts.get(payload["account"])
        draft = sandbox.mail.get(account, payload["draft"])
        if draft is not None and draft.moving:
            sandbox.mail.move(account, draft, SENT, new_id=payload["new_id"])

    async def late_send(payload: dict[str, Any]) -> None:
        account = sandbox.accounts.find(payload["provider"], payload["mailbox"])
        if account is None:
            return
        google = account.provider == "google"
        draft = user.draft_of(sandbox, account, payload["draft"])
        if draft is None:
            return
        origin = Origin(payload["call"], payload["started_at"], "late")
        try:
            if google:
                send_from_gmail(sandbox, account, draft.raw, thread=draft.thread, draft=draft, origin=origin)
            else:
                send_from_graph(sandbox, account, draft, origin=origin)
        except Refusal:
            return

    async def by_hand(payload: dict[str, Any]) -> None:
        try:
            user.perform(sandbox, sandbox.accounts.get(payload["account"]), payload["act"], payload["handle"])
        except Refusal:
            return

    return {
        "act": act,
        "move": move,
        "late_send": late_send,
        "user": by_hand,
        "push": sandbox.pushes.deliver,
    }


async def perform(sandbox: Sandbox, entry: int, recipient: str, act: str) -> None:
    """One act of one recipient; what came of it is kept for the control API."""
    row = sandbox.store.row("SELECT account, raw FROM ledger WHERE pk = ?", entry)
    if row is None:
        return
    try:
        outcome = await _do(sandbox, row["account"], row["raw"], recipient, act)
    except (TimeoutError, aiohttp.ClientError) as problem:
        outcome = f"no answer: {problem.__class__.__name__}"
    sandbox.store.insert(
        "acts", at=sandbox.clock.now(), entry=entry, recipient=recipient, act=act, outcome=outcome
    )


async def _do(sandbox: Sandbox, account_pk: int, raw: bytes, recipient: str, act: str) -> str:
    mail = mime.parse(raw)
    if act == "open":
        url = visits.pixel(mail)
        return await visits.get(url, visits.MAIL_PROGRAM) if url else "no pixel"
    if act == "click":
        url = visits.link(mail)
        return await visits.get(url, visits.BROWSER) if url else "no link"
    if act == "optout":
        url = visits.opt_out(mail)
        return await visits.one_click(url) if url else "no opt-out link"
    account = sandbox.accounts.get(account_pk)
    now = sandbox.clock.now()
    named = next((name for name, address in (*mail.to, *mail.cc) if address == recipient), "")
    person = replies.persona(recipient, named)
    if act in REPLIES:
        answer = replies.reply(act, mail, person, at=now)
    elif act == "ooo":
        answer = replies.out_of_office(mail, person, at=now)
    else:
        answer = bounces.report(act, account, raw, mail, recipient, at=now)
    return sandbox.mail.add(account, answer, folder=INBOX).id
