"""What a person is told in any page of the workspace: a new reply, a conversation that was given to them.

The page keeps the newest id that it was told of; ids sort by time. A reply whose transaction was overtaken
by a later one's is not told of: it stands in the list all the same.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from accounts.models import Membership
from accounts.tenancy import uuid7
from outreach.inbox import listing
from outreach.models import Reply, ReplyKind, Thread

# More than these are told as a number.
MOST_TOLD = 5


@dataclass(frozen=True)
class News:
    """`sentence` is empty where nothing is new; `thread` is what it leads to, None for the whole inbox."""

    sentence: str
    thread: uuid.UUID | None
    waiting: str
    mark: uuid.UUID


def begin() -> uuid.UUID:
    """The mark of a page that is made now."""
    return uuid7()


def since(mark: uuid.UUID, me: Membership) -> News:
    """Three queries, whatever there is."""
    replies = Reply.objects.filter(id__gt=mark, kind=ReplyKind.REPLY).order_by("-id")
    wrote = list(replies.only("workspace_id", "thread_id", "from_name", "from_address")[: MOST_TOLD + 1])
    given = Thread.objects.filter(assignee=me, assignment__gt=mark).order_by("-assignment")
    mine = list(given.select_related("contact")[: MOST_TOLD + 1])
    newest = max([mark, *(row.pk for row in wrote), *(row.assignment for row in mine if row.assignment)])
    parts = []
    if len(wrote) == 1:
        parts.append(f"New reply from {wrote[0].from_name or wrote[0].from_address}")
    elif wrote:
        parts.append(f"{_number(wrote)} new replies")
    if len(mine) == 1:
        parts.append(f"A conversation with {mine[0].contact.greeting} is yours now")
    elif mine:
        parts.append(f"{_number(mine)} conversations are yours now")
    found = {row.thread_id for row in wrote} | {row.pk for row in mine}
    return News(
        sentence=". ".join(parts),
        thread=found.pop() if len(found) == 1 else None,
        waiting=listing.in_words(listing.count(Thread.objects.waiting())),
        mark=newest,
    )


def _number(rows: list[Reply] | list[Thread]) -> str:
    return f"More than {MOST_TOLD}" if len(rows) > MOST_TOLD else str(len(rows))
