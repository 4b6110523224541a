"""The grid's world: made once for each file, and emptied behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase, override_settings

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from tests.grid.expected import Case, expected
from tests.grid.report import FIRED, NOT_REACHED
from tests.grid.world import NUMBERS, Control, World, armed
from tests.mailbox.sandbox.conftest import Running

Check = Callable[[Case], None]


@pytest.fixture
def _django_db_helper() -> None:
    """In place of pytest-django's: no database of its own for each test, the world's is the file's."""


@pytest.fixture(scope="module")
def world(sandbox_process: Running, django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """A workspace, open, in a database with real transactions, and the sandbox at its worst."""

    class Emptied(TransactionTestCase):
        databases = "__all__"

    sandbox_process.post("reset")
    sandbox_process.post("settings", profile="hostile")
    with django_db_blocker.unblock(), override_settings(**NUMBERS):
        Emptied.setUpClass()
        case = Emptied(methodName="__init__")
        case._pre_setup()  # type: ignore[attr-defined]
        try:
            owner = User.objects.create_user("olga@studio.example", name="Olga Owner")
            here = create_workspace(owner, name="Studio")
            Workspace.objects.filter(pk=here.pk).update(postal_address="Studio, 14 Quay Lane, Harwick")
            with workspace(here):
                yield World(Control(sandbox_process), here)
        finally:
            case._post_teardown()  # type: ignore[attr-defined]
            Emptied.tearDownClass()
            Emptied.doClassCleanups()
            sandbox_process.post("reset")


@pytest.fixture
def check(world: World, record_property: Callable[[str, object], None]) -> Check:
    """Runs one case of the grid and judges it."""

    def run(case: Case) -> None:
        fired = False
        try:
            fired = judged(world, case)
        finally:
            record_property("grid", FIRED if fired else NOT_REACHED)

    return run


def judged(world: World, case: Case) -> bool:
    """Whether the worker died at the case's point. Raises AssertionError where the case goes wrong."""
    end = expected(case)
    trial = world.queue(case.provider)
    trial.bring_to(case)
    trial.plant(case.outcome)
    with armed(trial, case.point) as reached:
        trial.run_to_rest()
    fired = reached[case.point] > 0
    assert fired == end.fires, f"{case.point} was reached {reached[case.point]} times"
    trial.judge.rest(end)
    return fired
