"""Finding conversations by words that stand in their mails, without the database knowing the words.

The words of all mails of a conversation lie in one row (ThreadWords), written when something comes in, when
an answer is written, and by `index_some` for everything older. The list's next LOOKED_AT conversations are
asked for the words themselves: words that most of them hold fill a page so, and a list that is no longer is
searched whole. Else the index of words is asked: words that few hold give their ids, words that more hold
are looked for in what it gave while the list is walked in its order. Four queries at most, whatever the
number of words and rows. By the index alone, a word of each of 200,000 conversations takes a second.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from outreach.inbox.words import MOST_WANTED, marks_of, words_of
from outreach.models import Contact, Message, MessageState, Reply, Thread, ThreadWords

# Up to here the ids are handed over; above, the list's order finds a page faster than sorting them would.
FEW = 2000
# Conversations of the list that are asked for the words before the index is: a word that stands in one of
# eight fills a page from them.
LOOKED_AT = 400
# Conversations that the background indexes in one transaction.
A_STEP = 200
# Words of one conversation: a flood of mails from one sender ends here.
MOST_OF_ONE = 5000
# What was never frozen has no text, and what was cancelled never reached anybody.
_WRITTEN = [
    MessageState.QUEUED,
    MessageState.CLAIMED,
    MessageState.DRAFTED,
    MessageState.DEFERRED,
    MessageState.SUBMITTING,
    MessageState.DOUBT,
    MessageState.SENT,
]
# In FROM it is called once; in a list of columns PostgreSQL enters it anew for each row.
_FIND = "SELECT found FROM outreach_threads_with(%s::bigint[], %s) AS found"
_ADD = """
UPDATE outreach_threadwords w SET words = ARRAY(
    SELECT DISTINCT one FROM unnest(w.words || %s::bigint[]) AS one LIMIT %s
)
WHERE w.thread_id = %s
"""
_AMONG = '"outreach_thread"."id" = ANY(%s::uuid[])'
# IS TRUE keeps the planner from joining: the ids become one hash table, and the list is walked in its order.
_HOLDS = """
("outreach_thread"."id" IN (SELECT found FROM outreach_threads_with(%s::bigint[], NULL) AS found)) IS TRUE
"""


def wanted(query: str) -> list[str]:
    """The words of what somebody typed; quotation marks and order mean nothing."""
    return words_of(query, most=MOST_WANTED)


def narrow(rows: QuerySet[Thread], query: str, *, most: int) -> QuerySet[Thread]:
    """Those of `rows` whose mails hold every word of `query`; none where it has no word.

    Of `rows`, which are in the list's order, no more than the first `most` are wanted.
    """
    words = wanted(query)
    if not words:
        return rows.none()
    marks = marks_of(words)
    ahead = list(rows.values_list("pk", flat=True)[:LOOKED_AT])
    asked = ThreadWords.objects.filter(thread__in=ahead, words__contains=marks)
    holding = set(asked.values_list("thread_id", flat=True))
    if len(holding) >= most or len(ahead) < LOOKED_AT:
        return rows.filter(pk__in=[pk for pk in ahead if pk in holding][:most])
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [marks, FEW + 1])
        found = [pk for (pk,) in cursor.fetchall()]
    if len(found) <= FEW:
        return rows.filter(RawSQL(_AMONG, [found], output_field=BooleanField()))  # noqa: S611  # nosec B611
    return rows.filter(RawSQL(_HOLDS, [marks], output_field=BooleanField()))  # noqa: S611  # nosec B611


# --- writing the index ---------------------------------------------------------------------------------


def index(thread: Thread, *texts: str) -> None:
    """A mail with these texts has come into the conversation. Its row must be the caller's to write."""
    if Thread.objects.filter(pk=thread.pk, indexed=True).exists() and _add(thread.pk, *texts):
        return
    _store(Thread.objects.filter(pk=thread.pk))


def index_mails(replies: Sequence[Reply]) -> None:
    """As `index`, for mails that came in together, whatever their number with the same few statements.

    Only a conversation that has its words already costs one of its own for each mail.
    """
    unknown = {reply.thread_id for reply in replies}
    if not unknown:
        return
    known = set(Thread.objects.filter(pk__in=unknown, indexed=True).values_list("pk", flat=True))
    for reply in replies:
        texts = (reply.subject, reply.from_address, reply.from_name, reply.text)
        if reply.thread_id in known and _add(reply.thread_id, *(str(text or "") for text in texts)):
            unknown.discard(reply.thread_id)
    if unknown:
        _store(Thread.objects.filter(pk__in=unknown))


def _add(thread_id: uuid.UUID, *texts: str) -> bool:
    """Add words to a conversation's row; False where it has none."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [marks_of(words_of(*texts)), MOST_OF_ONE, thread_id])
        return bool(cursor.rowcount == 1)


def forget(rows: QuerySet[Thread]) -> None:
    """Words of these conversations have changed: the background reads them anew."""
    rows.filter(indexed=True).update(indexed=False)


def index_some(most: int = A_STEP) -> int:
    """The next conversations of the open workspace that are not indexed; how many were."""
    return _store(Thread.objects.heard().filter(indexed=False).order_by("pk")[:most])


def to_index() -> bool:
    return Thread.objects.heard().filter(indexed=False).exists()


def _store(rows: QuerySet[Thread]) -> int:
    """Each row is locked while its mails are read: what comes in meanwhile waits, and indexes it again."""
    with transaction.atomic():
        threads = list(rows.select_for_update(of=("self",), skip_locked=True).select_related("contact"))
        ids = [thread.pk for thread in threads]
        texts: dict[uuid.UUID, list[str]] = {pk: [] for pk in ids}
        for mail in _texts(
            Message.objects.filter(thread__in=ids, state__in=_WRITTEN), "to_address", "to_name"
        ):
            texts[mail[0]] += mail[1]
        for reply in _texts(Reply.objects.filter(thread__in=ids), "from_address", "from_name"):
            texts[reply[0]] += reply[1]
        ThreadWords.objects.bulk_create(
            [
                ThreadWords(
                    thread=thread,
                    words=marks_of([*_of_person(thread.contact), *texts[thread.pk]][:MOST_OF_ONE]),
                )
                for thread in threads
            ],
            update_conflicts=True,
            unique_fields=["thread"],
            update_fields=["words"],
        )
        Thread.objects.filter(pk__in=ids).update(indexed=True)
    return len(ids)


def _texts(
    rows: QuerySet[Message] | QuerySet[Reply], address: str, name: str
) -> Iterable[tuple[uuid.UUID, list[str]]]:
    """(thread, words) of each mail: subject, new text, and who it is from or to."""
    wide = rows.only("workspace_id", "thread_id", "subject", "text", address, name).order_by("pk")
    for row in wide:
        if row.thread_id is not None:
            parts = (row.subject, getattr(row, address), getattr(row, name), row.text)
            yield row.thread_id, words_of(*(str(part or "") for part in parts))


def _of_person(contact: Contact) -> list[str]:
    return words_of(str(contact.name), str(contact.first_name), str(contact.address), contact.company)
