"""Rows of models out of statements that are written by hand: for what stands in the path of every mail.

The ORM writes a statement anew each time it is asked; where one mail asks thirty times, that is most of the
work. A `Shape` names the columns once and makes instances of what came back. Columns that are left out are
deferred as with `.only()`: reading one asks the database, so that a shape can be too small, never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models

M = TypeVar("M", bound=models.Model)


class Shape(Generic[M]):
    """The columns `names` of a model and its key; all of them where none is named."""

    def __init__(self, model: type[M], *names: str) -> None:
        self._model = model
        wanted = {model._meta.get_field(name).name for name in names}
        self._fields: list[Any] = [
            one
            for one in model._meta.concrete_fields
            if not wanted or one.name in wanted or one.primary_key or one.name == "workspace"
        ]
        self._names = [one.attname for one in self._fields]

    def __len__(self) -> int:
        return len(self._fields)

    def columns(self, alias: str) -> str:
        """For a SELECT: `m.id, m.workspace_id, …`."""
        return ", ".join(f'{alias}."{one.column}"' for one in self._fields)

    def row(self, values: Sequence[Any]) -> M | None:
        """An instance of these values, in the order of `columns`; None for the empty side of a join."""
        if values[self._key] is None:
            return None
        found, here = list(values), _connection()
        for place, converters in self._converters:
            for convert in converters:
                found[place] = convert(found[place], None, here)
        return self._model.from_db(here.alias, self._names, found)

    @cached_property
    def _key(self) -> int:
        return next(place for place, one in enumerate(self._fields) if one.primary_key)

    @cached_property
    def _converters(self) -> list[tuple[int, list[Any]]]:
        here = _connection()
        found = [
            (
                place,
                here.ops.get_db_converters(one.cached_col) + one.get_db_converters(here),
            )
            for place, one in enumerate(self._fields)
        ]
        return [(place, converters) for place, converters in found if converters]


class Cut:
    """Cuts one row of a statement into the shapes that it was selected by."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = values
        self._at = 0

    def row(self, shape: Shape[M]) -> M | None:
        found = shape.row(self._values[self._at : self._at + len(shape)])
        self._at += len(shape)
        return found

    def rest(self) -> Sequence[Any]:
        return self._values[self._at :]


class Insert(Generic[M]):
    """An INSERT of one row of a model; the columns named are left to the database's defaults.

    Values are prepared by the model's own fields, so that what is encrypted by the ORM is encrypted here.
    """

    def __init__(self, model: type[M], *left: str) -> None:
        self._fields: list[Any] = [one for one in model._meta.concrete_fields if one.name not in left]
        names = ", ".join(f'"{one.column}"' for one in self._fields)
        marks = ", ".join(["%s"] * len(self._fields))
        self.sql = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks})'  # nosec B608  (our own constants)

    def values(self, row: M) -> list[Any]:
        """For `sql`; several statements may stand in one message, with the values one after the other."""
        here = _connection()
        return [one.get_db_prep_save(one.pre_save(row, True), connection=here) for one in self._fields]


def _connection() -> Any:
    """This thread's connection: Django's `connection` looks for it anew at each of its attributes."""
    return connections[DEFAULT_DB_ALIAS]
