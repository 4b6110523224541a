"""What people and the product did in a workspace."""

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.tenancy import WorkspaceModel


class AuditEvent(WorkspaceModel):
    """One line of the activity log. `sentence` may name addresses, so it is ciphertext."""

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40, blank=True)
    sentence = EncryptedTextField()

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "-at", "-id"], name="audit_newest_first")]
