"""One person's mail that somebody wrote over by hand before it was frozen."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from outreach.models.campaigns import Enrollment, Step


class HandEdit(WorkspaceModel):
    """Subject and body as they go out: no fields, no choices. The footer is added as to every mail.

    `body` is HTML, or plain text where the campaign is. `subject` is empty for a follow-up, which answers in
    the thread. `of_text` is a hash of the step's text when this was written: the text may change since.
    """

    inventory = Kept(
        Data.CONTENT,
        "One person's mail, edited by hand",
        "It is undone, or its campaign or contact is deleted",
    )
    project_path = "enrollment__campaign__project"

    enrollment = models.ForeignKey(Enrollment, on_delete=models.CASCADE, related_name="hand_edits")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="hand_edits")
    subject = EncryptedTextField()
    body = EncryptedTextField()
    of_text = models.CharField(max_length=64)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    edited_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["enrollment", "step"], name="one_hand_edit_per_mail"),
        ]
