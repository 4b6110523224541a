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
import time
from collections import Counter
from contextlib import closing
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
MAILS_TO_STOP = 4
PEOPLE_TO_STOP = 100  # of each mailbox whose people opt out
LATENCY_MS = 20
UNDER_WAY, WAITING = ["claimed", "drafted", "submitting"], ["planned", "queued", "deferred"]
# Under way now, else next in the row.
_TARGETS = """
SELECT m.workspace_id::text, m.mailbox_id::text, m.id::text, m.state = ANY (%s)
FROM outreach_message m
WHERE m.mailbox_id = ANY (%s::uuid[]) AND m.state = ANY (%s)
ORDER BY 4 DESC, m.due_at, m.id LIMIT 40
"""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Races:
    """One run: as many stops as asked for, each at an instant that the dice draw."""

    def __init__(self, *, revokes: int, opt_outs: int, seed: int, workers: int, folder: Path) -> None:
        self.revokes, self.opt_outs, self.seed, self.workers = revokes, opt_outs, seed, workers
        self.dice = random.Random(seed)
        self.world = World(folder, cap=10**6)
        self.took: list[float] = []
        self.under_way: Counter[str] = Counter()

    def run(self) -> Verdict:
        began = time.monotonic()
        try:
            self.world.up()
            import django

            django.setup()
            import config.celery  # noqa: F401  (the revoke rings for work)

            house = self._furnish()
            self.world.ask("settings", latency_ms=LATENCY_MS)
            for number in range(self.workers):
                self.world.start_worker(f"worker{number}")
            self.world.start_beat()
            self._stop_everything(house)
            self._drain()
            facts = self._facts(house)
            verdict = judge(facts)
            say(json.dumps(self._report(facts, verdict, seconds=time.monotonic() - began), indent=1))
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
            workspaces=max(2, min(self.revokes // 20, 20)),
            each=lambda number: each[number >= self.revokes],
        )
        boxes = list(house.numbers)
        self.doomed = {str(pk) for pk in boxes if house.numbers[pk] < self.revokes}
        self.people = {str(pk) for pk in boxes if house.numbers[pk] >= self.revokes}
        self.planned = house.planned
        return house

    def _stop_everything(self, house: House) -> None:
        from django.test import Client

        person = Client(SERVER_NAME="localhost")
        self.clock = self.world.clock()
        revoked = opted_out = 0
        said = time.monotonic()
        acts = ["revoke"] * self.revokes + ["opt_out"] * self.opt_outs
        self.dice.shuffle(acts)
        stopped: set[str] = set()
        self._wait_for_the_first()
        for act in acts:
            time.sleep(self.dice.uniform(0, 0.06))
            if act == "revoke":
                revoked += self._revoke(house)
            else:
                opted_out += self._opt_out(person, stopped)
            if self.clock.may_move():
                self.clock.move()
            self.world.revive()
            if time.monotonic() > said + 15:
                said = time.monotonic()
                say(f"  {revoked} revokes, {opted_out} opt-outs, {self.world.standing()[0]} sent")
        self.done = {"revokes": revoked, "opt_outs": opted_out}

    def _wait_for_the_first(self) -> None:
        until = time.monotonic() + 120
        while not self.world.standing()[0] and time.monotonic() < until:
            time.sleep(0.2)

    def _revoke(self, house: House) -> bool:
        from accounts.tenancy import workspace
        from mailbox import revocation
        from mailbox.models import Mailbox

        found = self._targets(self.doomed)
        row = self._drawn(found) if found else None
        pk = UUID(row[1] if row else self.dice.choice(sorted(self.doomed)))
        self.under_way["revoke"] += row is not None and row[3]
        self.doomed.discard(str(pk))
        here, _ = house.mailboxes[pk]
        with workspace(here):
            revocation.revoke(Mailbox.objects.get(pk=pk), actor=house.owners[here])
        return True

    def _opt_out(self, person: Any, stopped: set[str]) -> bool:
        from accounts.tenancy import workspace
        from outreach.models import Message
        from tests.soak.chaos import opt_out

        found = [row for row in self._targets(self.people) if row[2] not in stopped]
        if not found:
            return False
        here, _, key, _ = self._drawn(found)
        stopped.add(key)
        with workspace(UUID(here)):
            message = Message.objects.select_related("contact").get(pk=key)
        self.under_way["opt_out"] += message.state in UNDER_WAY
        if message.contact is None:
            return False
        began = time.monotonic()
        done = opt_out(person, UUID(here), message.pk, str(message.contact.address))
        self.took.append(time.monotonic() - began)
        return done

    def _drawn(self, found: list[tuple[str, str, str, bool]]) -> tuple[str, str, str, bool]:
        """Mostly one that is under way, where there is one: that is where the races are."""
        racing = [row for row in found if row[3]]
        return self.dice.choice(racing if racing and self.dice.random() < 0.8 else found)

    def _targets(self, boxes: set[str]) -> list[tuple[str, str, str, bool]]:
        with closing(psycopg2.connect(self.world.superuser)) as connection, connection.cursor() as cursor:
            cursor.execute(_TARGETS, [UNDER_WAY, list(boxes), UNDER_WAY + WAITING])
            return cursor.fetchall()

    def _drain(self) -> None:
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
        took = sorted(self.took)
        return {
            "seed": self.seed,
            **self.done,
            "stopped_under_way": dict(self.under_way),
            "calls_behind_a_revoke": len(behind),
            "latest_call_ms": round(behind[-1] * 1000, 1) if behind else 0,
            "opt_out_p99_ms": round(took[int(len(took) * 0.99)] * 1000) if took else 0,
            "sends": verdict.counts["sends"],
            **{name: verdict.counts[name] for name in sorted(verdict.counts) if name != "sends"},
            "seconds": round(seconds),
            "examples": dict(verdict.examples),
            "broken": verdict.broken,
        }


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
