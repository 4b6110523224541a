"""Empties both databases behind a test with real transactions.

Django's own flush truncates every table, each with its indexes in new files, makes all permissions anew and
looks at every wall, for each test again. Rows are deleted here instead, and what `migrate` itself puts into
the databases stays. A test that takes a wall down puts it up again; the end of the session looks.
"""

from __future__ import annotations

import functools

from django.db import connections, transaction

# Filled by `migrate` alone; nothing of the product or of the tests adds a row.
KEPT = frozenset({"django_content_type", "auth_permission"})


def empty(alias: str) -> None:
    """Delete every row of this database, `KEPT` apart. The connection has to be one of `roles.emptying()`.

    As a truncation does, it waits for the transactions of threads that the test has left behind: a row that
    one of them is about to store may not outlive the test.
    """
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(_statements(alias))


@functools.cache
def _statements(alias: str) -> str:
    tables = [f'"{table}"' for table in emptied(alias)]
    return ";".join(
        [
            f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
            *(f"DELETE FROM {table}" for table in tables),  # noqa: S608
        ]
    )


def emptied(alias: str) -> list[str]:
    """The tables of the models that live in this database, `KEPT` apart."""
    there = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(there) - KEPT)
