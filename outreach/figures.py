"""What the operator sees of sending: counts and ages over all workspaces, and nothing of any mail.

The counts come from one SQL function, `outreach_figures()` (migration 0007). It runs with the product's own
rights, opens one workspace after another as `every_workspace` does, and returns numbers without an id.
"""

from __future__ import annotations

from django.db import connection

from accounts.staff.figures import Family, Minute, Reading, Source, Value, register, values_of
from mailbox import failures

SENDING, UNKNOWN, PROVIDERS = "Sending", "Outcome not known", "Providers"
MINUTES = 60

WAITING = Family(
    "outreach_mails_waiting",
    SENDING,
    "Queue",
    "Mails that wait, by state: due counts planned mails whose time has come.",
    "Growing while the oldest ready mail grows too: workers are too slow or gone. Growing alone: caps, "
    "windows and pauses hold them, and that is their job.",
    ("state",),
)
READY = Family(
    "outreach_oldest_ready_seconds",
    SENDING,
    "Oldest ready mail",
    "Age of the oldest mail that nothing but us holds back. 0 when there is none.",
    "Beyond two minutes: look whether beat and workers are alive, then at their log.",
)
HANDED = Family(
    "outreach_mails_handed_over",
    SENDING,
    "Handed over",
    "Mails handed to a provider in this time, those that were refused left out. Tests to oneself are not "
    "counted.",
    "0 while the oldest ready mail grows: nothing leaves at all.",
    ("window",),
)
DOUBT = Family(
    "outreach_mails_in_doubt",
    UNKNOWN,
    "In doubt",
    "Mails of which a person has to decide, by provider.",
    "A sudden rise: the provider loses answers, or the network does. The workspaces see them on their own "
    "page and decide there.",
    ("provider",),
)
SUBMITTING = Family(
    "outreach_mails_submitting",
    UNKNOWN,
    "Handed over, no answer yet",
    "Mails handed to a provider whose outcome is not known yet, by provider.",
    "Many for longer than SETTLE_SECONDS: the settle stage does not run.",
    ("provider",),
)
SETTLE = Family(
    "outreach_settle_overdue_seconds",
    UNKNOWN,
    "Look that is overdue",
    "For how long the oldest look at an unknown outcome has been due. 0 when none is.",
    "Beyond a few minutes: workers are gone, or the mailbox is broken and waits for its owner.",
)
REFUSED = Family(
    "outreach_mails_refused",
    PROVIDERS,
    "Refused in 60 minutes",
    "Mails that a provider refused for good in the last 60 minutes, by provider.",
    "Many at one provider: read the reasons of a few in the log, it may be a change of theirs.",
    ("provider",),
)
MAILBOXES = Family(
    "outreach_mailboxes",
    PROVIDERS,
    "Mailboxes",
    "Mailboxes by provider and state: connected, throttled (asked to wait), broken (needs reconnecting).",
    "Many throttled at once: our project’s quota, not theirs. Many broken at once: our client’s secret, or a "
    "consent that was withdrawn.",
    ("provider", "state"),
)
POLL = Family(
    "outreach_poll_overdue_seconds",
    PROVIDERS,
    "Poll that is overdue",
    "For how long the most overdue look for replies has been due. 0 when none is.",
    "Beyond two minutes follow-ups wait. Too few workers, or a provider that answers slowly.",
)
POLLED = Family(
    "outreach_last_poll_seconds",
    PROVIDERS,
    "Last poll",
    "Seconds since any mailbox was last looked at.",
    "Far beyond POLL_SECONDS: nobody looks for replies, so no follow-up leaves.",
)
FAILED = Family(
    "outreach_provider_failures_total",
    PROVIDERS,
    "Problems since Redis was emptied",
    "Single calls that a provider did not do, by provider and problem: throttled (429 and the like), "
    "server_error (5xx), unreachable (no answer), auth (a token was not taken, or access ended).",
    "throttled: our project’s quota, see Mailboxes. server_error or unreachable: theirs or the network’s; it "
    "passes, and what is unknown is settled. auth, many at once: our client’s secret.",
    ("provider", "problem"),
)
FAMILIES = (READY, WAITING, HANDED, DOUBT, SUBMITTING, SETTLE, REFUSED, FAILED, MAILBOXES, POLL, POLLED)

# The greatest of an age, the sum of a count; the least of "seconds since the last".
_ASK = """
SELECT figure, company, word, sum(number), max(number), min(number) FROM outreach_figures() GROUP BY 1, 2, 3
"""
# A directory table (decisions 12): an HMAC, the mail's id and a time.
_HANDED = """
SELECT floor(extract(epoch FROM app_now() - taken_at) / 60)::int AS ago, count(*) FROM mailbox_sendslot
WHERE taken_at > app_now() - interval '60 minutes' AND taken_at <= app_now() GROUP BY 1
"""
_STATES = ("due", "queued", "deferred", "in_hand")
_PROVIDERS = ("google", "microsoft")
_MAILBOX_STATES = ("connected", "throttled", "broken")


def read() -> Reading:
    """Two statements, however many workspaces there are, and one look into Redis."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK)
        found = {
            (figure, company, word): (total, most, least)
            for figure, company, word, total, most, least in cursor.fetchall()
        }
        cursor.execute(_HANDED)
        minutes = {int(ago): int(count) for ago, count in cursor.fetchall()}

    def count(figure: str, company: str = "", word: str = "") -> float:
        return float(found.get((figure, company, word), (0, 0, 0))[0])

    def age(figure: str) -> float:
        return max(float(found.get((figure, "", ""), (0, 0, 0))[1]), 0.0)

    def by_provider(figure: str) -> dict[tuple[str, ...], float | None]:
        gone = ["none"] if (figure, "none", "") in found else []
        there = [*_PROVIDERS, *gone]
        return {(one,): count(figure, one) for one in there}

    last = found.get(("last_poll", "", ""))
    windows = {("5m",): range(5), ("60m",): range(MINUTES)}
    return Reading(
        [
            Value(READY, age("ready")),
            *values_of(WAITING, {(word,): count("waiting", "", word) for word in _STATES}),
            *values_of(
                HANDED,
                {name: float(sum(minutes.get(ago, 0) for ago in span)) for name, span in windows.items()},
            ),
            *values_of(DOUBT, by_provider("doubt")),
            *values_of(SUBMITTING, by_provider("submitting")),
            Value(SETTLE, age("settle")),
            *values_of(REFUSED, by_provider("refused")),
            *values_of(FAILED, {name: float(count) for name, count in failures.counts().items()}),
            *values_of(
                MAILBOXES,
                {
                    (one, state): count("mailbox", one, state)
                    for one in _PROVIDERS
                    for state in _MAILBOX_STATES
                },
            ),
            Value(POLL, age("poll")),
            Value(POLLED, max(float(last[2]), 0.0) if last else None),
        ],
        [Minute(ago, mails) for ago, mails in sorted(minutes.items()) if ago < MINUTES],
    )


def install() -> None:
    register(Source(FAMILIES, read))
