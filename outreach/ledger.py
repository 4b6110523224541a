"""Why a mail has not gone: which rule, in words, and when it is tried again (faults.md 8).

`told` reads what the row keeps and asks the database nothing, for lists. `opened` asks every gate anew with
the functions that the last gate uses, so that its answer is never stale.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from mailbox.models import MailboxState
from outreach import policy
from outreach.holding import BLANK
from outreach.models import CampaignState, Message, MessageState
from outreach.models.messages import STOPPABLE
from outreach.reasons import gate_of, sentence_for

# What `opened` looks at: `Message.objects.select_related(*WITH)`.
WITH = ("workspace", "mailbox", "campaign__mailbox", "contact__site", "step", "thread",
        "enrollment__case")  # fmt: skip
# Codes of rows that wait for nothing but their time or their turn.
NOT_DUE, NEXT = "not_due", "next"
# Codes of a gate's number that a stage sets, which no gate of outreach.policy could give.
_STAGES = frozenset({"spacing", "provider_budget", "poll_first", "template"})
_SAID = {
    MessageState.SUBMITTING: "It was handed to the provider. What became of it is not known yet.",
    MessageState.DOUBT: "The provider did not say what became of it. A person decides.",
    MessageState.SENT: "The provider accepted it.",
}


class Answer(enum.StrEnum):
    """What a gate says. `later`: it looks at the text, which is fixed when the mail is queued."""

    PASSES = "passes"
    WARNS = "warns"
    WAITS = "waits"
    ENDS = "ends"
    LATER = "later"


@dataclass(frozen=True)
class Line:
    """One gate. `code`, `sentence` and `until` are empty where it passes."""

    gate: str
    rule: str
    answer: Answer
    code: str
    sentence: str
    until: dt.datetime | None


@dataclass(frozen=True)
class Told:
    """`code` is stable; `gate` its number, "" where no gate decides.

    `next_try`: None where the mail has ended, or waits for somebody and for no time.
    """

    code: str
    gate: str
    sentence: str
    next_try: dt.datetime | None


@dataclass(frozen=True)
class Ledger:
    """`lines` are the gates in the order in which they are asked; none for a mail that waits no more."""

    decides: Told
    lines: list[Line]


def told(row: Message, *, now: dt.datetime) -> Told:
    """As of the last time that somebody asked, in plain text. The row comes with mailbox and campaign."""
    state = MessageState(row.state)
    if state in STOPPABLE:
        held = _held(row, now)
        if held is not None:
            return held
        if not row.reason:
            return _free(row, now)
        words = sentence_for(row.reason, row.detail or "")
        return Told(row.reason, gate_of(row.reason), words, max(_due(row), now))
    if state in (MessageState.SUBMITTING, MessageState.SENT) or (state in _SAID and not row.reason):
        sentence = _SAID[state]
    else:
        sentence = sentence_for(row.reason, row.detail or "")
    stopped = state in (MessageState.CANCELLED, MessageState.SUPPRESSED)
    looks_at = row.settle_at if state in (MessageState.SUBMITTING, MessageState.DOUBT) else None
    return Told(row.reason, gate_of(row.reason) if stopped else "", sentence, looks_at)


def opened(row: Message, *, now: dt.datetime) -> Ledger:
    """Every gate, asked now. The row comes with WITH; it is not changed in the database."""
    if row.state not in STOPPABLE:
        return Ledger(told(row, now=now), [])
    if row.state == MessageState.PLANNED and row.thread_id is None and row.campaign is not None:
        # A first mail leaves from the mailbox that the campaign has now (pipeline/queue.py).
        row.mailbox = row.campaign.mailbox
    lines = [_line(row, gate, verdict) for gate, verdict in policy.asked(row, now=now)]
    no = next((line for line in lines if line.answer in (Answer.WAITS, Answer.ENDS)), None)
    if no is not None:
        return Ledger(Told(no.code, no.gate, no.sentence, _tried(row, no, now)), lines)
    # No gate says no now. What a stage left on the row holds still; what a gate left does not.
    return Ledger(told(row, now=now) if _of_a_stage(row.reason) else _free(row, now), lines)


def _line(row: Message, gate: policy.Gate, verdict: policy.Verdict) -> Line:
    if verdict.ok and gate.about_text and not row.text:
        return Line(gate.number, gate.rule, Answer.LATER, "", "Asked as soon as the text is fixed.", None)
    if verdict.ok:
        answer = Answer.WARNS if verdict.code else Answer.PASSES
    else:
        answer = Answer.WAITS if verdict.ends is None else Answer.ENDS
    return Line(gate.number, gate.rule, answer, verdict.code, verdict.sentence, verdict.until)


def _of_a_stage(code: str) -> bool:
    return bool(code) and (code in _STAGES or code.startswith(BLANK) or not gate_of(code))


def _held(row: Message, now: dt.datetime) -> Told | None:
    """What stops a whole campaign or mailbox is written on none of its mails."""
    campaign, mailbox = row.campaign, row.mailbox
    if campaign is not None and campaign.state == CampaignState.PAUSED:
        return _by("campaign_paused", None)
    if mailbox is not None and mailbox.state == MailboxState.BROKEN:
        return _by("mailbox_disconnected", None)
    until = mailbox.throttled_until if mailbox and mailbox.state == MailboxState.THROTTLED else None
    return _by("provider_wait", until) if until is not None and until > now else None


def _by(code: str, until: dt.datetime | None) -> Told:
    return Told(code, gate_of(code), sentence_for(code), until)


def _free(row: Message, now: dt.datetime) -> Told:
    due = _due(row)
    if due > now:
        return _by(NOT_DUE, due)
    turn = row.mailbox.next_send_at if row.mailbox is not None else None
    if turn is not None and turn > now:
        return _by("spacing", turn)
    return _by(NEXT, now)


def _due(row: Message) -> dt.datetime:
    return max(row.due_at, row.not_before or row.due_at)


def _tried(row: Message, line: Line, now: dt.datetime) -> dt.datetime | None:
    """When the gate is asked again: it names a time, or the row does. What ends is not tried again."""
    if line.answer is Answer.ENDS:
        return None
    times = [line.until, row.not_before, row.due_at]
    return max((time for time in times if time is not None and time > now), default=None)
