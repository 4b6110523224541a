"""The furnished databases that every trial starts from, and which cell reaches which function.

Runs once, in a process of its own: builds the two workspaces as the product's role, asks every cell once and
notes the functions that it enters, and makes a copy of the database for each worker.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

from tests.mutants.places import APPS, ROOT

Function = tuple[str, int]  # the file below the root, the first line
ASKED = ("GET", "POST")


@dataclass(frozen=True)
class Stage:
    """What trials are told: the world, and for each address and method the functions that are entered."""

    world: bytes
    reach: dict[str, frozenset[Function]]
    labels: list[str]
    red: list[str]
    only: str


def prepare(folder: Path, workers: int, only: str) -> None:
    """Leaves `stage.pickle` in the folder and one database for each worker.

    `only` is the beginning of the addresses' names that are asked; "" asks all of them.
    """
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases

    from config import embedded
    from tests import roles
    from tests.isolation.house import tenant_models
    from tests.isolation.world import build

    settings.REAUTHENTICATION_SECONDS = 86_400
    roles.become(embedded.OWNER)
    setup_databases(verbosity=0, interactive=False, serialized_aliases=set())
    roles.become(embedded.APP)
    world = build()
    reach, red = _record(world, only)
    labels = [model._meta.label for model in tenant_models()]
    (folder / "stage.pickle").write_bytes(pickle.dumps(Stage(_packed(world), reach, labels, red, only)))
    connections.close_all()
    roles.become("postgres")
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_database()")
        made = cursor.fetchone()[0]
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = "postgres"
    with connections["default"].cursor() as cursor:
        for number in range(workers):
            cursor.execute(f'CREATE DATABASE "mutants_{number}" TEMPLATE "{made}"')
    connections.close_all()


def _packed(world: Any) -> bytes:
    """Ids in place of rows: a trial's classes are not these."""
    houses = [
        (house.here.pk, house.here.slug, house.here.sid, house.word, {n: r.pk for n, r in house.rows.items()})
        for house in (world.ours, world.theirs)
    ]
    people = {visitor.name: user.pk for visitor, user in world.people.items()}
    keys = {visitor.name: secret for visitor, secret in world.keys.items()}
    return pickle.dumps((houses, people, keys))


def unpacked(packed: bytes) -> Any:
    from accounts.models import User, Workspace
    from tests.isolation.house import House
    from tests.isolation.world import Visitor, World, sign_in

    houses, people, keys = pickle.loads(packed)  # noqa: S301 - our own file of a moment ago
    made = [
        House(
            Workspace(pk=pk, slug=slug, sid=sid),
            {name: SimpleNamespace(pk=one) for name, one in rows.items()},
            sign_in,
            word,
        )
        for pk, slug, sid, word, rows in houses
    ]
    return World(
        made[0],
        made[1],
        {Visitor[name]: User.objects.get(pk=pk) for name, pk in people.items()},
        {Visitor[name]: secret for name, secret in keys.items()},
    )


def _record(world: Any, only: str) -> tuple[dict[str, frozenset[Function]], list[str]]:
    """(address and method → every function that one of its cells enters, what is red without a mutation)."""
    from tests.isolation import cells
    from tests.isolation.world import Visitor

    # These see all that there is to enter: who is let in, who sees less, who is not there, and each key.
    people = {Visitor.OWNER: ASKED, Visitor.ELSEWHERE: ("GET",), Visitor.ANONYMOUS: ASKED}
    reach: dict[str, set[Function]] = {}
    red: list[str] = []
    for cell in cells.every_cell(asked(only)):
        methods = ASKED if cell.address.is_api or cell.case else people.get(cell.visitor, ())
        if cell.method in methods and not (cell.visitor is Visitor.ANONYMOUS and cell.address.is_inside):
            with _watched() as entered:
                red += cells.run(world, cell)
            reach.setdefault(place_of(cell), set()).update(entered)
    return {name: frozenset(entered) for name, entered in reach.items()}, red


def place_of(cell: Any) -> str:
    return f"{cell.method} {cell.address.name}"


def asked(only: str) -> list[Any]:
    from tests.isolation.addresses import every_address

    return [address for address in every_address() if address.name.startswith(only)]


@contextmanager
def _watched() -> Iterator[set[Function]]:
    entered: set[Function] = set()
    ours = tuple(f"{ROOT}{os.sep}{app}{os.sep}" for app in APPS)
    known: dict[Any, Function | None] = _codes

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in known:
            path = code.co_filename
            known[code] = (
                (str(Path(path).relative_to(ROOT)), code.co_firstlineno) if path.startswith(ours) else None
            )
        function = known[code]
        if function is not None:
            entered.add(function)

    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)


_codes: dict[Any, Function | None] = {}
