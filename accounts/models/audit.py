"""What people and the product did in a workspace: rows that only grow, their chain, and their words."""

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.origin import ActorKind
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody

ERASED = "The words of this line were erased."


class AuditEvent(WorkspaceModel):
    """One line of the activity log: written once, never changed or deleted (APPEND_ONLY in accounts/walls/).

    `actor` is the person's SID and no constraint: deleting an account must not touch the log, and leaves a
    pseudonym in it. `place` is a network, never an address. `digest` is SHA-256 over the words and their
    salt, which stand in `AuditText`, so that keys can be rotated and words erased without breaking the chain.
    """

    inventory = Kept(Data.ACCOUNT, "Who did what: when, from where, by hash", "As long as the workspace")
    project_path = Everybody("for admins, who see every project")

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        to_field="sid",
        db_column="actor_sid",
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
    )
    actor_kind = models.CharField(max_length=8, choices=ActorKind.choices, default=ActorKind.PRODUCT)
    credential = models.CharField(max_length=20, blank=True)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=20, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    place = models.CharField(max_length=43, blank=True)
    country = models.CharField(max_length=2, blank=True)
    device = models.CharField(max_length=60, blank=True)
    digest = models.BinaryField(max_length=32)

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["workspace", "-at", "-id"], name="audit_newest_first"),
            models.Index(fields=["workspace", "actor", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["workspace", "object_kind", "-at", "-id"], name="audit_by_kind"),
            models.Index(fields=["workspace", "object_id", "-at", "-id"], name="audit_by_object"),
        ]

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return str(self.text.sentence) or ERASED


class AuditText(WorkspaceModel):
    """The words of a line, which may name addresses. Empty once they are erased."""

    inventory = Kept(Data.CONTENT, "The sentence of an act", "As long as the workspace")
    project_path = Everybody("for admins, who see every project")

    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="text")
    sentence = EncryptedTextField()
    salt = EncryptedTextField()
    # Whether the event has its place in the chain; the sealer looks for those that have none.
    sealed = models.BooleanField(default=False)

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["workspace"], condition=models.Q(sealed=False), name="audit_text_unsealed")
        ]


class AuditSeal(WorkspaceModel):
    """An event's place in the workspace's chain (accounts/activity/chain.py); rows only grow."""

    inventory = Kept(Data.ACCOUNT, "The chain that shows a change of the log", "As long as the workspace")
    project_path = Everybody("hashes of the whole workspace's log")

    seq = models.PositiveBigIntegerField()
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="seal")
    hash = models.BinaryField(max_length=32)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "seq"], name="one_seal_per_seq")]


class AuditAnchor(WorkspaceModel):
    """The head of the chain on a day, and what a walk over the whole chain found; rows only grow."""

    inventory = Kept(Data.ACCOUNT, "The chain’s daily head", "As long as the workspace")
    project_path = Everybody("hashes of the whole workspace's log")

    day = models.DateField()
    at = models.DateTimeField(db_default=Now())
    seq = models.PositiveBigIntegerField()
    hash = models.BinaryField(max_length=32)
    # Empty where the chain was whole.
    fault = models.CharField(max_length=200, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "day"], name="one_anchor_per_day")]
