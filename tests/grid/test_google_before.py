"""The grid at Gmail: the worker dies before anything is written."""

from __future__ import annotations

import pytest

from tests.grid.conftest import Check
from tests.grid.expected import BEFORE_THE_WRITE, Case, every_case

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.mark.parametrize("case", every_case("google", BEFORE_THE_WRITE), ids=str)
def test_it_ends_where_it_must(check: Check, case: Case) -> None:
    """F1, F2, F3, F4, F5, F6, F8, F18, F23."""
    check(case)
