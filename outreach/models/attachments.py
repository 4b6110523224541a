"""Files that a person hangs on an answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedBytesField, EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from outreach.models.messages import Message
from outreach.models.threads import Thread


class Attachment(WorkspaceModel):
    """One file of an answer. Until the answer is written it waits under the composer's id.

    `content_type` is what the browser said, bounded; it is sent on and never used to show the file.
    """

    inventory = Kept(Data.CONTENT, "A file of an answer", "Its mail goes; a day where it was not sent")
    project_path = "thread__project"
    mailbox_path = "thread__mailbox"

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="attachments")
    compose_id = models.UUIDField()
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="attachments")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    name = EncryptedTextField()
    content_type = models.CharField(max_length=129)
    size = models.PositiveIntegerField()
    content = EncryptedBytesField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "compose_id"], name="attachment_of_composer")]
