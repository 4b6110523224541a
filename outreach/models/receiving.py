"""What receiving remembers beside the replies: what was not ours, what may be ours, and what was compared."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody
from mailbox.models import Mailbox
from outreach.models.threads import Thread


class PassedOver(WorkspaceModel):
    """A mail that was read for a stated purpose and was not ours after all: it is never read again."""

    inventory = Kept(
        Data.USAGE, "That a mail was read once and is not ours, by HMAC", "Its mailbox goes by the bin"
    )
    project_path = Everybody("an HMAC of a provider's id, shown to nobody")

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    provider_index = models.BinaryField(max_length=32)
    at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["mailbox", "provider_index"], name="passed_over_once")]


class Comparison(WorkspaceModel):
    """Every conversation of a mailbox beside the provider's: how many, and what was missed.

    Goes on from `at_thread` until `finished_at`. `missing` were not stored although they had come before the
    mailbox's last poll; they are stored by now.
    """

    inventory = Kept(
        Data.USAGE, "How many conversations were compared with the provider, and when", "30 of a mailbox"
    )
    project_path = Everybody("counts of a mailbox, without any content")

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="comparisons")
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    at_thread = models.UUIDField(null=True)
    threads = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox"], condition=Q(finished_at=None), name="one_comparison_at_a_time"
            )
        ]
        indexes = [models.Index(fields=["workspace", "mailbox", "-started_at"], name="comparison_newest")]


class Suggested(models.TextChoices):
    """What a person said of a mail that may be an answer."""

    OPEN = "open", "May be an answer"
    YES = "yes", "Is an answer"
    NO = "no", "Is no answer"


class Suggestion(WorkspaceModel):
    """A mail that nothing but its sender or its subject ties to `thread`: a person decides (F37).

    Known by its headers alone: its text is read only behind a yes. After a no nothing of it stays but
    `provider_index`, so that it is not suggested again. `stored_at`: behind a yes, its text is here.
    `looks`: how often the provider refused its text, of a mail that is in our conversation by its headers too
    (outreach/refused_reads.py).
    """

    inventory = Kept(
        Data.CONTENT,
        "Sender and subject of a mail that may be an answer",
        "A person says no, or its thread goes",
    )
    project_path = "thread__project"
    mailbox_path = "mailbox"

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="suggestions")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=4, choices=Suggested.choices, default=Suggested.OPEN)
    provider_id = EncryptedTextField()
    provider_index = models.BinaryField(max_length=32)
    from_address = EncryptedTextField()
    from_name = EncryptedTextField()
    subject = EncryptedTextField()
    received_at = models.DateTimeField()
    made_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    stored_at = models.DateTimeField(null=True)
    looks = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "provider_index"], name="one_suggestion_a_mail")
        ]
        indexes = [
            models.Index(
                fields=["workspace", "received_at"], condition=Q(state="open"), name="suggestion_open"
            ),
            models.Index(
                fields=["workspace", "mailbox"],
                condition=Q(state="yes", stored_at=None),
                name="suggestion_to_fetch",
            ),
        ]
