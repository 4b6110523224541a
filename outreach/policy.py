"""Every gate that a mail passes before it is queued and again before it is handed over (decisions 9).

A gate looks at one row and answers with a Verdict: it may go, it waits (until a time, or until somebody
acts), or it ends. `GATES` says which kinds of mail a gate is for; nothing else decides that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts import clock
from accounts.viewpoint import whole_workspace
from outreach.gates import pace, people, state, text
from outreach.gates.people import suppressed_by
from outreach.gates.verdict import GO, Verdict
from outreach.models import Message, MessageKind

__all__ = ["GATES", "Gate", "Verdict", "may_queue", "may_queue_text", "may_send", "suppressed_by"]

FIRST, FOLLOW_UP, REMOVAL = MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL
ANSWER, TEST = MessageKind.ANSWER, MessageKind.TEST
SEQUENCE = frozenset([FIRST, FOLLOW_UP, REMOVAL])
EVERY = frozenset(MessageKind)


@dataclass(frozen=True)
class Gate:
    """`number` is the one of faults.md 8. `late`: asked only at the last gate, in the sending transaction.

    `about_text`: looks at the final text, so it is also asked right after rendering.
    """

    number: str
    run: Callable[[Message, dt.datetime], Verdict]
    kinds: frozenset[MessageKind]
    late: bool = False
    about_text: bool = False


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
    Gate("G3", text.no_false_answer, frozenset([FIRST]), about_text=True),
    Gate("G15", text.size, EVERY, about_text=True),
    Gate("G10", text.placeholders, SEQUENCE, about_text=True),
    Gate("G11", text.links, SEQUENCE, about_text=True),
    Gate("G5", text.opt_out, SEQUENCE, about_text=True),
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
    """Gates about the text let a row pass that has none yet."""
    return _ask(message, [gate for gate in GATES if not gate.late])


def may_queue_text(message: Message) -> Verdict:
    """The gates about the text alone, with the text just rendered and set on `message`."""
    return _ask(message, [gate for gate in GATES if gate.about_text])


def may_send(message: Message, *, now: dt.datetime | None = None) -> Verdict:
    """The last gate: inside the transaction that commits `submitting`, with the message's row locked.

    The caller holds a first mail's contact too, so that two campaigns cannot both see "nobody wrote" (F28).
    """
    return _ask(message, GATES, now)


@whole_workspace("a gate asks about every project")
def _ask(message: Message, gates: Iterable[Gate], now: dt.datetime | None = None) -> Verdict:
    now = now or clock.now()
    for gate in gates:
        if message.kind in gate.kinds:
            verdict = gate.run(message, now)
            if not verdict.ok:
                return verdict
    return GO
