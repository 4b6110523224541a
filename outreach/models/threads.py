"""A conversation with one contact, and what came back in it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.models import Membership
from accounts.tenancy import WorkspaceManager, WorkspaceModel, WorkspaceQuerySet
from mailbox.models import Mailbox
from outreach.models.campaigns import Campaign, Enrollment
from outreach.models.contacts import Contact
from outreach.models.projects import Project


class Label(models.TextChoices):
    """Set by a person; the words of decisions 19."""

    INTERESTED = "interested", "Interested"
    QUESTION = "question", "Question"
    SAYS_REMOVED = "says_removed", "Says it is removed"
    PLACED = "placed", "Link placed"
    ASKS_PAYMENT = "asks_payment", "Asks for payment"
    NOT_NOW = "not_now", "Not now"
    DECLINED = "declined", "Declined"
    WRONG_PERSON = "wrong_person", "Wrong person"
    OUT_OF_OFFICE = "out_of_office", "Out of office"
    OPTED_OUT = "opted_out", "Opted out"
    UNCLEAR = "unclear", "Unclear"


class ThreadQuerySet(WorkspaceQuerySet["Thread"]):
    """The states of the inbox, by query alone: nothing has to run for a snoozed conversation to come back."""

    def heard(self) -> ThreadQuerySet:
        """With a place in the inbox: something came in, or somebody wants it back at a time."""
        return self.filter(stands_at__isnull=False)

    def waiting(self) -> ThreadQuerySet:
        """A reply waits for a person, or a snooze is over."""
        waits = Q(waits_since__isnull=False, snoozed_until__isnull=True)
        return self._open().filter(waits | Q(snoozed_until__lte=Now()))

    def snoozed(self) -> ThreadQuerySet:
        return self._open().filter(snoozed_until__gt=Now())

    def done(self) -> ThreadQuerySet:
        """A person answered or pressed Done, and nobody waits any more."""
        ended = Q(replied_at__isnull=False) | Q(done_at__isnull=False)
        return self.heard().filter(ended, waits_since__isnull=True, snoozed_until__isnull=True)

    def _open(self) -> ThreadQuerySet:
        # The words of the index `thread_open`.
        return self.heard().filter(Q(waits_since__isnull=False) | Q(snoozed_until__isnull=False))


ThreadManager = WorkspaceManager.from_queryset(ThreadQuerySet)
_NEWEST = ["-stands_at", "-id"]
_HEARD = Q(stands_at__isnull=False)


class Thread(WorkspaceModel):
    """Made with its first message; `provider_thread_*` are filled when the first draft exists.

    `waits_since` is set while a reply waits for a person, and None after an answer or "Done".
    `stands_at` is its place in the inbox: when the newest mail came in, or when it comes back from a snooze,
    so that it then stands on top. None: nothing came in yet. `label` is that of the newest reply by a
    person, `assignment` an id minted with each assignment. `indexed`: its mails' words can be searched
    (ThreadWords).
    """

    inventory = Kept(
        Data.CONTENT,
        "A conversation with one contact",
        "Its project or contact is deleted, or its mailbox by the bin",
    )
    project_path = "project"
    mailbox_path = "mailbox"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="threads")
    campaign = models.ForeignKey(Campaign, null=True, on_delete=models.SET_NULL, related_name="threads")
    enrollment = models.ForeignKey(Enrollment, null=True, on_delete=models.SET_NULL, related_name="threads")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="threads")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    subject = EncryptedTextField()
    provider_thread_id = EncryptedTextField(null=True)
    provider_thread_index = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())
    waits_since = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    stands_at = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    unread = models.BooleanField(default=False, db_default=False)
    label = models.CharField(max_length=13, choices=Label.choices, blank=True, default="", db_default="")
    assignee = models.ForeignKey(
        Membership, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    assignment = models.UUIDField(null=True)
    indexed = models.BooleanField(default=False, db_default=False)

    objects = ThreadManager()  # type: ignore[misc]

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "provider_thread_index"],
                condition=models.Q(provider_thread_index__isnull=False),
                name="one_thread_per_conversation",
            )
        ]
        # All but the first leave out what nothing came back to, so that sending pays nothing for them.
        indexes = [
            models.Index(fields=["workspace", "-last_at", "-id"], name="thread_newest_first"),
            models.Index(fields=["workspace", *_NEWEST], name="thread_heard", condition=_HEARD),
            models.Index(
                fields=["workspace", *_NEWEST],
                name="thread_open",
                condition=Q(waits_since__isnull=False) | Q(snoozed_until__isnull=False),
            ),
            models.Index(fields=["campaign", *_NEWEST], name="thread_of_campaign", condition=_HEARD),
            models.Index(fields=["project", *_NEWEST], name="thread_of_project", condition=_HEARD),
            models.Index(fields=["mailbox", *_NEWEST], name="thread_of_mailbox", condition=_HEARD),
            models.Index(
                fields=["assignee", *_NEWEST], name="thread_assigned", condition=Q(assignee__isnull=False)
            ),
            models.Index(
                fields=["assignee", "assignment"], name="thread_given", condition=Q(assignment__isnull=False)
            ),
            models.Index(
                fields=["workspace", "label", *_NEWEST], name="thread_labelled", condition=Q(label__gt="")
            ),
            models.Index(fields=["workspace", *_NEWEST], name="thread_unread", condition=Q(unread=True)),
            models.Index(
                fields=["workspace", "id"], name="thread_not_indexed", condition=_HEARD & Q(indexed=False)
            ),
        ]

    @property
    def waits(self) -> bool:
        """For screens: somebody has to act on it, now or when its snooze is over."""
        return self.waits_since is not None or self.snoozed_until is not None


class ReplyKind(models.TextChoices):
    REPLY = "reply", "Replied"
    AUTO_REPLY = "auto_reply", "Auto-reply"
    BOUNCE = "bounce", "Bounced"


class Reply(WorkspaceModel):
    """An inbound mail of one of our threads: a reply, an auto-reply or a bounce.

    `text` is what is new in it, `quoted` the folded rest, `html` the cleaned whole (None where the mail
    had none). `different_sender`: it came from another address than the one written to (F35, F36).
    """

    inventory = Kept(Data.CONTENT, "What came back in a conversation", "Its conversation goes")
    project_path = "thread__project"
    mailbox_path = "mailbox"

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="replies")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    message = models.ForeignKey(
        "outreach.Message", null=True, on_delete=models.SET_NULL, related_name="replies"
    )
    kind = models.CharField(max_length=10, choices=ReplyKind.choices)
    provider_id = EncryptedTextField()
    provider_index = models.BinaryField(max_length=32)
    rfc_message_id = EncryptedTextField()
    rfc_message_index = models.BinaryField(max_length=32)
    from_address = EncryptedTextField()
    from_name = EncryptedTextField()
    subject = EncryptedTextField()
    text = EncryptedTextField()
    quoted = EncryptedTextField()
    html = EncryptedTextField(null=True)
    attachments = EncryptedTextField(null=True)  # JSON: [[name, content type, bytes], …]
    size = models.PositiveIntegerField(default=0)
    truncated = models.BooleanField(default=False)
    different_sender = models.BooleanField(default=False)
    label = models.CharField(max_length=13, choices=Label.choices, blank=True)
    labelled_at = models.DateTimeField(null=True)
    bounce_kind = models.CharField(max_length=8, blank=True)
    bounce_status = models.CharField(max_length=12, blank=True)
    diagnostic = EncryptedTextField(null=True)
    received_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "provider_index"], name="one_reply_per_provider_message"
            )
        ]
        indexes = [
            models.Index(fields=["workspace", "thread", "received_at"], name="reply_in_thread"),
            models.Index(fields=["workspace", "rfc_message_index"], name="reply_by_rfc_id"),
            models.Index(
                fields=["workspace", "received_at"], condition=Q(kind="reply"), name="reply_by_time"
            ),
        ]


class Note(WorkspaceModel):
    """Written to colleagues, in a conversation: never mailed, never part of an answer."""

    inventory = Kept(
        Data.CONTENT, "What colleagues tell each other in a conversation", "Its conversation goes"
    )
    project_path = "thread__project"
    mailbox_path = "mailbox"

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="notes")
    # The thread's, so that a note is as private as the replies that it is about.
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = EncryptedTextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "thread", "created_at"], name="note_in_thread")]


class ThreadWords(WorkspaceModel):
    """The words of a conversation of the inbox as HMACs, to be found by (decisions 13).

    A table of its own: a thread's row is written with each mail, and each writing would enter all words anew.
    """

    inventory = Kept(Data.CONTENT, "Finds conversations by a word, by HMAC", "Its conversation goes")
    project_path = "thread__project"

    thread = models.OneToOneField(Thread, on_delete=models.CASCADE, related_name="+")
    words = ArrayField(models.BigIntegerField())

    class Meta(WorkspaceModel.Meta):
        indexes = [GinIndex(fields=["words"], name="thread_words", gin_pending_list_limit=512)]
