"""How long a provider asks us to wait: seconds, a date, a moment in the message, or nothing of use."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

CAP = 3600.0
_MOMENT = re.compile(r"Retry after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?)", re.IGNORECASE)


def wait(headers: Mapping[str, str], message: str = "", *, default: float = 60.0) -> float:
    """Seconds to wait, at least 1; over an hour means a daily limit, and the caller caps it.

    Dates are read against the provider's own `Date`, so that a wrong host clock does no harm. Where
    nothing is said the default is spread, so that many mailboxes do not come back together.
    """
    asked = headers.get("Retry-After", "").strip()
    moment = _MOMENT.search(message)
    if moment:
        return max(_until(_iso(moment.group(1)), headers), 1.0)
    if re.fullmatch(r"\d{1,9}(\.\d+)?", asked):
        return max(float(asked), 1.0)
    if asked:
        date = _date(asked)
        if date is not None:
            return max(_until(date, headers), 1.0)
    return default * random.uniform(1.0, 1.5)  # noqa: S311


def provider_time(headers: Mapping[str, str]) -> datetime:
    """The provider's clock at its answer; ours where it says nothing."""
    return _date(headers.get("Date", "")) or datetime.now(UTC)


def _until(moment: datetime, headers: Mapping[str, str]) -> float:
    return (moment - provider_time(headers)).total_seconds()


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=UTC)
