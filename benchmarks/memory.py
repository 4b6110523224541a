"""Whether the workers grow: their memory while mails are sent, and its slope (faults.md R9).

    python -m benchmarks.memory [--mails 3000] [--mailboxes 500] [--concurrency 16]

The world of `benchmarks.send`, at a latency of 0. Twice a second each worker's resident memory is read beside
the number of mails sent; the slope is the line of least squares through what lies behind the first fifth of
the mails, until when caches fill and threads start. A leak of 1 KB a mail shows as 1000.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.sending.world import (
    World,
    fill,
    folder,
    furnish,
    in_state,
    resident,
    start_beat,
    start_workers,
)

GOAL = 100.0  # KB per 1,000 mails and worker: 100 MB in a million mails
WARMING = 0.2
PATIENCE = 3600.0


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """KB per 1,000 mails, of (mails, KB) behind the first fifth of the mails; 0 where no mail was sent."""
    last = max((mails for mails, _ in samples), default=0.0)
    kept = [(mails, size) for mails, size in samples if mails >= last * WARMING]
    if not kept:
        return 0.0
    middle = sum(mails for mails, _ in kept) / len(kept)
    mean = sum(size for _, size in kept) / len(kept)
    spread = sum((mails - middle) ** 2 for mails, _ in kept)
    if not spread:
        return 0.0
    return 1000 * sum((mails - middle) * (size - mean) for mails, size in kept) / spread


def main() -> None:
    asked = argparse.ArgumentParser(prog="benchmarks.memory", description=__doc__)
    asked.add_argument("--mails", type=int, default=3000)
    asked.add_argument("--mailboxes", type=int, default=500)
    asked.add_argument("--concurrency", type=int, default=16, help="tasks at a time in each worker process")
    asked.add_argument("--workspaces", type=int, default=10)
    wish = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="outreach-bench-memory-") as base:
        world = World(folder(base))
        try:
            world.up()
            import django

            django.setup()
            mailboxes = furnish(world, workspaces=wish.workspaces, mailboxes=wish.mailboxes)
            report(watch(world, mailboxes, mails=wish.mails, concurrency=wish.concurrency))
        finally:
            world.stop()


def watch(
    world: World, mailboxes: list[Any], *, mails: int, concurrency: int
) -> dict[str, list[tuple[float, float]]]:
    """(mails sent so far by all, KB) of each worker, until every mail has left."""
    count = fill(mailboxes, mails=mails, word="m")
    workers = start_workers(world, "m", concurrency=concurrency)
    beat = start_beat(world, "m")
    found: dict[str, list[tuple[float, float]]] = {child.name: [] for child in workers}
    end = time.monotonic() + PATIENCE
    while (done := in_state("sent")) < count:
        if time.monotonic() > end:
            raise SystemExit(f"only {done} of {count} mails left in {PATIENCE:.0f} s")
        if done:
            for child in workers:
                found[child.name].append((float(done), resident(child.process.pid) / 1024))
        time.sleep(0.5)
    for child in (beat, *workers):
        child.stop(seconds=10)
    return found


def report(found: dict[str, list[tuple[float, float]]]) -> None:
    for name, samples in found.items():
        if not samples:
            print(f"{name}: all mails had left before the first look")
            continue
        grew = slope(samples)
        print(f"{name}: {samples[0][1] / 1024:.0f} MB at {samples[0][0]:.0f} mails, "
              f"{samples[-1][1] / 1024:.0f} MB at {samples[-1][0]:.0f}; {grew:+.0f} KB per 1,000 mails "
              f"(goal: at most {GOAL:.0f}){'' if grew <= GOAL else '  above'}")  # fmt: skip


if __name__ == "__main__":
    main()
