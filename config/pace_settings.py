"""Pace and limits: numbers in seconds unless the name says otherwise.

Their order is checked at start (accounts/checks.py).
"""

from config.environment import env

WAKE_SECONDS = env.float("WAKE_SECONDS", default=5.0)
POLL_SECONDS = env.float("POLL_SECONDS", default=60.0)
POLL_IDLE_SECONDS = env.float("POLL_IDLE_SECONDS", default=900.0)
POLL_OPEN_DAYS = env.float("POLL_OPEN_DAYS", default=14.0)
POLL_CONCURRENCY = env.int("POLL_CONCURRENCY", default=24)
DAY_SECONDS = env.float("DAY_SECONDS", default=86_400.0)
SEND_SPACING_SECONDS = env.float("SEND_SPACING_SECONDS", default=60.0)
SEND_SPACING_JITTER = env.float("SEND_SPACING_JITTER", default=60.0)
HTTP_DEADLINE_SECONDS = env.float("HTTP_DEADLINE_SECONDS", default=30.0)
WORKER_HARD_LIMIT_SECONDS = env.float("WORKER_HARD_LIMIT_SECONDS", default=60.0)
LEASE_SECONDS = env.float("LEASE_SECONDS", default=120.0)
SETTLE_SECONDS = env.float("SETTLE_SECONDS", default=900.0)
QUIET_SECONDS = env.float("QUIET_SECONDS", default=72 * 3600.0)
SCANNER_SECONDS = env.float("SCANNER_SECONDS", default=10.0)
AUTO_REPLY_DAYS = env.float("AUTO_REPLY_DAYS", default=3.0)
BATCH_SIZE = env.int("BATCH_SIZE", default=50)
# Mailboxes of one workspace that one wake-up may start: a large one does not fill the queue of all.
SEND_SHARE = env.int("SEND_SHARE", default=40)
SEND_CONCURRENCY = env.int("SEND_CONCURRENCY", default=8)
DAILY_CAP = env.int("DAILY_CAP", default=50)
DAILY_CAP_START = env.int("DAILY_CAP_START", default=20)
DAILY_CAP_GROWTH = env.float("DAILY_CAP_GROWTH", default=0.15)
DAILY_CAP_PROVEN = env.int("DAILY_CAP_PROVEN", default=150)
DAILY_CAP_PROVEN_DAYS = env.int("DAILY_CAP_PROVEN_DAYS", default=30)
DAILY_CAP_CONSUMER = env.int("DAILY_CAP_CONSUMER", default=50)
DAILY_CAP_HARD = env.int("DAILY_CAP_HARD", default=400)
# The providers' own limits (providers.md 1): Gmail in quota units a minute, Microsoft in mails a minute.
GMAIL_PROJECT_UNITS = env.int("GMAIL_PROJECT_UNITS", default=1_200_000)
GMAIL_USER_UNITS = env.int("GMAIL_USER_UNITS", default=6000)
GMAIL_MAIL_UNITS = env.int("GMAIL_MAIL_UNITS", default=130)
GRAPH_MAILS_A_MINUTE = env.int("GRAPH_MAILS_A_MINUTE", default=30)
