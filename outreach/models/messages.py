"""The outbox: one row is one intended mail, and walks through the stages (faults.md 3)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db import models
from django.db.models import Case, F, Q, Value, When

from accounts import viewpoint
from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceManager, WorkspaceModel, WorkspaceQuerySet
from mailbox.models import Mailbox
from outreach.models.campaigns import Campaign, Enrollment, Step
from outreach.models.contacts import Contact
from outreach.models.projects import Project
from outreach.models.threads import Thread


class MessageKind(models.TextChoices):
    """Decides which gates apply (decisions 9)."""

    FIRST = "first", "First mail"
    FOLLOW_UP = "follow_up", "Follow-up"
    REMOVAL = "removal", "Removal request"
    ANSWER = "answer", "Answer in a thread"
    TEST = "test", "Test to oneself"


class MessageState(models.TextChoices):
    """faults.md 3 is law; screens use the words of decisions 19."""

    PLANNED = "planned", "Planned"
    QUEUED = "queued", "Queued"
    CLAIMED = "claimed", "Queued"
    DRAFTED = "drafted", "Queued"
    SUBMITTING = "submitting", "Sending now"
    DEFERRED = "deferred", "Waiting"
    DOUBT = "doubt", "In doubt"
    SENT = "sent", "Accepted"
    REFUSED = "refused", "Refused"
    CANCELLED = "cancelled", "Cancelled"
    SUPPRESSED = "suppressed", "Suppressed"


# States from which a stop may still cancel: nothing has been handed to the provider for sending.
STOPPABLE = [
    MessageState.PLANNED,
    MessageState.QUEUED,
    MessageState.CLAIMED,
    MessageState.DRAFTED,
    MessageState.DEFERRED,
]
FINAL = [MessageState.SENT, MessageState.REFUSED, MessageState.CANCELLED, MessageState.SUPPRESSED]
# What a mailbox's cap counts: certain or possible mails (faults 3.1 rule 5).
COUNTED = [MessageState.SUBMITTING, MessageState.DOUBT, MessageState.SENT]


# Written by a person who waits for it: no spacing, no window (decisions 9, G7).
AT_ONCE = [MessageKind.ANSWER, MessageKind.TEST]


class MessageQuerySet(WorkspaceQuerySet["Message"]):
    def due(self) -> MessageQuerySet:
        """Queued or waiting, and their time has come by the database's clock."""
        return self.filter(
            Q(state=MessageState.QUEUED, due_at__lte=Now())
            | Q(state=MessageState.DEFERRED, not_before__lte=Now())
        )

    def stoppable(self) -> MessageQuerySet:
        return self.filter(state__in=STOPPABLE)

    def ask_again(self, reason: str) -> int:
        """What waits for this reason is asked about at once: a person has changed what it waited for."""
        waiting = [MessageState.PLANNED, MessageState.QUEUED, MessageState.DEFERRED]
        return self.filter(state__in=waiting, reason=reason, not_before__gt=Now()).update(not_before=Now())

    def cancel(self, reason: str) -> int:
        """Stop every row that has not been handed over for sending; how many were stopped.

        The fence grows, so that a worker that holds one of them loses it.
        """
        return self.stoppable().update(
            state=MessageState.CANCELLED,
            reason=reason,
            fence=F("fence") + 1,
            lease_until=None,
            ended_at=Now(),
            draft_left=has_draft(),
        )


def has_draft() -> Case:
    """For update(): whether the row has a draft, which the janitor throws away once the row has ended."""
    return Case(When(draft_id__isnull=False, then=Value(True)), default=Value(False))


MessageManager = WorkspaceManager.from_queryset(MessageQuerySet)


