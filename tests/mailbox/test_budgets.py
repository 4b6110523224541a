"""Gmail's units of our project: counted over all mailboxes, and never a reason to stop Microsoft's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings
from redis.exceptions import RedisError

from accounts.limits import Limit
from mailbox import budgets
from mailbox.models import Mailbox
from tests.mailbox.sandbox.conftest import Running


@pytest.fixture(autouse=True)
def empty() -> None:
    cache.clear()


def test_it_counts_all_mailboxes_of_the_project_together(
    connected: Callable[..., Mailbox], providers: Running, settings: Settings
) -> None:
    """G7: 1.2 million units a minute are 9,230 mails; here 1,000 units, of which sending has 900."""
    settings.GMAIL_PROJECT_UNITS, settings.GMAIL_MAIL_UNITS = 1000, 130
    assert budgets.mails_a_minute() == 6
    one, two = connected("google"), connected("google", "maria@studio.example")
    waits = [budgets.wait_for_turn(mailbox) for mailbox in (one, two) * 4]
    assert waits[:6] == [0.0] * 6
    assert all(10 <= wait <= 60 for wait in waits[6:])
    assert budgets.wait_for_turn(connected("microsoft")) == 0.0


def test_it_goes_on_where_redis_does_not_answer(
    connected: Callable[..., Mailbox], providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F16: the provider itself still says when it is enough."""

    def silent(self: Limit, who: str) -> bool:
        raise RedisError

    monkeypatch.setattr(Limit, "take", silent)
    assert budgets.wait_for_turn(connected("google")) == 0.0


def test_it_is_off_without_a_number(
    connected: Callable[..., Mailbox], providers: Running, settings: Settings
) -> None:
    settings.GMAIL_PROJECT_UNITS = 0
    row = connected("google")
    assert {budgets.wait_for_turn(row) for _ in range(50)} == {0.0}
