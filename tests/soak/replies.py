"""`python -m tests.soak.replies --replies N --seed S`: answers arrive while everything fails; who is lost?

Pushes are lost, doubled and shuffled, cursors die, calls fail, workers are killed, Redis forgets; private
mail lies between. Exit code 1 where a count that must be 0 is not. The seed fixes what arrives and the order
of what goes wrong; what meets what is the machine's own scheduling.
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
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.soak.replies_oracle import Verdict, calls_about, judge, of_sandbox
from tests.soak.replies_worker import WRONGS

if TYPE_CHECKING:
    from tests.soak.furniture import House
    from tests.soak.replies_mail import Conversation
    from tests.soak.replies_world import ReplyWorld

WORKERS = 2
# Answers to one mail of ours, on average.
ANSWERS = 1.6
# Replies that may wait while more arrive: so many, or a quarter of all; after some seconds more come anyway.
BACKLOG, AGAIN = 600, 12.0
PACE_OF_TIME = (2.0, 8.0)
PATIENCE = 12
PUSHES = {"push_drop": 0.3, "push_double": 0.15, "push_shuffle": 6}
FAULTS = (
    {"op": "list", "kind": "error_not_accepted", "p": 0.05},
    {"op": "list", "kind": "accept_then_reset", "p": 0.04},
    {"op": "list", "kind": "truncate", "p": 0.03},
    {"op": "list", "kind": "throttle", "p": 0.03, "retry_after": 20},
    # A look asks for many headers one by one and has to get through.
    {"op": "get", "kind": "error_not_accepted", "p": 0.01},
    {"op": "get", "kind": "accept_then_reset", "p": 0.01},
    {"op": "get", "kind": "truncate", "p": 0.005},
    {"op": "get", "kind": "throttle", "p": 0.005, "retry_after": 20},
)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Plan:
    """When what goes wrong, by the number of replies that have arrived."""

    def __init__(self, dice: random.Random, wish: argparse.Namespace) -> None:
        numbers = {"kill": wish.kills or max(2, wish.replies // 500), "flush": max(1, wish.replies // 300),
                   "expire": max(5, wish.replies // 40)}  # fmt: skip
        drawn = [
            (dice.uniform(0.1, 0.95) * wish.replies, act) for act, n in numbers.items() for _ in range(n)
        ]
        self.left = sorted(drawn, reverse=True)

    def due(self, arrived: int) -> list[str]:
        found = []
        while self.left and self.left[-1][0] <= arrived:
            found.append(self.left.pop()[1])
        return found


class ReplySoak:
    def __init__(self, wish: argparse.Namespace, world: ReplyWorld) -> None:
        self.wish, self.world = wish, world
        self.dice = random.Random(wish.seed)
        self.plan = Plan(random.Random(wish.seed + 1), wish)
        self.done: Counter[str] = Counter()
        self.began = time.monotonic()
        self.house: House
        self.talks: list[Conversation] = []
        self.arrived = self.private = 0
        self.moved_at = 0.0
        self.to_come = 0

    def run(self) -> Verdict:
        world, wish = self.world, self.wish
        world.up()
        import django

        django.setup()
        from tests.soak import furniture, replies_house

        world.start_web()
        count = wish.mailboxes or max(6, min(wish.replies // 100, 100))
        self.house = furniture.furnish(
            world, self.dice, people=0, mailboxes=count, workspaces=max(2, min(count // 10, 5)),
            each=lambda number: 0,
        )  # fmt: skip
        # What lies there before the first look; a fifth comes while it goes wrong.
        self.to_come = wish.decoys // 5
        for box in self.house.mailboxes:
            self._fill(box, -(-(wish.decoys - self.to_come) // count))
        for number in range(WORKERS):
            world.start_worker(f"worker{number}")
        world.start_beat("beat")
        world.ask("settings", seed=wish.seed, **PUSHES)
        replies_house.promise_pushes(self.house.workspaces)
        self._until_found_their_place()
        for fault in FAULTS:
            world.ask("faults", mailbox="*", times=0, **fault)
        say(f"soak of replies, seed {wish.seed}: {count} mailboxes; up after {self._seconds():.0f} s")
        self.raging = time.monotonic()
        self._rage()
        self._drain()
        self.seconds = time.monotonic() - self.raging
        world.halt_product()
        return self._judge()

    # --- while it goes wrong --------------------------------------------------------------------
    def _rage(self) -> None:
        said = came = 0.0
        end = time.monotonic() + self.wish.minutes * 60
        while self.arrived < self.wish.replies and time.monotonic() < end:
            for act in self.plan.due(self.arrived):
                getattr(self, f"_{act}")()
            self.done["revived"] += self.world.revive()
            waiting = self.arrived - self.world.stored()
            if waiting < min(BACKLOG, self.wish.replies // 4) or time.monotonic() > came + AGAIN:
                self._arrive(min(24, self.wish.replies - self.arrived))
                came = time.monotonic()
            self._move_on()
            if time.monotonic() > said + 15:
                said = time.monotonic()
                say(f"  {self._seconds():5.0f} s  {self.arrived} arrived, {self.world.stored()} stored, "
                    f"{self.world.steps} steps")  # fmt: skip
        for act in self.plan.due(10**9):
            getattr(self, f"_{act}")()

    def _arrive(self, count: int) -> None:
        """A few mails leave; answers and private mails come, into many mailboxes at once."""
        from tests.soak import replies_house, replies_mail

        new = max(round(count / ANSWERS), 1)
        for number in range(min(new, 4)):
            box = self.dice.choice(sorted(self.house.mailboxes))
            here, share = self.house.mailboxes[box][0], new * (number + 1) // 4 - new * number // 4
            self.talks += replies_house.send(self.world, here, box, self.dice, count=max(share, 1))
        talks = [*self.talks[-new:], *self.dice.choices(self.talks[-2000:], k=count)][:count]
        share = min(round(self.wish.decoys / 5 * count / self.wish.replies) + 1, self.to_come)
        if share:
            self.to_come -= share
            self._fill(self.dice.choice(sorted(self.house.mailboxes)), share)
        wishes = []
        for talk in talks:
            self.arrived += 1
            wish = replies_mail.answer(talk, self.dice, token=f"r{self.arrived}", at=self.world.now())
            wishes.append((talk.mailbox, wish.raw, wish.folder, wish.thread))
            if wish.answer:
                talk.answers.append(wish.answer)
            if self.dice.random() < 0.4:
                self.private += 1
                raw = replies_mail.private(talk, self.dice, number=self.private, at=self.world.now())
                wishes.append((talk.mailbox, raw, "inbox", ""))
        with ThreadPoolExecutor(2) as pool:
            # One mailbox's mails stay in their order: an answer is there before who answers it.
            by_box: dict[str, list[tuple[str, bytes, str, str]]] = {}
            for one in wishes:
                by_box.setdefault(one[0], []).append(one)
            list(pool.map(self._take_in, by_box.values()))

    def _take_in(self, wishes: list[tuple[str, bytes, str, str]]) -> None:
        for email, raw, folder, thread in wishes:
            self.world.take_in(email, raw, folder=folder, thread=thread)

    def _kill(self) -> None:
        """At an instant of a look, where one is under way within a moment."""
        until = time.monotonic() + 2
        while not self.world.in_hand() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(self.dice.uniform(0, 0.4))
        name = self.dice.choice(sorted(self.world.workers))
        self.done["kills_in_a_look"] += self.world.in_hand() > 0
        self.world.kill_worker(name)
        self.world.start_worker(name)
        self.done["kills"] += 1

    def _flush(self) -> None:
        self.world.redis_client.flushall()
        self.done["flushes"] += 1

    def _expire(self) -> None:
        _, address = self.house.mailboxes[self.dice.choice(sorted(self.house.mailboxes))]
        self.world.ask("expire_history", mailbox=address)
        self.done["expired_cursors"] += 1

    def _move_on(self) -> None:
        """Once every mailbox has been looked into, or nobody gets on with it."""
        waited = time.monotonic() - self.moved_at
        soonest, latest = PACE_OF_TIME
        if waited > latest or (waited > soonest and not self.world.waiting()):
            self.world.move()
            self.moved_at = time.monotonic()
        else:
            time.sleep(0.05)

    # --- until all is quiet -----------------------------------------------------------------------
    def _drain(self) -> None:
        """Nothing fails any more. Some steps behind the last reply nothing can come that was not lost."""
        self.world.ask("faults/clear")
        quiet, stored = 0, -1
        while quiet < (2 if stored >= self.arrived else PATIENCE):
            self.done["revived"] += self.world.revive()
            self.world.move()
            self._until_idle(15)
            now = self.world.stored()
            quiet, stored = quiet + 1 if now == stored else 0, now

    def _until_idle(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        time.sleep(0.3)
        while self.world.waiting() and time.monotonic() < until:
            time.sleep(0.1)

    def _until_found_their_place(self) -> None:
        self._until_idle(90)
        self.moved_at = time.monotonic()

    # --- the end ------------------------------------------------------------------------------------
    def _fill(self, box: uuid.UUID, count: int) -> None:
        """Private mail of the last month, a fifth of it sent by the mailbox's owner."""
        _, address = self.house.mailboxes[box]
        provider = "google" if "google" in address else "microsoft"
        self.world.ask("accounts", provider=provider, email=address, private_mails=count)

    def _judge(self) -> Verdict:
        from tests.soak.replies_house import kept

        facts = of_sandbox(self.world.ledger, kept(self.house.workspaces))
        verdict = judge(facts)
        stored = {(one.mailbox, one.id) for one in facts.kept}
        lost = [one for one in facts.arrived if (one.mailbox, one.id) not in stored][:3]
        report: dict[str, Any] = {
            "seed": self.wish.seed,
            **verdict.counts,
            **{name: self.done[name] for name in ("kills", "kills_in_a_look", "flushes", "expired_cursors")},
            "revived": self.done["revived"],
            "shapes": dict(Counter(one.shape.partition(":")[0] for one in facts.arrived)),
            "mailboxes": self.world.states(),
            "clock_days": round(self.world.moved / 86_400, 1),
            "seconds": round(self.seconds, 1),
            "replies_a_second": round(len(facts.arrived) / self.seconds, 1),
            "examples": dict(verdict.examples),
            "calls_about_the_lost": {
                one.id: calls_about(self.world.ledger, one.mailbox, one.id) for one in lost
            },
            "broken": verdict.broken,
        }
        say(json.dumps(report, indent=1))
        return verdict

    def _seconds(self) -> float:
        return time.monotonic() - self.began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.replies", description=__doc__)
    parser.add_argument("--replies", type=int, default=2000)
    parser.add_argument("--decoys", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--mailboxes", type=int, default=0, help="by the number of replies where not told")
    parser.add_argument("--kills", type=int, default=0, help="as --mailboxes")
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--planted", choices=WRONGS, default="", help="what the workers do wrong on purpose")
    parser.add_argument("--keep", type=Path, help="copy the logs and the ledger there")
    wish = parser.parse_args()
    # Whoever ends the run ends its processes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    base = Path(tempfile.mkdtemp(prefix="outreach-soak-replies-"))
    base.chmod(0o755)
    from tests.soak.replies_world import ReplyWorld

    world = ReplyWorld(base / "run", planted=wish.planted)
    try:
        verdict = ReplySoak(wish, world).run()
    finally:
        world.stop()
        if wish.keep and (base / "run").exists():
            for name in ("logs", "sandbox"):
                shutil.copytree(base / "run" / name, wish.keep / name, dirs_exist_ok=True)
        shutil.rmtree(base, ignore_errors=True)
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
