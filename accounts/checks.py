"""System checks: what must hold before a process starts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections, models

from accounts.clock import ClockOffset
from accounts.tenancy import WorkspaceManager, WorkspaceModel
from accounts.walls import gaps, rules


@register()
def wait_order(**_: Any) -> list[CheckMessage]:
    """faults.md 3.1 rule 10: deadline < hard limit < lease < settle."""
    names = ["HTTP_DEADLINE_SECONDS", "WORKER_HARD_LIMIT_SECONDS", "LEASE_SECONDS", "SETTLE_SECONDS"]
    problems: list[CheckMessage] = []
    for shorter, longer in itertools.pairwise(names):
        if getattr(settings, shorter) >= getattr(settings, longer):
            problems.append(Error(f"{shorter} must be smaller than {longer}", id="outreach.E001"))
    return problems


@register()
def workspace_managers(app_configs: Iterable[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Every tenant model keeps the manager that raises while no workspace is open."""
    return [
        Error(f"{model.__name__} must keep its WorkspaceManager", obj=model, id="outreach.E002")
        for config in app_configs or apps.get_app_configs()
        for model in config.get_models()
        if issubclass(model, WorkspaceModel)
        for manager in (model._default_manager, model._base_manager)
        if not isinstance(manager, WorkspaceManager)
    ]


@register()
def known_tables(app_configs: Iterable[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """A table with a workspace is a WorkspaceModel or in the directory, with a reason (decisions 12)."""
    problems: list[CheckMessage] = []
    for config in app_configs or apps.get_app_configs():
        for model in config.get_models(include_auto_created=True):
            tenant = issubclass(model, WorkspaceModel)
            if rules.has_workspace(model) and not (tenant or model._meta.db_table in rules.DIRECTORY):
                sentence = (
                    f"{model.__name__} has a workspace: derive it from WorkspaceModel, or list its table"
                )
                problems.append(Error(sentence, obj=model, id="outreach.E005"))
            if tenant and any(_is_bare(field) for field in model._meta.local_many_to_many):
                sentence = (
                    f"{model.__name__}: the table between would have no workspace; name one with `through`"
                )
                problems.append(Error(sentence, obj=model, id="outreach.E006"))
    return problems


def _is_bare(field: models.ManyToManyField[Any, Any]) -> bool:
    through = field.remote_field.through
    return through is not None and bool(through._meta.auto_created)


@register()
def failpoints_are_for_tests(**_: Any) -> list[CheckMessage]:
    """A process that is made to fail is no production."""
    if settings.FAILPOINTS and not settings.DEBUG:
        return [Error("FAILPOINTS is set where DEBUG is off: it is for tests only", id="outreach.E008")]
    return []


@register()
def outbound_goes_out(**_: Any) -> list[CheckMessage]:
    """Names and addresses of this machine are for tests: in production, a way in (decisions 22)."""
    if (settings.OUTBOUND_NAMES or settings.OUTBOUND_ALLOW) and not settings.DEBUG:
        sentence = "OUTBOUND_NAMES or OUTBOUND_ALLOW is set where DEBUG is off: they are for tests only"
        return [Error(sentence, id="outreach.E009")]
    return []


@register(Tags.database, deploy=True)
def walls_stand(databases: Iterable[str] | None = None, **_: Any) -> list[CheckMessage]:
    """`check --deploy --database default --database keystore`; web and worker ask the same at their start."""
    return [
        Error(f"{alias}: {fault}", id="outreach.E007")
        for alias in databases or ()
        for fault in gaps.faults(connections[alias])
    ]


@register(deploy=True)
def production(**_: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.DEMO:
        problems.append(Error("OUTREACH_DEMO is for the sandbox only", id="outreach.E003"))
    if ClockOffset.objects.exclude(offset=timedelta(0)).exists():
        problems.append(Error("the clock has an offset: production starts without one", id="outreach.E004"))
    return problems
