"""The tenant, and who belongs to it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.text import slugify

from accounts.inventory import Data, Kept
from accounts.models.users import mint_sid
from accounts.tenancy import uuid7


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"

    @property
    def rank(self) -> int:
        return [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER].index(self)


MOST_COOL_DOWN_DAYS = 365


def _workspace_sid() -> str:
    return mint_sid("WS")


class Workspace(models.Model):
    """A tenant. Its name, postal address and defaults are account data and stand plain."""

    inventory = Kept(Data.ACCOUNT, "The customer: name, postal address, defaults", "As long as the workspace")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    sid = models.CharField(max_length=34, unique=True, default=_workspace_sid, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    postal_address = models.CharField(max_length=240, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    # Decisions 18: opens off; clicks on outside the EU/EEA, UK and Switzerland.
    tracks_opens = models.BooleanField(default=False)
    tracks_clicks = models.BooleanField(default=True)
    single_keys = models.BooleanField(default=True)
    # So long nobody is written to by a second campaign (F28); 0 switches that off.
    cool_down_days = models.PositiveSmallIntegerField(
        default=30, validators=[MaxValueValidator(MOST_COOL_DOWN_DAYS)]
    )
    # Members without a second factor are led to setting one up before they see anything.
    requires_two_factors = models.BooleanField(default=False)
    # Owners who want the activity log's daily head by mail, as an anchor outside this installation.
    mails_anchors = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def free_slug(cls, name: str) -> str:
        """A slug made from the name that nobody has; random digits where the name is taken."""
        base = slugify(name)[:48] or "workspace"
        if base in RESERVED_SLUGS or cls.objects.filter(slug=base).exists():
            return f"{base}-{uuid.uuid4().hex[:8]}"
        return base


RESERVED_SLUGS = {"new", "api", "admin", "static", "w"}


class Membership(models.Model):
    """A user's place in a workspace: a directory table without content (decisions 12)."""

    inventory = Kept(
        Data.ACCOUNT, "Who belongs to a workspace, and in which role", "The person leaves or is removed"
    )

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    # Off: only the projects that a ProjectAccess row names (owners and admins always see all).
    all_projects = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_per_user")]

    def may(self, least: Role) -> bool:
        """Whether this member's role is at least `least`."""
        return Role(self.role).rank >= least.rank
