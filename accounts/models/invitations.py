"""An invitation into a workspace: bound to one address, used once, gone after a week."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.models.workspaces import Role
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


class Invitation(WorkspaceModel):
    """`token_hash` is SHA-256 of the token in the mailed link; the link also names the workspace by its SID.

    `project_ids` are the projects the person will see when `all_projects` is off.
    """

    inventory = Kept(Data.ACCOUNT, "Who was invited, by whom", "As long as the workspace")
    project_path = Everybody("for admins, who see every project")

    email = EncryptedTextField()
    email_index = models.BinaryField(max_length=32)
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    all_projects = models.BooleanField(default=True)
    project_ids = models.JSONField(default=list)
    token_hash = models.BinaryField(max_length=32)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "email_index"],
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_per_address",
            ),
            models.UniqueConstraint(fields=["workspace", "token_hash"], name="one_invitation_per_token"),
        ]
