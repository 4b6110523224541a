"""Child processes of `make run`: each in a process group of its own, its words in a log file.

Every child carries `OUTREACH_RUN` in its environment, so that what an interrupted run left behind can be
found again and ended without guessing at names.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "OUTREACH_RUN"


class StartFailed(RuntimeError):
    """A child did not do what it was started for; the message carries the end of its log."""


def tail(log: Path, *, lines: int = 25) -> str:
    """The last lines of a log file; empty when there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


class Child:
    """One running program. `stop` ends its whole group."""

    def __init__(self, name: str, command: list[str], *, env: dict[str, str], cwd: Path, logs: Path) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def ended(self) -> bool:
        return self.process.poll() is not None

    def finish(self, *, seconds: float) -> str:
        """Wait for a child that is to end by itself; returns its log. Raises StartFailed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop(seconds=2)
            raise StartFailed(f"{self.name} took longer than {seconds:.0f} s\n{tail(self.log)}") from None
        if code:
            raise StartFailed(f"{self.name} ended with code {code}\n{tail(self.log)}")
        return self.log.read_text(errors="replace")

    def signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self, *, seconds: float) -> None:
        """Ask the group to end, and insist after some seconds."""
        if not self.ended():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        self.signal(signal.SIGKILL)
        self.process.wait()


def marked(run: Path) -> Iterator[int]:
    """The ids of living processes that carry the mark of this data folder."""
    wanted = f"{MARK}={run}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            found = wanted in (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # ended meanwhile, or another user's
            continue
        if found:
            yield int(entry.name)


def end_marked(run: Path, *, seconds: float = 5) -> int:
    """End what carries the mark of this data folder; returns how many there were."""
    first = list(marked(run))
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked(run):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        until = time.monotonic() + seconds
        while time.monotonic() < until and list(marked(run)):
            time.sleep(0.05)
    return len(first)
