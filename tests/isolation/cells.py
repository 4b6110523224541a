"""The matrix: one cell is one address, one method and one visitor; each has a declared expectation.

`where` tells three ways of coming: `here` (our address, our rows), and for who belongs to the other workspace
also `crossed` (our ids in a path of their own) and `fields` (their own path, our ids in the form).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core import mail
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from accounts.models import Workspace
from tests.isolation.addresses import Address
from tests.isolation.expected import API, INSIDE, OUTSIDE
from tests.isolation.house import House, crossings, moved, print_of
from tests.isolation.rules import METHODS
from tests.isolation.special import CASES, Case
from tests.isolation.world import DEAD, Visitor, World


@dataclass(frozen=True)
class Cell:
    address: Address
    method: str
    visitor: Visitor
    where: str = "here"
    case: Case | None = None

    def __str__(self) -> str:
        way = "" if self.where == "here" else f" ({self.where})"
        return f"{self.method} {self.address.name}, {self.visitor.value}{way}"


def every_cell(addresses: Iterable[Address], visitors: Iterable[Visitor] = Visitor) -> Iterator[Cell]:
    known = list(addresses)
    for visitor in visitors:
        for address in known:
            for where in _ways(address, visitor):
                for method in METHODS:
                    yield Cell(address, method, visitor, where)
        for case in CASES:
            if case.visitor is visitor:
                yield from (
                    Cell(address, case.method, visitor, case.title, case)
                    for address in known
                    if address.name == case.address
                )


def _ways(address: Address, visitor: Visitor) -> tuple[str, ...]:
    if visitor in DEAD and not address.is_api:
        return ()
    if visitor is Visitor.STRANGER and (address.is_inside or address.is_api):
        return ("here", "crossed", "fields")
    if visitor is Visitor.FOREIGN_KEY and address.is_api:
        return ("crossed", "fields")  # a key has one workspace: it cannot come to another's address
    return ("here",)


def unknown(addresses: Iterable[Address]) -> list[str]:
    """Addresses that nothing is declared for, and declarations that no address has."""
    names = {address.name: _table(address) for address in addresses}
    told = {name: table for table in (INSIDE, API, OUTSIDE) for name in table}
    return [
        *(f"{name}: say in expected.py who may come" for name in names if name not in names[name]),
        *(f"{name}: there is no such address" for name in told if name not in names),
    ]


def _table(address: Address) -> dict[str, Any]:
    table: dict[str, Any] = INSIDE if address.is_inside else API if address.is_api else OUTSIDE
    return table


def run(world: World, cell: Cell) -> list[str]:
    """Ask as this visitor; sentences on what should not have been, none when all is well."""
    from tests.isolation.judging import judge

    url, fields = _request(world, cell)
    # Neither the sign-in nor the look at how all stood before is a part of what is rolled back.
    client, _ = world.client(cell.visitor), world.prints
    if not cell.address.is_inside:
        cache.clear()  # the limits on sign-ins and calls, which would answer in place of the page
    with transaction.atomic():
        if cell.case is not None and cell.case.workspace:
            Workspace.objects.filter(pk=world.ours.here.pk).update(**cell.case.workspace)
        if cell.case is not None and cell.case.session is not None:
            session = client.session
            session.update(cell.case.session(world))
            session.save()
        before = _writes()
        waiting = len(connection.run_on_commit)
        answer = _ask(client, cell, url, fields, _headers(world, cell))
        told = _mailed(waiting) - {str(value) for value in fields.values()}
        # A failed statement leaves no transaction to look around in; 500 is red by itself.
        wrote = answer.status_code < 500 and _writes() != before
        changed = changes_of(world) if wrote else []
        transaction.set_rollback(True)
    return [f"{cell}: {what}" for what in judge(world, cell, url, answer, changed, told)]


def _request(world: World, cell: Cell) -> tuple[str, dict[str, Any]]:
    ours, theirs, address = world.ours, world.theirs, cell.address
    if cell.case is not None:
        case, house = cell.case, theirs if cell.case.theirs else ours
        named = {name: str(ours.rows[row].pk) for name, row in case.naming.items()}
        named |= {name: str(theirs.rows[row].pk) for name, row in case.foreign.items()}
        url = house.url(address, instead=case.rows) if address.is_inside else house.path(address)
        # In the query too: some pages name a row there.
        return url + (f"?{urlencode(named)}" if named else ""), {**case.fields, **named}
    # A word that a visitor has typed comes back to them, in a "next" for one.
    typed = ours if cell.visitor.role is not None else replace(ours, word="typed")
    if cell.where == "fields":
        fields = {
            **typed.fields(address),
            **_texts(theirs.fields(address), ours.fields(address), ours),
        }
        url = theirs.url(address) if address.is_inside else theirs.path(address)
        if cell.method == "POST" and address.is_inside:
            # In the query too: some pages name a row there.
            url += "?" + urlencode(_naming(ours.fields(address), ours), doseq=True)
        return url, fields
    if not address.is_inside:
        return ours.path(address), typed.fields(address)
    return ours.url(address, theirs.here.slug if cell.where == "crossed" else ""), typed.fields(address)


def _headers(world: World, cell: Cell) -> dict[str, str]:
    """A browser session names its workspace to the API."""
    if not cell.address.is_api or cell.visitor.is_key or cell.visitor is Visitor.ANONYMOUS:
        return {}
    return {"X-Workspace": (world.theirs if cell.where in ("crossed", "fields") else world.ours).here.sid}


def _texts(own: dict[str, Any], foreign: dict[str, Any], foreigner: House) -> dict[str, Any]:
    """Of a form's own fields those that name no row: only ids are crossed, words are the writer's."""
    naming = _naming(foreign, foreigner)
    return {name: value for name, value in own.items() if name not in naming}


def _naming(fields: dict[str, Any], house: House) -> dict[str, Any]:
    """Those of a form's fields that name a row of the house."""
    ids = {str(row.pk) for row in house.rows.values()}
    return {
        name: value
        for name, value in fields.items()
        if any(str(part) in ids for part in (value if isinstance(value, list) else [value]))
    }


