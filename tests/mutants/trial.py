"""One trial: the product without one check, asked in the cells that reach the place.

Runs in a process of its own, forked before anything of the product was imported: the mutated module is
imported like any other, decorators and classes included.
"""

from __future__ import annotations

import inspect
import json
import os
import pickle
import random
import traceback
from collections.abc import Iterable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from tests.mutants.places import ROOT, Place, without
from tests.mutants.stage import ASKED, Stage, asked, place_of, unpacked

# A place that every page reaches is judged by so many cells, taken at random.
MOST = 400
# Whose rows are found: looked at without the wall first, which would hide what the manager lets through.
ROWS = {"manager", "viewpoint", "own row", "looking"}
ON_ROUTES = {"guard dropped", "role lowered", "scope", "policy role"}


def run(place: Place | None, folder: Path, number: int) -> dict[str, Any]:
    """{"by": who noticed, "what": the first red sentence, "cells": how many reach the place}"""
    stage: Stage = pickle.loads((folder / "stage.pickle").read_bytes())  # noqa: S301
    if place is not None:
        _install(place)
    try:
        _start(number)
    except Exception as error:  # noqa: BLE001 - whatever stops the start has caught the mutant
        return {"by": "start", "what": repr(error)[:200], "cells": 0}
    from config import embedded
    from tests import roles

    roles.become(embedded.APP)
    world = unpacked(stage.world)
    if place is not None and place.path in ("accounts/tenancy.py", "accounts/viewpoint.py"):
        strays = _strays(world, place)
        if strays is not None:
            return strays
    cells = _reaching(stage, place)
    if place is None:
        return {"by": "", "what": "", "cells": len(cells), "red": _all_red(world, cells)}
    if not cells:
        return {"by": "unreached", "what": "no request of the matrix comes here", "cells": 0}
    if place.kind in ROWS:
        roles.become("postgres")
        red, at = _first_red(world, cells)
        if not red:
            return {"by": "", "what": "", "cells": len(cells)}
        roles.become(embedded.APP)
        world.clients.clear()
        still, _ = _first_red(world, [at])
        return {"by": "cells" if still else "wall", "what": still or red, "cells": len(cells)}
    red, _ = _first_red(world, cells)
    if red:
        return {"by": "cells", "what": red, "cells": len(cells)}
    roles.become("postgres")  # above row-level security: does the wall hold what the cells cannot see?
    world.clients.clear()
    red, _ = _first_red(world, cells)
    return {"by": "wall" if red else "", "what": red, "cells": len(cells)}


def _strays(world: Any, place: Place) -> dict[str, Any] | None:
    """What the doors to rows let through, asked of them themselves; None where that is nothing."""
    from config import embedded
    from tests import roles
    from tests.isolation.probes import strays, written_astray

    label = place.detail.rpartition(" ")[2]
    for by, role in (("cells", embedded.APP), ("wall", "postgres")):
        roles.become(role)
        red = strays(world, label) if label else written_astray(world)
        if red:
            return {"by": by, "what": red[0], "cells": 1}
    roles.become(embedded.APP)
    return None


def _start(number: int) -> None:
    for name, database in (("DATABASE_URL", f"mutants_{number}"), ("KEYSTORE_URL", "test_outreach_keys")):
        os.environ[name] = os.environ[name].rpartition("/")[0] + f"/{database}"
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rpartition("/")[0] + f"/{number + 2}"
    import django

    django.setup()
    from django.conf import settings
    from django.urls import get_resolver

    settings.REAUTHENTICATION_SECONDS = 86_400
    _ = get_resolver().url_patterns


def _install(place: Place) -> None:
    """From now on this one module is imported without the check."""
    mutated = compile(without((ROOT / place.path).read_text(), place), str(ROOT / place.path), "exec")
    plain = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        if Path(loader.path) == ROOT / place.path:
            return mutated
        return plain(loader, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


def _reaching(stage: Stage, place: Place | None) -> list[Any]:
    from tests.isolation.cells import every_cell

    everywhere = list(every_cell(asked(stage.only)))
    if place is None:
        return everywhere
    if place.kind in ON_ROUTES:
        found = [cell for cell in everywhere if _answers(cell.address.view, place)]
        if place.kind in ("scope", "policy role"):
            found = [cell for cell in found if cell.method in ASKED]
    else:
        here = (place.path, place.first_line)
        found = [cell for cell in everywhere if here in stage.reach.get(place_of(cell), ())]
        if place.kind in ("manager", "viewpoint"):
            found = [cell for cell in found if cell.method == "GET"]
    random.Random(place.name).shuffle(found)
    # Visitors with few rights first: what a missing check lets in is mostly one of them.
    found.sort(key=lambda cell: cell.visitor.role is not None and cell.visitor.role.rank)
    # Written for one check each: never left out.
    cases = [cell for cell in found if cell.case]
    others = _spread([cell for cell in found if not cell.case])
    return cases + others[: None if place.kind in ON_ROUTES else MOST]


def _spread(found: list[Any]) -> list[Any]:
    """The visitors in turn, so that a limit leaves out none of them."""
    rows: dict[Any, list[Any]] = {}
    for cell in found:
        rows.setdefault(cell.visitor, []).append(cell)
    turns = []
    for turn in range(max(map(len, rows.values()), default=0)):
        turns += [cells[turn] for cells in rows.values() if turn < len(cells)]
    return turns


def _answers(view: Any, place: Place) -> bool:
    """Whether this route is the one whose guard or policy is gone."""
    api = getattr(view, "cls", None)
    if place.kind in ("scope", "policy role"):
        return api is not None and Path(inspect.getfile(api)).parent == (ROOT / place.path).parent
    inner = inspect.unwrap(view)
    code = getattr(inner, "__code__", None)
    # By its name: without a decorator it begins on another line.
    return (
        code is not None
        and code.co_filename == str(ROOT / place.path)
        and code.co_name == place.what.partition(" #")[0].rpartition(" on ")[2]
    )


def _first_red(world: Any, cells: Iterable[Any]) -> tuple[str, Any]:
    from tests.isolation.cells import run as ask

    for cell in cells:
        try:
            red = ask(world, cell)
        except Exception as error:  # noqa: BLE001 - a product that falls over is not what was declared
            return f"{cell}: {traceback.format_exception_only(error)[-1].strip()}"[:200], cell
        if red:
            return red[0], cell
    return "", None


def _all_red(world: Any, cells: Iterable[Any]) -> list[str]:
    from tests.isolation.cells import run as ask

    return [line for cell in cells for line in ask(world, cell)]


def into(place: Place | None, folder: Path, number: int, answer: Path) -> None:
    answer.write_text(json.dumps(run(place, folder, number)))
