"""One clock: the SQL function `app_now()` (transaction time plus an offset).

Only tests and the sandbox may set the offset; a production start with one is refused
(accounts/checks.py). Leases, due times and settle use this clock and never a host's (decisions 5).
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models
from django.db.models import DateTimeField, Func

from accounts.inventory import Data, Kept


class ClockOffset(models.Model):
    """At most one row; empty in production."""

    inventory = Kept(Data.SYSTEM, "The clock of tests and of the demo", "Empty in production")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    offset = models.DurationField(default=timedelta(0))

    class Meta:
        db_table = "app_clock"


class Now(Func):
    """`app_now()` in a query."""

    function = "app_now"
    template = "%(function)s()"
    output_field = DateTimeField()


def now() -> datetime:
    """The database's time, with time zone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app_now()")
        found: datetime = cursor.fetchone()[0]
        return found


def advance(by: timedelta) -> None:
    """Move the clock forward. Tests and the sandbox only."""
    if not (settings.DEBUG or settings.DEMO or settings.TESTING):
        raise RuntimeError("the clock may be moved in tests and in the sandbox only")
    row, _ = ClockOffset.objects.get_or_create(pk=1)
    ClockOffset.objects.filter(pk=1).update(offset=row.offset + by)
