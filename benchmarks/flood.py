"""1,000 tries at a sign-in and 1,000 guesses at a key, from 50 threads, while real people come in.

Drives the whole product over loopback, gunicorn included, with addresses as a proxy would report them.
Counted is what reached the password hasher (an answer that the password does not fit), what was refused
before it, and whether each real person got in and how long that took. Goals: no more guesses reach the
hasher than accounts/people/entrance_limits.py allows, everybody real gets in, and a good key goes on working.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.visitor import Answer, Visitor
from config.embedded import free_port
from config.processes import MARK
from config.run import Run

ATTEMPTS = 1_000
THREADS = 50
PEOPLE = 6
PASSWORD = "a-password-of-the-bench"  # noqa: S105
REACHED = "No account has this address with this password."
REFUSED = "Too many tries"
# A real person's sign-in hashes a password too, on two cores that the flood keeps busy.
GOAL_SECONDS = 10.0


@dataclass(frozen=True)
class Person:
    """Somebody who comes in while the flood is on."""

    name: str
    email: str
    browser: Visitor


@dataclass
class Flood:
    """What came of one flood."""

    name: str
    most: int
    outcomes: Counter[str] = field(default_factory=Counter)
    real: dict[str, list[float]] = field(default_factory=dict)
    kept_out: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def p95(self) -> float:
        times = sorted(one for times in self.real.values() for one in times)
        return times[math.ceil(len(times) * 0.95) - 1] if times else 0.0

    @property
    def held(self) -> bool:
        good = self.outcomes["reached"] <= self.most and not self.kept_out
        return good and not self.outcomes["odd"] and self.p95 <= GOAL_SECONDS


def kind_of(answer: Answer) -> str:
    """What one guess came to."""
    if REACHED in answer.text or answer.status == 401:
        return "reached"
    if REFUSED in answer.text or answer.status == 429:
        return "refused"
    return "let in" if answer.status == 302 else "odd"


def drive(
    name: str,
    guesses: Iterable[Callable[[], Answer]],
    real: Iterable[tuple[str, Callable[[], tuple[bool, float]]]],
    *,
    most: int,
    threads: int = THREADS,
) -> Flood:
    """Send the guesses from many threads, and each real person again and again until they are through."""
    flood = Flood(name, most)
    over = threading.Event()
    people = list(real)

    def come_in(who: str, act: Callable[[], tuple[bool, float]]) -> None:
        while True:
            good, took = act()
            flood.real.setdefault(who, []).append(took)
            if not good:
                flood.kept_out.append(who)
            if over.wait(1.0):
                return

    began = time.monotonic()
    with ThreadPoolExecutor(len(people) or 1) as others:
        coming = [others.submit(come_in, who, act) for who, act in people]
        with ThreadPoolExecutor(threads) as pool:
            flood.outcomes.update(pool.map(lambda guess: kind_of(guess()), guesses))
        over.set()
        for one in coming:
            one.result()
    flood.seconds = time.monotonic() - began
    return flood


def signs_in(person: Person) -> Callable[[], tuple[bool, float]]:
    def act() -> tuple[bool, float]:
        answer = person.browser.sign_in(person.email, PASSWORD)
        person.browser.forget_session()
        return answer.status == 302 and answer.to == "/", answer.seconds

    return act


def guessing(attackers: list[Visitor], emails: Iterable[str]) -> list[Callable[[], Answer]]:
    def guess(who: Visitor, email: str, number: int) -> Callable[[], Answer]:
        return lambda: who.sign_in(email, f"guess-number-{number}")

    return [guess(attackers[number % len(attackers)], email, number) for number, email in enumerate(emails)]


def attackers(port: int, count: int, block: str) -> list[Visitor]:
    """So many addresses; they share one form, which is what a script would do."""
    first = Visitor(port, f"{block}.0.1")
    first.sign_in("nobody@nowhere.example", "warming up")
    found = [
        Visitor(port, f"{block}.{n // 250}.{n % 250 + 2}", dict(first.cookies), first.token)
        for n in range(count)
    ]
    return found


def password_floods(
    port: int, people: list[Person], victim: Person, *, attempts: int, threads: int
) -> Iterator[Flood]:
    """The three shapes of a flood at the sign-in form."""
    from accounts.people.entrance_limits import ACCOUNT_MISSES, ADDRESS_MISSES, PAIR_MISSES

    real = [(one.name, signs_in(one)) for one in people]
    owner = (victim.name, signs_in(victim))
    lone = attackers(port, 1, "198.18")
    yield (
        drive(
            "one account, one address",
            guessing(lone, [victim.email] * attempts),
            [*real, owner],
            most=PAIR_MISSES.amount * 2,  # Its window may begin anew once while the flood goes on.
            threads=threads,
        )
    )
    many = attackers(port, attempts, "198.19")
    yield (
        drive(
            "one account, as many addresses as tries",
            guessing(many, [victim.email] * attempts),
            [*real, owner],
            most=ACCOUNT_MISSES.amount,
            threads=threads,
        )
    )
    few = attackers(port, 5, "192.18")
    yield (
        drive(
            "as many accounts as tries, five addresses",
            guessing(few, [f"somebody{n}@nowhere.example" for n in range(attempts)]),
            real,
            most=ADDRESS_MISSES.amount * len(few) * 5,  # So many windows of a minute.
            threads=threads,
        )
    )


def key_flood(port: int, secret: str, *, attempts: int, threads: int) -> Flood:
    """Guesses that look like keys, from one address; the good key comes from the same one."""
    from django.conf import settings

    from accounts.keys import new_secret
    from accounts.models import KeyKind

    def ask(key: str) -> Answer:
        return Visitor(port, "198.51.100.9").get("/api/v1/me", Authorization=f"Bearer {key}")

    def good() -> tuple[bool, float]:
        answer = ask(secret)
        return answer.status == 200, answer.seconds

    guesses = [new_secret(KeyKind.KEY) for _ in range(attempts)]
    return drive(
        "keys, one address",
        [lambda key=key: ask(key) for key in guesses],  # type: ignore[misc]
        [("the good key", good)],
        most=settings.API_GUESSES_PER_MINUTE * 5,  # So many windows of a minute.
        threads=threads,
    )


def people_of(port: int, *, count: int = PEOPLE) -> tuple[list[Person], Person]:
    """Accounts to come in with; the victim's browser is one they have signed in from before."""
    from allauth.account.models import EmailAddress

    from accounts.models import User

    def make(name: str, number: int) -> Person:
        email = f"{name}@bench.example"
        user, new = User.objects.get_or_create(email=email)
        if new:
            user.set_password(PASSWORD)
            user.save()
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return Person(name, email, Visitor(port, f"203.0.113.{number}"))

    people = [make(f"person{number}", number + 1) for number in range(count)]
    victim = make("victim", 200)
    for one in (*people, victim):
        if one.browser.sign_in(one.email, PASSWORD).status != 302:
            raise SystemExit(f"{one.name} does not get in before the flood")
        one.browser.forget_session()
    # New machines: only the victim keeps the browser that is known.
    return [Person(one.name, one.email, Visitor(port, one.browser.address)) for one in people], victim


