"""People, the sites they belong to, and who must not be written to."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.clock import Now
from accounts.encryption import EncryptedTextField, blind_index
from accounts.inventory import Data, Kept
from accounts.tenancy import WorkspaceManager, WorkspaceModel, WorkspaceQuerySet, current_workspace_id
from accounts.viewpoint import Everybody


class Site(WorkspaceModel):
    """A registrable domain that people or links belong to."""

    inventory = Kept(Data.CONTENT, "All contact with one domain in one place", "As long as the workspace")
    project_path = Everybody("one book of sites and people for all projects: nobody is written to twice")

    domain = models.CharField(max_length=253)
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "domain"], name="one_site_per_domain")]

    def __str__(self) -> str:
        return self.domain


class Basis(models.TextChoices):
    LEGITIMATE = "legitimate", "Legitimate interest"
    CONSENT = "consent", "Consent"
    CUSTOMER = "customer", "Existing customer"


class Consent(models.TextChoices):
    UNKNOWN = "unknown", "Not asked"
    GIVEN = "given", "Agreed to tracking"
    REFUSED = "refused", "Refused tracking"


def normal_address(address: str) -> str:
    """The form under which an address is compared: trimmed, lower case, the domain in IDNA (F28)."""
    local, _, domain = address.strip().lower().rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        pass
    return f"{local}@{domain}"


def address_index(address: str) -> bytes:
    """Blind index of an address in the open workspace, 32 bytes."""
    return blind_index(current_workspace_id(), "address", normal_address(address))


class ContactQuerySet(WorkspaceQuerySet["Contact"]):
    def untouched(self) -> ContactQuerySet:
        """Nobody wrote to them, enrolled them, attached them to a case or a card, edited or named them again."""
        nothing = dict.fromkeys(("messages", "enrollments", "threads", "cases", "cards"))
        return self.filter(touched_at=None, **nothing)


ContactManager = WorkspaceManager.from_queryset(ContactQuerySet)


class Contact(WorkspaceModel):
    """A person at an address. `fields` are custom merge fields (plain, docs/privacy.md).

    `imported_by` made the row; `touched_at`: since it was made, somebody edited it or another list named it.
    """

    inventory = Kept(Data.CONTENT, "Whom mail is written to, and on which basis", "A person deletes it")
    project_path = Everybody("one book of sites and people for all projects: nobody is written to twice")

    address = EncryptedTextField()
    address_index = models.BinaryField(max_length=32)
    name = EncryptedTextField()
    first_name = EncryptedTextField()
    company = models.CharField(max_length=160, blank=True)
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts")
    fields = models.JSONField(default=dict, blank=True)
    country = models.CharField(max_length=2, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.LEGITIMATE)
    source = models.CharField(max_length=200, blank=True)
    tracking_consent = models.CharField(max_length=8, choices=Consent.choices, default=Consent.UNKNOWN)
    imported_by = models.ForeignKey(
        "outreach.ContactImport",
        null=True,
        on_delete=models.SET_NULL,
        related_name="people",
        db_index=False,
    )
    touched_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = ContactManager()  # type: ignore[misc]

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["workspace", "address_index"], name="one_contact_per_address")
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="contact_newest_first"),
            models.Index(
                fields=["imported_by"], condition=Q(imported_by__isnull=False), name="contact_of_import"
            ),
        ]

    @property
    def greeting(self) -> str:
        """What screens call this person: the first name, the name, else the part before the @."""
        return str(self.first_name or self.name or self.address.partition("@")[0])


class SuppressionReason(models.TextChoices):
    OPTED_OUT = "opted_out", "Opted out"
    BOUNCED = "bounced", "Bounced"
    COMPLAINED = "complained", "Complained"
    BY_HAND = "by_hand", "Added by a person"


class Suppression(WorkspaceModel):
    """An address or a whole domain that is never written to. `value` may be erased, the index stays."""

    inventory = Kept(Data.CONTENT, "Whom nobody here may write to again", "For good, as an HMAC")
    project_path = Everybody("who must not be written to holds for every project")

    class Scope(models.TextChoices):
        ADDRESS = "address", "Address"
        DOMAIN = "domain", "Whole domain"

    scope = models.CharField(max_length=7, choices=Scope.choices, default=Scope.ADDRESS)
    value = EncryptedTextField(null=True)
    value_index = models.BinaryField(max_length=32)
    reason = models.CharField(max_length=10, choices=SuppressionReason.choices)
    note = EncryptedTextField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta(WorkspaceModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "scope", "value_index"], name="one_suppression_per_value"
            ),
            models.CheckConstraint(condition=Q(scope__in=["address", "domain"]), name="suppression_scope"),
        ]
