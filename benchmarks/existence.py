"""Whether the time of an answer tells who has an account (threats T41): sign-in, sign-up, a mailed link.

Each form is sent ROUNDS times for an address that has an account and for one that has none, in turn and each
from an address of its own, in this process and warm. The two samples are compared by rank (Mann-Whitney):
`edge` is how often a random known one took longer than a random unknown one, less a half. Goal: the medians
differ by less than GOAL of the answer, or chance explains the difference (p above 0.001).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.embedded import free_port
from config.processes import MARK
from config.run import Run

ROUNDS = 80
WARM = 4
GOAL = 0.03
CHANCE = 0.001
PASSWORD = "a-password-of-the-bench"  # noqa: S105


@dataclass(frozen=True)
class Compared:
    name: str
    known: list[float]
    unknown: list[float]

    @property
    def gap(self) -> float:
        """Difference of the medians, as a part of the answer's time."""
        known, unknown = statistics.median(self.known), statistics.median(self.unknown)
        return (known - unknown) / unknown

    @property
    def edge(self) -> float:
        pairs = len(self.known) * len(self.unknown)
        longer = sum((a > b) + (a == b) / 2 for a, b in itertools.product(self.known, self.unknown))
        return longer / pairs - 0.5

    @property
    def chance(self) -> float:
        """Two-sided p of the rank test, by its normal approximation."""
        n, m = len(self.known), len(self.unknown)
        spread = math.sqrt((n + m + 1) / (12 * n * m))
        return math.erfc(abs(self.edge) / spread / math.sqrt(2))

    @property
    def held(self) -> bool:
        return abs(self.gap) < GOAL or self.chance > CHANCE


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=ROUNDS)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        Path(folder).chmod(0o755)
        run = Run(Path(folder) / "run")
        try:
            run.claim_folder(reset=True)
            with contextlib.redirect_stdout(io.StringIO()):
                run.start(free_port(18_450))
            os.environ.update({name: value for name, value in run.env.items() if name != MARK})
            for child in run.children:
                if child.name in ("worker", "beat"):
                    child.stop(seconds=10)
            held = measure(given.rounds)
        finally:
            run.stop()
    if not held:
        raise SystemExit("an answer's time tells who has an account")


def measure(rounds: int) -> bool:
    import config.wsgi  # noqa: F401  (loads everything, as the web server does)

    print(f"{'form':<12}{'known ms':>10}{'unknown ms':>12}{'gap':>8}{'edge':>8}{'p':>8}")
    held = True
    for one in compared(rounds):
        known, unknown = statistics.median(one.known) * 1000, statistics.median(one.unknown) * 1000
        print(
            f"{one.name:<12}{known:>10.1f}{unknown:>12.1f}{one.gap:>8.1%}{one.edge:>+8.2f}{one.chance:>8.3f}"
            f"{'' if one.held else '  missed'}",
            flush=True,
        )
        held = held and one.held
    return held


def compared(rounds: int) -> list[Compared]:
    """Each form's two samples, in seconds."""
    from allauth.account.models import EmailAddress
    from django.test import Client

    from accounts.models import User

    numbers = itertools.count(1)

    def known() -> str:
        email = f"known{next(numbers)}@bench.example"
        user = User.objects.create_user(email, PASSWORD)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return email

    def unknown() -> str:
        return f"nobody{next(numbers)}@bench.example"

    def sent(url: str, words: Callable[[str], dict[str, str]], email: str) -> float:
        number = next(numbers)
        place = f"198.{18 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"
        client = Client(SERVER_NAME="localhost", REMOTE_ADDR=place)
        began = time.perf_counter()
        answer = client.post(url, words(email))
        took = time.perf_counter() - began
        if answer.status_code not in (200, 302):
            raise SystemExit(f"{url} answers {answer.status_code}")
        return took

    forms: dict[str, tuple[str, Callable[[str], dict[str, str]]]] = {
        "sign-in": ("/accounts/login/", lambda email: {"login": email, "password": "not-the-password"}),
        "sign-up": (
            "/accounts/signup/",
            lambda email: {"email": email, "name": "Some Body", "password1": PASSWORD, "company": ""},
        ),
        "mailed link": ("/accounts/password/reset/", lambda email: {"email": email}),
    }
    found = []
    for name, (url, words) in forms.items():
        samples: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds + WARM):
            # Which goes first changes, so that what the one warms for the other evens out.
            for which in (0, 1) if number % 2 else (1, 0):
                took = sent(url, words, (known, unknown)[which]())
                if number >= WARM:
                    samples[which].append(took)
        found.append(Compared(name, *samples))
    return found


if __name__ == "__main__":
    main()
