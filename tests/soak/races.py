"""`python -m tests.soak.races --revokes N --opt-outs M --seed S`: stops at random instants (R3, R4).

Workers send from many mailboxes; this process presses the bin and clicks the links of the mails that are
under way at that moment. Then the judge compares commits: no `submitting` behind a stop, no call that reaches
the provider later than 250 ms behind a revoke, no token left.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg2

from tests.soak.oracle import Facts, Verdict, judge
from tests.soak.world import World

if TYPE_CHECKING:
    from tests.soak.furniture import House

MAILS_TO_REVOKE = 3  # of each mailbox that is revoked
# Mails for each opt-out: the others leave before anybody gets to them.
MAILS_TO_STOP = 3
PEOPLE_TO_STOP = 100  # of each mailbox whose people opt out
LATENCY_MS = 20
PAUSE = 0.06  # the longest, in seconds, between two acts of one person
PEOPLE = 3  # that press at the same time
UNDER_WAY = ["claimed", "drafted", "submitting"]
# What is next is looked for before each press: beside the product's tables, and small.
_INDEX = """
CREATE INDEX soak_under_way ON outreach_message (mailbox_id)
WHERE state IN ('claimed', 'drafted', 'submitting', 'queued')
"""
# The mails of a mailbox that is revoked come due shortly before: few are in flight at once, and one that has
# sent its mails is no race.
AHEAD = 12
_CLOSE = "UPDATE outreach_message SET due_at = app_now() + interval '1000 days' WHERE mailbox_id IN ({boxes})"
_OPEN = (
    "UPDATE outreach_message SET due_at = app_now() - interval '1 day' WHERE mailbox_id = ANY (%s::uuid[])"
)
# Under way now, else next in the row.
_TARGETS = """
SELECT m.workspace_id::text, m.mailbox_id::text, m.id::text, m.state <> 'queued'
FROM outreach_message m
WHERE m.state IN ('claimed', 'drafted', 'submitting', 'queued') AND m.mailbox_id = ANY (%s::uuid[])
ORDER BY 4 DESC, random() LIMIT 40
"""


@dataclass(frozen=True)
class Press:
    """One opt-out: when its request began and when it was answered, by this machine's clock."""

    key: str
    began: float
    answered: float


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Races:
    """One run: as many stops as asked for, each at an instant that the dice draw."""

    def __init__(self, *, revokes: int, opt_outs: int, seed: int, workers: int, folder: Path) -> None:
        self.revokes, self.opt_outs, self.seed, self.workers = revokes, opt_outs, seed, workers
        self.dice = random.Random(seed)
        self.world = World(folder, cap=10**6)
        self.lock = threading.Lock()
        self.done: Counter[str] = Counter()
        self.stopped: set[str] = set()
        self.presses: list[Press] = []
        self.closed: list[str] = []
        self.doomed: list[str] = []
        self.under_way: Counter[str] = Counter()

    def run(self) -> Verdict:
        self.began = time.monotonic()
        try:
            self.world.up()
            import django

            django.setup()
            import config.celery  # noqa: F401  (the revoke rings for work)

            house = self._furnish()
            self.world.sql(_INDEX)
            self.world.ask("settings", latency_ms=LATENCY_MS)
            for number in range(self.workers):
                self.world.start_worker(f"worker{number}")
            self.world.start_beat("beat")
            self._stop_everything(house)
            self._drain(house)
            facts = self._facts(house)
            verdict = judge(facts)
            say(json.dumps(self._report(facts, verdict, seconds=time.monotonic() - self.began), indent=1))
            return verdict
        finally:
            self.world.stop()

    def _furnish(self) -> House:
        from tests.soak.furniture import furnish

        stopping = max(2, self.opt_outs // PEOPLE_TO_STOP)
        each = (MAILS_TO_REVOKE, MAILS_TO_STOP * self.opt_outs // stopping)
        house = furnish(
            self.world,
            self.dice,
            people=0,
            mailboxes=self.revokes + stopping,
            workspaces=max(2, min(self.revokes // 20, 8)),
            each=lambda number: each[number >= self.revokes],
        )
        boxes = list(house.numbers)
        self.closed = [str(pk) for pk in boxes if house.numbers[pk] < self.revokes]
        self.dice.shuffle(self.closed)
        self.world.sql(_CLOSE.format(boxes=",".join(f"'{box}'" for box in self.closed)))
        self.people = [str(pk) for pk in boxes if house.numbers[pk] >= self.revokes]
        self.planned = house.planned
        return house

    def _stop_everything(self, house: House) -> None:
        self.clock = self.world.clock()
        acts = ["revoke"] * self.revokes + ["opt_out"] * self.opt_outs
        self.dice.shuffle(acts)
        self._wait_for_the_first()
        with ThreadPoolExecutor(PEOPLE) as people:
            shares = [
                people.submit(self._press, house, acts[number::PEOPLE], random.Random(f"{self.seed}{number}"))
                for number in range(PEOPLE)
            ]
            said = 0.0
            while not all(share.done() for share in shares):
                if self.clock.may_move():
                    self.clock.move()
                self.world.revive()
                if time.monotonic() > said + 15:
                    said = time.monotonic()
                    say(f"  {time.monotonic() - self.began:5.0f} s  {self.done['revokes']} revokes, "
                        f"{self.done['opt_outs']} opt-outs, {self.world.standing()[0]} sent")  # fmt: skip
                time.sleep(0.3)
            for share in shares:
                share.result()

    def _press(self, house: House, acts: list[str], dice: random.Random) -> None:
        """What one of the people does, on a thread and with connections of its own."""
        from django.db import connections
        from django.test import Client

        person = Client(SERVER_NAME="localhost")
        # A web server has loaded its views before anybody comes.
        person.post("/u/nothing", {"List-Unsubscribe": "One-Click"})
        try:
            with closing(psycopg2.connect(self.world.superuser)) as look:
                look.autocommit = True
                for act in acts:
                    time.sleep(dice.uniform(0, PAUSE))
                    if act == "revoke":
                        self._revoke(house, look)
                    else:
                        self._opt_out(person, dice, look)
        finally:
            connections.close_all()

    def _wait_for_the_first(self) -> None:
        until = time.monotonic() + 120
        while not self.world.standing()[0] and time.monotonic() < until:
            time.sleep(0.2)

    def _revoke(self, house: House, look: Any) -> None:
        from accounts.tenancy import workspace
        from mailbox import revocation
        from mailbox.models import Mailbox

        row = None
        until = time.monotonic() + 2
        while row is None and time.monotonic() < until:
            found = self._targets(look, self._opened(look))
            with self.lock:
                row = next((row for row in found if row[3] and row[1] in self.doomed), None)
                if row is not None:
                    self.doomed.remove(row[1])
            if row is None:
                time.sleep(0.05)
        with self.lock:
            pk = UUID(row[1] if row else self.doomed.pop(0))
            self.under_way["revoke"] += row is not None
        here, _ = house.mailboxes[pk]
        with workspace(here):
            revocation.revoke(Mailbox.objects.get(pk=pk), actor=house.owners[here])
        with self.lock:
            self.done["revokes"] += 1

    def _opened(self, look: Any) -> list[str]:
        """The next mailboxes to be revoked, their mails due."""
        with self.lock:
            count = max(AHEAD - len(self.doomed), 0)
            more, self.closed = self.closed[:count], self.closed[count:]
            if more:
                with look.cursor() as cursor:
                    cursor.execute(_OPEN, [more])
            self.doomed += more
            return list(self.doomed)

    def _opt_out(self, person: Any, dice: random.Random, look: Any) -> None:
        """Presses the link of a mail that is under way; waits a little while there is none."""
        from accounts.tenancy import workspace
        from outreach.models import Message
        from tests.soak.chaos import opt_out

        row = None
        until = time.monotonic() + 20
        while row is None and time.monotonic() < until:
            found = self._targets(look, self.people)
            with self.lock:
                row = self._drawn(dice, [row for row in found if row[2] not in self.stopped])
                if row is not None:
                    self.stopped.add(row[2])
            if row is None:
                time.sleep(0.1)
        if row is None:
            return
        here, _, key, _ = row
        with workspace(UUID(here)):
            message = Message.objects.select_related("contact").get(pk=key)
        if message.contact is None:
            return
        began = time.time()
        done = opt_out(person, UUID(here), message.pk, str(message.contact.address))
        press = Press(key, began, time.time())
        with self.lock:
            self.under_way["opt_out"] += message.state in UNDER_WAY
            self.done["opt_outs"] += done
            self.presses.append(press)

    def _drawn(
        self, dice: random.Random, found: list[tuple[str, str, str, bool]]
    ) -> tuple[str, str, str, bool] | None:
        """Mostly one that is under way, where there is one: that is where the races are."""
        racing = [row for row in found if row[3]]
        if not found:
            return None
        return dice.choice(racing if racing and dice.random() < 0.8 else found)

    def _targets(self, look: Any, boxes: list[str]) -> list[tuple[str, str, str, bool]]:
        with look.cursor() as cursor:
            cursor.execute(_TARGETS, [boxes])
            found: list[tuple[str, str, str, bool]] = cursor.fetchall()
        return found

    def _drain(self, house: House) -> None:
        """Nobody needs the mails that are left: their campaigns are cancelled, what is under way ends."""
        from accounts.tenancy import workspace
        from outreach import campaigns
        from outreach.models import Campaign

        for here in house.workspaces:
            with workspace(here):
                for campaign in Campaign.objects.filter(state="running"):
                    campaigns.cancel(campaign, actor=house.owners[here])
        until = time.monotonic() + 240
        while self.world.standing()[1] and time.monotonic() < until:
            self.world.revive()
            if self.clock.may_move():
                self.clock.move()
            time.sleep(0.3)
        self.world.halt_product()

    def _facts(self, house: House) -> Facts:
        from tests.soak import reading

        addresses = {address: str(pk) for pk, (_, address) in house.mailboxes.items()}
        return reading.read(
            database=self.world.superuser,
            ledger=self.world.ledger,
            addresses=addresses,
            cap=10**6,
            planned=house.planned,
        )

    def _report(self, facts: Facts, verdict: Verdict, *, seconds: float) -> dict[str, Any]:
        ends = {c.id: c.committed for c in facts.changes if c.kind == "mailbox" and c.became == "revoked"}
        late = [c.at - ends[c.mailbox] for c in facts.calls if c.mailbox in ends and c.op != "revoke"]
        behind = sorted(seconds for seconds in late if seconds > 0)
        return {
            "seed": self.seed,
            **self.done,
            "stopped_under_way": dict(self.under_way),
            "calls_behind_a_revoke": len(behind),
            "latest_call_ms": round(behind[-1] * 1000, 1) if behind else 0,
            **effects(self.presses, facts),
            "sends": verdict.counts["sends"],
            **{name: verdict.counts[name] for name in sorted(verdict.counts) if name != "sends"},
            "seconds": round(seconds),
            "examples": dict(verdict.examples),
            "broken": verdict.broken,
        }


def effects(presses: Sequence[Press], facts: Facts) -> dict[str, Any]:
    """How long an opt-out took to take effect (R4), and the submits that came behind its answer.

    The effect is the commit of the stop. One that is committed before the request is answered takes 0 ms
    behind the answer.
    """
    stops: dict[str, float] = {}
    for change in facts.changes:
        if change.kind == "opt_out":
            stops.setdefault(change.id, change.committed)
    contacts = {mail.id: mail.contact for mail in facts.mails}
    answered = {contacts.get(press.key, ""): press.answered for press in presses}
    known = [(press, stops[press.key]) for press in presses if press.key in stops]
    return {
        **_percentiles("post_to_effect", [stop - press.began for press, stop in known]),
        **_percentiles("answer_to_effect", [max(stop - press.answered, 0) for press, stop in known]),
        "opt_outs_without_effect": len(presses) - len(known),
        "submits_behind_an_answer": sum(
            change.kind == "message"
            and change.became == "submitting"
            and change.committed > answered.get(change.contact, float("inf"))
            for change in facts.changes
        ),
    }


def _percentiles(name: str, seconds: list[float]) -> dict[str, float]:
    rows = sorted(seconds) or [0.0]
    return {f"{name}_p{share}_ms": round(rows[len(rows) * share // 100] * 1000, 1) for share in (50, 99)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.races", description=__doc__)
    parser.add_argument("--revokes", type=int, default=1000)
    parser.add_argument("--opt-outs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    # Whoever ends the run ends its processes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    folder = Path(tempfile.mkdtemp(prefix="outreach-races-"))
    folder.chmod(0o755)
    try:
        races = Races(
            revokes=asked.revokes,
            opt_outs=asked.opt_outs,
            seed=asked.seed,
            workers=asked.workers,
            folder=folder / "run",
        )
        verdict = races.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
