"""What lands in the database when a form carries more than it declares (threats T4), and foreign ids (T2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import models, transaction

from accounts.encryption import EncryptedTextField
from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from tests.isolation.addresses import Address
from tests.isolation.cells import changes_of
from tests.isolation.house import House, tenant_models
from tests.isolation.world import Visitor, World

MARK = "massacre"
NASTY = (
    "is_staff", "is_superuser", "is_active", "role", "plan", "owner_id", "workspace_id", "user_id", "id",
    "pk", "sid", "slug", "password", "groups", "user_permissions", "all_projects", "scopes", "credit",
    "__class__", "suspended_at",
)  # fmt: skip
Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]


def posted(world: World) -> Iterator[tuple[Address, str]]:
    """Every address that takes a form or a body, and its path."""
    from tests.isolation.addresses import every_address
    from tests.isolation.expected import API, INSIDE

    for address in every_address():
        if address.is_inside and "POST" in INSIDE[address.name].least:
            yield address, world.ours.url(address)
        elif address.is_api and "POST" in API[address.name]:
            yield address, world.ours.path(address)


def extras(world: World) -> dict[str, Any]:
    """Name → a value of its kind, for every column that any table has, and for twenty that are asked for."""
    found: dict[str, Any] = dict.fromkeys(NASTY, "1")
    tables: list[type[models.Model]] = [*tenant_models(), User, Workspace, Membership]
    for model in tables:
        for field in model._meta.concrete_fields:
            value = _value(world.theirs, field)
            found[field.name] = value
            found[field.attname] = value
    return found


def _value(theirs: House, field: models.Field[Any, Any]) -> str:
    if field.related_model is User:
        return str(Membership.objects.filter(workspace=theirs.here).order_by("pk")[0].user_id)
    if field.name in ("workspace", "id"):
        return str(theirs.here.pk)
    if field.is_relation:
        row = theirs.rows.get(field.name)
        return str(row.pk if row is not None else theirs.here.pk)
    if field.choices:
        return str(list(field.flatchoices)[-1][0])
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.IntegerField):
        return "4242"
    if isinstance(field, models.DateTimeField):
        return dt.datetime(2099, 1, 1, tzinfo=dt.UTC).isoformat()
    return MARK


def landed(world: World, address: Address, url: str, more: dict[str, Any]) -> set[str]:
    """Columns, "table.column", that hold a value that was sent beside the form's own fields."""
    fields = world.ours.fields(address)
    plain = _after(world, address, url, fields)
    extra = {name: value for name, value in more.items() if name not in fields}
    stuffed = _after(world, address, url, {**extra, **fields})
    found = set()
    for key, row in stuffed.items():
        before = plain.get(key, {})
        for column, value in row.items():
            sent = extra.get(column)
            same = sent is not None and (str(value) == sent or (value is True and sent == "on"))
            was = before.get(column) if before else _usual(key[0], column, plain)
            if same and str(was) != str(value):
                found.add(f"{key[0]}.{column}")
    return found


def _usual(table: str, column: str, plain: Rows) -> Any:
    """Of a new row: what the same form left in that column without the extras, if all its rows agree."""
    values = {str(row.get(column)) for (name, _), row in plain.items() if name == table}
    return values.pop() if len(values) == 1 else None


def _after(world: World, address: Address, url: str, fields: dict[str, Any]) -> Rows:
    """The rows that the form changes or makes, as they stand behind it; all is rolled back."""
    client = world.client(Visitor.OWNER)
    kind = {"content_type": "application/json"} if address.is_api else {}
    headers = {"X-Workspace": world.ours.here.sid} if address.is_api else {}
    cache.clear()
    with transaction.atomic():
        before = _everything(world)
        answer = client.post(url, fields, headers=headers, **kind)  # type: ignore[arg-type]
        after = before if answer.status_code >= 500 else _everything(world)
        transaction.set_rollback(True)
    assert answer.status_code < 500, f"{address.name} answers {answer.status_code}"
    return {key: row for key, row in after.items() if before.get(key) != row}


def _everything(world: World) -> Rows:
    """Every row of our workspace and of its people, opened."""
    found: Rows = {}
    with workspace(world.ours.here):
        rows: list[models.Model] = [row for model in tenant_models() for row in model.objects.all()]
        rows += list(Membership.objects.filter(workspace=world.ours.here))
        rows += list(User.objects.all())
        rows += list(Workspace.objects.filter(pk=world.ours.here.pk))
        for row in rows:
            values = {}
            for field in row._meta.concrete_fields:
                value = getattr(row, field.attname)
                hidden = isinstance(field, models.BinaryField) and not isinstance(field, EncryptedTextField)
                values[field.attname] = bytes(value or b"").hex() if hidden else value
            found[row._meta.db_table, str(row.pk)] = values
    return found


def foreign_ids(world: World) -> Iterator[tuple[Address, str, dict[str, Any], str]]:
    """(address, path, fields, name): the stranger's own form with one id in it that is ours."""
    own = {str(row.pk): name for name, row in world.theirs.rows.items()}
    for address, _ in posted(world):
        url = world.theirs.url(address) if address.is_inside else world.theirs.path(address)
        fields = world.theirs.fields(address)
        for name, value in fields.items():
            ids = value if isinstance(value, list) else [value]
            if any(str(one) in own for one in ids):
                swapped = [str(world.ours.rows[own[str(one)]].pk) for one in ids if str(one) in own]
                foreign = swapped if isinstance(value, list) else swapped[0]
                # In the query too: some pages name a row there.
                asked = f"{url}?{urlencode({name: foreign}, doseq=True)}"
                yield address, asked, {**fields, name: foreign}, name


def taken(world: World, address: Address, url: str, fields: dict[str, Any]) -> tuple[int, list[str]]:
    """(the status, what moved in both workspaces) of the stranger's form."""
    client, _ = world.client(Visitor.STRANGER), world.prints
    kind = {"content_type": "application/json"} if address.is_api else {}
    headers = {"X-Workspace": world.theirs.here.sid} if address.is_api else {}
    with transaction.atomic():
        answer = client.post(url, fields, headers=headers, **kind)  # type: ignore[arg-type]
        changed = changes_of(world) if answer.status_code < 500 else ["?"]
        transaction.set_rollback(True)
    # That a key's request came is written down, whatever it asked.
    return answer.status_code, [what for what in changed if not what.endswith("accounts_apirequest")]
