"""Each test starts with a rate limiter that has seen nobody."""

from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _limits_start_afresh() -> None:
    cache.clear()
