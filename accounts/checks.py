"""System checks: what must hold before a process starts."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from accounts.clock import ClockOffset
from accounts.tenancy import WorkspaceManager, WorkspaceModel


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


@register(deploy=True)
def production(**_: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if settings.DEMO:
        problems.append(Error("OUTREACH_DEMO is for the sandbox only", id="outreach.E003"))
    if ClockOffset.objects.exclude(offset=timedelta(0)).exists():
        problems.append(Error("the clock has an offset: production starts without one", id="outreach.E004"))
    return problems
