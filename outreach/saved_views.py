"""Filters that are kept under a name: whose they are, and that they hold nothing but their page's filters."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import User
from outreach.groups import BadName, clean_name
from outreach.inbox.listing import Wanted
from outreach.models import CampaignState, SavedView, ViewPage
from outreach.people_filter import PeopleFilter

# So many a person keeps of one page; the menu shows them all.
MOST = 50


@dataclass(frozen=True)
class Menu:
    """What a page shows of its views. `query`: its own filters as they stand; `on`: the view they are."""

    page: str
    rows: list[SavedView]
    query: str
    on: SavedView | None


def clean_query(page: str, given: Mapping[str, str]) -> str:
    """What of it is a filter of this page, in the page's own form."""
    return _CLEANED[ViewPage(page)](given)


def visible_to(user: User) -> QuerySet[SavedView]:
    """Their own, and what others share."""
    rows: QuerySet[SavedView] = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True))
    return rows.order_by(Lower("name"), "pk")


def menu_of(page: ViewPage, given: Mapping[str, str], *, user: User) -> Menu:
    rows = list(visible_to(user).filter(page=page)[: 4 * MOST])
    query = clean_query(page, given)
    return Menu(page, rows, query, next((row for row in rows if query and row.query == query), None))


def save(page: str, *, name: str, query: str, is_shared: bool, owner: User) -> SavedView:
    """Raises BadName, whose sentence stands beside the name."""
    kept = clean_query(page, dict(parse_qsl(query)))
    if not kept:
        raise BadName("Set a filter first: this would show everything.")
    if SavedView.objects.filter(page=page, owner=owner).count() >= MOST:
        raise BadName(f"At most {MOST} views of one page. Delete one first.")
    return _store(SavedView(page=page, query=kept, owner=owner), name=name, is_shared=is_shared)


def change(row: SavedView, *, name: str, is_shared: bool) -> SavedView:
    """Raises BadName."""
    return _store(row, name=name, is_shared=is_shared)


def _store(row: SavedView, *, name: str, is_shared: bool) -> SavedView:
    row.name, row.is_shared = clean_name(name), is_shared
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise BadName(f"You have a view “{row.name}” of this page already.") from error
    return row


def _of_campaigns(given: Mapping[str, str]) -> str:
    state, project = given.get("state", ""), given.get("project", "")
    pairs = {"state": state if state in CampaignState.values else "", "project": _id(project)}
    return urlencode({name: value for name, value in pairs.items() if value})


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


_CLEANED: dict[ViewPage, Callable[[Mapping[str, str]], str]] = {
    ViewPage.CONTACTS: lambda given: PeopleFilter.of(given).query(),
    ViewPage.CAMPAIGNS: _of_campaigns,
    ViewPage.INBOX: lambda given: Wanted.of(given).first_page(),
}
