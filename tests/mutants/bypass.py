"""What a mutated product calls in place of its own door."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404


def any_or_404(rows: Any, pk: Any) -> Any:
    """The row with this id, of whatever workspace and whatever list."""
    model: type[Model] = rows if isinstance(rows, type) else rows.model
    try:
        return QuerySet(model).get(pk=pk)
    except (ObjectDoesNotExist, ValidationError, ValueError) as error:
        raise Http404 from error
