"""How long `make run` takes: the first start in an empty data folder and the next. Goals: 90 s and 15 s."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from config.embedded import free_port

GOALS = {"first start": 90.0, "next start": 15.0}
READY = "Ctrl-C stops everything."


def start_once(data: Path, port: int) -> float:
    """Seconds until the run says that it is ready; it is stopped afterwards. Raises SystemExit."""
    began = time.monotonic()
    command = [sys.executable, "-m", "config.run", "--data", str(data), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:  # noqa: S603
        said = []
        for line in run.stdout or []:
            said.append(line)
            if READY in line:
                break
        took = time.monotonic() - began
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    if not said or READY not in said[-1]:
        raise SystemExit("".join(said))
    return took


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        Path(folder).chmod(0o755)
        port = free_port(18_150)
        held = True
        for name, goal in GOALS.items():
            took = start_once(Path(folder) / "run", port)
            held = held and took <= goal
            print(f"{name}: {took:.1f} s (goal: at most {goal:.0f} s)")
    if not held:
        raise SystemExit("a goal is missed")


if __name__ == "__main__":
    main()
