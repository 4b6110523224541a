"""Workspaces that the API looks at, and its limits, which count on Redis: no test's rollback empties that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from tests import factories


@pytest.fixture(autouse=True)
def _nobody_has_guessed() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def here(in_ws: Workspace, owner: User) -> Workspace:
    """A workspace with one row of each kind, and a campaign that is ready."""
    person = factories.make_contact("ana@ridgewalkers.example", name="Ana Lima")
    factories.make_campaign(name="Winter", contacts=[person])
    factories.make_text("First note", folder="Huts")
    factories.make_group("Guides")
    return in_ws


@pytest.fixture
def theirs(stranger: User) -> Workspace:
    row = Membership.objects.get(user=stranger).workspace
    with workspace(row):
        factories.make_campaign(name="Kingfisher", mailbox=factories.make_mailbox(address="kf@kf.example"))
        factories.make_contact("kingfisher@kf.example")
        factories.make_text("Kingfisher")
        factories.make_group("Kingfisher")
    return row
