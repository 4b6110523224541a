"""What is polled in `benchmarks/poll.py`: mailboxes that are due, and replies to mails that left them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.sending.world import World, fill

if TYPE_CHECKING:
    from accounts.models import Workspace
    from mailbox.models import Mailbox

Boxes = list[tuple["Workspace", "Mailbox"]]

# Nothing is due again by itself while something is measured.
PACE = {
    "POLL_SECONDS": "3600",
    "POLL_IDLE_SECONDS": "3600",
    "WAKE_SECONDS": "2",
    "SANDBOX_TOKEN_SECONDS": "43200",
}
ANSWER = (
    "Hello Mira,\n\nthank you for your note. We have changed the address on the page, please have a look and "
    "tell me whether anything else is missing.\n\nBest regards,\nAna Berg\nHut office, Harwick\n\n"
    "On Mon, 23 Nov 2026 at 09:12, Mira Dahl <mira@fernhill.example> wrote:\n"
    + "> Hello Ana, your page on hut tables names an address that is gone.\n"
    * 12
)


def make_due(boxes: Boxes) -> None:
    """All at once, as after a restart."""
    from accounts.clock import Now
    from accounts.tenancy import workspace
    from mailbox.models import Mailbox

    for here in {row.pk: row for row, _ in boxes}.values():
        with workspace(here):
            Mailbox.objects.update(next_poll_at=Now())


def waiting() -> int:
    """Mailboxes that are due or in hand."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM mailbox_pollturn WHERE due_at < app_now() + interval '25 minutes'"
        )
        return int(cursor.fetchone()[0])


def until_done(patience: float = 900.0) -> None:
    began = time.monotonic()
    while left := waiting():
        if time.monotonic() - began > patience:
            raise SystemExit(f"{left} mailboxes were not looked into in {patience:.0f} s")
        time.sleep(0.25)


def looked(boxes: Boxes) -> tuple[float, int]:
    """Seconds from the first to the last of the newest looks, and how many mailboxes have had one."""
    from django.db.models import Count, Max, Min

    from accounts.tenancy import workspace
    from mailbox.models import Mailbox

    found = []
    for here in {row.pk: row for row, _ in boxes}.values():
        with workspace(here):
            found.append(
                Mailbox.objects.aggregate(
                    first=Min("last_poll_at"), last=Max("last_poll_at"), looks=Count("last_poll_at")
                )
            )
    first, last = min(one["first"] for one in found), max(one["last"] for one in found)
    return float((last - first).total_seconds()), sum(one["looks"] for one in found)


def jobs_of(boxes: Boxes) -> list[tuple[Any, ...]]:
    """For the bare loop: the place of each mailbox and a token."""
    from accounts.tenancy import workspace
    from mailbox import oauth
    from mailbox.models import Mailbox

    jobs: list[tuple[Any, ...]] = []
    for here, box in boxes:
        with workspace(here):
            row = Mailbox.objects.get(pk=box.pk)
            token = oauth.access(row).token
            jobs.append((str(row.provider), row.pk, token, str(row.cursor), row.connected_at))
    return jobs


def answer_all(world: World, boxes: Boxes, *, replies: int) -> int:
    """Mails that have left, so many over all mailboxes, and an answer to each in the sandbox; how many."""
    from accounts import clock
    from accounts.encryption import seal
    from accounts.tenancy import workspace
    from outreach import threads
    from outreach.models import Message, MessageState

    # Queued ones would be sent meanwhile, and their true Message-IDs written over the names given below.
    count = fill(boxes, mails=replies, word="answered", state="sent")
    wishes: list[dict[str, Any]] = []
    for here in {row.pk: row for row, _ in boxes}.values():
        with workspace(here):
            rows = list(Message.objects.select_related("mailbox"))
            now = clock.now()
            for row in rows:
                assert row.mailbox is not None
                name = f"<{row.pk}@bench.example>"
                Message.objects.filter(pk=row.pk).update(
                    state=MessageState.SENT,
                    sent_at=now,
                    attempted_at=now,
                    rfc_message_index=threads.message_id_index(name),
                    **seal(row, rfc_message_id=name),
                )
                wishes.append(
                    {
                        "email": row.mailbox.address,
                        "from": f"Ana Berg <{row.to_address}>",
                        "subject": f"Re: {row.subject}",
                        "text": ANSWER,
                        "reply_to": name,
                    }
                )
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(world.ask, "inbound", **wish) for wish in wishes]:
            if "id" not in done.result():
                raise SystemExit("the sandbox did not take an answer in")
    return count


def stored(boxes: Boxes) -> tuple[int, float]:
    """How many replies, and the seconds from the first to the last."""
    from django.db.models import Count, Max, Min

    from accounts.tenancy import workspace
    from outreach.models import Reply

    found = []
    for here in {row.pk: row for row, _ in boxes}.values():
        with workspace(here):
            found.append(
                Reply.objects.aggregate(count=Count("pk"), first=Min("stored_at"), last=Max("stored_at"))
            )
    found = [one for one in found if one["count"]]
    if not found:
        return 0, 0.0
    first, last = min(one["first"] for one in found), max(one["last"] for one in found)
    return sum(one["count"] for one in found), float((last - first).total_seconds())


def server_processes(world: World) -> list[int]:
    """PostgreSQL's own, of this run alone: another one may be at work on the machine."""
    found: list[int] = []
    for file in world.data.rglob("postmaster.pid"):
        master = file.read_text().split()[0]
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = status.read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == master or status.parent.name == master:
                found.append(int(status.parent.name))
    return found
