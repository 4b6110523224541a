"""Every gate that a mail passes before it is queued and again before it is handed over (decisions 9).

A gate looks at one row and answers with a Verdict: it may go, it waits (until a time, or until somebody
acts), or it ends. `GATES` says which kinds of mail a gate is for; nothing else decides that. `asked` runs
them all and stops at none, for whoever wants to know why a mail has not gone (outreach/ledger.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from accounts import clock
from accounts.viewpoint import whole_workspace
from outreach.gates import domain, pace, people, state, text
from outreach.gates.facts import Asked, Facts
from outreach.gates.people import suppressed_by
from outreach.gates.verdict import GO, Verdict
from outreach.models import Message, MessageKind

__all__ = ["GATES", "Gate", "Verdict", "asked", "may_queue", "may_queue_text", "may_send", "suppressed_by"]

FIRST, FOLLOW_UP, REMOVAL = MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL
ANSWER, TEST = MessageKind.ANSWER, MessageKind.TEST
SEQUENCE = frozenset([FIRST, FOLLOW_UP, REMOVAL])
EVERY = frozenset(MessageKind)


@dataclass(frozen=True)
class Gate:
    """`number` is the one of faults.md 8. `late`: asked only at the last gate, in the sending transaction.

    `about_text`: looks at the final text, so it is also asked right after rendering. `only_warns`: stops no
    mail, so nothing that sends waits for its answer. `rule` says what has to be so for the mail to go.
    """

    number: str
    rule: str
    run: Callable[[Message, Asked], Verdict]
    kinds: frozenset[MessageKind]
    late: bool = False
    about_text: bool = False
    only_warns: bool = False


# In the order in which they are asked: what ends a mail before what lets it wait.
GATES = (
    Gate("G13", "The mailbox is connected here", state.mailbox_removed, EVERY),
    Gate("G13", "The person is still in the campaign", state.enrollment, SEQUENCE),
    Gate("G13", "Nobody has answered", state.no_reply, frozenset([FOLLOW_UP, REMOVAL])),
    Gate(
        "G13", "No mail waits to be told an answer", state.answer_suspected, frozenset([FOLLOW_UP, REMOVAL])
    ),
    Gate("G13", "The case still asks for removal", state.case_open, frozenset([REMOVAL])),
    Gate("G1", "Neither the address nor its domain is suppressed", people.suppression, SEQUENCE),
    Gate("G2", "Source and basis are recorded", people.basis, SEQUENCE),
    Gate("G14", "The person’s country allows it", people.region, SEQUENCE),
    Gate("G3", "The sender can be named", text.identity, EVERY),
    Gate(
        "G3",
        "The subject does not pretend",
        text.no_false_answer,
        frozenset([FIRST, FOLLOW_UP]),
        about_text=True,
    ),
    Gate("G15", "At most 25 MB, to one person", text.size, EVERY, about_text=True),
    Gate("G10", "Every field is filled in", text.placeholders, SEQUENCE, about_text=True),
    Gate("G11", "No link hides where it leads", text.links, SEQUENCE, about_text=True),
    Gate("G5", "The link to stop is in it", text.opt_out, SEQUENCE, about_text=True),
    Gate("G4", "A postal address is in it", text.postal_address, SEQUENCE),
    Gate(
        "G6", "The domain vouches for its mail (warns only)", domain.authentication, SEQUENCE, only_warns=True
    ),
    Gate("G13", "The workspace is not suspended", state.suspended, EVERY),
    Gate("G13", "The campaign is running", state.campaign, SEQUENCE),
    Gate("G13", "Nobody has paused the person", state.person_paused, SEQUENCE),
    Gate("G13", "The mailbox works now", state.mailbox_usable, EVERY),
    Gate("G8", "Few mails of the mailbox came back", pace.bounces, SEQUENCE),
    Gate("G9", "Few people complained", pace.complaints, SEQUENCE),
    Gate("G12", "No other campaign wrote lately", people.cool_down, frozenset([FIRST])),
    Gate("G12", "The site has had few mails", people.site_budget, frozenset([REMOVAL])),
    Gate("G2", "Few mails of this text, or consent", people.bulk, frozenset([FIRST])),
    Gate("G7", "Inside the hours of the campaign", pace.window, SEQUENCE),
    Gate("G7", "The mailbox has room today", pace.cap, SEQUENCE | {ANSWER}, late=True),
)


def may_queue(message: Message) -> Verdict:
    """Gates about the text let a row pass that has none yet."""
    return _ask(message, [gate for gate in GATES if not gate.late])


def may_queue_text(message: Message) -> Verdict:
    """The gates about the text alone, with the text just rendered and set on `message`."""
    return _ask(message, [gate for gate in GATES if gate.about_text])


def may_send(message: Message, *, now: dt.datetime | None = None, facts: Facts | None = None) -> Verdict:
    """The last gate: inside the transaction that commits `submitting`, with the message's row locked.

    The caller holds a first mail's contact too, so that two campaigns cannot both see "nobody wrote" (F28).
    `facts` were looked up behind those locks.
    """
    return _ask(message, GATES, now, facts)


@whole_workspace("a gate asks about every project")
def asked(message: Message, *, now: dt.datetime) -> list[tuple[Gate, Verdict]]:
    """Every gate that this mail passes, in their order, with its answer now. The first that says no decides.

    The same functions as the last gate calls, and nothing is stored: the answer is never stale.
    """
    beside = Asked(message, now)
    return [(gate, gate.run(message, beside)) for gate in GATES if message.kind in gate.kinds]


@whole_workspace("a gate asks about every project")
def _ask(
    message: Message, gates: Iterable[Gate], now: dt.datetime | None = None, facts: Facts | None = None
) -> Verdict:
    beside = Asked(message, now or clock.now(), facts)
    for gate in gates:
        if message.kind in gate.kinds and not gate.only_warns:
            verdict = gate.run(message, beside)
            if not verdict.ok:
                return verdict
    return GO
