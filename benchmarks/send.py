"""How many mails a second the pipeline sends, beside a bare loop of the same calls and django-post-office.

    python -m benchmarks.send [--mails 3000] [--mailboxes 500] [--latencies 0,80] [--concurrency 16]

500 mailboxes, half of each provider, spacing and caps off (decisions 11). The product: mails that are queued
with their text frozen; two worker processes and beat as in production; every transition committed. The bare
loop: the same provider clients over the same transport, as many at a time, without a database and without a
look before each write. Both are timed from their first mail to their last. django-post-office: as many mails,
in a database of its own on the same server, to a local SMTP sink that takes as long as one call; it makes one
call a mail where we make three. The goal is set by how it comes, one process of 5 threads; two are timed too.
Everything shares this machine's cores: the sandbox and PostgreSQL are on the bill too. Goals
(performance.md), at 80 ms: 154 mails a second, 0.6 of the bare loop, 3 times django-post-office.
"""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.sending.rates import Rate, since, spent_by, together
from benchmarks.sending.world import (
    World,
    fill,
    folder,
    furnish,
    in_state,
    resident,
    start_beat,
    start_workers,
    took,
)

GOALS = {"a second": 154.0, "of the bare loop": 0.6, "times django-post-office": 3.0}
PATIENCE = 900.0


def main() -> None:
    asked = argparse.ArgumentParser(prog="benchmarks.send", description=__doc__)
    asked.add_argument("--mails", type=int, default=3000)
    asked.add_argument("--mailboxes", type=int, default=500)
    asked.add_argument("--latencies", default="0,80")
    asked.add_argument("--concurrency", type=int, default=16, help="tasks at a time in each worker process")
    asked.add_argument("--workspaces", type=int, default=10)
    wish = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="outreach-bench-send-") as base:
        world = World(folder(base))
        try:
            world.up()
            import django

            django.setup()
            mailboxes = furnish(world, workspaces=wish.workspaces, mailboxes=wish.mailboxes)
            for latency in map(int, wish.latencies.split(",")):
                compare(world, mailboxes, mails=wish.mails, latency=latency, concurrency=wish.concurrency)
        finally:
            world.stop()


def compare(world: World, mailboxes: list, *, mails: int, latency: int, concurrency: int) -> None:  # type: ignore[type-arg]
    """The three, one after the other, and the ratios."""
    world.ask("settings", latency_ms=latency)
    ours = product(world, mailboxes, mails=mails, word=f"l{latency}", concurrency=concurrency)
    bare = bare_loop(world, mailboxes, mails=ours.count, concurrency=concurrency)
    other = post_office(world, mails=ours.count, latency=latency)
    two = post_office(world, mails=ours.count, latency=latency, processes=2)
    print(f"\nlatency {latency} ms, {ours.count} mails, {len(mailboxes)} mailboxes")
    print(f"{'':<22}{'mails/s':>9}{'seconds':>9}   processor ms a mail")
    for name, rate in (
        ("the product", ours),
        ("bare loop", bare),
        ("django-post-office", other),
        ("… of 2 processes", two),
    ):
        cpu = ", ".join(f"{who} {1000 * spent / rate.count:.1f}" for who, spent in rate.cpu.items() if spent)
        print(f"{name:<22}{rate.a_second:>9.1f}{rate.seconds:>9.1f}   {cpu}")
    found = (ours.a_second, ours.a_second / bare.a_second, ours.a_second / other.a_second)
    for (name, goal), value in zip(GOALS.items(), found, strict=True):
        print(f"  {value:8.2f} {name} (goal: at least {goal:g}){'' if value >= goal else '  below'}")
    print(f"  {ours.a_second / two.a_second:8.2f} times django-post-office of 2 processes")


# --- the three -------------------------------------------------------------------------------------------


def product(world: World, mailboxes: list, *, mails: int, word: str, concurrency: int) -> Rate:  # type: ignore[type-arg]
    before = in_state("sent")
    count = fill(mailboxes, mails=mails, word=word)
    workers = start_workers(world, word, concurrency=concurrency)
    time.sleep(8)  # they load what they need before the first bell
    beat = start_beat(world, word)
    spent, began = processors(world), time.monotonic()
    while (done := in_state("sent") - before) < count:
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"only {done} of {count} mails left in {PATIENCE:.0f} s")
        time.sleep(0.5)
    rate = Rate(count, took(word), since(spent, processors(world)))
    for child in (beat, *workers):
        print(f"  {child.name}: {resident(child.process.pid) / 1e6:.0f} MB")
        child.stop(seconds=10)
    return rate


def bare_loop(world: World, mailboxes: list, *, mails: int, concurrency: int) -> Rate:  # type: ignore[type-arg]
    from accounts.tenancy import workspace
    from mailbox import oauth
    from outreach import rendering
    from outreach.models import Message

    jobs = []
    for here, mailbox in mailboxes:
        with workspace(here):
            token = oauth.access(mailbox).token
            row = (
                Message.objects.filter(mailbox=mailbox)
                .select_related("mailbox", "campaign", "contact")
                .first()
            )
            assert row is not None
            mail = rendering.finalise(row)
            jobs.append((str(mailbox.provider), mailbox.pk, token, mail))
    # One mail of each mailbox after the other: those of one stand in each other's way at Microsoft.
    jobs *= mails // len(mailboxes)
    path = world.data / "bare.pickle"
    path.write_bytes(pickle.dumps(jobs))
    spent = processors(world)
    times = together(world, "benchmarks.sending.bare", str(path), copies=2, threads=concurrency)
    cpu = since(spent, processors(world)) | {"loop": sum(found[2] for found in times)}
    return Rate(len(jobs), max(found[1] for found in times) - min(found[0] for found in times), cpu)


def post_office(world: World, *, mails: int, latency: int, processes: int = 1) -> Rate:
    said = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.sending.post_office", str(mails), str(latency), str(processes)],
        env=world.env, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    return Rate(mails, float(said.split()[-1]), {})


# --- what it took ----------------------------------------------------------------------------------------


def processors(world: World) -> dict[str, float]:
    """Processor seconds so far of this run's processes, by kind."""
    found = {"worker": 0.0, "sandbox": 0.0, "postgres": 0.0}
    for child in world.children:
        kind = child.name.partition("-")[0]
        if kind in found and not child.ended():
            found[kind] += spent_by(child.process.pid)
    for status in Path("/proc").glob("[0-9]*/comm"):
        try:
            if status.read_text().strip() == "postgres":
                found["postgres"] += spent_by(int(status.parent.name))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    main()
