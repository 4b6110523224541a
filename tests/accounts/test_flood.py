"""A flood in small: many tries at once over real connections; the limits hold and real people get in."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from accounts.models import Workspace
from accounts.people.entrance_limits import ACCOUNT_MISSES, ADDRESS_MISSES, PAIR_MISSES
from benchmarks import flood

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SIZE = {"attempts": 40, "threads": 8}


def test_it_holds_the_limits_under_a_flood_and_lets_real_people_in(
    live_server: Any, ws: Workspace, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    monkeypatch.setattr(flood, "GOAL_SECONDS", 600.0)
    port = live_server.thread.port
    people, victim = flood.people_of(port, count=2)
    one, many, accounts = flood.password_floods(port, people, victim, **SIZE)
    keys = flood.key_flood(port, flood.a_key(), **SIZE)
    for found in (one, many, accounts, keys):
        assert found.held, found
        assert not found.kept_out
        assert found.real
        assert found.outcomes["reached"] + found.outcomes["refused"] == SIZE["attempts"]
    assert one.outcomes["reached"] >= PAIR_MISSES.amount
    assert one.outcomes["reached"] + many.outcomes["reached"] >= ACCOUNT_MISSES.amount
    assert accounts.outcomes["reached"] >= min(SIZE["attempts"], ADDRESS_MISSES.amount * 4)
    assert keys.outcomes["refused"] > 0


def test_it_notices_a_flood_that_gets_through() -> None:
    through = flood.Flood("planted", 5, Counter(reached=6), {"person": [0.1]})
    locked = flood.Flood("planted", 5, Counter(reached=5), {"person": [0.1]}, ["person"])
    broken = flood.Flood("planted", 5, Counter(reached=5, odd=1), {"person": [0.1]})
    assert [one.held for one in (through, locked, broken)] == [False, False, False]
    assert flood.Flood("planted", 5, Counter(reached=5), {"person": [0.1]}).held
