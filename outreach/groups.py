"""Tags and lists: made, renamed, merged, deleted; people put in and taken out, however many, with undo."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, connection, transaction
from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from accounts import audit
from accounts.clock import Now
from accounts.models import User
from accounts.tenancy import current_workspace_id, uuid7
from accounts.viewpoint import whole_workspace
from outreach.models import Contact, Group, Grouping, GroupKind
from outreach.models.groups import LONGEST_NAME

# One act reaches the newest so many of those who fit.
MOST_AT_ONCE = 100_000
# A count that is higher stands as "2,000+".
MOST_COUNTED = 2_000
# So long what was taken out can be put back.
UNDONE_WITHIN = dt.timedelta(days=1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PUT = """
INSERT INTO outreach_grouping (id, workspace_id, group_id, contact_id, act, is_in, at)
SELECT gen_random_uuid(), %s, %s, chosen.id, %s, true, app_now() FROM ({chosen}) chosen (id)
ON CONFLICT (group_id, contact_id) DO UPDATE SET is_in = true, act = excluded.act, at = excluded.at
WHERE NOT outreach_grouping.is_in
"""


class BadName(ValueError):
    """The message is the sentence beside the field."""


@dataclass(frozen=True)
class Change:
    """`count` people were put in or taken out by this act; for the others nothing changed."""

    act: uuid.UUID
    count: int


def clean_name(text: str) -> str:
    """One line of words, spaces made single. Raises BadName."""
    if _CONTROL.search(text.strip()):
        raise BadName("Line breaks and control characters cannot stand here.")
    name = " ".join(text.split())
    if not name:
        raise BadName("Give it a name.")
    if len(name) > LONGEST_NAME:
        raise BadName(f"At most {LONGEST_NAME} characters; this has {len(name)}.")
    return name


def find(kind: str, name: str) -> Group | None:
    """Whatever its case."""
    # As the constraint compares them.
    return Group.objects.filter(Exact(Lower("name"), Lower(Value(name))), kind=kind).first()


def make(kind: str, name: str, *, actor: User | None) -> Group:
    """Raises BadName, also for a name that is taken."""
    if kind not in GroupKind.values:
        raise BadName("Choose a tag or a list.")
    row = Group(kind=kind, name=clean_name(name))
    with _insisting_on_one(row), transaction.atomic():
        row.save()
        _tell("made", f"{row.word} made", row, actor)
    return row


def find_or_make(kind: str, name: str, *, actor: User | None) -> Group:
    """Raises BadName."""
    name = clean_name(name)
    known = find(kind, name)
    if known is not None:
        return known
    try:
        return make(kind, name, actor=actor)
    except BadName:
        # Somebody else made it in between, or the kind is none.
        known = find(kind, name)
        if known is None:
            raise
        return known


def rename(row: Group, name: str, *, actor: User | None) -> None:
    """Raises BadName, also for a name that another one has."""
    before, row.name = row.word, clean_name(name)
    with _insisting_on_one(row), transaction.atomic():
        row.save(update_fields=["name"])
        _tell("renamed", f"{before} is “{row.name}” now", row, actor)


def merge(row: Group, into: Group, *, actor: User | None) -> int:
    """Everybody of `row` stands in `into`, and `row` is gone. How many were not there before."""
    with transaction.atomic():
        moved = _put(
            into, Contact.objects.filter(groupings__group=row, groupings__is_in=True), act=uuid7(), most=None
        )
        _tell("merged", f"{row.word} merged into {into.word}", into, actor)
        row.delete()
    return moved


def delete(row: Group, *, actor: User | None) -> None:
    """The people stay."""
    with transaction.atomic():
        _tell("deleted", f"{row.word} deleted", row, actor)
        row.delete()


@whole_workspace("tags and lists belong to the book, not to a project")
def put(row: Group, people: QuerySet[Contact], *, actor: User | None) -> Change:
    """In one statement, the newest MOST_AT_ONCE of them."""
    act = uuid7()
    with transaction.atomic():
        count = _put(row, people, act=act, most=MOST_AT_ONCE)
        if count:
            _tell("people_put", f"{_people(count)} put into {row.word}", row, actor)
    return Change(act, count)


@whole_workspace("tags and lists belong to the book, not to a project")
def take(row: Group, people: QuerySet[Contact], *, actor: User | None) -> Change:
    act = uuid7()
    chosen = people.order_by("-pk").values("pk")[:MOST_AT_ONCE]
    with transaction.atomic():
        rows = Grouping.objects.standing().filter(group=row, contact__in=chosen)
        count = rows.update(is_in=False, act=act, at=Now())
        if count:
            _tell("people_taken", f"{_people(count)} taken out of {row.word}", row, actor)
    return Change(act, count)


def undo(act: uuid.UUID, *, actor: User | None) -> int:
    """Turn an act round, where nothing came after it; how many people. A second time: nobody."""
    with transaction.atomic():
        rows = Grouping.objects.filter(act=act)
        first = rows.select_related("group").first()
        if first is None:
            return 0
        # All rows of an act point the same way.
        count = rows.filter(is_in=first.is_in).update(is_in=not first.is_in, act=uuid7(), at=Now())
        _tell("undone", f"{_people(count)}: the last change of {first.group.word} undone", first.group, actor)
    return count


def put_from_import(row: Group, ids: Sequence[uuid.UUID], *, act: uuid.UUID) -> int:
    """Inside the transaction of a batch. How many were not in it before."""
    return _put(row, Contact.objects.filter(pk__in=ids), act=act, most=None)


def take_back_import(act: uuid.UUID) -> int:
    """Out of what an import put them into, where they still stand by its word."""
    return Grouping.objects.standing().filter(act=act).update(is_in=False, act=uuid7(), at=Now())


def forget_taken_out() -> int:
    """What can be undone no more."""
    return Grouping.objects.filter(is_in=False, at__lt=Now() - UNDONE_WITHIN).delete()[0]


def of_people(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Group]]:
    """Person → tags by name, then lists; one query for all."""
    found: dict[uuid.UUID, list[Group]] = {}
    rows = Grouping.objects.standing().filter(contact__in=list(ids)).select_related("group")
    for each in rows.order_by("-group__kind", Lower("group__name")):
        found.setdefault(each.contact_id, []).append(each.group)
    return found


def by_name() -> QuerySet[Group]:
    return Group.objects.order_by("-kind", Lower("name"), "pk")


class _CountOf(Subquery):
    """How many rows a query has that ends at a bound."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def with_counts(rows: QuerySet[Group]) -> Any:
    """`people`: how many stand in it, at most one more than MOST_COUNTED."""
    inside = Grouping.objects.standing().filter(group=OuterRef("pk")).order_by().values("pk")
    return rows.annotate(people=_CountOf(inside[: MOST_COUNTED + 1]))


def _put(row: Group, people: QuerySet[Contact], *, act: uuid.UUID, most: int | None) -> int:
    chosen = people.order_by("-pk").values("pk")
    try:
        sql, values = (chosen if most is None else chosen[:most]).query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_PUT.format(chosen=sql), [current_workspace_id(), row.pk, act, *values])
        return int(cursor.rowcount)


@contextmanager
def _insisting_on_one(row: Group) -> Iterator[None]:
    """Two people may give the same name at the same moment: then the constraint decides. Raises BadName."""
    taken = find(row.kind, row.name)
    if taken is not None and taken.pk != row.pk:
        raise BadName(f"There is a {row.kind} “{taken.name}” already.")
    try:
        yield
    except IntegrityError as error:
        raise BadName(f"There is a {row.kind} of this name already.") from error


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _tell(act: str, sentence: str, row: Group, actor: User | None) -> None:
    audit.record(f"group.{act}", sentence[:1].upper() + sentence[1:], actor=actor, object_id=row.pk)
