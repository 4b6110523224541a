"""The second wall, as it has to stand: which tables, which references, which exceptions.

PostgreSQL itself shows a statement only the rows of the workspace that the statement names (row-level
security), and refuses a reference from one workspace into another. `variable` names the workspace with
each statement, `gaps` compares the database with this page, `building` mends what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.conf import settings
from django.db import models, router

from accounts.tenancy import WorkspaceModel

# The variable that a policy compares with, set for one transaction at a time.
VARIABLE = "app.workspace"
POLICY = "workspace_wall"
# As PostgreSQL prints it back.
RULE = f"(workspace_id = (NULLIF(current_setting('{VARIABLE}'::text, true), ''::text))::uuid)"

# Tables with a workspace column that can be read while none is open (decisions 12 a): ids, times, states and
# HMACs, no content. A table is not listed here to spare somebody a `with workspace(...)`.
DIRECTORY = {
    "accounts_membership": "who may open which workspace is asked before one is open",
    "accounts_keyplace": "a key's hash says which workspace it opens",
    "accounts_workspacekey": "wrapped keys, in a database of their own, by workspace",
    "mailbox_pollturn": "one look finds the mailboxes of all workspaces that are due: ids and a time",
    "mailbox_pushroute": "a push names an address or a subscription; HMACs, ids and times say whose it is",
}
# Functions that run as the owner (decisions 12 b); each gives ids only.
DEFINERS: dict[str, str] = {
    "outreach_threads_with": "the open workspace's conversations with a word: behind a policy no index helps",
}
# Tables whose policy does not bind the owner, so that a function of DEFINERS can use their indexes: HMACs.
UNFORCED = frozenset({"outreach_threadwords"})

# Tables that only grow: nobody may change or delete a row, the owner neither (accounts/models/audit.py).
APPEND_ONLY = frozenset({"accounts_auditevent", "accounts_auditseal", "accounts_auditanchor"})

ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})


@dataclass(frozen=True)
class Reference:
    """A column of one table with a workspace that points to a row of another one."""

    table: str
    column: str
    to: str
    to_column: str


def has_workspace(model: type[models.Model]) -> bool:
    return any(field.column == "workspace_id" for field in model._meta.concrete_fields)


def _models(alias: str) -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and router.allow_migrate_model(alias, model)
    ]


def tenant_tables(alias: str) -> list[str]:
    """The tables behind the wall."""
    return sorted(model._meta.db_table for model in _models(alias) if issubclass(model, WorkspaceModel))


def references(alias: str) -> list[Reference]:
    """Every reference that must stay within one workspace, directory tables' references included."""
    found = []
    for model in _models(alias):
        for field in model._meta.concrete_fields if has_workspace(model) else ():
            to = field.related_model
            if isinstance(field, models.ForeignKey) and isinstance(to, type) and has_workspace(to):
                target = str(field.target_field.column)
                found.append(Reference(model._meta.db_table, field.column, to._meta.db_table, target))
    return sorted(found, key=lambda one: (one.table, one.column))


def rights(table: str) -> frozenset[str]:
    """What the application's role may do with a table."""
    if table in APPEND_ONLY:
        return frozenset({"SELECT", "INSERT"})
    if table == "django_migrations" or (table == "app_clock" and not (settings.DEMO or settings.TESTING)):
        return frozenset({"SELECT"})
    return ALL
