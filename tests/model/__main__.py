"""`python -m tests.model`: the table, ours in every world, and the shortest way to what a mutant does."""

from __future__ import annotations

import sys
import time

from tests.model.table import FROZEN, MUTANTS, ROWS, WORLDS, run


def main() -> None:
    for case in ROWS + MUTANTS + FROZEN:
        started = time.monotonic()
        found = run(case.protocol, case.world)
        took = time.monotonic() - started
        say(f"{case.name}: {found.states} states, {found.wrong}, {took:.1f} s")
        for kind in ("duplicate", "false sent"):
            if kind in found.ways:
                say(f"  {kind}: " + "; ".join(found.ways[kind]))
    for name, (protocol, world) in WORLDS.items():
        started = time.monotonic()
        found = run(protocol, world)
        took = time.monotonic() - started
        say(f"ours, {name}: {found.states} states, {found.wrong}, {took:.1f} s")
        if found.stuck:
            say("  stuck: " + "; ".join(found.stuck))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


main()
