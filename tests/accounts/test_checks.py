"""What must hold before a process starts: each check with a violation that turns it red."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.checks import CheckMessage
from django.db import models
from django.test.utils import isolate_apps, override_settings

from accounts import checks, clock
from accounts.tenancy import WorkspaceModel


def ids(problems: list[CheckMessage]) -> list[str | None]:
    return [problem.id for problem in problems]


def test_it_is_content_with_the_product_as_it_is() -> None:
    assert checks.wait_order() == []
    assert checks.workspace_managers() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"HTTP_DEADLINE_SECONDS": 60.0, "WORKER_HARD_LIMIT_SECONDS": 60.0},
        {"WORKER_HARD_LIMIT_SECONDS": 500.0},
        {"LEASE_SECONDS": 900.0, "SETTLE_SECONDS": 899.0},
    ],
)
def test_it_refuses_waits_in_the_wrong_order(wrong: dict[str, float]) -> None:
    right = {"HTTP_DEADLINE_SECONDS": 30.0, "WORKER_HARD_LIMIT_SECONDS": 60.0}
    with override_settings(**{**right, "LEASE_SECONDS": 120.0, "SETTLE_SECONDS": 900.0, **wrong}):
        assert "outreach.E001" in ids(checks.wait_order())


def test_it_refuses_a_tenant_model_with_an_open_manager() -> None:
    with isolate_apps("accounts") as registry:
        assert registry is not None

        class Leaky(WorkspaceModel):
            everything = models.Manager["Leaky"]()

            class Meta:
                app_label = "accounts"
                default_manager_name = base_manager_name = "everything"

        problems = checks.workspace_managers(app_configs=registry.get_app_configs())
    assert ids(problems) == ["outreach.E002", "outreach.E002"]
    assert Leaky.__name__ in problems[0].msg


@pytest.mark.django_db
def test_it_refuses_a_production_start_with_the_demo_or_a_moved_clock() -> None:
    with override_settings(DEMO=False):
        assert checks.production() == []
        clock.advance(timedelta(minutes=5))
        assert ids(checks.production()) == ["outreach.E004"]
    with override_settings(DEMO=True):
        assert "outreach.E003" in ids(checks.production())
