"""For the operator: whether the providers tell us of new mail. Where they do not, polls alone find it."""

from __future__ import annotations

from django.db import connection

from accounts.staff.figures import Family, Reading, Source, register, values_of

STATES = ("standing", "lapsed", "none")
WATCHES = Family(
    "outreach_push_watches",
    "Providers",
    "Pushes promised",
    "Mailboxes that can be polled, by whether their provider tells us of new mail: standing, lapsed (the "
    "promise ran out and could not be renewed), none (never given, or not set up).",
    "Lapsed, many at once: the topic, its permission, or our address for notices. Nothing is lost meanwhile: "
    "polls find all mail, a minute or two later.",
    ("state",),
)
# Two directory tables (decisions 12): ids and times.
_ASK = """
SELECT CASE WHEN r.until > app_now() THEN 'standing' WHEN r.until IS NULL THEN 'none' ELSE 'lapsed' END,
    count(*)
FROM mailbox_pollturn t LEFT JOIN mailbox_pushroute r ON r.id = t.id GROUP BY 1
"""


def read() -> Reading:
    with connection.cursor() as cursor:
        cursor.execute(_ASK)
        found = dict(cursor.fetchall())
    return Reading([*values_of(WATCHES, {(state,): float(found.get(state, 0)) for state in STATES})])


def install() -> None:
    register(Source((WATCHES,), read))
