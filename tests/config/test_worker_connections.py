"""A worker's connection to the database: kept from task to task, and replaced when it is broken (F15)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import connection, connections

from config.celery import app

backends: list[int] = []
called: dict[str, Any] = {}


def note_backend(kill: bool = False) -> None:
    """Note which process of PostgreSQL serves this task, and end it if asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backends.append(cursor.fetchone()[0])
    if kill:
        connection.connection.close()  # as the worker sees it when PostgreSQL is gone


def let_go() -> None:
    connections.close_all()
    backends.append(0)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[Any]:
    backends.clear()
    # Known to the application for this test only: others try every task that there is.
    tasks = {act.__name__: app.task(name=f"tests.{act.__name__}")(act) for act in (note_backend, let_go)}
    called.update(tasks)
    eager = app.conf.task_always_eager
    app.conf.task_always_eager = False
    # A worker of one thread, which is this process's: it sees the tests' database.
    with start_worker(app, pool="solo", perform_ping_check=False, queues=["mail"]) as running:
        yield running
        seen = len(backends)
        called["let_go"].apply_async()
        await_more(seen + 1)
    app.conf.task_always_eager = eager
    for task in tasks.values():
        app.tasks.unregister(task.name)


def turns(number: int, **wish: Any) -> list[int]:
    before = len(backends)
    for _ in range(number):
        called["note_backend"].apply_async(kwargs=wish)
    await_more(before + number)
    return backends[before:]


def await_more(number: int) -> None:
    until = time.monotonic() + 20
    while len(backends) < number and time.monotonic() < until:
        time.sleep(0.02)


def test_it_keeps_its_connection_from_task_to_task(worker: Any) -> None:
    assert settings.CELERY_DB_REUSE_MAX
    found = turns(5)
    assert len(found) == 5
    assert len(set(found)) == 1


def test_it_goes_on_with_a_new_one_when_the_old_one_is_broken(worker: Any) -> None:
    (one,) = turns(1, kill=True)
    (other,) = turns(1)
    assert one != other
