"""One database and one sandbox for a file's cases, a mailbox of its own for each, and a clock that jumps.

Both clocks move together, and the numbers are production's: nobody waits for a lease or a settle time, and
the provider's lags keep their proportion to them.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from accounts import clock
from accounts.failpoints import Act, arm
from accounts.models import Workspace
from mailbox import health, tokens
from mailbox.models import Mailbox
from mailbox.providers import pool
from outreach.models import CampaignState, Message, MessageState
from outreach.models.messages import FINAL
from outreach.pipeline import claim, janitor, send, settle
from tests.factories import FIRST_MAIL, FOLLOW_UP, make_campaign
from tests.grid.expected import DEFERRED, SETTLED, Case
from tests.grid.judge import Judge
from tests.mailbox.conftest import connect
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import queued

# Production's numbers (config/settings.py).
NUMBERS = {
    "HTTP_DEADLINE_SECONDS": 30.0,
    "WORKER_HARD_LIMIT_SECONDS": 60.0,
    "LEASE_SECONDS": 120.0,
    "SETTLE_SECONDS": 900.0,
}
LATE_SECONDS = 240  # `accept_after`: well behind the deadline, and before the settle time.
LONGEST_LAG = 420.0  # Behind this the hostile sandbox has moved and indexed everything.
MOST_TURNS = 25
# How each outcome is planted. What is refused for good is refused each time.
FAULTS: dict[str, dict[str, object]] = {
    "accept_after": {"after": LATE_SECONDS, "hold": 0},
    "throttle": {"retry_after": "300"},
    "refuse_permanent": {"times": 0},
}


class Killed(BaseException):
    """SIGKILL, as far as one process can have it: nothing catches it, and transactions roll back."""


class Control(Running):
    """The sandbox's control API over one connection: a case asks it some thirty times."""

    def __init__(self, running: Running) -> None:
        super().__init__(running.http, running.tls, running.directory, running.process)
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, act: str, **wish: Any) -> Any:
        return self._read(self._session.post(f"{self.http}/_sandbox/{act}", json=wish, timeout=10))

    def get(self, what: str, **query: str) -> Any:
        return self._read(self._session.get(f"{self.http}/_sandbox/{what}", params=query, timeout=10))

    def _read(self, answer: requests.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class World:
    providers: Running
    here: Workspace
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    for_ever: int = 0  # What it will do in so long a time that no case lives to see it.

    def queue(self, provider: str) -> Trial:
        """A queued first mail of a campaign with a follow-up, in a mailbox that nobody else uses."""
        number = next(self.numbers)
        mailbox = connect(self.here, self.providers, provider, f"maya{number}@studio.example")
        steps = (FIRST_MAIL, FOLLOW_UP)
        campaign = make_campaign(mailbox=mailbox, steps=steps, state=CampaignState.RUNNING)
        row = queued(campaign, f"ana{number}.silent@site{number}.example")
        return Trial(self, row, mailbox)

    def pass_time(self, seconds: float) -> None:
        """Both clocks jump; behind the longest lag the provider has done what it does late."""
        clock.advance(dt.timedelta(seconds=seconds))
        self.providers.post("clock", advance=seconds)
        if seconds > LONGEST_LAG:
            self.providers.wait(lambda: self.pending() <= self.for_ever, 20)

    def pending(self) -> int:
        """What the provider will do later."""
        return int(self.providers.get("health")["pending"])


class Trial:
    """One mail on its way, worker by worker, with a judge who looks after each turn."""

    def __init__(self, world: World, row: Message, mailbox: Mailbox) -> None:
        self.world = world
        self.row = row
        self.mailbox = mailbox
        self.address = str(mailbox.address)
        self.judge = Judge(world.providers, row)
        self.planted: set[str] = set()
        self.died = False

    # --- what happens to it -------------------------------------------------------------------------

    def plant(self, kind: str, *, op: str = "send", **options: object) -> None:
        self.planted.add(kind)
        if kind != "accept":
            wish = {**FAULTS.get(kind, {}), **options}
            self.world.providers.post("faults", mailbox=self.address, op=op, kind=kind, **wish)

    def bring_to(self, case: Case) -> None:
        """Up to the beginning of the attempt that the case is about."""
        if case.attempt == DEFERRED:
            self.plant("throttle", op="draft" if case.new_draft else "send", retry_after="60")
            assert self.turn().state == MessageState.DEFERRED
            self.wait()
        elif case.attempt == SETTLED:
            self.plant("error_not_accepted")
            assert self.turn().state == MessageState.SUBMITTING
            if case.new_draft:
                self.user_deletes_draft()
            self.wait()
            self.settle()
            if case.new_draft:
                self.person_sends_again()
            assert self.row.state == (MessageState.QUEUED if case.new_draft else MessageState.DRAFTED)

    def user_deletes_draft(self) -> None:
        name = "draft" if self.mailbox.provider == "google" else "id"
        self.world.providers.post("delete", email=self.address, **{name: self.row.draft_id})

    def person_sends_again(self) -> None:
        settle.decide(self.row, settle.Decision.SEND_AGAIN, actor=None)
        # The first mail may have left for all anybody knows: its place in the 24 hours stays used (I5).
        self.judge.lost_slots += 1
        self.look()

    # --- the turns ----------------------------------------------------------------------------------

    def look(self) -> Message:
        self.row = self.judge.look()
        return self.row

    def work(self) -> int:
        """One worker's wake-up for this mailbox (outreach/tasks.py), for one row."""
        mailbox = self._fresh()
        held = claim.claim_batch(mailbox, limit=1) if health.may_be_called(mailbox) else []
        for row in held:
            send.send(row.id, row.fence)
        return len(held)

    def turn(self) -> Message:
        """A sender and a settler wake up, as the beat wakes them whether anything is due or not."""
        self.died = False
        self._as_worker(self.work)
        return self.settle()

    def settle(self) -> Message:
        self._as_worker(lambda: settle.settle_due(self._fresh()))
        return self.row

    def _as_worker(self, act: Callable[[], int]) -> None:
        """`act` says how many rows it worked on; where there was none, there is nothing new to look at."""
        try:
            worked = act()
        except Killed:
            worked, self.died = 1, True
            another_process()
        if worked:
            self.look()

    def wait(self, moment: dt.datetime | None = None) -> bool:
        """To just behind `moment`, or the next moment that a row names; False where none is named."""
        row, now = self.row, clock.now()
        theirs = [row.lease_until, row.not_before, row.settle_at, self._fresh().throttled_until]
        named = [moment] if moment else theirs
        ahead = [moment for moment in named if moment is not None and moment > now]
        if not ahead:
            return False
        seconds = (min(ahead) - now).total_seconds() + 1
        if self._will_be_late():
            # The provider takes it on the way there, and only then begins to move and index it.
            self.world.pass_time(LATE_SECONDS + 1)
            self.world.providers.wait(self.judge.ledger, 20)
            seconds -= LATE_SECONDS + 1
        self.world.pass_time(seconds)
        return True

    def _will_be_late(self) -> bool:
        if "accept_after" not in self.planted or self.row.state != MessageState.SUBMITTING:
            return False
        drawn = any(call["fault"] == "accept_after" for call in self._sends())
        return drawn and not self.judge.ledger()

    def _sends(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world.providers.get("calls", mailbox=self.address, op="send")
        return found

    @property
    def rests(self) -> bool:
        if self.row.state in FINAL:
            return self.row.settle_at is None
        return self.row.state == MessageState.DOUBT

    def run_to_rest(self) -> None:
        for _ in range(MOST_TURNS):
            self.turn()
            if self.rests:
                break
            # Behind a death somebody else comes at once, and must find the lease.
            if not self.died:
                self.wait()
        assert self.rests, f"lost: after {MOST_TURNS} turns the mail is {self.row.state} (I3)"
        if self.row.state == MessageState.DOUBT:
            # It never leaves doubt by itself without a proof (decisions 1).
            self.wait()
            assert self.turn().state == MessageState.DOUBT
        self.sweep()

    def sweep(self) -> None:
        if self.row.draft_unclear_at is not None:
            self.world.pass_time(NUMBERS["LEASE_SECONDS"] * janitor.ORPHAN_AGE_LEASES + 1)
        janitor.sweep(self._fresh())

    def _fresh(self) -> Mailbox:
        return Mailbox.objects.get(pk=self.mailbox.pk)

    def provider_has_it(self) -> None:
        """Until the provider is done with the send call that has just been written to it.

        A worker that dies sooner may take the request with it; then it dies before the write.
        """
        before = self.row.attempt_no

        def done() -> bool:
            found = self._sends()
            return len(found) > before and bool(found[-1]["status"] or found[-1]["fault"])

        self.world.providers.wait(done, 20)


def another_process() -> None:
    """Connections, tokens and turns of a process do not outlive it."""
    pool._forget()
    pool._turns.clear()
    tokens._kept.clear()


@contextmanager
def armed(trial: Trial, point: str, act: Callable[[], None] | None = None) -> Iterator[Counter[str]]:
    """The first worker that reaches the point dies there, or does `act`; the others pass."""
    first = iter([True])

    def once() -> None:
        if next(first, False):
            if point == "after_write":
                trial.provider_has_it()
            if act is None:
                raise Killed
            act()

    acts: dict[str, Act] = {point: once}
    with arm(acts) as reached:
        yield reached