def _ask(
    client: Client, cell: Cell, url: str, fields: dict[str, Any], headers: dict[str, str]
) -> HttpResponse:
    if cell.method == "GET":
        answer = client.get(url, fields, headers=headers)
    elif cell.method in ("POST", "PUT", "PATCH") and cell.address.is_api:
        sent = json.dumps(fields)
        answer = client.generic(cell.method, url, sent, content_type="application/json", headers=headers)
    elif cell.method == "POST":
        answer = client.post(url, fields, headers=headers)
    else:
        answer = client.generic(cell.method, url, headers=headers)
    body = answer.getvalue()
    return HttpResponse(body, status=answer.status_code, headers=dict(answer.headers))


def _mailed(waiting: int) -> set[str]:
    """Whom the mails go to that would leave with the commit; a cell makes none."""
    mail.outbox = []
    for later in connection.run_on_commit[waiting:]:
        send = later[1]
        if send.__module__ == "accounts.mail":
            send()
    return {address for one in mail.outbox for address in one.recipients()}


def changes_of(world: World) -> list[str]:
    """Tables that moved: ours plain, the others' and references across with their sort before a colon."""
    ours, theirs = world.prints
    return [
        *moved(ours, print_of(world.ours.here)),
        *(f"theirs: {table}" for table in moved(theirs, print_of(world.theirs.here))),
        *(f"crossing: {what}" for what in crossings()),
    ]


def _writes() -> int:
    """How many rows this transaction has inserted, changed or deleted so far, sessions apart."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITES, [_counted()])
        return int(cursor.fetchone()[0])


# As pg_stat_xact_user_tables has it, without looking up every table and index of the database each time.
_WRITES = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_inserted(t) + pg_stat_get_xact_tuples_updated(t)
    + pg_stat_get_xact_tuples_deleted(t)), 0) FROM unnest(%s::oid[]) t
"""


@functools.cache
def _counted() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relid::bigint FROM pg_stat_xact_user_tables WHERE relname <> 'django_session'")
        return [row[0] for row in cursor.fetchall()]
