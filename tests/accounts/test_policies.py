"""Nothing is open by accident: a route says whom it answers, a tenant model for whom its rows are."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.test.utils import isolate_apps
from django.urls import path

from accounts import policies
from accounts.access import Policy, member, public, signed_in
from accounts.models import Role
from accounts.project_checks import faults, project_paths
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody
from config.urls import urlpatterns
from tests.accounts.test_wall_gaps import start


def bare(request: HttpRequest, **_: Any) -> HttpResponse:
    return HttpResponse("open")


class Bare:
    """Stands for an API view whose author forgot the policy."""


def test_it_finds_a_policy_on_every_route_there_is() -> None:
    assert policies.undeclared() == []
    assert policies.route_policies() == []
    policies.insist()
    assert len(list(policies.routes())) > 90


def test_it_lists_no_library_route_that_is_one_of_ours() -> None:
    ours = {route.name for route in policies.routes() if getattr(route.view, "policy", None)}
    assert ours & set(policies.LIBRARIES) == set()


def test_it_refuses_the_start_for_a_route_without_a_policy(settings: Any) -> None:
    settings.ROOT_URLCONF = type(
        "Planted", (), {"urlpatterns": [*urlpatterns, path("bare/", bare, name="bare")]}
    )
    with pytest.raises(ImproperlyConfigured, match=r"bare \(bare/\) declares no policy"):
        policies.insist()
    assert [error.id for error in policies.route_policies()] == ["outreach.E020"]


def test_it_names_an_api_view_without_a_policy() -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("open")

    view.cls = Bare  # type: ignore[attr-defined]
    assert policies.undeclared([path("api/things/", view, name="things")]) == [
        "things (api/things/) declares no policy"
    ]
    view.cls = type("Declared", (), {"policy": Policy.member(Role.VIEWER, scope="read")})  # type: ignore[attr-defined]
    assert policies.undeclared([path("api/things/", view, name="things")]) == []


@pytest.mark.parametrize("decorate", [public("a notice"), signed_in])
def test_it_refuses_a_route_inside_a_workspace_that_asks_for_no_role(decorate: Any) -> None:
    inside = [path("w/<slug:slug>/things/", decorate(bare), name="things")]
    assert policies.undeclared(inside) == [
        "things (w/<slug:slug>/things/) lies inside a workspace and does not ask for a role"
    ]


def test_it_lets_a_role_be_asked_inside_a_workspace() -> None:
    view: Any = member(Role.VIEWER)(bare)
    assert policies.undeclared([path("w/<slug:slug>/things/", view, name="things")]) == []


def test_it_wants_a_reason_for_what_everybody_may_see() -> None:
    with pytest.raises(ValueError, match="say why"):
        public("")


def test_it_knows_for_whom_the_rows_of_every_model_are() -> None:
    assert project_paths() == []


@isolate_apps("accounts")
def test_it_names_a_model_that_does_not_say_so() -> None:
    class Forgetful(WorkspaceModel):
        class Meta(WorkspaceModel.Meta):
            app_label = "accounts"

    class Lost(WorkspaceModel):
        project_path = "campaign__project"

        class Meta(WorkspaceModel.Meta):
            app_label = "accounts"

    class Loose(WorkspaceModel):
        project_path = "project"
        project = models.ForeignKey(
            "accounts.Workspace", null=True, on_delete=models.CASCADE, related_name="+"
        )

        class Meta(WorkspaceModel.Meta):
            app_label = "accounts"

    class Silent(WorkspaceModel):
        project_path = Everybody("")

        class Meta(WorkspaceModel.Meta):
            app_label = "accounts"

    assert faults(Forgetful) == ["declare project_path: the way to its project, or Everybody(reason)"]
    assert faults(Lost) == ["campaign__project leads nowhere: Lost has no campaign"]
    assert faults(Loose) == ["project may be empty: a row without a project would be seen by nobody"]
    assert faults(Silent) == ["Everybody(…) needs a reason"]


@pytest.mark.slow
def test_it_starts_no_web_process_with_an_open_route(transactional_db: None) -> None:
    """Gunicorn runs no system checks, so the web's entry asks by itself."""
    refused = start(
        "-c",
        "from django.conf import settings; settings.ROOT_URLCONF = 'tests.isolation.planted'; "
        "import config.wsgi; print('up')",
    )
    assert refused.returncode != 0
    assert "planted-bare" in refused.stderr
    assert "declares no policy" in refused.stderr
