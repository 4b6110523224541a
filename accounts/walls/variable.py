"""Tells PostgreSQL with every statement which workspace is open (accounts/tenancy.py).

The variable is set for the transaction only (`SET LOCAL`), and in the same message as the statement: several
statements of one message are one transaction, so that this also holds outside `atomic`, costs no round trip,
and works through a pooler that gives each transaction another connection. What is not told shows no rows.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg2.sql import SQL, Composable

from accounts.tenancy import open_workspace_id
from accounts.walls.rules import VARIABLE

# These run in a broken transaction too, in which nothing else may stand beside them, and read no rows.
_TURNS = ("SAVEPOINT", "RELEASE", "ROLLBACK")


def name_workspace(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """An execute wrapper (django.db.backends) that puts the open workspace before a statement."""
    here = open_workspace_id()
    if here is None and context["connection"].get_autocommit():
        return execute(sql, params, many, context)
    if isinstance(sql, str) and sql.lstrip().upper().startswith(_TURNS):
        return execute(sql, params, many, context)
    # Inside a transaction an earlier block's workspace must not outlive the block.
    word = "" if here is None else str(_checked(here))
    first = f"SELECT set_config('{VARIABLE}','{word}',true);"
    sql = SQL(first) + sql if isinstance(sql, Composable) else first + sql
    return execute(sql, params, many, context)


def _checked(here: uuid.UUID) -> uuid.UUID:
    """It becomes part of a statement: nothing but a UUID's own digits may."""
    if type(here) is not uuid.UUID:
        raise TypeError(f"a workspace is opened by its UUID, not by {type(here).__name__}")
    return here


def _install(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if connection.alias == "default" and name_workspace not in connection.execute_wrappers:
        # First, because whoever has put a wrapper there for a while takes the last one away.
        connection.execute_wrappers.insert(0, name_workspace)


def install() -> None:
    """From now on, for every connection to the product's database."""
    connection_created.connect(_install, dispatch_uid="accounts.walls.variable")
