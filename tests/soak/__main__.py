"""`python -m tests.soak --sends N --seed S`: so many mails while everything fails, then the judge speaks.

Exit code 1 where a count that must be 0 is not; the seed is printed, a seed that failed stays as a case.
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
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.soak import worker
from tests.soak.oracle import Verdict, judge
from tests.soak.world import World

if TYPE_CHECKING:
    from tests.soak.chaos import Chaos
    from tests.soak.furniture import House

# Nearly everybody gets two mails; who answers, opts out, bounces or is refused gets one or none.
MAILS_A_PERSON = 1.72
CAP = 40
# Two at once all the time, each ringing for the same work (F19).
BEATS = 2


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Soak:
    """One run. `seconds` bounds the part in which things go wrong, and as long again the part behind it."""

    def __init__(self, *, sends: int, seed: int, workers: int, seconds: float, folder: Path) -> None:
        self.sends, self.seed, self.workers, self.seconds = sends, seed, workers, seconds
        self.world = World(folder, cap=CAP, failing=True)
        self.began = time.monotonic()
        self.report: dict[str, Any] = {}

    def run(self) -> Verdict:
        world = self.world
        try:
            world.up()
            import django

            django.setup()
            from tests.soak.chaos import Chaos
            from tests.soak.furniture import furnish, plant_faults

            mailboxes = max(8, min(self.sends // 40, 100))
            self.house = furnish(
                world,
                random.Random(self.seed),
                people=round(self.sends / MAILS_A_PERSON),
                mailboxes=mailboxes,
                workspaces=max(2, min(mailboxes // 10, 5)),
            )
            plant_faults(world)
            for number in range(self.workers):
                world.start_worker(f"worker{number}")
            for number in range(BEATS):
                world.start_beat(f"beat{number}")
            self.clock = world.clock()
            say(f"soak, seed {self.seed}: {self.house.planned} people, {mailboxes} mailboxes; up after "
                f"{time.monotonic() - self.began:.0f} s")  # fmt: skip
            chaos = Chaos(
                world, self.house, seed=self.seed, sends=self.sends, revokes=max(2, mailboxes // 12)
            )
            self._rage(chaos)
            self._drain(chaos)
            return self._judge(self.house, chaos)
        finally:
            world.stop()

    def _rage(self, chaos: Chaos) -> None:
        def over(sent: int, left: int) -> bool:
            return left == 0 or (left * 50 < self.house.planned and not chaos.revokes)

        self.sending = time.monotonic()
        self._until(over, each=chaos.turn)
        self.report["seconds_of_chaos"] = round(time.monotonic() - self.sending)

    def _drain(self, chaos: Chaos) -> None:
        self.world.ask("faults/clear")
        chaos.calm()
        self._until(lambda sent, left: left == 0, each=lambda sent: self._revive(chaos))
        self.report["seconds_of_sending"] = round(time.monotonic() - self.sending)
        self.world.halt_product()

    def _revive(self, chaos: Chaos) -> None:
        chaos.done["revived"] += self.world.revive()

    def _until(self, over: Callable[[int, int], bool], *, each: Callable[[int], None]) -> None:
        """Turn after turn, moving the clock, until `over(sent, left)` or the time is up."""
        end, look, said = time.monotonic() + self.seconds, 0.0, 0.0
        sent = left = 0
        # One look reads every row.
        pause = 1 + self.sends / 20_000
        while time.monotonic() < end:
            if time.monotonic() > look:
                sent, left = self.world.standing()
                if over(sent, left):
                    return
                look = time.monotonic() + pause
            if time.monotonic() > said + 15:
                said = time.monotonic()
                say(f"  {time.monotonic() - self.began:5.0f} s  {sent} sent, {left} not at an end, "
                    f"the clock is {self.clock.moved / 86_400:.1f} days ahead")  # fmt: skip
            each(sent)
            if self.clock.may_move():
                self.clock.move()
            time.sleep(0.05)
        say("  the time is up")

    def _judge(self, house: House, chaos: Chaos) -> Verdict:
        from tests.soak import reading

        addresses = {address: str(pk) for pk, (_, address) in house.mailboxes.items()}
        facts = reading.read(
            database=self.world.superuser,
            ledger=self.world.ledger,
            addresses=addresses,
            cap=CAP,
            planned=house.planned,
        )
        verdict = judge(facts)
        states: dict[str, int] = {}
        for mail in facts.mails:
            name = f"{mail.state} ({mail.reason})" if mail.reason else mail.state
            states[name] = states.get(name, 0) + 1
        fired = worker.fired(self.world.fired)
        deaths = sum(number for name, number in fired.items() if name.startswith("kill9"))
        self.report |= {
            "seed": self.seed,
            **dict(sorted(verdict.counts.items())),
            "faults": verdict.counts["faults"] + fired.total(),
            "faults_in_doubt_window": verdict.counts["faults_in_doubt_window"] + fired.total(),
            "kills": chaos.kills + deaths,
            "kills_in_doubt_window": deaths,
            "failpoints": dict(sorted(fired.items())),
            "acts": dict(sorted(chaos.done.items())),
            "states": dict(sorted(states.items())),
            "fault_kinds": reading.faults_by_kind(self.world.ledger),
            "clock_steps": self.clock.steps,
            "clock_days": round(self.clock.moved / 86_400, 1),
            "seconds": round(time.monotonic() - self.began),
            "sends_a_second": round(verdict.counts["sends"] / self.report["seconds_of_sending"], 1),
            "examples": dict(verdict.examples),
            "broken": verdict.broken,
        }
        say(json.dumps(self.report, indent=1))
        return verdict


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--sends", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--keep", type=Path, help="copy the logs and the ledger there")
    asked = parser.parse_args()
    # Whoever ends the run ends its processes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    folder = Path(tempfile.mkdtemp(prefix="outreach-soak-"))
    folder.chmod(0o755)
    try:
        soak = Soak(
            sends=asked.sends,
            seed=asked.seed,
            workers=asked.workers,
            seconds=asked.minutes * 60,
            folder=folder / "run",
        )
        verdict = soak.run()
    finally:
        if asked.keep and (folder / "run").exists():
            shutil.copytree(folder / "run" / "logs", asked.keep / "logs", dirs_exist_ok=True)
            shutil.copytree(folder / "run" / "sandbox", asked.keep / "sandbox", dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
