"""The filters of the contacts: each finds whom it names, they combine, go away one by one, have bounds."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from outreach import people_filter
from outreach.models import Contact, EnrollmentState, Message, MessageState
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def shown(client: Client, ws: Workspace, query: str) -> str:
    answer = client.get(f"/w/{ws.slug}/contacts/?{query}")
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def names(page: str) -> list[str]:
    return re.findall(r"data-row-link[^>]*><b>(.*?)</b>", page)


@pytest.fixture
def cast(in_ws: Workspace) -> dict[str, Contact]:
    """Four people who differ in everything that is filtered by."""
    found = {
        "Ana": factories.make_contact(
            "ana@a.example", name="Ana", country="PT", fields={"topic": "Winter huts"}, source="Their imprint"
        ),
        "Ben": factories.make_contact("ben@b.example", name="Ben", country="DE", basis="consent"),
        "Cleo": factories.make_contact("cleo@a.example", name="Cleo", country="PT", fields={"topic": "Huts"}),
        "Dan": factories.make_contact("dan@d.example", name="Dan", country="US"),
    }
    campaign = factories.make_campaign()
    for name, days in (("Ana", 3), ("Ben", 50)):
        mail = factories.make_message(
            factories.make_enrollment(campaign, found[name], state=EnrollmentState.RUNNING),
            state=MessageState.SENT,
        )
        Message.objects.filter(pk=mail.pk).update(sent_at=clock.now() - dt.timedelta(days=days))
        if name == "Ben":
            factories.make_reply(mail)
    Contact.objects.filter(pk=found["Dan"].pk).update(created_at="2025-03-10T23:59:00Z")
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Cleo Ben Ana Dan"),
        ("q=ana@A.example", "Ana"),
        ("q=a.exam", "Cleo Ana"),
        ("country=pt", "Cleo Ana"),
        ("country=nowhere", "Cleo Ben Ana Dan"),
        ("basis=consent", "Ben"),
        ("site=https://www.a.example/page", "Cleo Ana"),
        ("source=imprint", "Ana"),
        ("field=topic&equals=Huts", "Cleo"),
        ("field=Topic&contains=hut", "Cleo Ana"),
        ("field=topic", "Cleo Ben Ana Dan"),
        ("written=never", "Cleo Dan"),
        ("written=ever", "Ben Ana"),
        ("written=7", "Ana"),
        ("written=not30", "Cleo Ben Dan"),
        ("replied=yes", "Ben"),
        ("replied=no", "Cleo Ana Dan"),
        ("since=2025-03-10&until=2025-03-10", "Dan"),
        ("until=2025-03-09", ""),
        ("since=yesterday", "Cleo Ben Ana Dan"),
        ("country=PT&written=never", "Cleo"),
        ("country=PT&written=never&q=b.example", ""),
        ("tag=nothing&list=1&brought=1", "Cleo Ben Ana Dan"),
    ],
)
def test_it_finds_whom_the_filter_names(
    client: Client, in_ws: Workspace, cast: dict[str, Contact], query: str, expected: str
) -> None:
    assert names(shown(client, in_ws, query)) == expected.split()


def test_it_finds_people_of_a_tag_and_a_list_and_an_import(
    client: Client, in_ws: Workspace, cast: dict[str, Contact]
) -> None:
    tag = factories.make_group("Press", people=[cast["Ana"], cast["Ben"]])
    spring = factories.make_group("Spring", kind="list", people=[cast["Ben"], cast["Dan"]])
    assert names(shown(client, in_ws, f"tag={tag.pk}")) == ["Ben", "Ana"]
    page = shown(client, in_ws, f"tag={tag.pk}&list={spring.pk}")
    assert names(page) == ["Ben"]
    assert "Tag Press" in page
    assert f'href="?list={spring.pk}"' in page
    row = factories.make_import("eve@e.example")
    Contact.objects.filter(pk=cast["Dan"].pk).update(imported_by=row)
    page = shown(client, in_ws, f"brought={row.pk}")
    assert names(page) == ["Dan"]
    assert "Import people.csv" in page


def test_a_tag_that_was_deleted_says_so_and_the_page_opens(
    client: Client, in_ws: Workspace, cast: dict[str, Contact]
) -> None:
    tag = factories.make_group("Press", people=[cast["Ana"]])
    pk = tag.pk
    tag.delete()
    page = shown(client, in_ws, f"tag={pk}&country=PT")
    assert names(page) == []
    assert "A tag that was deleted stands in this filter" in page
    assert 'href="?country=PT"' in page


def test_a_filter_stands_in_the_search_and_in_the_menu(
    client: Client, in_ws: Workspace, cast: dict[str, Contact]
) -> None:
    page = shown(client, in_ws, "country=PT&q=a.example")
    assert '<input type="hidden" name="country" value="PT">' in page
    assert '<input type="hidden" name="q" value="a.example">' in page
    assert 'value="PT" maxlength="2"' in page


def test_pages_go_by_place_and_keep_the_filter(client: Client, in_ws: Workspace) -> None:
    Contact.objects.bulk_create(
        [
            factories.contact_row(f"p{number}@a.example", name=f"P{number}", country="PT")
            for number in range(120)
        ]
    )
    whole: list[str] = []
    query = "country=PT"
    for _ in range(3):
        page = shown(client, in_ws, query)
        whole += names(page)
        older = re.search(r'rel="next" href="\?([^"]*)"', page)
        query = older[1] if older else ""
    assert query == ""
    assert len(whole) == len(set(whole)) == 120
    newer = re.search(r'rel="prev" href="\?([^"]*)"', page)
    assert newer
    assert newer[1].startswith("country=PT&before=")
    assert names(shown(client, in_ws, newer[1])) == whole[50:100]
    # Somebody who comes in meanwhile moves nobody from one page to the next.
    factories.make_contact("new@a.example", name="New", country="PT")
    assert names(shown(client, in_ws, newer[1])) == whole[50:100]


def test_it_counts_no_further_than_its_bound(
    client: Client, in_ws: Workspace, cast: dict[str, Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "4 people" in shown(client, in_ws, "")
    monkeypatch.setattr(people_filter, "MOST_COUNTED", 3)
    with CaptureQueriesContext(connection) as asked:
        assert "3+ people" in shown(client, in_ws, "")
    counts = [one["sql"] for one in asked if "COUNT(" in one["sql"] and "outreach_contact" in one["sql"]]
    assert counts
    assert all("LIMIT 4" in sql for sql in counts)
