"""What stands in a soak of replies: mails that have left, as sending leaves them, and what was stored.

Imported once the world is up: the product's settings are read from its environment.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import uuid
from collections.abc import Iterable

from accounts import clock
from accounts.tenancy import workspace
from mailbox import watches
from mailbox.models import Mailbox
from mailbox.sandbox.accounts import Account
from outreach import threads
from outreach.models import (
    Basis,
    Campaign,
    Comparison,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Reply,
    Site,
    Thread,
)
from outreach.models.contacts import address_index
from tests.soak.replies_mail import Conversation, ours
from tests.soak.replies_oracle import Kept
from tests.soak.replies_world import ReplyWorld


def promise_pushes(workspaces: Iterable[uuid.UUID]) -> None:
    """Polls alone must find everything: the nightly comparison has been, and is not due for years."""
    for here in workspaces:
        with workspace(here):
            for mailbox in Mailbox.objects.all():
                watches.begin(mailbox)
                watches.renew(mailbox)
                later = clock.now() + dt.timedelta(days=3650)
                Comparison.objects.create(mailbox=mailbox, started_at=later, finished_at=later)


def send(
    world: ReplyWorld, here: uuid.UUID, box: uuid.UUID, dice: random.Random, *, count: int
) -> list[Conversation]:
    """So many first mails as sending leaves them: a sent copy at the provider, rows that know its ids."""
    with workspace(here):
        mailbox = Mailbox.objects.get(pk=box)
        campaign = Campaign.objects.select_related("project").get(mailbox=mailbox)
        step = campaign.steps.get(position=1)
        site, _ = Site.objects.get_or_create(domain=f"{dice.getrandbits(40):x}.example")
        given = world.ask("accounts", provider=mailbox.provider, email=mailbox.address)
        account = Account(**{name: value for name, value in given.items() if name != "private"})
        people = [
            Contact(site=site, address=to, address_index=address_index(to), name="Ana Berg", country="US",
                    basis=Basis.CONSENT, source="soak")
            for to in (f"p{one}@{site.domain}" for one in range(count))
        ]  # fmt: skip
        Contact.objects.bulk_create(people)
        enrollments = [
            Enrollment(campaign=campaign, contact=one, state=EnrollmentState.RUNNING) for one in people
        ]
        Enrollment.objects.bulk_create(enrollments)
        talks, rows, rows_of_threads = [], [], []
        now = clock.now()
        for one in enrollments:
            address = str(one.contact.address)
            thread = Thread(
                project=campaign.project, campaign=campaign, enrollment=one, contact=one.contact,
                mailbox=mailbox, subject="Your hut table",
            )  # fmt: skip
            name = f"<{thread.pk}@soak.example>"
            raw = ours(
                mailbox=str(mailbox.address), to=address, token=f"s{thread.pk}", thread=str(thread.pk),
                message_id=name, at=world.now(),
            )  # fmt: skip
            copy = world.take_in(str(mailbox.address), raw, folder="sentitems")
            thread.provider_thread_id = copy["thread"]
            thread.provider_thread_index = threads.thread_index(copy["thread"])
            rows_of_threads.append(thread)
            rows.append(
                Message(
                    kind=MessageKind.FIRST, state=MessageState.SENT, project=campaign.project,
                    campaign=campaign, step=step, enrollment=one, contact=one.contact, mailbox=mailbox,
                    thread=thread, generation=mailbox.generation, due_at=now, queued_at=now,
                    attempted_at=now, sent_at=now, to_address=address,
                    to_index=one.contact.address_index, to_name="Ana Berg", subject="Your hut table",
                    text="Hello Ana", provider_id=copy["id"],
                    provider_index=threads.provider_index(copy["id"]), rfc_message_id=name,
                    rfc_message_index=threads.message_id_index(name),
                )
            )  # fmt: skip
            talks.append(
                Conversation(str(thread.pk), str(mailbox.address), str(mailbox.provider), account,
                             copy["thread"], name, address, raw)
            )  # fmt: skip
        Thread.objects.bulk_create(rows_of_threads)
        Message.objects.bulk_create(rows)
    return talks


def kept(workspaces: Iterable[uuid.UUID]) -> list[Kept]:
    """What the product has stored, opened."""
    found = []
    for here in workspaces:
        with workspace(here):
            for row in Reply.objects.select_related("mailbox").iterator(chunk_size=2000):
                tokens = frozenset(re.findall(r"(r\d+)-words", str(row.text)))
                address = str(row.mailbox.address) if row.mailbox else ""
                found.append(Kept(address, str(row.provider_id), str(row.thread_id), str(row.kind), tokens))
    return found
