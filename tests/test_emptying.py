"""Behind a test with real transactions nothing is left in either database, whatever it was."""

from __future__ import annotations

import threading

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from accounts.models import User
from tests.emptying import KEPT, emptied, empty
from tests.isolation.house import tenant_models
from tests.isolation.world import build
from tests.roles import ALIASES, as_owner, emptying

# What `migrate` writes down about itself.
BOOKS = {"django_migrations"}
# Other workers' databases are on the same server.
WAITS = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE d.datname = current_database() AND NOT granted
)
"""


def filled(alias: str) -> dict[str, int]:
    """Rows by table, of the tables that hold any, as somebody whom no wall hides one from."""
    found = {}
    with as_owner(alias), connections[alias].cursor() as cursor:
        for table in connections[alias].introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608
            (found[table],) = cursor.fetchone()
    return {table: rows for table, rows in found.items() if rows}


@pytest.mark.parametrize("alias", ALIASES)
def test_it_knows_every_table(transactional_db: None, alias: str) -> None:
    with connections[alias].cursor() as cursor:
        there = set(connections[alias].introspection.table_names(cursor))
    assert set(emptied(alias)) == there - BOOKS - KEPT


def test_it_leaves_nothing_of_two_full_workspaces(transactional_db: None) -> None:
    """The log that only grows, rows that hang on each other and the keys in the other database among it."""
    before = {alias: filled(alias) for alias in ALIASES}
    build()
    full = filled(DEFAULT_DB_ALIAS)
    assert {model._meta.db_table for model in tenant_models()} <= full.keys()
    assert filled("keystore") != before["keystore"]
    with emptying():
        for alias in ALIASES:
            empty(alias)
    assert {alias: filled(alias) for alias in ALIASES} == before
    assert before[DEFAULT_DB_ALIAS].keys() == BOOKS | KEPT


def test_it_keeps_what_migrate_puts_there(transactional_db: None) -> None:
    """Nothing is missing that the next `migrate` would have to add."""
    before = filled(DEFAULT_DB_ALIAS)
    with as_owner():
        for config in apps.get_app_configs():
            create_permissions(config, verbosity=0)
    assert filled(DEFAULT_DB_ALIAS) == before


def test_it_waits_for_a_row_that_is_being_stored(transactional_db: None) -> None:
    """A thread that a test has left behind may not put its row into the next test's database."""
    stored, go_on, over = threading.Event(), threading.Event(), threading.Event()

    def leave_a_row() -> None:
        with transaction.atomic():
            User.objects.create_user("late@studio.example")
            stored.set()
            go_on.wait(60)
        connection.close()

    def let_it_go_on() -> None:
        """Once the emptying waits for it, or has not waited."""
        waits = False
        with connection.cursor() as cursor:
            while not waits and not over.wait(0.02):
                cursor.execute(WAITS)
                (waits,) = cursor.fetchone()
        connection.close()
        go_on.set()

    threads = [threading.Thread(target=act) for act in (leave_a_row, let_it_go_on)]
    threads[0].start()
    assert stored.wait(60)
    threads[1].start()
    with emptying():
        empty(DEFAULT_DB_ALIAS)
    over.set()
    for thread in threads:
        thread.join()
    assert not User.objects.exists()
