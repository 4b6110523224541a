"""System check: every tenant model says for whom its rows are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db.models import ForeignKey, Model

from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


@register()
def project_paths(app_configs: Iterable[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """`project_path` leads over foreign keys that are never empty, or says why everybody may see the rows."""
    return [
        Error(f"{model.__name__}: {fault}", obj=model, id="outreach.E021")
        for config in app_configs or apps.get_app_configs()
        for model in config.get_models()
        if issubclass(model, WorkspaceModel)
        for fault in faults(model)
    ]


def faults(model: type[WorkspaceModel]) -> list[str]:
    path = getattr(model, "project_path", None)
    if isinstance(path, Everybody):
        found = [] if path.reason else ["Everybody(…) needs a reason"]
    elif isinstance(path, str):
        found = _broken(model, path)
    else:
        found = ["declare project_path: the way to its project, or Everybody(reason)"]
    if model.mailbox_path is not None:
        # A reply whose mailbox is gone is nobody's secret any more, so this key may be empty.
        found += _broken(model, model.mailbox_path, may_be_empty=True)
    return found


def _broken(model: type[Model], path: str, *, may_be_empty: bool = False) -> list[str]:
    if path == "pk":
        return []
    here: Any = model
    for name in path.split("__"):
        try:
            field = here._meta.get_field(name)
        except FieldDoesNotExist:
            return [f"{path} leads nowhere: {here.__name__} has no {name}"]
        if not isinstance(field, ForeignKey):
            return [f"{path} leads nowhere: {name} is no foreign key"]
        if field.null and not may_be_empty:
            return [f"{path} may be empty: a row without a project would be seen by nobody"]
        here = field.related_model
    return []
