"""The Celery application: Redis only rings the bell, PostgreSQL holds the schedule.

Every beat entry is a wake-up without arguments that a lost or doubled delivery cannot harm.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, task_postrun, task_prerun, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("outreach")
# For every thread: a web server answers on threads of its own, and Celery's current app is the thread's.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["accounts", "mailbox", "tracking", "outreach", "outreach.inbox", "outreach.imports"])

# A worker takes from the three in turn: mails that are due never wait behind a crowd of polls.
app.conf.task_queues = [Queue("wake"), Queue("mail"), Queue("poll")]
app.conf.task_default_queue = "mail"
app.conf.task_routes = {
    "outreach.wake_*": {"queue": "wake"},
    "accounts.wake_*": {"queue": "wake"},
    "mailbox.wake_*": {"queue": "wake"},
    "mailbox.renew_watch": {"queue": "poll"},
    "outreach.poll_mailbox": {"queue": "poll"},
    "outreach.poll_mailboxes": {"queue": "poll"},
    "outreach.sweep_mailbox": {"queue": "poll"},
    "outreach.index_words": {"queue": "poll"},
    "outreach.carry_on_import": {"queue": "poll"},
}
app.conf.beat_schedule = {
    "queue": {"task": "outreach.wake_queue", "schedule": settings.WAKE_SECONDS},
    "send": {"task": "outreach.wake_senders", "schedule": settings.WAKE_SECONDS},
    "settle": {"task": "outreach.wake_settle", "schedule": settings.WAKE_SECONDS * 2},
    "poll": {"task": "outreach.wake_pollers", "schedule": settings.WAKE_SECONDS},
    "watches": {"task": "mailbox.wake_watches", "schedule": settings.WAKE_SECONDS * 6},
    "seal": {"task": "accounts.wake_sealer", "schedule": settings.WAKE_SECONDS},
    "anchors": {"task": "accounts.wake_anchors", "schedule": 3600.0},
    "erasure": {"task": "outreach.wake_erasure", "schedule": settings.WAKE_SECONDS * 2},
    "finish": {"task": "outreach.wake_finish", "schedule": settings.WAKE_SECONDS * 4},
    "words": {"task": "outreach.wake_words", "schedule": max(settings.WAKE_SECONDS * 4, 15.0)},
    "imports": {"task": "outreach.wake_imports", "schedule": max(settings.WAKE_SECONDS * 6, 15.0)},
    "requests": {"task": "accounts.wake_forget_requests", "schedule": 3600.0},
    "sign_ins": {"task": "accounts.wake_forget_sign_ins", "schedule": 3600.0},
    "comparisons": {"task": "outreach.wake_comparisons", "schedule": 300.0},
    "janitor": {"task": "outreach.wake_janitor", "schedule": min(600.0, settings.LEASE_SECONDS * 5)},
}
for _entry in app.conf.beat_schedule.values():
    # A wake-up that comes late is worth nothing: the next one looks at the same rows.
    _entry["options"] = {"expires": max(_entry["schedule"] * 3, 10.0)}


@worker_init.connect(weak=False)
@beat_init.connect(weak=False)
def insist_on_walls(**_: Any) -> None:
    """A worker that could reach across workspaces does not start; Celery would only log another exception."""
    from accounts.walls import gaps  # the apps are loaded by now

    try:
        gaps.insist()
    except ImproperlyConfigured as problem:
        raise SystemExit(str(problem)) from problem


@task_prerun.connect(weak=False)
@task_postrun.connect(weak=False)
def tidy_connections(task: Any = None, **_: Any) -> None:
    """Close what is too old or broken, and have the rest looked at before its next statement.

    As behind a request (CONN_MAX_AGE, health checks). A connection to PostgreSQL that is opened anew costs as
    much as several mails: a process there, and all that it has to learn first.
    """
    if not getattr(getattr(task, "request", None), "is_eager", False):
        close_old_connections()
