"""What a person does with a conversation: read, done, snooze, assign, note. Each says whether it changed."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts import audit, clock
from accounts.clock import Now
from accounts.models import Membership, User
from accounts.tenancy import uuid7
from mailbox.models import Replies
from outreach import project_access
from outreach.inbox import places
from outreach.models import Note, ReplyKind, Thread

LONGEST_NOTE = 5000
MORNING = dt.time(9)
LATER = dt.timedelta(hours=3)
# Nobody means a conversation to come back after this.
MOST_SNOOZED = dt.timedelta(days=366)
SNOOZES = {"later": "Later today", "tomorrow": "Tomorrow", "week": "Next week"}


class Refused(ValueError):
    """The message is the sentence beside the field."""


def set_unread(thread: Thread, unread: bool) -> bool:
    """Everybody's, as the whole inbox is; not in the log, because reading changes nothing."""
    return Thread.objects.filter(pk=thread.pk, unread=not unread).update(unread=unread) == 1


def close(thread: Thread, *, actor: User) -> bool:
    """Done: it waits for nobody, also where it was to come back."""
    still = Q(done_at__isnull=True) | Q(waits_since__isnull=False) | Q(snoozed_until__isnull=False)
    with transaction.atomic():
        changed = Thread.objects.filter(still, pk=thread.pk).update(
            waits_since=None, snoozed_until=None, stands_at=places.back(), done_at=Now(), unread=False
        )
        if changed:
            _record("thread.done", "A conversation was marked as done", thread, actor)
    return changed == 1


def reopen(thread: Thread, *, actor: User) -> bool:
    newest = thread.replies.filter(kind=ReplyKind.REPLY).order_by("-received_at").first()
    since = newest.received_at if newest else thread.last_at
    with transaction.atomic():
        changed = Thread.objects.filter(pk=thread.pk, done_at__isnull=False).update(
            waits_since=since, done_at=None
        )
        if changed:
            _record("thread.reopened", "A conversation waits again", thread, actor)
    return changed == 1


# --- snooze ---------------------------------------------------------------------------------------------


def snooze_time(choice: str, date: str, zone: str) -> dt.datetime:
    """When it comes back: one of SNOOZES, or a date's morning, in the person's own zone. Raises Refused."""
    try:
        place: dt.tzinfo = zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        place = dt.UTC
    now = clock.now().astimezone(place)
    match choice:
        case "later":
            return now + LATER
        case "tomorrow":
            day = now.date() + dt.timedelta(days=1)
        case "week":
            day = now.date() + dt.timedelta(days=7 - now.weekday())
        case _:
            try:
                day = dt.date.fromisoformat(date)
            except ValueError:
                raise Refused("Choose a day.") from None
    at = dt.datetime.combine(day, MORNING, place)
    if at <= now:
        raise Refused("That day has begun. Choose a later one.")
    if at - now > MOST_SNOOZED:
        raise Refused("Choose a day within a year.")
    return at


def snooze(thread: Thread, until: dt.datetime, *, actor: User) -> bool:
    """It comes back by the database's clock alone, or at once when somebody writes."""
    with transaction.atomic():
        rows = Thread.objects.filter(pk=thread.pk).exclude(snoozed_until=until)
        changed = rows.update(snoozed_until=until, stands_at=until, unread=False)
        if changed:
            _record(
                "thread.snoozed", f"A conversation comes back at {until:%Y-%m-%d %H:%M %Z}", thread, actor
            )
    return changed == 1


def wake(thread: Thread, *, actor: User) -> bool:
    """Undo of a snooze: back to where it stood."""
    with transaction.atomic():
        changed = Thread.objects.filter(pk=thread.pk, snoozed_until__isnull=False).update(
            snoozed_until=None, stands_at=places.newest_heard()
        )
        if changed:
            _record("thread.woken", "A snoozed conversation was taken back", thread, actor)
    return changed == 1


# --- assign ---------------------------------------------------------------------------------------------


def assignable(thread: Thread) -> QuerySet[Membership]:
    """Members who may answer and see this conversation."""
    rows = project_access.working_on(thread.project_id)
    if thread.mailbox is not None and thread.mailbox.replies == Replies.PRIVATE:
        return rows.filter(user=thread.mailbox.owner_id)
    return rows


def assign(thread: Thread, to: Membership | None, *, actor: User) -> bool:
    """`to` None: nobody's. Whom it is given to is told on their next look (news)."""
    mark = uuid7() if to is not None and to.user_id != actor.pk else None
    with transaction.atomic():
        rows = Thread.objects.filter(pk=thread.pk)
        rows = rows.filter(assignee__isnull=False) if to is None else rows.exclude(assignee=to)
        changed = rows.update(assignee=to, assignment=mark)
        if changed:
            words = f"assigned to {to.user.name or to.user.email}" if to else "taken from its assignee"
            _record("thread.assigned", f"A conversation was {words}", thread, actor)
    return changed == 1


# --- notes ----------------------------------------------------------------------------------------------


def add_note(thread: Thread, text: str, *, note_id: uuid.UUID, actor: User) -> Note:
    """The page minted the id, so that a second press makes no second note. Raises Refused."""
    words = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not words:
        raise Refused("The note is empty.")
    if len(words) > LONGEST_NOTE:
        raise Refused(f"This has {len(words):,} characters; a note takes {LONGEST_NOTE:,}.")
    note = Note(pk=note_id, thread=thread, mailbox_id=thread.mailbox_id, author=actor, text=words)
    try:
        with transaction.atomic():
            note.save(force_insert=True)
            _record("thread.noted", "A note was written in a conversation", thread, actor)
    except IntegrityError:
        known = Note.objects.filter(pk=note_id, thread=thread, author=actor).first()
        if known is None:
            raise Refused("The page was too old. Press the button once more.") from None
        return known
    return note


def remove_note(note: Note, *, actor: User) -> bool:
    with transaction.atomic():
        gone, _ = Note.objects.filter(pk=note.pk).delete()
        if gone:
            _record("thread.note_removed", "A note was removed from a conversation", note.thread, actor)
    return gone > 0


def _record(action: str, sentence: str, thread: Thread, actor: User) -> None:
    """Without the other side's name: the log is read by admins, a private conversation by one person."""
    audit.record(action, sentence, actor=actor, object_id=thread.pk)
