"""A conversation with one contact, and what came back in it."""

from __future__ import annotations

from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from mailbox.models import Mailbox
from outreach.models.campaigns import Campaign, Enrollment
from outreach.models.contacts import Contact
from outreach.models.projects import Project


class Thread(WorkspaceModel):
    """Made with its first message; `provider_thread_*` are filled when the first draft exists.

    `waits_since` is set while a reply waits for a person, and None after an answer or "Done".
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

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "provider_thread_index"],
                condition=models.Q(provider_thread_index__isnull=False),
                name="one_thread_per_conversation",
            )
        ]
        indexes = [models.Index(fields=["workspace", "-last_at", "-id"], name="thread_newest_first")]


class ReplyKind(models.TextChoices):
    REPLY = "reply", "Replied"
    AUTO_REPLY = "auto_reply", "Auto-reply"
    BOUNCE = "bounce", "Bounced"


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


class Reply(WorkspaceModel):
    """An inbound mail of one of our threads: a reply, an auto-reply or a bounce.

    `text` is what is new in it, `quoted` the folded rest, `html` the sanitised whole (None where the mail
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
        indexes = [models.Index(fields=["workspace", "thread", "received_at"], name="reply_in_thread")]
