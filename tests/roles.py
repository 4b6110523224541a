"""Whom a test is to the database: the product's role, unless it says that it looks across workspaces.

The test session's own role makes the databases; the owner's role migrates them; from then on every connection
works as the product's role, on whatever thread it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from config import embedded

ALIASES = ("default", "keystore")


def become(role: str) -> None:
    """From the next connection on."""
    for alias in ALIASES:
        connections[alias].close()
        connections[alias].settings_dict["OPTIONS"]["assume_role"] = role


@contextmanager
def as_owner(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Above all walls for the block: for tests that look across workspaces or plant a mistake.

    The block is one transaction, or a part of the test's; when it ends by an exception it is undone.
    """
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute("RESET ROLE")
        yield
        cursor.execute(f'SET ROLE "{before}"')


@contextmanager
def tampering(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """As somebody who has taken over the database server: no trigger holds, not even the log's."""
    with as_owner(alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def vacuum(*tables: str) -> None:
    """Freshly vacuumed and counted, as a living server keeps them. Not inside a transaction.

    Without it a plan depends on which tests filled the same tables before, and on when the server looked.
    Full, for an index keeps the pages that others filled and took back, and looks dearer for each of them.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    # The driver's own cursor: Django's sends the open workspace with each statement, in one message.
    with connection.connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        before = cursor.fetchone()[0]
        cursor.execute("RESET ROLE")
        for table in tables:
            cursor.execute(f'VACUUM (FULL, ANALYZE) "{table}"')
            # Whoever looks on, such as the server's own vacuum, keeps pages from being marked as seen by all.
            cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE oid = %s::regclass", [table])
        cursor.execute(f'SET ROLE "{before}"')


@contextmanager
def emptying() -> Iterator[None]:
    """For the flush behind a test with real transactions, which also empties what otherwise only grows."""
    with ExitStack() as stack:
        for alias in ALIASES:
            cursor = stack.enter_context(connections[alias].cursor())
            cursor.execute("RESET ROLE; SET session_replication_role = replica")
        try:
            yield
        finally:
            # No test after this one may work above the walls: a new connection is the product's by itself.
            for alias in ALIASES:
                connections[alias].close()


def environment() -> dict[str, str]:
    """What another process needs in order to work on this worker's databases, as the product's role."""
    return {"DATABASE_URL": app_url("default"), "KEYSTORE_URL": app_url("keystore")}


def app_url(alias: str = DEFAULT_DB_ALIAS, *, role: str = embedded.APP) -> str:
    """The address of this worker's database for another process, which signs in as the product's role."""
    at = connections[alias].settings_dict
    password = os.environ["OUTREACH_TEST_APP_PASSWORD"]
    return f"postgres://{role}:{password}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
