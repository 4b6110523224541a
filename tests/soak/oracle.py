"""The judge: compares what the providers took with what the database says (faults.md 5, 7.3).

It knows rows and ledger entries as plain values and nothing of the product's sending code; reading.py brings
them, test_oracle.py plants what each count is there for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

FINAL = frozenset({"sent", "refused", "cancelled", "suppressed", "doubt"})
NOT_SENT = frozenset({"refused", "cancelled", "suppressed"})
GOING = frozenset({"planned", "running"})
ENDED = frozenset({"replied", "bounced", "suppressed", "cancelled"})
DAY = 86_400.0
# Faults behind which nobody can know whether the mail was taken.
IN_DOUBT = frozenset({"accept_then_reset", "truncate", "error_but_accepted", "error_not_accepted",
                      "accept_after", "hang"})  # fmt: skip
# A revoke: no call starts later than this behind its commit, Google's revoke apart (decisions 6).
GRACE = 0.25
# What faults.md 3.1 rule 9 and 4.2 park although the unused draft can still be seen: a person chooses.
PARKED_BY_RULE = frozenset({"unsent_twice", "too_old"})
MUST_BE_ZERO = ("duplicate", "lost", "wrongly_sent", "wrongly_not_sent", "stop_violated", "cap_breach",
                "unknown_mail", "parked_and_decidable", "late_calls", "tokens_left",
                "left_an_end")  # fmt: skip


@dataclass(frozen=True)
class Mail:
    """One intended mail as the database has it. Times are unix seconds of the product's clock."""

    id: str
    state: str
    reason: str = ""
    campaign: str = ""
    position: int = 1
    enrollment: str = ""
    contact: str = ""
    mailbox: str = ""
    attempted_at: float | None = None


@dataclass(frozen=True)
class Taken:
    """One entry of the ledger; `mail` is the id that its body's link names, empty where it names none.

    `submit` tells the calls apart where the provider itself made two mails of one call.
    """

    mail: str
    submit: str


@dataclass(frozen=True)
class Change:
    """One change of a row's state and the machine's time at which it was committed."""

    kind: str  # message, campaign, mailbox, enrollment, opt_out
    id: str
    became: str
    committed: float
    was: str = ""
    mailbox: str = ""
    campaign: str = ""
    enrollment: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Call:
    """One request that reached a provider, at the machine's time."""

    at: float
    mailbox: str
    op: str
    fault: str = ""


@dataclass(frozen=True)
class Facts:
    """`caps` and `identities` by mailbox; `steps` by campaign; `enrollments`: id → (state, campaign).

    `traces`: mails of which a copy or an unused draft can be seen in a mailbox: id → "sent" or "draft".
    `planned` is how many first mails there were at the start. `tokens`: mailboxes with a credential.
    """

    mails: Sequence[Mail]
    taken: Sequence[Taken]
    changes: Sequence[Change] = ()
    calls: Sequence[Call] = ()
    identities: Mapping[str, str] = field(default_factory=dict)
    cap: int = 10**9
    steps: Mapping[str, int] = field(default_factory=dict)
    enrollments: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    traces: Mapping[str, str] = field(default_factory=dict)
    planned: int | None = None
    tokens: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """`counts` by the names of faults.md 7.3; `examples`: a few rows behind each that is not zero."""

    counts: Mapping[str, int]
    examples: Mapping[str, Sequence[str]]

    @property
    def broken(self) -> list[str]:
        return [name for name in MUST_BE_ZERO if self.counts[name]]


def judge(facts: Facts) -> Verdict:
    entries: defaultdict[str, list[Taken]] = defaultdict(list)
    for one in facts.taken:
        entries[one.mail].append(one)
    known = {mail.id for mail in facts.mails}
    parked = [mail for mail in facts.mails if mail.state == "doubt"]
    found = {
        "duplicate": [key for key, some in entries.items() if key and len({one.submit for one in some}) > 1],
        "provider_duplicate": [
            key for key, some in entries.items() if len(some) > len({one.submit for one in some})
        ],
        "lost": list(_lost(facts)),
        "wrongly_sent": [m.id for m in facts.mails if m.state == "sent" and m.id not in entries],
        "wrongly_not_sent": [m.id for m in facts.mails if m.state in NOT_SENT and m.id in entries],
        "stop_violated": list(_after_a_stop(facts)),
        "cap_breach": list(_over_the_cap(facts, entries)),
        "unknown_mail": [key for key in entries if key not in known],
        "parked": [mail.id for mail in parked],
        "parked_by_rule": [mail.id for mail in parked if _by_rule(facts, mail)],
        "parked_and_decidable": list(_decidable(facts, parked)),
        "late_calls": list(_late_calls(facts)),
        "left_an_end": [
            one.id for one in facts.changes if one.kind == "message" and one.was in FINAL - {"doubt"}
        ],
        "tokens_left": [box for box in _revoked(facts) if box in facts.tokens],
    }
    faults = Counter(call.fault for call in facts.calls if call.fault and call.op == "send")
    counts = {name: len(rows) for name, rows in found.items()}
    counts["true_unknown"] = len(parked) - counts["parked_by_rule"] - counts["parked_and_decidable"]
    counts["sends"] = len(facts.taken)
    counts["faults"] = sum(1 for call in facts.calls if call.fault)
    counts["faults_at_sends"] = faults.total()
    counts["faults_in_doubt_window"] = sum(number for kind, number in faults.items() if kind in IN_DOUBT)
    return Verdict(counts, {name: rows[:5] for name, rows in found.items() if rows})


