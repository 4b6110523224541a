"""API keys: shown once, stored hashed; which credential made which request (promises 19, 23), and what was
answered to one that may come again."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from accounts.clock import Now
from accounts.encryption import EncryptedTextField
from accounts.inventory import Data, Kept
from accounts.models.workspaces import Workspace
from accounts.tenancy import WorkspaceModel
from accounts.viewpoint import Everybody


class KeyKind(models.TextChoices):
    TOKEN = "token", "Workspace token"
    KEY = "key", "API key"


class ApiKey(WorkspaceModel):
    """A credential of the workspace. `digest` is SHA-256 of the whole secret, which has 256 random bits.

    `prefix` is the part that may be shown and searched for in a leak. A rotation makes a new row that
    `succeeds` the old one, and sets the old one's `expires_at` to the end of the overlap.
    """

    inventory = Kept(
        Data.ACCOUNT,
        "Access for programs; secrets stand hashed",
        "As long as the workspace; revoked ones open nothing",
    )
    project_path = Everybody("for admins, who see every project")

    kind = models.CharField(max_length=5, choices=KeyKind.choices, default=KeyKind.KEY)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=20)
    digest = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list)
    # Networks in CIDR form; empty: from everywhere (T31).
    networks = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.CharField(max_length=45, blank=True)
    revoked_at = models.DateTimeField(null=True)
    succeeds = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="successors")

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="one_key_per_digest"),
            models.UniqueConstraint(
                fields=["workspace"],
                condition=models.Q(kind="token", revoked_at=None, expires_at=None),
                name="one_current_token_per_workspace",
            ),
        ]


class KeyPlace(models.Model):
    """Which workspace a Bearer key opens: a directory table (decisions 12), hashes and ids only."""

    inventory = Kept(Data.ACCOUNT, "Finds the workspace of a key by its hash", "With its key")

    digest = models.BinaryField(primary_key=True, max_length=32)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")


class ApiRequest(WorkspaceModel):
    """One request to the API: which credential, what, from where. Kept 30 days, without content.

    `route` is the pattern, never the path. `key` is None for a person's browser session, which `user` names.
    """

    inventory = Kept(Data.USAGE, "Which credential made which request", "30 days")
    project_path = Everybody("for admins, who see every project")

    at = models.DateTimeField(db_default=Now())
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    credential = models.CharField(max_length=20)
    method = models.CharField(max_length=7)
    route = models.CharField(max_length=120)
    status = models.PositiveSmallIntegerField()
    place = models.CharField(max_length=45, blank=True)
    country = models.CharField(max_length=2, blank=True)
    device = models.CharField(max_length=60, blank=True)

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "-at", "-id"], name="request_newest_first")]


class ApiAnswer(WorkspaceModel):
    """What a request with an `Idempotency-Key` was answered, so that its repetition does nothing again.

    Both digests are SHA-256: `key_digest` of the credential and the key, `request_digest` of the key and of
    what was asked. The key itself, which nobody can tell from them, is not stored.
    """

    inventory = Kept(Data.CONTENT, "A request to the API that is repeated is done once", "24 hours")
    project_path = Everybody("found by the credential that asked, which has had the answer")

    key_digest = models.BinaryField(max_length=32)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(default=0)
    body = EncryptedTextField()
    at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "key_digest"], name="one_answer_per_key")]
        indexes = [models.Index(fields=["workspace", "at"], name="answer_oldest_first")]
