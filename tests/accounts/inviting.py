"""An invitation as tests send and find it: fixtures (named in conftest.py) and what looks at the rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import tenancy
from accounts.models import Invitation, Membership, User, Workspace
from tests.proofs import prove

SignedIn = Callable[[User], Client]
GUEST = "gesa@guest.example"


@pytest.fixture
def proved(signed_in: SignedIn) -> SignedIn:
    def make(user: User) -> Client:
        client = signed_in(user)
        prove(client, user)
        return client

    return make


@pytest.fixture
def guest(person: Callable[..., User]) -> User:
    return person(GUEST, name="Gesa Guest")


@pytest.fixture
def invited(
    ws: Workspace, admin: User, proved: SignedIn, django_capture_on_commit_callbacks: Any
) -> Callable[..., str]:
    """Sends an invitation through the page; the path of the link in the mail."""

    def send(address: str = GUEST, *, by: User | None = None, **fields: Any) -> str:
        with django_capture_on_commit_callbacks(execute=True):
            answer = proved(by or admin).post(
                reverse("invitation_new", kwargs={"slug": ws.slug}),
                {"email": address, "role": "member", "all_projects": "on", **fields},
            )
        assert answer.status_code == 302, answer.content.decode()
        return link()

    return send


def link() -> str:
    found = re.search(r"(/join/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def row(ws: Workspace) -> Invitation:
    with tenancy.workspace(ws):
        return Invitation.objects.select_related("invited_by").latest("created_at")


def act(name: str, ws: Workspace) -> str:
    return reverse(name, kwargs={"slug": ws.slug, "pk": row(ws).pk})


def is_in(ws: Workspace, user: User) -> bool:
    return Membership.objects.filter(workspace=ws, user=user).exists()
