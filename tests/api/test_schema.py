"""The description is complete, and the API keeps to it: no 5xx, no answer that it or the policy forbids.

`make fuzz` runs the same with 20,000 examples.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.response import Response

from accounts.apikeys.callers import Caller
from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from outreach.api import reading
from outreach.api.paging import page_of
from outreach.models import Project
from tests.api.fuzzing import SCOPES, Report, World, run
from tests.api.worlds import WORDS, make_world

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))


@pytest.fixture
def world(ws: Workspace, stranger: User, viewer: User, settings: Any) -> World:
    settings.API_REQUESTS_PER_MINUTE = settings.API_GUESSES_PER_MINUTE = 10**9
    return make_world(ws, Membership.objects.get(user=stranger).workspace, viewer)


@pytest.fixture
def description(db: None) -> dict[str, Any]:
    found: dict[str, Any] = Client().get("/api/schema/").json()
    return found


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        one["operationId"]: {**one, "method": method}
        for path in description["paths"].values()
        for method, one in path.items()
    }


def test_it_makes_its_description_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json")
    assert "Warning" not in capsys.readouterr().err


def test_it_describes_every_operation_and_answer(description: dict[str, Any]) -> None:
    found = operations(description)
    assert set(found) == set(SCOPES)
    for name, one in found.items():
        codes = set(one["responses"])
        assert {"400", "401", "403", "404", "429"} < codes, name
        assert ("415" in codes and "413" in codes) == (one["method"] in ("post", "put", "patch")), name
        assert one["summary"], name
        for code, answer in one["responses"].items():
            wanted = ["application/json" if code < "300" else "application/problem+json"]
            assert list(answer.get("content", {})) == ([] if code == "204" else wanted), (name, code)
            assert answer["description"] or code < "300", (name, code)
        assert "Retry-After" in one["responses"]["429"]["headers"], name


def test_it_describes_each_way_in(description: dict[str, Any]) -> None:
    schemes = description["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "basic", "session", "workspace", "csrf"}
    for name, one in operations(description).items():
        ways = [set(way) for way in one["security"]]
        session = {"session", "workspace"} | ({"csrf"} if one["method"] != "get" else set())
        assert ways == [{"bearer"}, {"basic"}, session], name


def test_it_takes_only_the_fields_that_it_names(description: dict[str, Any]) -> None:
    shapes = description["components"]["schemas"]
    assert shapes["ContactDraftRequest"]["additionalProperties"] is False
    assert "workspace" not in shapes["ContactDraftRequest"]["properties"]


def test_it_keeps_to_its_description_and_its_policy(world: World) -> None:
    report = run(world, examples=EXAMPLES)
    print(f"\nfuzz: {report}")  # noqa: T201
    assert report.findings == [], "\n".join(report.findings)
    assert report.operations == set(SCOPES)
    assert report.examples >= EXAMPLES * 0.95
    assert {200, 400, 401, 403, 404} <= set(report.statuses)


# --- planted mistakes ---------------------------------------------------------------------------


def planted(world: World, name: str) -> Report:
    # Enough that a visitor who may comes to a row of theirs several times, whatever the draws are.
    return run(world, examples=160, only=[name])


def test_it_notices_a_crash(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(reading, "page_of", broken)
    found = planted(world, "list_projects").findings
    assert any("500" in line and "Server error" in line for line in found), found


def test_it_notices_an_answer_that_is_not_described(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "answer", lambda shape, row, **_: Response(shape(row).data, status=203))
    found = planted(world, "get_project").findings
    assert any("203" in line and "Undocumented" in line for line in found), found


def test_it_notices_a_field_that_is_not_described(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    more = lambda shape, row, **_: Response({**shape(row).data, "secret": "x"})  # noqa: E731
    monkeypatch.setattr(reading, "answer", more)
    found = planted(world, "get_project").findings
    assert any("violates schema" in line for line in found), found


def test_it_notices_words_of_another_workspace(
    world: World, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Membership.objects.get(user=stranger).workspace
    kind = page_of

    def leaks(request: Any, rows: Any, shape: Any) -> dict[str, Any]:
        found = kind(request, rows, shape)
        with workspace(theirs):
            found["results"] += shape(list(Project.objects.all()), many=True).data
        return found

    monkeypatch.setattr(reading, "page_of", leaks)
    found = planted(world, "list_projects").findings
    assert found
    assert all("words of the other workspace" in line for line in found), found
    assert WORDS["b"]


@pytest.mark.parametrize("name", ["add_contact", "get_mailbox", "launch_campaign"])
def test_it_notices_a_scope_that_is_not_asked_for(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Caller, "may", lambda self, policy: True)
    assert any("the policy leaves [403]" in line for line in planted(world, name).findings)


def test_it_notices_a_key_that_should_not_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.keys.refusal", lambda key, **_: "")
    assert any("the policy leaves [401]" in line for line in planted(world, "me").findings)
