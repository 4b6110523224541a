"""Saved views: a filter under a name, one's own or shared, on contacts, campaigns and the inbox."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User, Workspace
from outreach import saved_views
from outreach.models import SavedView
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def at(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/views/{path}"


def body(client: Client, url: str) -> str:
    answer = client.get(url, follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


@pytest.mark.parametrize(
    ("page", "query", "kept"),
    [
        ("contacts", "country=PT&after=1-2&nonsense=x", "country=PT"),
        ("campaigns", "state=running&page=3", "state=running"),
        ("inbox", "show=all&label=question&after=5-" + "a" * 32, "show=all&label=question"),
    ],
)
def test_it_keeps_the_filter_of_a_page_and_opens_it_again(
    client: Client, in_ws: Workspace, member: User, page: str, query: str, kept: str
) -> None:
    assert f'name="query" value="{kept}"' in body(client, f"/w/{in_ws.slug}/{page}/?{query}")
    given = {"page": page, "name": "Mine", "query": query}
    answer = client.post(at(in_ws), given)
    assert answer["Location"] == f"/w/{in_ws.slug}/{page}/?{kept}"
    row = SavedView.objects.get()
    assert (row.page, row.name, row.query, row.owner, row.is_shared) == (page, "Mine", kept, member, False)
    assert client.get(at(in_ws, f"{row.pk}/"))["Location"] == f"/w/{in_ws.slug}/{page}/?{kept}"
    opened = body(client, at(in_ws, f"{row.pk}/"))
    assert f'href="{at(in_ws, f"{row.pk}/")}" aria-current="true"' in opened
    assert "Keep this filter as" not in opened


def test_an_address_that_was_looked_for_stands_nowhere_in_plain(client: Client, in_ws: Workspace) -> None:
    client.post(at(in_ws), {"page": "contacts", "name": "One", "query": "q=ana@secret.example"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(v)::text FROM outreach_savedview v")
        ((stored,),) = cursor.fetchall()
    assert "secret" not in stored
    assert SavedView.objects.get().query == "q=ana%40secret.example"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"page": "contacts", "name": "Other", "query": "nonsense=x"}, "Set a filter first"),
        ({"page": "contacts", "name": "mine", "query": "country=PT"}, "You have a view “mine” of this page"),
        ({"page": "contacts", "name": "", "query": "country=PT"}, "Give it a name."),
    ],
)
def test_it_says_what_is_wrong_and_loses_nothing(
    client: Client, in_ws: Workspace, member: User, given: dict[str, str], words: str
) -> None:
    factories.make_view(member, "Mine")
    answer = client.post(at(in_ws), given)
    assert answer.status_code == 422
    page = html.unescape(answer.content.decode())
    assert words in page
    assert f'value="{given["query"]}"' in page
    assert SavedView.objects.count() == 1


def test_there_are_no_views_of_another_page(client: Client, in_ws: Workspace) -> None:
    given = {"page": "mailboxes", "name": "Other", "query": "country=PT"}
    assert client.post(at(in_ws), given).status_code == 404


def test_it_keeps_no_more_than_the_menu_shows(
    client: Client, in_ws: Workspace, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "MOST", 1)
    factories.make_view(member, "Mine")
    answer = client.post(at(in_ws), {"page": "contacts", "name": "More", "query": "country=DE"})
    assert "At most 1 views" in answer.content.decode()


def test_it_renames_shares_and_deletes(client: Client, in_ws: Workspace, member: User) -> None:
    row = factories.make_view(member, "Mine")
    client.post(at(in_ws, f"{row.pk}/edit/"), {"name": "Ours", "is_shared": "on"})
    row.refresh_from_db()
    assert (row.name, row.is_shared, row.query) == ("Ours", True, "country=PT")
    assert "Others do not see the view any more" in body(client, at(in_ws, f"{row.pk}/delete/"))
    client.post(at(in_ws, f"{row.pk}/delete/"))
    assert not SavedView.objects.exists()


def test_others_see_what_is_shared_and_change_nothing(
    client: Client, signed_in: SignedIn, owner: User, viewer: User, in_ws: Workspace
) -> None:
    mine = factories.make_view(owner, "Owner's own")
    ours = factories.make_view(owner, "For all", is_shared=True)
    page = body(client, f"/w/{in_ws.slug}/contacts/")
    assert "For all" in page
    assert "Owner's own" not in page
    for path in ("", "edit/", "delete/"):
        assert client.get(at(in_ws, f"{mine.pk}/{path}")).status_code == 404
    assert client.get(at(in_ws, f"{ours.pk}/")).status_code == 302
    assert client.post(at(in_ws, f"{ours.pk}/edit/"), {"name": "Taken"}).status_code == 403
    assert client.post(at(in_ws, f"{ours.pk}/delete/")).status_code == 403
    looker = signed_in(viewer)
    assert "For all" in body(looker, f"/w/{in_ws.slug}/contacts/?country=PT")
    assert looker.post(at(in_ws), {"page": "contacts", "name": "x", "query": "q=x"}).status_code == 403


def test_an_admin_removes_what_somebody_shared(
    signed_in: SignedIn, member: User, owner: User, in_ws: Workspace
) -> None:
    row = factories.make_view(member, "For all", is_shared=True)
    signed_in(owner).post(at(in_ws, f"{row.pk}/delete/"))
    assert not SavedView.objects.exists()


def test_a_view_of_a_deleted_tag_says_so_and_opens(client: Client, in_ws: Workspace, member: User) -> None:
    tag = factories.make_group("Press")
    row = factories.make_view(member, "Press people", query=f"tag={tag.pk}")
    tag.delete()
    page = body(client, at(in_ws, f"{row.pk}/"))
    assert "A tag that was deleted stands in this filter" in page
    assert "Press people" in page
