"""Texts that are kept for the next campaign."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


class TextUse(models.TextChoices):
    """What a text is for."""

    LINK_BUILDING = "link_building", "Link building"
    GUEST_POST = "guest_post", "Guest post"
    REMOVAL = "removal", "Removal request"
    PARTNERSHIP = "partnership", "Partnership"
    OTHER = "other", "Other"


class SavedText(WorkspaceModel):
    """A subject and a text as Liquid, or a snippet: a piece of text without a subject, to put into another.

    `body` is HTML, as a step's is; a campaign in plain text gets it turned. `folder` "" is none.
    """

    inventory = Kept(Data.CONTENT, "A text to write the next campaign from", "A person deletes it")
    project_path = Everybody("one library for all projects: a text is written once and used in each of them")

    name = models.CharField(max_length=120)
    folder = models.CharField(max_length=60, blank=True)
    use = models.CharField(max_length=13, choices=TextUse.choices, default=TextUse.OTHER)
    is_snippet = models.BooleanField(default=False)
    subject = EncryptedTextField()
    body = EncryptedTextField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "folder", "name"], name="text_by_folder")]

    def __str__(self) -> str:
        return self.name