def _lost(facts: Facts) -> Iterator[str]:
    """I3: rows without an end, first mails that are not there, and follow-ups that nobody planned."""
    yield from (mail.id for mail in facts.mails if mail.state not in FINAL)
    first = sum(mail.position == 1 for mail in facts.mails)
    if facts.planned is not None:
        yield from ("a first mail that is gone",) * max(facts.planned - first, 0)
    reached = {(mail.enrollment, mail.position) for mail in facts.mails}
    for mail in facts.mails:
        state, campaign = facts.enrollments.get(mail.enrollment, ("", ""))
        more = mail.state == "sent" and state in GOING and mail.position < facts.steps.get(campaign, 0)
        if more and (mail.enrollment, mail.position + 1) not in reached:
            yield f"the mail behind {mail.id}"


def _after_a_stop(facts: Facts) -> Iterator[str]:
    """I2, I4: `submitting` committed later than a stop that concerned the mail, and was not taken back."""
    stops: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    by_row: defaultdict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in sorted(facts.changes, key=lambda one: one.committed):
        by_row[change.kind, change.id].append(change)
        if change.kind == "opt_out":
            stops["contact", change.contact].append((change.committed, float("inf")))
    for (kind, row), changes in by_row.items():
        for one, then in pairwise([*changes, None]):
            if one is not None and _stops(kind, one.became):
                stops[kind, row].append((one.committed, then.committed if then else float("inf")))
    for change in facts.changes:
        if change.kind == "message" and change.became == "submitting":
            rows = (("mailbox", change.mailbox), ("campaign", change.campaign),
                    ("enrollment", change.enrollment), ("contact", change.contact))  # fmt: skip
            for place in rows:
                if any(begin < change.committed < end for begin, end in stops.get(place, ())):
                    yield f"{change.id} ({place[0]})"


def _stops(kind: str, became: str) -> bool:
    match kind:
        case "mailbox":
            return became == "revoked"
        case "campaign":
            return became in ("paused", "cancelled")
        case "enrollment":
            return became in ENDED
    return False


def _over_the_cap(facts: Facts, entries: Mapping[str, Sequence[Taken]]) -> Iterator[str]:
    """I5: mails of one account in a rolling 24 h, by the time of the submit that the provider took."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for mail in facts.mails:
        if mail.id in entries and mail.attempted_at is not None:
            times[facts.identities.get(mail.mailbox, mail.mailbox)].append(mail.attempted_at)
    for identity, moments in times.items():
        moments.sort()
        first = 0
        for last, moment in enumerate(moments):
            while moments[first] <= moment - DAY:
                first += 1
            if last - first + 1 > facts.cap:
                yield f"{identity[:12]} at {moment:.0f}"


def _decidable(facts: Facts, parked: Iterable[Mail]) -> Iterator[str]:
    """Mails in doubt of which a read could still tell. A revoked mailbox may not be read."""
    revoked = set(_revoked(facts))
    for mail in parked:
        if mail.mailbox not in revoked and mail.id in facts.traces and not _by_rule(facts, mail):
            yield f"{mail.id} ({mail.reason}: {facts.traces[mail.id]})"


def _by_rule(facts: Facts, mail: Mail) -> bool:
    return mail.reason in PARKED_BY_RULE and facts.traces.get(mail.id) != "sent"


def _revoked(facts: Facts) -> dict[str, float]:
    """The mailboxes that were revoked, and when that was committed."""
    return {
        one.id: one.committed for one in facts.changes if one.kind == "mailbox" and one.became == "revoked"
    }


def _late_calls(facts: Facts) -> Iterator[str]:
    ends = _revoked(facts)
    for call in facts.calls:
        ended = ends.get(call.mailbox)
        if ended is not None and call.op != "revoke" and call.at > ended + GRACE:
            yield f"{call.op} {call.at - ended:.3f} s after the revoke of {call.mailbox}"