class Message(WorkspaceModel):
    """One mail to one person.

    Unique by (campaign, step, enrollment) for sequences and by `compose_id` for everything else: the id
    minted when the composer opened (decisions 2). `fence` only grows; each write of a worker names the
    fence that it holds. `reason` is a stable code of outreach.policy or a stage; `detail` its words.
    Text columns are empty until the row is queued, and frozen from then on (decisions 3).
    """

    inventory = Kept(
        Data.CONTENT,
        "One mail: its text, what became of it",
        "Its project or contact is deleted, or its mailbox by the bin",
    )
    project_path = "project"
    mailbox_path = "mailbox"
    # Our part of a conversation is as private as theirs; a sequence's mails are the project's.
    mailbox_rows = Q(kind=MessageKind.ANSWER)

    kind = models.CharField(max_length=9, choices=MessageKind.choices)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="messages")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.CASCADE, related_name="messages")
    step = models.ForeignKey(Step, null=True, on_delete=models.PROTECT, related_name="messages")
    enrollment = models.ForeignKey(Enrollment, null=True, on_delete=models.CASCADE, related_name="messages")
    compose_id = models.UUIDField(null=True)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.CASCADE, related_name="messages")
    thread = models.ForeignKey(Thread, null=True, on_delete=models.CASCADE, related_name="messages")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    generation = models.PositiveIntegerField(default=0)

    state = models.CharField(max_length=10, choices=MessageState.choices, default=MessageState.PLANNED)
    reason = models.CharField(max_length=60, blank=True)
    detail = EncryptedTextField(null=True)
    due_at = models.DateTimeField(db_default=Now())
    not_before = models.DateTimeField(null=True)
    attempt_no = models.PositiveSmallIntegerField(default=0)
    kills = models.PositiveSmallIntegerField(default=0)
    resends = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    settle_at = models.DateTimeField(null=True)

    to_address = EncryptedTextField()
    to_index = models.BinaryField(max_length=32, null=True)
    to_name = EncryptedTextField()
    subject = EncryptedTextField()
    text = EncryptedTextField()
    html = EncryptedTextField(null=True)
    headers = EncryptedTextField(null=True)  # JSON: [[name, value], …]
    content_hash = models.CharField(max_length=64, blank=True)
    tracks_opens = models.BooleanField(default=False)
    tracks_clicks = models.BooleanField(default=False)

    draft_id = EncryptedTextField(null=True)
    # The draft as we left it; another one, and somebody saved it since (F43). None: unknown, not compared.
    draft_version = EncryptedTextField(null=True)
    draft_left = models.BooleanField(default=False)  # ended with a draft that still lies in the mailbox
    # Since when a draft of this mail may lie in the mailbox that `draft_id` does not name (F3).
    draft_unclear_at = models.DateTimeField(null=True)
    provider_id = EncryptedTextField(null=True)
    provider_index = models.BinaryField(max_length=32, null=True)
    rfc_message_id = EncryptedTextField(null=True)  # RFC 5322 Message-ID as the provider stamped it
    rfc_message_index = models.BinaryField(max_length=32, null=True)
    provider_copies = models.PositiveSmallIntegerField(default=0)

    created_at = models.DateTimeField(db_default=Now())
    queued_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    # Evidence, kept beside the row so that lists need no events (performance.md, "Counters to keep").
    bounced_at = models.DateTimeField(null=True)
    bounce_kind = models.CharField(max_length=8, blank=True)
    opened_at = models.DateTimeField(null=True)
    opens = models.PositiveIntegerField(default=0)
    clicked_at = models.DateTimeField(null=True)
    clicks = models.PositiveIntegerField(default=0)
    automatic_clicks = models.PositiveIntegerField(default=0)
    replied_at = models.DateTimeField(null=True)
    auto_replied_at = models.DateTimeField(null=True)

    objects = MessageManager()  # type: ignore[misc]

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "step", "enrollment"],
                condition=Q(enrollment__isnull=False),
                name="one_message_per_step_and_person",
            ),
            models.UniqueConstraint(
                fields=["workspace", "compose_id"],
                condition=Q(compose_id__isnull=False),
                name="one_message_per_composer",
            ),
            models.CheckConstraint(
                condition=Q(enrollment__isnull=False) | Q(compose_id__isnull=False), name="message_has_a_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "mailbox", "due_at", "id"],
                condition=Q(state__in=["planned", "queued", "deferred"]),
                name="message_in_line",
            ),
            models.Index(
                fields=["workspace", "mailbox", "due_at", "id"],
                condition=Q(
                    kind__in=["answer", "test"],
                    state__in=["planned", "queued", "claimed", "drafted", "deferred"],
                ),
                name="message_somebody_waits_for",
            ),
            models.Index(
                fields=["workspace", "mailbox", "-sent_at"],
                condition=Q(state="sent"),
                name="message_newest_sent",
            ),
            # With what Home tells of the last days, so that no mail itself is read for it.
            models.Index(
                fields=["workspace", "sent_at"],
                include=["contact", "kind", "replied_at"],
                condition=Q(state="sent"),
                name="message_sent_by_time",
            ),
            models.Index(
                fields=["workspace", "step", "-attempted_at"],
                condition=Q(state__in=["submitting", "doubt", "sent"], kind="first"),
                name="message_newest_of_text",
            ),
            models.Index(
                fields=["workspace", "state", "lease_until"],
                condition=Q(state__in=["claimed", "drafted", "submitting", "doubt"]),
                name="message_under_way",
            ),
            models.Index(
                fields=["workspace", "settle_at"],
                condition=Q(settle_at__isnull=False),
                name="message_to_settle",
            ),
            models.Index(
                fields=["workspace", "mailbox"],
                condition=Q(draft_left=True) | Q(draft_unclear_at__isnull=False),
                name="message_with_left_draft",
            ),
            models.Index(
                fields=["workspace", "ended_at"], condition=Q(state="refused"), name="message_refused"
            ),
            models.Index(fields=["workspace", "campaign", "state"], name="message_by_campaign"),
            models.Index(
                fields=["workspace", "campaign", "kind", "enrollment"],
                condition=Q(state__in=["submitting", "doubt", "sent"]),
                name="message_written",
            ),
            models.Index(fields=["workspace", "thread", "sent_at"], name="message_in_thread"),
            models.Index(fields=["workspace", "rfc_message_index"], name="message_by_rfc_id"),
            models.Index(fields=["workspace", "to_index", "sent_at"], name="message_by_recipient"),
        ]

    def move(
        self, to: MessageState, *, fence: int, was: list[MessageState] | None = None, **values: Any
    ) -> bool:
        """Change the state only while `fence` is still ours (and the state one of `was`); whether it was."""
        rows = Message.objects.filter(pk=self.pk, fence=fence)
        if was is not None:
            rows = rows.filter(state__in=was)
        return rows.update(state=to, **values) == 1

    @property
    def open_thread_id(self) -> uuid.UUID | None:
        """The conversation it stands in, where whoever looks may read it: a link to it leads somewhere."""
        here = viewpoint.current()
        hidden = here is not None and self.mailbox_id in here.hidden_mailboxes
        return None if hidden else self.thread_id

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    def quiet_at(self, seconds: float) -> dt.datetime | None:
        """When "no bounce after 72 h" may be said, or None."""
        return self.sent_at + dt.timedelta(seconds=seconds) if self.sent_at else None
