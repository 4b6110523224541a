"""The contacts of the large workspace with each filter: what finds many, few, nobody, and all of them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse

from accounts.models import Workspace
from outreach.models import Contact, Group, GroupKind
from outreach.views.listing import place_of

MANY, FEW = "Bench, one in two", "Bench, ten"
_PUT = """
INSERT INTO outreach_grouping (id, workspace_id, group_id, contact_id, act, is_in, at)
SELECT gen_random_uuid(), c.workspace_id, %s, c.id, gen_random_uuid(), true, app_now()
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM outreach_contact) c
WHERE c.n %% %s = 0 AND c.n <= %s
"""


def fill(threads: int) -> None:
    """A tag of half of all people, a list of the ten oldest, and a field that one in a thousand has."""
    many = Group.objects.create(kind=GroupKind.TAG, name=MANY)
    few = Group.objects.create(kind=GroupKind.LIST, name=FEW)
    with connection.cursor() as cursor:
        cursor.execute(_PUT, [many.pk, 2, threads + 100])
        cursor.execute(_PUT, [few.pk, 1, 10])
        cursor.execute(
            'UPDATE outreach_contact SET fields = \'{"topic": "huts"}\' '
            "WHERE get_byte(address_index, 0) < 4 AND get_byte(address_index, 1) < 16"
        )


def pages(here: Workspace) -> Iterator[tuple[str, str]]:
    contacts = reverse("outreach:contacts", args=[here.slug])

    def at(name: str, **query: str) -> tuple[str, str]:
        return f"people, {name}"[:17], f"{contacts}?{urlencode(query)}"

    many, few = (str(Group.objects.get(name=name).pk) for name in (MANY, FEW))
    yield at("all")
    rows = Contact.objects.order_by("-created_at", "-id")
    yield at("page 1,000", after=place_of(rows[50_000 if rows.count() > 50_000 else 100]))
    yield at("tag", tag=many)
    yield at("list", list=few)
    yield at("both", tag=many, list=few)
    yield at("site", site="bench7.example")
    yield at("no word", q="nowhere")
    yield at("word", q="bench7")
    yield at("country", country="PT")
    yield at("source", source="nowhere")
    yield at("is", field="topic", equals="huts")
    yield at("is none", field="topic", equals="nowhere")
    yield at("has none", field="topic", contains="nowhere")
    yield at("never", written="never")
    yield at("ever", written="ever")
    yield at("7 days", written="7")
    yield at("not 30", written="not30")
    yield at("replied", replied="yes")
    yield at("no reply", replied="no")
    yield at("tag, never", tag=many, written="never", country="PT")
    yield "groups", reverse("outreach:groups", args=[here.slug])
