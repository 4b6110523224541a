"""Every gate that a mail passes before it is queued and again before it is handed over (decisions 9).

A gate looks at one row and answers with a Verdict: it may go, it waits (until a time, or until somebody
acts), or it ends. `GATES` says which kinds of mail a gate is for; nothing else decides that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from accounts import clock
from outreach.gates import pace, people, state, text
from outreach.gates.verdict import GO, Verdict
from outreach.models import Contact, Message, MessageKind

__all__ = ["GATES", "Gate", "Verdict", "may_queue", "may_send"]

FIRST, FOLLOW_UP, REMOVAL = MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL
ANSWER, TEST = MessageKind.ANSWER, MessageKind.TEST
SEQUENCE = frozenset([FIRST, FOLLOW_UP, REMOVAL])
EVERY = frozenset(MessageKind)


@dataclass(frozen=True)
class Gate:
    """`number` is the one of faults.md 8. `late`: asked only at the last gate, in the sending transaction."""

    number: str
    run: Callable[[Message, dt.datetime], Verdict]
    kinds: frozenset[MessageKind]
    late: bool = False


# In the order in which they are asked: what ends a mail before what lets it wait.
GATES = (
    Gate("G13", state.mailbox_removed, EVERY),
    Gate("G13", state.enrollment, SEQUENCE),
    Gate("G13", state.no_reply, frozenset([FOLLOW_UP, REMOVAL])),
    Gate("G13", state.case_open, frozenset([REMOVAL])),
    Gate("G1", people.suppression, SEQUENCE),
    Gate("G2", people.basis, SEQUENCE),
    Gate("G14", people.region, SEQUENCE),
    Gate("G3", text.identity, EVERY),
    Gate("G3", text.no_false_answer, frozenset([FIRST])),
    Gate("G15", text.size, EVERY),
    Gate("G10", text.placeholders, SEQUENCE),
    Gate("G11", text.links, SEQUENCE),
    Gate("G5", text.opt_out, SEQUENCE),
    Gate("G4", text.postal_address, SEQUENCE),
    Gate("G13", state.suspended, EVERY),
    Gate("G13", state.campaign, SEQUENCE),
    Gate("G13", state.mailbox_usable, EVERY),
    Gate("G8", pace.bounces, SEQUENCE),
    Gate("G9", pace.complaints, SEQUENCE),
    Gate("G12", people.cool_down, frozenset([FIRST])),
    Gate("G12", people.site_budget, frozenset([REMOVAL])),
    Gate("G2", people.bulk, frozenset([FIRST])),
    Gate("G7", pace.window, SEQUENCE),
    Gate("G7", pace.cap, SEQUENCE | {ANSWER}, late=True),
)


def may_queue(message: Message) -> Verdict:
    """Asked with the text set on `message`; gates about text are passed by while there is none."""
    return _ask(message, late=False)


def may_send(message: Message) -> Verdict:
    """The last gate: inside the transaction that commits `submitting`, with the message's row locked.

    A first mail also locks its contact, so that two campaigns cannot both see "nobody wrote" (F28).
    """
    if message.kind == FIRST and message.contact_id is not None:
        Contact.objects.select_for_update(no_key=True).filter(pk=message.contact_id).first()
    return _ask(message, late=True)


def _ask(message: Message, *, late: bool) -> Verdict:
    now = clock.now()
    for gate in GATES:
        if message.kind in gate.kinds and (late or not gate.late):
            verdict = gate.run(message, now)
            if not verdict.ok:
                return verdict
    return GO
