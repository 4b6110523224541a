"""Argon2 in the tests: the same hasher and the same rows, at the least cost that it takes.

Every person of every test has a password, and nearly none of them is guessed at. At production's cost the
hashes alone took minutes of the whole; `at_full_cost` is for the test that asks what production stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

_NAMES = ("time_cost", "memory_cost", "parallelism")
FULL = {name: getattr(Argon2PasswordHasher, name) for name in _NAMES}
CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


def make_cheap() -> None:
    """For this process, from now on."""
    _set(CHEAP)


@contextmanager
def at_full_cost() -> Iterator[None]:
    _set(FULL)
    try:
        yield
    finally:
        _set(CHEAP)


def _set(costs: dict[str, int]) -> None:
    for name, value in costs.items():
        setattr(Argon2PasswordHasher, name, value)