COLUMNS = ("flood", "reached", "at most", "refused", "real", "kept out", "p95 s", "s")


def told(one: Flood) -> Flood:
    """The flood again, after its line is printed."""
    came = sum(map(len, one.real.values()))
    odd = f"  {one.outcomes['odd']} odd answers" if one.outcomes["odd"] else ""
    print(
        f"{one.name:<44}{one.outcomes['reached']:>9}{one.most:>9}{one.outcomes['refused']:>9}{came:>7}"
        f"{len(one.kept_out):>10}{one.p95:>8.2f}{one.seconds:>7.1f}{'' if one.held else '  missed'}{odd}",
        flush=True,
    )
    return one


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--attempts", type=int, default=ATTEMPTS)
    asked.add_argument("--threads", type=int, default=THREADS)
    given = asked.parse_args()
    # The port of the web server is not the visitor's: one proxy in front, as in production.
    os.environ["TRUSTED_PROXY_COUNT"] = "1"
    with tempfile.TemporaryDirectory(prefix="outreach-bench-") as folder:
        Path(folder).chmod(0o755)
        run = Run(Path(folder) / "run")
        port = free_port(18_350)
        try:
            run.claim_folder(reset=True)
            with contextlib.redirect_stdout(io.StringIO()):
                run.start(port)
            port = int(run.url.rstrip("/").rpartition(":")[2])
            os.environ.update({name: value for name, value in run.env.items() if name != MARK})
            for child in run.children:
                if child.name in ("worker", "beat"):
                    child.stop(seconds=10)
            import config.wsgi  # noqa: F401  (loads everything, as the web server does)

            print(
                f"{COLUMNS[0]:<44}" + "{:>9}{:>9}{:>9}{:>7}{:>10}{:>8}{:>7}".format(*COLUMNS[1:]), flush=True
            )
            size = {"attempts": given.attempts, "threads": given.threads}
            floods = [told(one) for one in password_floods(port, *people_of(port), **size)]
            floods.append(told(key_flood(port, a_key(), **size)))
        finally:
            run.stop()
    if not all(one.held for one in floods):
        raise SystemExit("a goal is missed")


def a_key() -> str:
    from accounts.keys import Scope, mint
    from accounts.models import Membership, Role, Workspace
    from accounts.tenancy import workspace

    here = Workspace.objects.order_by("created_at")[0]
    owner = Membership.objects.select_related("user").get(workspace=here, role=Role.OWNER).user
    with workspace(here):
        return mint(name="The bench", scopes=list(Scope.values), actor=owner, pk=uuid.uuid4()).secret


if __name__ == "__main__":
    main()
