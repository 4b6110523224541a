"""The slope of `benchmarks.memory` sees a leak behind the warming, and none in what only warms (R9)."""

from __future__ import annotations

from benchmarks.memory import slope

WARM = [(0.0, 90_000.0), (50.0, 120_000.0), (100.0, 150_000.0), (150.0, 150_000.0)]


def test_it_sees_what_grows_with_the_mails() -> None:
    leaking = [(mails, 150_000 + mails * 0.5) for mails in range(200, 1001, 50)]
    assert round(slope([*WARM, *leaking])) == 500


def test_it_takes_warming_for_no_leak() -> None:
    assert slope([*WARM, *[(float(mails), 150_000.0) for mails in range(200, 1001, 50)]]) == 0


def test_it_says_nothing_where_nothing_was_sent() -> None:
    assert slope([]) == slope([(0.0, 90_000.0), (0.0, 91_000.0)]) == 0
