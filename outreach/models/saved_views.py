"""A filter of a list under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


class ViewPage(models.TextChoices):
    """The lists whose filters can be kept."""

    CONTACTS = "contacts", "Contacts"
    CAMPAIGNS = "campaigns", "Campaigns"
    INBOX = "inbox", "Inbox"


class SavedView(WorkspaceModel):
    """`query` is what stands behind the page's address; it may hold an address that was looked for.

    Without `is_shared` it is its owner's alone.
    """

    inventory = Kept(
        Data.CONTENT, "A filter of a list under a name", "A person deletes it, or its owner's account goes"
    )
    project_path = Everybody("a name and a query; what it finds is narrowed when it is opened")

    page = models.CharField(max_length=9, choices=ViewPage.choices)
    name = models.CharField(max_length=60)
    query = EncryptedTextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                F("workspace"), F("page"), F("owner"), Lower("name"), name="one_view_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
