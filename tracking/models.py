"""Observed facts about a mail, by opaque key: no foreign key upward."""

from __future__ import annotations

from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


class Kind(models.TextChoices):
    OPENED = "opened", "Opened (may be automatic)"
    CLICKED = "clicked", "Clicked"
    OPTED_OUT = "opted_out", "Opted out"


class Source(models.TextChoices):
    """Who made the request, as far as it can be told (threats 3)."""

    HUMAN = "human", "Likely a person"
    PROXY = "proxy", "A mail proxy: a person or a prefetch"
    PRIVACY = "privacy", "A privacy proxy"
    SCANNER = "scanner", "A scanner"
    SELF = "self", "The sender"


class Event(WorkspaceModel):
    """One fact. The address it came from is not stored, the class is."""

    inventory = Kept(
        Data.USAGE, "An open, a click, an opt-out; no address of the visitor", "Its mail is deleted"
    )
    project_path = Everybody("an opaque key and a time: reached only through a mail that one sees")

    key = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.CharField(max_length=8, choices=Source.choices)
    link = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "key", "at"], name="event_by_message")]


class LinkTarget(WorkspaceModel):
    """Where a link leads whose target is too long for its token. The id follows from its content."""

    inventory = Kept(Data.CONTENT, "Where a long link leads", "Its mail is deleted")
    project_path = Everybody("reached only through the key of a mail")

    key = models.UUIDField()
    url = EncryptedTextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "key"], name="target_by_message")]
