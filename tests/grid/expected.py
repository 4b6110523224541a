"""What must come of each of the 672 cases: written by hand from faults.md 3 and 4, asked from nobody.

A worker dies once, at `point`, during the attempt of that number; the provider does `outcome` to the send
call of that attempt. Whether the worker gets to the point at all, where the row comes to rest, and how many
mails the provider has then accepted follow from a few rules. The sandbox is as hostile as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.failpoints import NAMES as POINTS

OUTCOMES = (
    "accept",
    "accept_then_reset",
    "accept_after",
    "error_but_accepted",
    "error_not_accepted",
    "throttle",
    "refuse_permanent",
    "auth_lost",
)
PROVIDERS = ("google", "microsoft")
FIRST, DEFERRED, SETTLED = ATTEMPTS = ("first", "after_deferral", "after_settle")

# The provider took the mail, whatever the worker got to know.
ACCEPTED = {"accept", "accept_then_reset", "accept_after", "error_but_accepted"}
# No answer came, or one that says nothing (faults.md 2.2).
UNKNOWN = {"accept_then_reset", "accept_after", "error_but_accepted", "error_not_accepted"}
# The connection was cut: there is no answer at all.
SILENT = {"accept_then_reset", "accept_after"}

# Half of the points each: a file of cases for each half and provider.
BEFORE_THE_WRITE, BEHIND_THE_WRITE = POINTS[:7], POINTS[7:]
DRAFT_POINTS = {"before_draft_create", "after_draft_create", "after_draft_stored"}
# Nothing has been handed over: the lease runs out, and the mail is claimed anew.
BEFORE_THE_GATE = {"after_claim", *DRAFT_POINTS, "after_draft_readback", "before_last_gate"}
# `submitting` stands, and nothing has left.
NOTHING_WRITTEN = {"after_submitting_commit", "before_write"}
# The provider has the request, and nobody recorded what it said.
WRITTEN = {"after_write", "after_accept"}


@dataclass(frozen=True)
class Case:
    point: str
    outcome: str
    provider: str
    attempt: str

    def __str__(self) -> str:
        return f"{self.point}-{self.outcome}-{self.attempt}"

    @property
    def new_draft(self) -> bool:
        """The attempt begins without a draft, so that the places around making one are reached.

        After a deferral: it was the draft that the provider did not want yet. After a settle: the user had
        deleted the draft, the mail was in doubt, and a person said "send again".
        """
        return self.attempt == FIRST or self.point in DRAFT_POINTS

    @property
    def unused_once(self) -> bool:
        """Settle has found the draft unused before: at Microsoft the second time is a person's (4.2, 4)."""
        return self.attempt == SETTLED and not self.new_draft


@dataclass(frozen=True)
class Expected:
    """`fires`: the worker gets to the point and dies there. `kills`: deaths the row remembers (F23)."""

    fires: bool
    state: str
    ledger: int
    reason: str
    kills: int


SENT = ("sent", 1, "")
REFUSED = ("refused", 0, "bad_message")
ASKS = ("doubt", 0, "unsent_twice")


def every_case(provider: str, points: tuple[str, ...]) -> list[Case]:
    return [
        Case(point, outcome, provider, attempt)
        for point in points
        for outcome in OUTCOMES
        for attempt in ATTEMPTS
    ]


def expected(case: Case) -> Expected:
    fires = _fires(case)
    state, ledger, reason = _end(case, fires)
    return Expected(fires, state, ledger, reason, int(fires and _remembered(case)))


def _fires(case: Case) -> bool:
    if case.point in BEFORE_THE_GATE | NOTHING_WRITTEN | {"after_write"}:
        return True
    if case.point == "after_accept":
        # A cut connection never becomes an answer; settle finds the mail, and nothing is sent again.
        return case.outcome not in SILENT
    undisturbed, _, _ = _undisturbed(case)
    if case.point in ("before_sent_commit", "after_sent_commit"):
        return undisturbed == "sent"
    if case.point == "before_id_readback":
        # The send stage heard of the acceptance; the other acceptances are found by settle, with their ids.
        return undisturbed == "sent" and case.outcome not in ACCEPTED & UNKNOWN
    assert case.point == "in_reconcile"
    # Settle has something to look at: an unknown outcome, or the ids of a mail whose sent copy comes late.
    late_copy = case.provider == "microsoft" and undisturbed == "sent"
    return case.outcome in UNKNOWN or late_copy


def _end(case: Case, fires: bool) -> tuple[str, int, str]:
    if not fires or case.point in BEFORE_THE_GATE:
        return _undisturbed(case)
    if case.point in NOTHING_WRITTEN:
        return _after_unused_draft(case, met=True)
    if case.point in WRITTEN:
        return SENT if case.outcome in ACCEPTED else _after_unused_draft(case, met=False)
    return _undisturbed(case)


def _undisturbed(case: Case) -> tuple[str, int, str]:
    """No death, or one that another worker makes up for before anything is handed over."""
    if case.outcome == "refuse_permanent":
        return _refused(case)
    if case.outcome == "error_not_accepted":
        return _after_unused_draft(case, met=False)
    # Accepted; or certainly not accepted, and taken the next time.
    return SENT


def _after_unused_draft(case: Case, *, met: bool) -> tuple[str, int, str]:
    """Settle finds the draft unused. `met`: the outcome still waits for the next send call."""
    asks_after_two = case.provider == "microsoft"
    if asks_after_two and case.unused_once:
        return ASKS
    if case.outcome == "refuse_permanent":
        # A mail that is refused for good is refused each time.
        return _refused(case)
    if met and asks_after_two and case.outcome == "error_not_accepted":
        return ASKS
    return SENT


def _refused(case: Case) -> tuple[str, int, str]:
    return REFUSED if case.provider == "google" else ("refused", 0, "bad_recipient")


def _remembered(case: Case) -> bool:
    """A lease that nobody gave back: the send stage died before it had recorded what became of the mail."""
    if case.point in BEFORE_THE_GATE | NOTHING_WRITTEN | WRITTEN:
        return True
    # Known to be accepted, and not yet recorded; else it was settle that died, which holds no lease.
    return case.point == "before_sent_commit" and case.outcome not in ACCEPTED & UNKNOWN
