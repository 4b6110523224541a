"""What production spends so that an attacker waits, spared to the tests: none of it is skipped, it is less.

Every person of every test has a password, and nearly none of them is guessed at: at production's cost the
hashes took minutes of the whole. `at_full_cost` is for the tests that ask for what is spared here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts.people import rehearsal

_ARGON2 = ("time_cost", "memory_cost", "parallelism")
_FULL = {name: getattr(Argon2PasswordHasher, name) for name in _ARGON2}
_LEAST = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
# Seconds between two beats on which sign-up and reset answer.
BEAT = rehearsal.BEAT
_SHORT_BEAT = 0.001


def hurry() -> None:
    """For this process, from now on."""
    _set(_LEAST, _SHORT_BEAT)


@contextmanager
def at_full_cost() -> Iterator[None]:
    _set(_FULL, BEAT)
    try:
        yield
    finally:
        hurry()


def _set(argon2: dict[str, int], beat: float) -> None:
    for name, value in argon2.items():
        setattr(Argon2PasswordHasher, name, value)
    rehearsal.BEAT = beat
