"""What a run of a benchmark took: things a second, and the processor's time behind them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sending.world import World

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Rate:
    """`cpu`: processor seconds by kind of process, in the time measured."""

    count: int
    seconds: float
    cpu: dict[str, float]

    @property
    def a_second(self) -> float:
        return self.count / self.seconds


def together(world: World, module: str, path: str, *, copies: int, threads: int) -> list[list[float]]:
    """Run so many copies of a module on one file of jobs; the numbers that each printed."""
    children = [
        subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, path, str(number), str(copies), str(threads)],
            env=world.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(copies)
    ]
    said = [child.communicate()[0] for child in children]
    if any(child.returncode for child in children):
        raise SystemExit(f"{module} failed")
    return [[float(number) for number in line.split()] for line in said]


def since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {kind: max(after[kind] - before.get(kind, 0.0), 0.0) for kind in after}


def spent_by(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK
