"""The web server's edges: what a request may leave behind, and whose address counts behind a proxy."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client

from accounts.models import User, Workspace

pytestmark = pytest.mark.django_db


def test_it_keeps_no_words_in_the_session(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client]
) -> None:
    """Sessions are plain rows; a line for the next page names people and stays in the browser."""
    client = signed_in(owner)
    for _ in range(30):
        client.post(f"/w/{ws.slug}/projects/new/", {"name": f"Kingfisher {secrets.token_hex(45)}"})
    assert {name for session in Session.objects.all() for name in session.get_decoded()} <= {
        "_auth_user_id",
        "_auth_user_backend",
        "_auth_user_hash",
        "began_at",
        "visited_at",
        "seen_at",
        "last_workspace",
        "account_authentication_methods",
        "account_authentication_methods_user",
    }


@pytest.mark.parametrize(("size", "status"), [(6, 302), (21, 422), (30, 422)])
def test_it_lays_no_upload_on_the_disk(
    size: int,
    status: int,
    ws: Workspace,
    owner: User,
    signed_in: Callable[[User], Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise AssertionError("an upload went to the disk")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", refuse)
    file = SimpleUploadedFile("list.csv", b"Email\n" + b"x" * size * 1024 * 1024)
    answer = signed_in(owner).post(
        f"/w/{ws.slug}/contacts/import/", {"file": file, "basis": "legitimate", "source": "their page"}
    )
    assert answer.status_code == status
    said = "This file is larger than 20 MB. Bring it in parts." in answer.content.decode()
    assert said == (status == 422)


def test_it_answers_a_body_that_no_form_takes_before_it_is_read(settings: Any) -> None:
    answer = Client().generic(
        "POST", "/accounts/login/", b"x", CONTENT_LENGTH=str(settings.REQUEST_MAX_BYTES + 1)
    )
    assert answer.status_code == 413
    assert "One request may carry 64 MB" in answer.content.decode()


def test_it_bounds_fields_files_and_typed_text(
    ws: Workspace, owner: User, signed_in: Callable[[User], Client], settings: Any
) -> None:
    url = f"/w/{ws.slug}/contacts/import/"
    too_much: list[dict[str, Any]] = [
        {"lines": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)},
        {f"field{number}": "" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)},
        {
            f"file{number}": SimpleUploadedFile("a.csv", b"Email")
            for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1)
        },
    ]
    for form in too_much:
        answer = signed_in(owner).post(url, form)
        assert answer.status_code == 400
        assert "It carries more than a form takes at once" in answer.content.decode()


@pytest.mark.parametrize(("base", "count"), [("http://localhost:8000", 0), ("https://outreach.example", 1)])
def test_it_counts_tries_by_the_visitor_and_not_by_the_proxy(base: str, count: int, root: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.ALLAUTH_TRUSTED_PROXY_COUNT)"],
        cwd=root,
        env={**os.environ, "PUBLIC_BASE_URL": base},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == str(count)


def test_it_lets_nobody_lock_the_others_out(settings: Any, owner: User) -> None:
    """Behind a proxy everybody comes from one address: tries are counted by the visitor's own."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    form = {"login": owner.email, "password": "wrong"}
    answers = [
        Client(headers={"X-Forwarded-For": f"198.51.100.99, {visitor}"}).post("/accounts/login/", form)
        for visitor in ["203.0.113.5"] * 4 + ["203.0.113.6"]
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200]


def test_it_refuses_a_production_start_with_a_moved_clock(later: Callable[..., None], root: Path) -> None:
    later(seconds=5)
    with pytest.raises(SystemCheckError, match=r"outreach\.E004"):
        call_command("check", deploy=True, fail_level="ERROR")
    assert "check --deploy" in (root / "docker-compose.yml").read_text()
